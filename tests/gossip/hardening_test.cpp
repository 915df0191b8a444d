// What whoever holds the cluster key can do to a node, and what it cannot: forged deaths, wild
// incarnations, floods of names, recordings.
#include <catch2/catch.hpp>

#include "tests/gossip/support/rig.h"
#include "wire/limits.h"

namespace wesher::gossip::testing {

using namespace std::chrono_literals;

namespace {

/// A hook that wants a proof for every goodbye, as the mesh does, and keeps one name to itself.
class WantsProof : public Admission {
 public:
  [[nodiscard]] Verdict admit(const Claim& claim, const Record*, Instant) override {
    if (claim.state == RecordState::alive && claim.name == quiet) return Verdict::keep_quiet;
    const bool unproven = claim.state == RecordState::left && claim.proof == Proof::none;
    return unproven ? Verdict::suspect_instead : Verdict::accept;
  }

  std::string quiet;
};

wire::Dead goodbye(std::uint8_t host, std::uint32_t incarnation = 1) {
  return {incarnation, name_of(host), name_of(host)};
}

RecordState state_of(const Rig& rig, std::uint8_t host) {
  const Record* record = rig.node.find(name_of(host));
  REQUIRE(record != nullptr);
  return record->state;
}

/// The number of the newest ping to that member.
std::uint32_t asked(const Rig& rig, std::uint8_t host) {
  std::uint32_t sequence = 0;
  for (const auto& [sent, ping] : rig.sent_of<wire::Ping>()) {
    if (sent.to == peer(host)) sequence = ping.sequence;
  }
  REQUIRE(sequence != 0);
  return sequence;
}

std::size_t goodbyes_told(const Rig& rig) {
  std::size_t count = 0;
  for (const auto& [sent, dead] : rig.sent_of<wire::Dead>())
    count += dead.node == dead.from ? 1U : 0U;
  return count;
}

wire::Alive named(unsigned number) {
  wire::Alive claim = alive(1, 1);
  claim.node = "m" + std::to_string(number);
  claim.address = {10, static_cast<std::uint8_t>(1 + (number >> 16U)),
                   static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)};
  if (claim.address[3] == 255) claim.address[3] = 254;
  return claim;
}

void hear_names(Rig& rig, unsigned from, unsigned to) {
  while (from < to) {
    std::vector<wire::PacketMessage> messages;
    for (; from < to && messages.size() < 100; ++from)
      messages.emplace_back(named(from));
    rig.hear(peer(99), messages);
  }
}

}  // namespace

TEST_CASE("a forged goodbye is told to the member and not to others and its answer undoes it") {
  WantsProof hook;
  Rig rig(own_config(), &hook);
  rig.announced().with_members({1, 2});
  rig.advance(10s);
  rig.clear();
  rig.hear(peer(66), {goodbye(1, 5)});
  CHECK(state_of(rig, 1) == RecordState::suspect);
  const auto told = rig.sent_of<wire::Suspect>();
  REQUIRE_FALSE(told.empty());
  CHECK(told[0].first.to == peer(1));
  CHECK(told[0].second.incarnation == 5);
  CHECK(told[0].first.at == rig.now);
  rig.hear(peer(1), {wire::Ack{asked(rig, 1), {}, true}, alive(1, 6)});
  CHECK(state_of(rig, 1) == RecordState::alive);
  rig.advance(30s);
  CHECK(goodbyes_told(rig) == 0);
  CHECK(rig.events_of<Left>().empty());
}

TEST_CASE("a goodbye is believed when the member confirms it under the number of our ping") {
  WantsProof hook;
  Rig rig(own_config(), &hook);
  rig.announced().with_members({1, 2});
  rig.hear(peer(1), {goodbye(1)});
  CHECK(state_of(rig, 1) == RecordState::suspect);
  const std::uint32_t number = asked(rig, 1);
  SECTION("from its address with that number") {
    rig.hear(peer(1), {wire::Ack{number, {}, true}, goodbye(1)});
    CHECK(state_of(rig, 1) == RecordState::left);
    CHECK(rig.events_of<Left>().size() == 1);
  }
  SECTION("another number proves nothing") {
    rig.hear(peer(1), {wire::Ack{number + 1, {}, true}, goodbye(1)});
    CHECK(state_of(rig, 1) == RecordState::suspect);
  }
  SECTION("another address proves nothing") {
    rig.hear(peer(2), {wire::Ack{number, {}, true}, goodbye(1)});
    CHECK(state_of(rig, 1) == RecordState::suspect);
  }
}

TEST_CASE("a goodbye of a member that is silent is believed after three seconds") {
  WantsProof hook;
  Rig rig(own_config(), &hook);
  rig.announced().with_members({1, 2});
  rig.hear(peer(2), {goodbye(1)});
  rig.advance(2900ms);
  CHECK(state_of(rig, 1) == RecordState::suspect);
  rig.advance(200ms);
  CHECK(state_of(rig, 1) == RecordState::left);
}

TEST_CASE("a goodbye of a member that answers is not believed") {
  WantsProof hook;
  Rig rig(own_config(), &hook);
  rig.announced().with_members({1, 2});
  rig.hear(peer(2), {goodbye(1)});
  for (int i = 0; i < 8; ++i) {
    rig.hear(peer(1), {wire::Ack{asked(rig, 1), {}, true}});
    rig.advance(1s);
    CHECK(state_of(rig, 1) == RecordState::suspect);
  }
}

TEST_CASE("whoever takes the place of a member that left is taken in once the goodbye is proven") {
  WantsProof hook;
  Rig rig(own_config(), &hook);
  rig.announced().with_members({1, 2});
  rig.hear(peer(2), {goodbye(1)});
  wire::Alive moved = alive(1, 2);
  moved.address = {10, 0, 0, 77};
  rig.hear(peer(77), {moved});
  CHECK(rig.node.find(name_of(1))->address != moved.address);
  rig.advance(4s);
  CHECK(state_of(rig, 1) == RecordState::alive);
  CHECK(rig.node.find(name_of(1))->address == moved.address);
}

TEST_CASE("a wild incarnation of a member is looked up at the member") {
  Rig rig;
  rig.announced().with_members({1, 2});
  rig.clear();
  const std::uint32_t wild = 1 + limits::kIncarnationJump + 1;
  rig.hear(peer(66), {alive(1, wild)});
  CHECK(rig.node.find(name_of(1))->incarnation == 1);
  REQUIRE(rig.streams.size() == 1);
  CHECK(rig.streams[0].to == peer(1));
  wire::PushPull own;
  own.entries = {entry(1, wild)};
  SECTION("which confirms it") {
    rig.node.handle_reply(rig.streams[0].id, rig.seal_stream(own), rig.now);
    CHECK(rig.node.find(name_of(1))->incarnation == wild);
  }
  SECTION("the same in another member's table changes nothing and is asked seldom") {
    rig.hear(peer(66), {alive(1, wild)});
    CHECK(rig.streams.size() == 1);
    CHECK(rig.node.find(name_of(1))->incarnation == 1);
  }
  SECTION("one step less is an ordinary claim") {
    rig.hear(peer(66), {alive(1, wild - 1)});
    CHECK(rig.node.find(name_of(1))->incarnation == wild - 1);
  }
}

TEST_CASE("a new name at the end of all incarnations is looked up at its address") {
  Rig rig;
  rig.announced().with_members({1});
  rig.clear();
  const std::uint32_t wild = limits::kIncarnationNew + 1;
  rig.hear(peer(66), {alive(2, wild)});
  CHECK(rig.node.find(name_of(2)) == nullptr);
  REQUIRE(rig.streams.size() == 1);
  CHECK(rig.streams[0].to == peer(2));
  SECTION("where it says so itself") {
    wire::PushPull own;
    own.entries = {entry(1, wild), entry(2, wild)};
    rig.node.handle_reply(rig.streams[0].id, rig.seal_stream(own), rig.now);
    REQUIRE(rig.node.find(name_of(2)) != nullptr);
    CHECK(rig.node.find(name_of(2))->incarnation == wild);
  }
  SECTION("where somebody else answers") {
    wire::PushPull others;
    others.entries = {entry(1, 1), entry(3, 1)};
    rig.node.handle_reply(rig.streams[0].id, rig.seal_stream(others), rig.now);
    CHECK(rig.node.find(name_of(2)) == nullptr);
  }
  SECTION("one less is an ordinary name") {
    rig.hear(peer(66), {alive(2, wild - 1)});
    CHECK(rig.node.find(name_of(2)) != nullptr);
  }
}

TEST_CASE("a wild accusation of ourselves is answered only where a member believes it") {
  Rig rig;
  rig.announced().with_members({1});
  rig.clear();
  const std::uint32_t mine = rig.node.self().incarnation;
  const std::uint32_t wild = mine + limits::kIncarnationJump + 1;
  rig.hear(peer(66), {wire::Suspect{wild, own_name, "n66"}});
  CHECK(rig.node.self().incarnation == mine);
  CHECK(rig.events_of<Refuted>().empty());
  REQUIRE(rig.streams.size() == 1);
  auto ours = entry(1, wild, wire::EntryState::suspect);
  ours.name = own_name;
  wire::PushPull table;
  table.entries = {ours};
  rig.node.handle_reply(rig.streams[0].id, rig.seal_stream(table), rig.now);
  rig.drain();
  const bool asked_for_more = !rig.events_of<NeedIncarnations>().empty();
  CHECK((asked_for_more || rig.node.self().incarnation > wild));
}

TEST_CASE("refutations have a bounded rate and the last accusation is answered") {
  Rig rig;
  rig.announced().with_members({1});
  rig.clear();
  rig.node.extend_incarnations(100000, rig.now);
  for (int i = 0; i < 200; ++i)
    rig.hear(peer(1), {wire::Suspect{rig.node.self().incarnation, own_name, "n1"}});
  CHECK(rig.events_of<Refuted>().size() == limits::kRefutations);
  const std::uint32_t accused = rig.node.self().incarnation;
  rig.advance(1s);
  CHECK(rig.node.self().incarnation == accused + 1);
}

TEST_CASE("an accuser that accuses too often is not heard and others are") {
  Rig rig;
  rig.announced().with_members({1, 2, 3});
  rig.clear();
  for (std::uint32_t i = 2; i < 100; ++i)
    rig.hear(peer(66), {wire::Suspect{i, name_of(1), "n66"}});
  CHECK(rig.node.find(name_of(1))->incarnation == 1 + limits::kAccusations);
  rig.hear(peer(3), {wire::Suspect{1, name_of(2), name_of(3)}});
  CHECK(state_of(rig, 2) == RecordState::suspect);
}

TEST_CASE("names known by hearsay push out each other and nobody who answered") {
  Rig rig;
  rig.announced().with_members({1});
  rig.advance(1s);
  rig.node.ping(name_of(1), peer(1), rig.now);
  rig.drain();
  rig.hear(peer(1), {wire::Ack{asked(rig, 1), {}, true}});
  const auto most = static_cast<unsigned>(limits::kMembersUnverified);
  for (unsigned from = 0; from < 3 * most; from += 200) {
    hear_names(rig, from, from + 200);
    rig.advance(1s);
    rig.clear();
  }
  CHECK(rig.node.size() <= limits::kMembersUnverified + 2);
  CHECK(rig.node.size() > limits::kMembersUnverified / 2);
  CHECK(rig.node.find(name_of(1)) != nullptr);
}

TEST_CASE("new names by hearsay have a bounded rate") {
  Rig rig;
  rig.announced();
  hear_names(rig, 0, 3000);
  CHECK(rig.node.size() == limits::kNewNamesAtOnce + 1);
  rig.advance(1s);
  hear_names(rig, 3000, 4000);
  CHECK(rig.node.size() == limits::kNewNamesAtOnce + limits::kNewNames + 1);
}

TEST_CASE("strangers are decrypted at a bounded rate and members always") {
  Rig rig;
  rig.announced().with_members({1});
  rig.advance(1s);
  rig.clear();
  for (std::uint32_t i = 1; i <= limits::kDecryptsUnknown + 500; ++i)
    rig.hear(peer(66), {wire::Ping{i, own_name, {}}});
  CHECK(rig.sent_of<wire::Ack>().size() == limits::kDecryptsUnknown);
  rig.clear();
  rig.hear(peer(1), {wire::Ping{7, own_name, {}}});
  CHECK(rig.sent_of<wire::Ack>().size() == 1);
}

TEST_CASE("a stream that was recorded gets no answer when it is played again") {
  Rig rig;
  rig.announced().with_members({1});
  wire::PushPull table;
  table.entries = {entry(1, 1)};
  const Bytes frame = rig.seal_stream(table);
  CHECK(rig.node.handle_request(peer(1), frame, rig.now).has_value());
  CHECK_FALSE(rig.node.handle_request(peer(1), frame, rig.now).has_value());
  CHECK_FALSE(rig.node.handle_request(peer(66), frame, rig.now + 1h).has_value());
}

TEST_CASE("a member that the hook keeps quiet is told to nobody") {
  WantsProof hook;
  hook.quiet = name_of(2);
  Rig rig(own_config(), &hook);
  rig.announced();
  rig.hear(peer(66), {alive(1, 1), alive(2, 1)});
  rig.advance(20s);
  CHECK(rig.node.find(name_of(2)) != nullptr);
  for (const auto& [sent, told] : rig.sent_of<wire::Alive>())
    CHECK(told.node != name_of(2));
  const auto answer = rig.node.handle_request(peer(1), rig.seal_stream(wire::PushPull{}), rig.now);
  REQUIRE(answer);
  const auto table = std::get<wire::PushPull>(rig.open_stream(*answer));
  CHECK(table.entries.size() == 2);  // ourselves and n1
}

}  // namespace wesher::gossip::testing
