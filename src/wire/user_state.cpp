#include "wire/user_state.h"

#include <algorithm>
#include <array>

namespace wesher::wire {

namespace {

constexpr std::array<std::uint8_t, 4> kUserStateMagic{'W', '2', 'U', 1};

/// Takes a section over if it is one of this kind; an error only for one that is damaged.
template <class Items>
Result<void> take(Items& items, Result<Items> section) {
  if (section) {
    items = std::move(*section);
  } else if (section.error().code != Errc::unsupported) {
    return tl::unexpected(section.error());
  }
  return {};
}

}  // namespace

Bytes encode_user_state(const UserState& state) {
  Bytes out(kUserStateMagic.begin(), kUserStateMagic.end());
  ByteWriter writer(out);
  for (const Bytes& section :
       {encode_reservations(state.reservations), encode_statements(state.statements)}) {
    if (section.empty()) continue;
    writer.u32(static_cast<std::uint32_t>(section.size()));
    writer.put(section);
  }
  return out.size() == kUserStateMagic.size() ? Bytes{} : out;
}

Result<UserState> decode_user_state(ByteView bytes) {
  if (bytes.size() < kUserStateMagic.size() ||
      !std::equal(kUserStateMagic.begin(), kUserStateMagic.end(), bytes.begin()))
    return fail(Errc::unsupported, "no user state of this version");
  ByteReader reader(bytes.subspan(kUserStateMagic.size()));
  UserState state;
  for (std::size_t count = 0; reader.left() > 0; ++count) {
    const ByteView section = reader.take(reader.u32());
    if (!reader.ok() || count == kUserSectionsMax)
      return fail(Errc::malformed, "a user state is cut or has too many sections");
    if (auto done = take(state.reservations, decode_reservations(section)); !done)
      return tl::unexpected(done.error());
    if (auto done = take(state.statements, decode_statements(section)); !done)
      return tl::unexpected(done.error());
  }
  return state;
}

}  // namespace wesher::wire
