// The table of evidence.h: who holds a name × what is claimed × where and how.
#include "mesh/evidence.h"

#include <catch2/catch.hpp>

#include "tests/mesh/support/samples.h"

namespace wesher::mesh {

using namespace test;

namespace {

constexpr Duration kTakeover = 5min;

IdentityKey identity(std::uint8_t byte) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bytes.fill(byte);
  return IdentityKey(bytes);
}

SignedClaim record(std::uint8_t who, std::uint64_t epoch = 10) {
  SignedClaim claim;
  claim.identity = identity(who);
  claim.epoch = epoch;
  return claim;
}

/// The name `web`, at 192.0.2.9:7946, held by identity 1 unless the test says otherwise.
struct Case {
  Case() {
    member.name = "web";
    member.underlay_bytes = {192, 0, 2, 9};
    member.underlay = ip("192.0.2.9");
    member.gossip_port = 7946;
    member.signed_claim = record(1);
    claim.name = "web";
    claim.port = 7946;
    claim.meta = content;
    signature.record = record(1, 11);
  }

  Case& holder(std::optional<SignedClaim> who, MemberState state, Duration age = 0s) {
    member.signed_claim = who;
    member.state = state;
    since = age;
    return *this;
  }

  Case& claimed(std::optional<SignedClaim> by) {
    signature.record = by;
    return *this;
  }

  Case& from_elsewhere() {
    address = {192, 0, 2, 10};
    return *this;
  }

  Case& confirmed() {
    claim.proof = gossip::Proof::confirmed;
    return *this;
  }

  Case& without_content() {
    claim.meta = {};
    return *this;
  }

  [[nodiscard]] Belief judge(std::optional<Duration> takeover = kTakeover) const {
    const bool live = member.state == MemberState::alive || member.state == MemberState::suspect;
    gossip::Claim asked = claim;
    asked.address = address;
    return judge_alive({&member, live, since}, asked, signature, takeover);
  }

  Bytes address{192, 0, 2, 9};
  Bytes content{1};
  Member member;
  gossip::Claim claim;
  SignatureCheck signature;
  Duration since{};
};

}  // namespace

TEST_CASE("A name that nobody has goes to whoever claims it, signed or not") {
  Case c;
  CHECK(judge_alive({}, c.claim, c.signature, kTakeover).accept);
  CHECK(judge_alive({}, c.claim, {}, kTakeover).accept);
}

TEST_CASE("A record that is not valid is refused whoever holds the name") {
  Case c;
  c.signature = {std::nullopt, "its signature is wrong"};
  CHECK_FALSE(judge_alive({}, c.claim, c.signature, kTakeover).accept);
  CHECK(c.judge().reason == "its record is not valid: its signature is wrong");
}

TEST_CASE("The holder of a name replaces its record by newer ones only, from any address") {
  CHECK(Case().claimed(record(1, 11)).judge().accept);
  CHECK(Case().claimed(record(1, 11)).from_elsewhere().judge().accept);
  CHECK(Case().claimed(record(1, 10)).judge().accept);  // the same again
  CHECK_FALSE(Case().claimed(record(1, 9)).judge().accept);
  SignedClaim twice = record(1, 10);
  twice.claimed = kWall;
  CHECK_FALSE(Case().claimed(twice).judge().accept);
}

TEST_CASE("Another identity never gets the name of a live member unless its place confirms it") {
  for (const MemberState state : {MemberState::alive, MemberState::suspect}) {
    CHECK_FALSE(Case().holder(record(1), state, 24h).claimed(record(2)).judge().accept);
    CHECK(Case().holder(record(1), state).claimed(record(2)).judge().ask);
    CHECK(Case().holder(record(1), state).claimed(record(2)).confirmed().judge().accept);
    const Case there = Case().holder(record(1), state, 24h).claimed(record(2)).from_elsewhere();
    CHECK_FALSE(there.judge().accept);
    CHECK_FALSE(there.judge().ask);
    CHECK_FALSE(Case(there).confirmed().judge().accept);
  }
}

TEST_CASE("The name of a silent member passes on at once at its place, elsewhere after a time") {
  const auto failed = [](Duration age) {
    return Case().holder(record(1), MemberState::failed, age).claimed(record(2));
  };
  CHECK(failed(0s).judge().accept);
  CHECK(failed(0s).judge().reason == "the identity of the name changed");
  CHECK_FALSE(failed(kTakeover - 1s).from_elsewhere().judge().accept);
  CHECK(failed(kTakeover - 1s).from_elsewhere().judge().reason ==
        "the name belongs to a member that is silent; it is free in 1s");
  CHECK(failed(kTakeover).from_elsewhere().judge().accept);
  CHECK_FALSE(failed(240h).from_elsewhere().judge(std::nullopt).accept);
}

TEST_CASE("An unsigned record takes a signed name only where its holder left") {
  CHECK_FALSE(Case().claimed(std::nullopt).judge().accept);
  CHECK_FALSE(Case().holder(record(1), MemberState::failed, 24h).claimed({}).judge().accept);
  CHECK(Case().holder(record(1), MemberState::left).claimed({}).judge().accept);
  CHECK_FALSE(
      Case().holder(record(1), MemberState::left).claimed({}).from_elsewhere().judge().accept);
}

TEST_CASE("Who signs gives its address up when it says so itself, and its name stays its own") {
  for (const MemberState state : {MemberState::alive, MemberState::failed}) {
    Case empty;
    empty.holder(record(1), state).claimed(std::nullopt).without_content();
    CHECK(empty.judge().ask);
    CHECK(empty.confirmed().judge().accept);
    Case elsewhere;
    elsewhere.holder(record(1), state).claimed(std::nullopt).without_content();
    elsewhere.from_elsewhere().confirmed();
    CHECK_FALSE(elsewhere.judge().accept);
  }
}

TEST_CASE("A name that was given up for good is free, one that was left stays reserved elsewhere") {
  SignedClaim gone = record(1);
  CHECK_FALSE(
      Case().holder(gone, MemberState::left).claimed(record(2)).from_elsewhere().judge().accept);
  gone.for_good = true;
  CHECK(Case().holder(gone, MemberState::left).claimed(record(2)).from_elsewhere().judge().accept);
  CHECK(Case().holder(gone, MemberState::left).claimed({}).from_elsewhere().judge().accept);
}

TEST_CASE(
    "A member of the Go program is signed for from its own place, elsewhere when it is gone") {
  const auto legacy = [](MemberState state, Duration age) {
    return Case().holder(std::nullopt, state, age).claimed(record(2));
  };
  CHECK(legacy(MemberState::alive, 0s).judge().ask);  // an upgrade; or a forgery, which would last
  CHECK_FALSE(legacy(MemberState::alive, 0s).judge().accept);
  CHECK(legacy(MemberState::alive, 0s).confirmed().judge().accept);
  CHECK(legacy(MemberState::failed, 0s).judge().accept);
  CHECK(legacy(MemberState::alive, 0s).claimed({}).judge().accept);
  CHECK_FALSE(legacy(MemberState::alive, 24h).from_elsewhere().judge().accept);
  CHECK(legacy(MemberState::left, 0s).from_elsewhere().judge().accept);
  CHECK_FALSE(legacy(MemberState::failed, 1s).from_elsewhere().judge().accept);
  CHECK(legacy(MemberState::failed, kTakeover).from_elsewhere().judge().accept);
  CHECK(legacy(MemberState::failed, kTakeover).claimed({}).from_elsewhere().judge().accept);
}

}  // namespace wesher::mesh
