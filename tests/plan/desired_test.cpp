// Who becomes a peer, and who loses to whom; and that the table comes to the same whatever way it
// was filled.
#include "plan/desired.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "base/random.h"
#include "tests/plan/support/builders.h"
#include "tests/plan/support/derive.h"

namespace wesher::plan::test {
namespace {

OwnNode own() {
  const Desired d = desired({});
  return {d.own_name, d.interface, true};
}

/// Names of the peers, then the losers as "name: reason".
std::vector<std::string> outcome(const std::vector<Member>& members) {
  const DesiredResult result = by_table(own(), members);
  std::vector<std::string> out;
  for (const DesiredPeer& peer : result.desired.peers)
    out.push_back(peer.name);
  for (const Loser& loser : result.losers)
    out.push_back(loser.name + ": " + loser.reason);
  return out;
}

using Outcome = std::vector<std::string>;

TEST_CASE("configured members become peers sorted by name with our port at their endpoint") {
  OwnNode self = own();
  self.interface.listen_port = 4242;
  self.hosts = false;
  const DesiredResult r = by_table(self, {member("b", 2), member("a", 1)});
  CHECK(r.losers.empty());
  CHECK(r.desired.generation == 0);
  CHECK(r.desired.interface == self.interface);
  CHECK_FALSE(r.desired.hosts);
  CHECK(r.desired.own_name == "self");
  REQUIRE(r.desired.peers.size() == 2);
  CHECK(r.desired.peers[0] == DesiredPeer{"a", key(1), ip("10.0.0.1"), endpoint("192.0.2.1:4242"),
                                          "member since 2026-08-11T14:13:20.000Z"});
  CHECK(r.desired.peers[1].name == "b");
}

TEST_CASE("the row of a member does not depend on its state while it stays configured") {
  Member suspect = member("a", 1);
  suspect.state = MemberState::suspect;
  suspect.state_since = kNow;
  suspect.incarnation = 9;
  CHECK(by_table(own(), {suspect}).desired == by_table(own(), {member("a", 1)}).desired);
}

TEST_CASE("members that are seeds or refused are no peers and no losers") {
  Member seed = member("a", 1);
  seed.standing = Standing::seed;
  Member refused = member("b", 2);
  refused.standing = Standing::refused;
  CHECK(outcome({seed, refused, member("c", 3)}) == Outcome{"c"});
}

TEST_CASE("of members with one address or one key the smaller name wins") {
  Member address = member("c", 3);
  address.meta->overlay = ip("10.0.0.2");
  Member same_key = member("d", 4);
  same_key.meta->key = key(2);
  const std::vector<Member> members = {address, same_key, member("b", 2)};
  CHECK(outcome(members) == Outcome{"b", "c: its overlay address 10.0.0.2 belongs to b",
                                    "d: its public key AgIC… belongs to b"});
}

TEST_CASE("a loser takes nothing from those behind it") {
  Member loser = member("b", 2);
  loser.meta->overlay = ip("10.0.0.1");
  Member third = member("c", 3);
  third.meta->key = key(2);
  CHECK(outcome({member("a", 1), loser, third}) ==
        Outcome{"a", "c", "b: its overlay address 10.0.0.1 belongs to a"});
}

TEST_CASE("our name and address and key are never given away") {
  Member name = member("self", 1);
  Member address = member("a", 2);
  address.meta->overlay = ip("10.0.0.100");
  Member same_key = member("b", 3);
  same_key.meta->key = key(100);
  CHECK(outcome({name, address, same_key}) == Outcome{"a: its overlay address 10.0.0.100 is ours",
                                                      "b: its public key is ours",
                                                      "self: bears our own name"});
}

TEST_CASE("a member without usable values is a loser") {
  Member nothing = member("a", 1);
  nothing.meta.reset();
  Member zero = member("b", 2);
  zero.meta->key = PublicKey();
  Member nowhere = member("c", 3);
  nowhere.underlay = IpAddress();
  Member loop = member("d", 4);
  loop.meta->overlay = loop.underlay;
  CHECK(outcome({nothing, zero, nowhere, loop}) ==
        Outcome{"a: announced no overlay address and key", "b: its public key is all zero",
                "c: it has no underlay address",
                "d: its overlay address 192.0.2.4 is its underlay address, too"});
}

TEST_CASE("an overlay address that no host can have makes a loser") {
  for (const char* bad :
       {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"}) {
    Member m = member("a", 1);
    m.meta->overlay = ip(bad);
    CHECK(outcome({m}) ==
          Outcome{"a: its overlay address " + std::string(bad) + " is none that a host can have"});
  }
}

TEST_CASE("foreign names in reasons are printable") {
  Member loser = member("b", 2);
  loser.meta->overlay = ip("10.0.0.1");
  CHECK(by_table(own(), {member("a\x1b[2J", 1), loser}).losers.at(0).reason ==
        "its overlay address 10.0.0.1 belongs to a\\x1b[2J");
}

TEST_CASE("the order in which members are listed changes nothing") {
  std::vector<Member> members;
  for (std::uint8_t n = 1; n < 7; ++n) {
    Member m = member(std::string(1, static_cast<char>('a' + n)), n);
    m.meta->overlay = IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(n / 2 + 1));
    m.meta->key = key(static_cast<std::uint8_t>(n / 3 + 1));
    members.push_back(m);
  }
  const Outcome expected = outcome(members);
  do {
    REQUIRE(outcome(members) == expected);
  } while (std::next_permutation(members.begin(), members.end(),
                                 [](const auto& a, const auto& b) { return a.name < b.name; }));
}

/// The desired state that row changes make of an earlier one.
std::vector<DesiredPeer> with_changes(const std::vector<DesiredPeer>& before,
                                      const RowChanges& changes) {
  std::map<std::string, DesiredPeer> rows;
  for (const DesiredPeer& peer : before)
    rows.emplace(peer.name, peer);
  for (const auto& [name, change] : changes) {
    const auto it = rows.find(name);
    CHECK((it == rows.end() ? std::nullopt : std::optional(it->second)) == change.before);
    CHECK(change.before != change.after);
    rows.erase(name);
    if (change.after) rows.emplace(name, *change.after);
  }
  std::vector<DesiredPeer> out;
  for (auto& [name, peer] : rows)
    out.push_back(std::move(peer));
  return out;
}

TEST_CASE("whatever way a table was filled it is what one look at all members gives") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Rng rng = Rng::from_number(seed);
    const auto number = [&] { return static_cast<std::uint8_t>(1 + rng.below(std::uint64_t{5})); };
    OwnNode self = own();
    DesiredTable table(self);
    std::vector<DesiredPeer> before;
    for (int step = 0; step < 40; ++step) {
      const std::string name(1, static_cast<char>('a' + rng.below(std::uint64_t{8})));
      if (rng.below(std::uint64_t{20}) == 0) {
        self.interface.overlay = IpAddress::v4(10, 0, 0, number());
        self.interface.key = key(number());
        table.set_own(self);
      } else if (rng.below(std::uint64_t{4}) == 0) {
        table.remove(name);
      } else {
        Member m = member(name, number());
        m.meta->key = key(number());
        m.meta->overlay = IpAddress::v4(10, 0, 0, number());
        if (rng.below(std::uint64_t{6}) == 0) m.standing = Standing::refused;
        if (rng.below(std::uint64_t{9}) == 0) m.meta.reset();
        table.put(m);
      }
      std::vector<Member> all;
      for (const auto& [key, m] : table.members())
        all.push_back(m);
      const Desired expected = derive(self, all).desired;
      REQUIRE(table.desired() == expected);
      for (const DesiredPeer& peer : expected.peers) {
        REQUIRE(table.find(peer.name) != nullptr);
        REQUIRE(table.owner(peer.key)->name == peer.name);
        REQUIRE(table.owner(peer.overlay)->name == peer.name);
      }
      if (rng.below(std::uint64_t{2}) == 0) continue;  // changes of several steps add up
      REQUIRE(with_changes(before, table.take_changes()) == expected.peers);
      before = expected.peers;
    }
  }
}

TEST_CASE("a member that comes and goes between two looks is no change") {
  DesiredTable table(own());
  table.put(member("a", 1));
  (void)table.take_changes();
  table.put(member("b", 2));
  table.remove("b");
  Member moved = member("a", 1);
  moved.meta->overlay = ip("10.0.0.7");
  table.put(moved);
  table.put(member("a", 1));
  CHECK(table.take_changes().empty());
}

TEST_CASE("a loser is told once and again when the reason is another") {
  DesiredTable table(own());
  table.put(member("a", 1));
  Member b = member("b", 2);
  b.meta->overlay = ip("10.0.0.1");
  table.put(b);
  CHECK(table.take_losers().size() == 1);
  b.incarnation = 7;
  table.put(b);
  CHECK(table.take_losers().empty());
  table.remove("a");
  CHECK(table.take_losers().empty());
  CHECK(table.find("b") != nullptr);
  table.put(member("a", 1));
  CHECK(table.take_losers().at(0).name == "b");
}

}  // namespace
}  // namespace wesher::plan::test
