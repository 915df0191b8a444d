#include "mesh/overlay_choice.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "base/random.h"

namespace wesher::mesh {

namespace {

using std::chrono::minutes;

OverlayCandidates pool(const char* net, const char* name = "node1") {
  return OverlayCandidates::of(name, Prefix::parse(net).value()).value();
}

std::vector<IpAddress> first_of(OverlayCandidates from, std::size_t count) {
  std::vector<IpAddress> out;
  while (out.size() < count)
    out.push_back(from.next().value());
  return out;
}

AddressClaim live(const IpAddress& address, std::string member) {
  return {address, std::move(member), std::nullopt};
}

AddressClaim away(const IpAddress& address, std::string member, Duration age) {
  return {address, std::move(member), age};
}

using Choice = std::variant<IpAddress, PoolFull>;

}  // namespace

TEST_CASE("the first candidate that nobody claims and this host does not need is chosen") {
  const auto order = first_of(pool("10.9.0.0/29"), 6);
  CHECK(choose_address(pool("10.9.0.0/29"), {}, {}) == Choice(order[0]));
  const std::vector claims = {live(order[0], "a"), away(order[1], "b", minutes(1000))};
  CHECK(choose_address(pool("10.9.0.0/29"), claims, {}) == Choice(order[2]));
  const std::vector reserved = {order[2], IpAddress::v4(10, 9, 0, 0), IpAddress::v4(192, 0, 2, 1)};
  CHECK(choose_address(pool("10.9.0.0/29"), claims, reserved) == Choice(order[3]));
}

TEST_CASE("without a free candidate the one whose claimant is away longest is chosen") {
  const auto order = first_of(pool("10.9.0.0/29"), 6);
  std::vector claims = {live(order[0], "a"),
                        away(order[1], "b", minutes(5)),
                        away(order[2], "c", minutes(7)),
                        away(order[3], "d", minutes(7)),
                        live(order[4], "e"),
                        away(order[5], "f", minutes(90))};
  CHECK(choose_address(pool("10.9.0.0/29"), claims, {}) == Choice(order[5]));
  const std::vector reserved = {order[5]};
  CHECK(choose_address(pool("10.9.0.0/29"), claims, reserved) == Choice(order[2]));
  claims[1].away_for = Duration::zero();
  claims[2].away_for.reset();
  claims[3].away_for.reset();
  CHECK(choose_address(pool("10.9.0.0/29"), claims, reserved) == Choice(order[1]));
}

TEST_CASE("of several claimants of an address a live one counts and else who went last") {
  const auto order = first_of(pool("10.9.0.0/30"), 2);
  std::vector claims = {away(order[0], "old", minutes(100)), away(order[0], "new", minutes(1)),
                        away(order[1], "other", minutes(50))};
  do {
    CHECK(choose_address(pool("10.9.0.0/30"), claims, {}) == Choice(order[1]));
  } while (std::ranges::next_permutation(claims, {}, &AddressClaim::member).found);
  claims.push_back(live(order[1], "alive"));
  std::ranges::sort(claims, {}, &AddressClaim::member);
  do {
    CHECK(choose_address(pool("10.9.0.0/30"), claims, {}) == Choice(order[0]));
  } while (std::ranges::next_permutation(claims, {}, &AddressClaim::member).found);
}

TEST_CASE("a full pool is proved by who holds each of its addresses") {
  const auto at = [](std::uint8_t host) { return IpAddress::v4(10, 9, 0, host); };
  std::vector<AddressClaim> claims;
  for (std::uint8_t host = 1; host <= 5; ++host)
    claims.push_back(live(at(host), std::string(1, static_cast<char>('a' + host - 1))));
  claims.push_back(live(IpAddress::v4(10, 10, 0, 1), "elsewhere"));
  const std::vector reserved = {at(6)};
  const PoolFull full{
      {{at(1), "a"}, {at(2), "b"}, {at(3), "c"}, {at(4), "d"}, {at(5), "e"}, {at(6), ""}}};
  for (const char* name : {"node1", "node2", "x"})
    CHECK(choose_address(pool("10.9.0.0/29", name), claims, reserved) == Choice(full));
  CHECK(choose_address(pool("10.9.0.0/29"), claims, {}) == Choice(at(6)));
  claims.erase(claims.begin() + 2);
  CHECK(choose_address(pool("10.9.0.0/29"), claims, reserved) == Choice(at(3)));
}

TEST_CASE("a fixed address is taken or its holder is told") {
  const IpAddress fixed = IpAddress::v4(10, 9, 0, 77);
  const std::vector claims = {live(fixed, "thief")};
  CHECK(choose_address(pool("10.9.0.77/32"), {}, {}) == Choice(fixed));
  CHECK(choose_address(pool("10.9.0.77/32"), claims, {}) == Choice(PoolFull{{{fixed, "thief"}}}));
}

TEST_CASE("a large pool costs no more candidates than there are claims") {
  for (const char* net : {"10.0.0.0/8", "fd00::/64"}) {
    const auto order = first_of(pool(net), 5001);
    std::vector<AddressClaim> claims;
    for (std::size_t i = 0; i < 5000; ++i)
      claims.push_back(live(order[i], "m" + std::to_string(i)));
    Rng rng = Rng::from_number(9);
    rng.shuffle(claims);
    CHECK(choose_address(pool(net), claims, {}) == Choice(order[5000]));
  }
}

TEST_CASE("a choice is free or nobody live has it whatever is claimed") {
  Rng rng = Rng::from_number(5);
  std::size_t taken = 0;
  std::size_t full = 0;
  for (int round = 0; round < 2000; ++round) {
    const unsigned length = 27 + static_cast<unsigned>(rng.below(6));
    const Prefix net{IpAddress::v4(10, 9, 0, 64), length};
    const auto from = OverlayCandidates::of("n" + std::to_string(round), net).value();
    const auto all = first_of(from, from.size());
    std::vector<AddressClaim> claims;
    std::vector<IpAddress> reserved;
    for (const IpAddress& address : all) {
      const auto what = rng.below(20);
      if (what < 12) claims.push_back(live(address, "live"));
      if (what >= 10 && what < 17)
        claims.push_back(away(address, "away", minutes(rng.below(std::uint64_t{9}))));
      if (what >= 17 && round % 3 != 0) reserved.push_back(address);
    }
    const auto choice = choose_address(from, claims, reserved);
    const auto claimed = [&](const IpAddress& address, bool only_live) {
      return std::ranges::any_of(claims, [&](const AddressClaim& claim) {
        return claim.address == address && !(only_live && claim.away_for);
      });
    };
    const auto usable = [&](const IpAddress& address, bool only_live) {
      return !claimed(address, only_live) && std::ranges::find(reserved, address) == reserved.end();
    };
    const bool any_free = std::ranges::any_of(all, [&](const auto& a) { return usable(a, false); });
    if (const auto* address = std::get_if<IpAddress>(&choice)) {
      REQUIRE(usable(*address, !any_free));
      taken += any_free ? 0 : 1;
    } else {
      REQUIRE(std::ranges::none_of(all, [&](const auto& a) { return usable(a, true); }));
      REQUIRE(std::get<PoolFull>(choice).holders.size() == all.size());
      ++full;
    }
  }
  CHECK(taken > 50);
  CHECK(full > 50);
}

}  // namespace wesher::mesh
