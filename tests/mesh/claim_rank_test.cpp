#include "mesh/claim_rank.h"

#include <catch2/catch.hpp>

namespace wesher::mesh {

namespace {

ClaimRank rank(ClaimClass kind, std::int64_t ms, std::uint8_t identity) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bytes.front() = identity;
  return {kind, wall_from_ms(ms), IdentityKey(bytes)};
}

}  // namespace

TEST_CASE("claims go by class and then time and then identity") {
  const ClaimRank certified = rank(ClaimClass::certified, 9, 9);
  const ClaimRank legacy = rank(ClaimClass::legacy, 0, 0);
  const ClaimRank early = rank(ClaimClass::recorded, 5, 9);
  const ClaimRank low = rank(ClaimClass::recorded, 6, 1);
  const ClaimRank high = rank(ClaimClass::recorded, 6, 2);
  const std::array ordered = {certified, legacy, early, low, high};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      CHECK((ordered.at(i) < ordered.at(j)) == (i < j));
    }
  }
  CHECK(static_cast<int>(ClaimClass::certified) == 0);
  CHECK(static_cast<int>(ClaimClass::legacy) == 1);
  CHECK(static_cast<int>(ClaimClass::recorded) == 2);
}

TEST_CASE("a claim without a record counts on the Go program's address in its networks only") {
  const auto counts = [](const char* name, const char* address, const char* net) {
    return legacy_rank(name, IpAddress::parse(address).value(), Prefix::parse(net).value());
  };
  CHECK(counts("node1", "10.59.73.60", "10.0.0.0/8") == rank(ClaimClass::legacy, 0, 0));
  CHECK(counts("node3", "10.0.0.178", "10.0.0.0/24"));
  CHECK_FALSE(counts("node2", "10.59.73.60", "10.0.0.0/8"));
  CHECK_FALSE(counts("node1", "10.59.73.61", "10.0.0.0/8"));
  CHECK_FALSE(counts("node1", "10.43.73.60", "10.32.0.0/12"));
  CHECK_FALSE(counts("node1", "10.59.73.60", "0.0.0.0/0"));
}

}  // namespace wesher::mesh
