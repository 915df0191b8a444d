// The ring as memberlist keeps it, and the two encryption versions under it.
#include "wire/keyring.h"

#include <set>

#include <catch2/catch.hpp>

#include "tests/wire/support/samples.h"

namespace wesher::wire {

namespace {

using test::hex;

const Bytes kPing = hex("0082a44e6f6465a162a55365714e6f01");

Bytes key_of(std::uint8_t fill, std::size_t size = 32) {
  return Bytes(size, fill);
}

/// Sealed under a ring of its own with that key.
Bytes sealed_under(ByteView key) {
  return test::seal_version_1(test::ring_of(key), kPing);
}

bool opens(const Keyring& ring, ByteView sealed) {
  const auto plain = ring.open(sealed, {});
  return plain && *plain == kPing;
}

}  // namespace

TEST_CASE("keys have 16 or 24 or 32 bytes") {
  for (std::size_t size = 0; size <= 40; ++size) {
    Keyring ring;
    const bool good = size == 16 || size == 24 || size == 32;
    INFO(size);
    CHECK(ring.add(key_of(1, size)).has_value() == good);
    CHECK(ring.size() == (good ? 1 : 0));
  }
}

TEST_CASE("every key size seals and opens") {
  const std::size_t size = GENERATE(16U, 24U, 32U);
  const Keyring ring = test::ring_of(test::recorded_key(size));
  CHECK(opens(ring, test::seal_version_1(ring, kPing)));
  CHECK(opens(ring, test::seal_version_0(ring, kPing)));
}

TEST_CASE("adding a key twice keeps one and the first one stays primary") {
  Keyring ring = test::ring_of(key_of(1));
  REQUIRE(ring.add(key_of(2)));
  REQUIRE(ring.add(key_of(2)));
  REQUIRE(ring.add(key_of(1)));
  CHECK(ring.size() == 2);
  CHECK(test::seal_version_1(ring, kPing) == sealed_under(key_of(1)));
}

TEST_CASE("the key in use seals and all keys open") {
  Keyring ring = test::ring_of(key_of(1));
  REQUIRE(ring.add(key_of(2)));
  REQUIRE(ring.add(key_of(3, 16)));
  for (const Bytes& key : {key_of(1), key_of(2), key_of(3, 16)}) {
    REQUIRE(ring.use(key));
    CHECK(test::seal_version_1(ring, kPing) == sealed_under(key));
    CHECK(opens(ring, sealed_under(key_of(1))));
    CHECK(opens(ring, sealed_under(key_of(2))));
    CHECK(opens(ring, sealed_under(key_of(3, 16))));
  }
  CHECK(ring.size() == 3);
  CHECK(ring.use(key_of(9)).error().code == Errc::not_found);
  CHECK(ring.use(key_of(3, 24)).error().code == Errc::not_found);
}

TEST_CASE("a removed key opens nothing any more and the one in use stays") {
  Keyring ring = test::ring_of(key_of(1));
  REQUIRE(ring.add(key_of(2)));
  CHECK(ring.remove(key_of(1)).error().code == Errc::busy);
  CHECK(ring.remove(key_of(9)));
  REQUIRE(ring.remove(key_of(2)));
  CHECK(ring.size() == 1);
  CHECK_FALSE(opens(ring, sealed_under(key_of(2))));
  CHECK(opens(ring, sealed_under(key_of(1))));
}

TEST_CASE("an empty ring seals nothing and opens nothing") {
  const Keyring ring;
  Rng rng = Rng::from_number(1);
  CHECK(ring.seal(kPing, {}, rng).empty());
  CHECK(test::seal_version_1(ring, kPing).empty());
  CHECK(ring.open(sealed_under(key_of(1)), {}).error().code == Errc::not_permitted);
}

TEST_CASE("nothing is never sealed") {
  const Keyring ring = test::recorded_ring();
  Rng rng = Rng::from_number(1);
  CHECK(ring.seal({}, {}, rng).empty());
  CHECK(test::seal_version_1(ring, {}).empty());
  Bytes out = hex("aabb");
  CHECK_FALSE(ring.seal_to(out, {}, {}, rng));
  CHECK(out == hex("aabb"));
}

TEST_CASE("sealing draws a new nonce each time and opens again") {
  const Keyring ring = test::recorded_ring();
  Rng rng = Rng::from_number(1);
  std::set<Bytes> nonces;
  for (int i = 0; i < 100; ++i) {
    const Bytes sealed = ring.seal(kPing, hex("01"), rng);
    REQUIRE(sealed.size() == kPing.size() + kSealOverhead);
    CHECK(sealed.front() == 1);
    CHECK(ring.open(sealed, hex("01")).value() == kPing);
    nonces.emplace(sealed.begin() + 1, sealed.begin() + 13);
  }
  CHECK(nonces.size() == 100);
}

TEST_CASE("sealing may follow bytes that are there already") {
  const Keyring ring = test::recorded_ring();
  Rng rng = Rng::from_number(1);
  Bytes out = hex("aabb");
  REQUIRE(ring.seal_to(out, kPing, {}, rng));
  CHECK(ByteView(out).first(2)[0] == 0xaa);
  CHECK(opens(ring, ByteView(out).subspan(2)));
}

TEST_CASE("a flipped bit anywhere or other additional data is refused") {
  const Keyring ring = test::recorded_ring();
  const Bytes aad = hex("0102");
  const Bytes sealed = test::seal_version_1(ring, kPing, aad);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes flipped = sealed;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ 1U << bit % 8);
    const auto plain = ring.open(flipped, aad);
    INFO(bit);
    // The version byte is not authenticated: 1 → 0 reads the plaintext as padded. Its last byte 01
    // is a legal padding, which a peer that writes version 0 alone could mean.
    CHECK(plain.has_value() == (bit == 0));
  }
  CHECK_FALSE(ring.open(sealed, {}));
  CHECK_FALSE(ring.open(sealed, hex("0103")));
}

TEST_CASE("nothing shorter than a sealed byte opens") {
  const Keyring ring = test::recorded_ring();
  const Bytes one = test::seal_version_1(ring, hex("41"));
  REQUIRE(one.size() == 30);
  CHECK(ring.open(one, {}).value() == hex("41"));
  for (std::size_t size = 0; size < one.size(); ++size)
    CHECK_FALSE(ring.open(ByteView(one).first(size), {}));
  const Bytes padded = test::seal_version_0(ring, hex("41"));
  REQUIRE(padded.size() == 45);
  CHECK(ring.open(padded, {}).value() == hex("41"));
  for (std::size_t size = 0; size < padded.size(); ++size)
    CHECK_FALSE(ring.open(ByteView(padded).first(size), {}));
}

TEST_CASE("an authenticated empty plaintext is malformed") {
  const Keyring ring = test::recorded_ring();
  const Bytes padding_only = test::seal_version_0(ring, {});
  REQUIRE(padding_only.size() == 45);
  // AES-256-GCM of nothing under the recorded key and nonce is a tag alone.
  const Bytes tag_only = hex("01a0a1a2a3a4a5a6a7a8a9aaab5c699625af4b93a0f8220a2a6119c5d0");
  REQUIRE(tag_only.size() == 29);
  for (const Bytes& sealed : {padding_only, tag_only}) {
    const auto plain = ring.open(sealed, {});
    REQUIRE_FALSE(plain);
    CHECK(plain.error().code == Errc::malformed);
    Bytes out = hex("aa");
    CHECK(ring.open_to(out, sealed, {}) == OpenFault::empty);
    CHECK(out.empty());
  }
}

TEST_CASE("a padding of 1 to 16 opens and any other is malformed") {
  const Keyring ring = test::recorded_ring();
  for (unsigned last = 0; last < 256; ++last) {
    Bytes plain(32, 0x41);
    plain.back() = static_cast<std::uint8_t>(last);
    Bytes sealed = test::seal_version_1(ring, plain);
    sealed.front() = 0;
    Bytes out;
    const OpenFault fault = ring.open_to(out, sealed, {});
    INFO(last);
    if (last >= 1 && last <= 16) {
      CHECK(fault == OpenFault::none);
      CHECK(out.size() == 32 - last);
    } else {
      CHECK(fault == OpenFault::padding);
      CHECK(out.empty());
    }
  }
}

TEST_CASE("encryption versions above 1 are refused") {
  const Keyring ring = test::recorded_ring();
  for (unsigned version = 2; version < 256; ++version) {
    Bytes sealed = test::seal_version_1(ring, Bytes(40, 1));
    sealed.front() = static_cast<std::uint8_t>(version);
    CHECK_FALSE(ring.open(sealed, {}));
  }
}

TEST_CASE("a moved ring still works") {
  Keyring ring = test::recorded_ring();
  const Bytes sealed = test::seal_version_1(ring, kPing);
  const Keyring moved = std::move(ring);
  CHECK(opens(moved, sealed));
}

}  // namespace wesher::wire
