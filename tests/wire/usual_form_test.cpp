// The quick reader of announcements against the general one: what it takes means the same to both.
#include "wire/usual_form.h"

#include <catch2/catch.hpp>

#include "tests/wire/support/samples.h"
#include "wire/limits.h"
#include "wire/messages.h"

namespace wesher::wire {

namespace {

Alive sample(std::size_t meta = 40, const std::string& name = "node-b") {
  Alive alive;
  alive.incarnation = 70000;
  alive.node = name;
  alive.address = {10, 0, 0, 1};
  alive.port = 7946;
  alive.meta = Bytes(meta, 0xab);
  alive.versions = {1, 5, 2, 0, 0, 0};
  return alive;
}

/// The same map under a head that the quick reader does not know.
Bytes in_another_form(ByteView body) {
  Bytes out = {0xde, 0, static_cast<std::uint8_t>(body.front() & 0x0fU)};
  out.insert(out.end(), body.begin() + 1, body.end());
  return out;
}

Bytes message(MessageType type, ByteView body) {
  return test::joined(Bytes{static_cast<std::uint8_t>(type)}, body);
}

/// A push/pull of this one entry, and a sound one behind it.
Bytes table(ByteView entry, ByteView sound) {
  const Bytes header = test::hex("0683a44a6f696ec2a54e6f64657302ac5573657253746174654c656e00");
  return test::joined(header, test::joined(entry, sound));
}

/// `bytes` with each of its bytes replaced by each of those that mean something else there.
template <class Each>
void for_each_damage(const Bytes& bytes, Each each) {
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    for (const unsigned other :
         {0x00U, 0x01U, 0x7fU, 0x80U, 0x8fU, 0xa0U, 0xa3U, 0xa4U, 0xbfU, 0xc0U, 0xc4U, 0xccU, 0xcdU,
          0xceU, 0xcfU, 0xd1U, 0xd9U, 0xdaU, 0xffU}) {
      Bytes damaged = bytes;
      damaged[at] = static_cast<std::uint8_t>(other);
      each(damaged);
    }
    each(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at)));
  }
}

/// The body of an entry: what stands between the header and the end of a table of one.
Bytes entry_body(const Alive& alive) {
  PushPull one;
  one.entries.push_back(entry_of(alive));
  const Bytes plain = encode_stream(one);
  const std::size_t header =
      test::hex("0683a44a6f696ec2a54e6f64657301ac5573657253746174654c656e00").size();
  return {plain.begin() + static_cast<std::ptrdiff_t>(header), plain.end()};
}

}  // namespace

TEST_CASE("what is written is in the form that is read quickly") {
  for (const std::size_t meta : {0U, 31U, 32U, 255U, 512U}) {
    for (const std::string& name :
         {std::string("a"), std::string(31, 'b'), std::string(253, 'c')}) {
      const Alive alive = sample(meta, name);
      const Bytes written = encode(alive);
      AliveView view;
      REQUIRE(read_usual(ByteView(written).subspan(1), view));
      CHECK(view.copy() == alive);
      const Bytes body = entry_body(alive);
      ByteView rest = body;
      EntryView entry;
      REQUIRE(read_usual(rest, entry));
      CHECK(rest.empty());
      CHECK(entry.member.copy() == alive);
    }
  }
}

TEST_CASE("a damaged alive message means the same to both readers") {
  const Bytes written = encode(sample());
  std::size_t quick = 0;
  for_each_damage(Bytes(written.begin() + 1, written.end()), [&](const Bytes& body) {
    AliveView view;
    quick += read_usual(body, view) ? 1U : 0U;
    const auto one = decode(message(MessageType::alive, body));
    const auto other = decode(message(MessageType::alive, in_another_form(body)));
    REQUIRE(one.has_value() == other.has_value());
    if (one) REQUIRE(*one == *other);
  });
  CHECK(quick > 0);
}

TEST_CASE("a damaged entry means the same to both readers") {
  const Bytes sound = entry_body(sample(10, "sound"));
  std::size_t quick = 0;
  for_each_damage(entry_body(sample()), [&](const Bytes& body) {
    EntryView entry;
    ByteView rest = body;
    quick += read_usual(rest, entry) ? 1U : 0U;
    std::size_t bad = 0;
    std::size_t other_bad = 0;
    const auto one = decode_stream(table(body, sound), &bad);
    const auto other = decode_stream(table(in_another_form(body), sound), &other_bad);
    REQUIRE(one.has_value() == other.has_value());
    REQUIRE(bad == other_bad);
    if (one) REQUIRE(*one == *other);
  });
  CHECK(quick > 0);
}

TEST_CASE("a field over its limit is left to the general reader") {
  const Bytes written = encode(sample(limits::kMetaBytes + 1));
  AliveView view;
  CHECK_FALSE(read_usual(ByteView(written).subspan(1), view));
}

}  // namespace wesher::wire
