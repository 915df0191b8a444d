#include "wire/reservations.h"

#include <algorithm>
#include <array>

#include "wire/limits.h"

namespace wesher::wire {

namespace {

constexpr std::array<std::uint8_t, 4> kReservationsMagic{'W', '2', 'R', 1};

}  // namespace

Bytes encode_reservations(const std::vector<Reservation>& reservations) {
  if (reservations.empty()) return {};
  Bytes out(kReservationsMagic.begin(), kReservationsMagic.end());
  ByteWriter writer(out);
  const std::size_t most = std::min(reservations.size(), limits::kMembers);
  for (std::size_t i = 0; i < most; ++i) {
    const Reservation& each = reservations[i];
    writer.u8(static_cast<std::uint8_t>(each.name.size()));
    writer.put(as_bytes(each.name));
    writer.u8(static_cast<std::uint8_t>(each.overlay.bytes().size()));
    writer.put(each.overlay.bytes());
  }
  return out;
}

Result<std::vector<Reservation>> decode_reservations(ByteView bytes) {
  if (bytes.size() < kReservationsMagic.size() ||
      !std::equal(kReservationsMagic.begin(), kReservationsMagic.end(), bytes.begin()))
    return fail(Errc::unsupported, "no list of reserved addresses");
  ByteReader reader(bytes.subspan(kReservationsMagic.size()));
  std::vector<Reservation> reservations;
  while (reader.left() > 0) {
    if (reservations.size() == limits::kMembers)
      return fail(Errc::malformed, "more reserved addresses than a cluster has members");
    const std::string name(as_text(reader.take(reader.u8())));
    const auto overlay = IpAddress::from_bytes(reader.take(reader.u8()));
    if (!reader.ok() || name.empty() || name.size() > limits::kNameBytes || !overlay)
      return fail(Errc::malformed, "a list of reserved addresses is cut or damaged");
    reservations.push_back({name, *overlay});
  }
  return reservations;
}

}  // namespace wesher::wire
