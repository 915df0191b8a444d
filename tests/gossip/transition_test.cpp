// Every record against every claim. The expected actions are written down as tables, one row a
// state of the record, one column an incarnation lower than, equal to, higher than the record's.
#include "gossip/transition.h"

#include <array>

#include <catch2/catch.hpp>

namespace wesher::gossip {

namespace {

enum class Known : std::uint8_t { none, alive, suspect, dead, left };
constexpr std::array kKnown = {Known::none, Known::alive, Known::suspect, Known::dead, Known::left};
constexpr std::array<std::uint32_t, 3> kIncarnations = {4, 5, 6};  // the record has 5

using Row = std::array<Action, 3>;
using Table = std::array<Row, 5>;

constexpr Action I = Action::ignore;
constexpr Action S = Action::stale;
constexpr Action F = Action::differs;
constexpr Action A = Action::alive;
constexpr Action N = Action::create;
constexpr Action X = Action::conflict;
constexpr Action C = Action::confirm;
constexpr Action U = Action::suspect;
constexpr Action R = Action::raise;
constexpr Action D = Action::dead;
constexpr Action L = Action::left;

constexpr Table kAliveSameAddress = {{{N, N, N}, {S, S, A}, {S, S, A}, {S, S, A}, {S, S, A}}};
constexpr Table kAliveOtherAddress = {{{N, N, N}, {X, X, X}, {X, X, X}, {X, X, X}, {A, A, A}}};
constexpr Table kAliveOtherMeta = {{{N, N, N}, {S, F, A}, {S, F, A}, {S, F, A}, {S, F, A}}};
constexpr Table kSuspect = {{{I, I, I}, {I, U, U}, {I, C, C}, {I, I, R}, {I, I, R}}};
constexpr Table kDead = {{{I, I, I}, {I, D, D}, {I, D, D}, {I, I, R}, {I, I, R}}};
constexpr Table kLeft = {{{I, I, I}, {I, L, L}, {I, L, L}, {I, I, R}, {I, I, R}}};

RecordState state_of(Known known) {
  switch (known) {
    case Known::none:
    case Known::alive:
      return RecordState::alive;
    case Known::suspect:
      return RecordState::suspect;
    case Known::dead:
      return RecordState::dead;
    case Known::left:
      return RecordState::left;
  }
  return RecordState::alive;
}

Record record(Known known) {
  Record r;
  r.name = "x";
  r.address = {10, 0, 0, 1};
  r.port = 7946;
  r.meta = {1};
  r.versions = wire::kOwnVersions;
  r.incarnation = 5;
  r.state = state_of(known);
  return r;
}

wire::Alive alive(std::uint32_t incarnation) {
  return {incarnation, "x", {10, 0, 0, 1}, 7946, {1}, false, {1, 5, 2, 0, 0, 0}};
}

/// Judges `claim(incarnation)` for all records and compares with `expected`.
template <class Judge>
void walk(const Table& expected, Judge judge_one) {
  for (std::size_t k = 0; k < kKnown.size(); ++k) {
    const Record r = record(kKnown[k]);
    for (std::size_t i = 0; i < kIncarnations.size(); ++i) {
      INFO("record " << k << ", incarnation " << kIncarnations[i]);
      const Judgement judgement =
          judge_one(kKnown[k] == Known::none ? nullptr : &r, kIncarnations[i]);
      CHECK(static_cast<int>(judgement.action) == static_cast<int>(expected[k][i]));
    }
  }
}

constexpr Table all(Action action) {
  const Row row = {action, action, action};
  return {{row, row, row, row, row}};
}

}  // namespace

TEST_CASE("an alive about another member revives it only with a higher incarnation") {
  walk(kAliveSameAddress, [](const Record* known, std::uint32_t incarnation) {
    return judge(known, alive(incarnation), Subject::other, false);
  });
}

TEST_CASE("two records of one number with other metadata are told apart from a repeated one") {
  walk(kAliveOtherMeta, [](const Record* known, std::uint32_t incarnation) {
    wire::Alive claim = alive(incarnation);
    claim.meta = {2};
    return judge(known, claim, Subject::other, false);
  });
}

TEST_CASE("another address is a conflict unless the member has left") {
  walk(kAliveOtherAddress, [](const Record* known, std::uint32_t incarnation) {
    wire::Alive claim = alive(incarnation);
    claim.address = {10, 0, 0, 2};
    return judge(known, claim, Subject::other, false);
  });
  walk(kAliveOtherAddress, [](const Record* known, std::uint32_t incarnation) {
    wire::Alive claim = alive(incarnation);
    claim.port = 7947;
    return judge(known, claim, Subject::other, false);
  });
}

TEST_CASE("the mapped form of the same IPv4 address is another address as for Go") {
  wire::Alive claim = alive(6);
  claim.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
  const Record known = record(Known::alive);
  CHECK(judge(&known, claim, Subject::other, false).action == Action::conflict);
}

TEST_CASE("an alive with versions that harm Go nodes is refused whatever is known") {
  for (const Bytes& versions : {Bytes{}, Bytes{1, 5, 2, 0, 0}, Bytes{0, 0, 0, 0, 0, 0},
                                Bytes{1, 5, 6, 0, 0, 0}, Bytes{1, 5, 2, 1, 1, 1}}) {
    for (const Subject subject : {Subject::other, Subject::self}) {
      walk(all(Action::refuse), [&](const Record* known, std::uint32_t incarnation) {
        wire::Alive claim = alive(incarnation);
        claim.versions = versions;
        const Judgement judgement = judge(known, claim, subject, false);
        CHECK(judgement.fault == ClaimFault::versions);
        return judgement;
      });
    }
  }
}

TEST_CASE("a suspicion of another member") {
  walk(kSuspect, [](const Record* known, std::uint32_t incarnation) {
    return judge(known, wire::Suspect{incarnation, "x", "y"}, Subject::other);
  });
}

TEST_CASE("a death of another member") {
  for (const char* from : {"y", ""}) {
    walk(kDead, [&](const Record* known, std::uint32_t incarnation) {
      return judge(known, wire::Dead{incarnation, "x", from}, Subject::other);
    });
  }
}

TEST_CASE("a death told by the member itself is a leave") {
  walk(kLeft, [](const Record* known, std::uint32_t incarnation) {
    return judge(known, wire::Dead{incarnation, "x", "x"}, Subject::other);
  });
}

TEST_CASE("accusations of ourselves are refuted unless they are older than our incarnation") {
  const Record own = record(Known::alive);
  const std::array<Action, 3> expected = {Action::ignore, Action::refute, Action::refute};
  for (std::size_t i = 0; i < kIncarnations.size(); ++i) {
    const std::uint32_t incarnation = kIncarnations[i];
    const auto self = Subject::self;
    CHECK(judge(&own, wire::Suspect{incarnation, "x", "y"}, self).action == expected[i]);
    CHECK(judge(&own, wire::Dead{incarnation, "x", "y"}, self).action == expected[i]);
    CHECK(judge(&own, wire::Dead{incarnation, "x", "x"}, self).action == expected[i]);
  }
}

TEST_CASE("an alive about ourselves is refuted unless it is old or what we said") {
  const Record own = record(Known::alive);
  CHECK(judge(&own, alive(4), Subject::self, false).action == Action::ignore);
  CHECK(judge(&own, alive(5), Subject::self, false).action == Action::ignore);
  CHECK(judge(&own, alive(6), Subject::self, false).action == Action::refute);
  wire::Alive other_meta = alive(5);
  other_meta.meta = {2};
  CHECK(judge(&own, other_meta, Subject::self, false).action == Action::refute);
  wire::Alive other_versions = alive(5);
  other_versions.versions = {1, 5, 3, 0, 0, 0};
  CHECK(judge(&own, other_versions, Subject::self, false).action == Action::refute);
  wire::Alive elsewhere = alive(9);
  elsewhere.port = 1;
  CHECK(judge(&own, elsewhere, Subject::self, false).action == Action::conflict);
}

TEST_CASE("after our leave nothing about ourselves counts") {
  const Record own = record(Known::left);
  for (const std::uint32_t incarnation : kIncarnations) {
    const auto gone = Subject::self_gone;
    CHECK(judge(&own, alive(incarnation), gone, false).action == Action::ignore);
    CHECK(judge(&own, wire::Suspect{incarnation, "x", "y"}, gone).action == Action::ignore);
    CHECK(judge(&own, wire::Dead{incarnation, "x", "y"}, gone).action == Action::ignore);
  }
}

TEST_CASE("claims over a bound are refused with the reason") {
  const Record known = record(Known::alive);
  const auto fault = [&](auto change, bool loopback = false) {
    wire::Alive claim = alive(6);
    change(claim);
    return judge(&known, claim, Subject::other, loopback).fault;
  };
  using wire::Alive;
  CHECK(fault([](Alive& c) { c.node = ""; }) == ClaimFault::name);
  CHECK(fault([](Alive& c) { c.node = std::string(254, 'a'); }) == ClaimFault::name);
  CHECK(fault([](Alive& c) { c.node = "a\nb"; }) == ClaimFault::name);
  CHECK(fault([](Alive& c) { c.node = std::string("a\0b", 3); }) == ClaimFault::name);
  CHECK(fault([](Alive& c) { c.node = "a\x7f"; }) == ClaimFault::name);
  CHECK(fault([](Alive& c) { c.address = {}; }) == ClaimFault::address);
  CHECK(fault([](Alive& c) { c.address = {1, 2, 3}; }) == ClaimFault::address);
  CHECK(fault([](Alive& c) { c.address = {0, 0, 0, 0}; }) == ClaimFault::address);
  CHECK(fault([](Alive& c) { c.address = Bytes(16, 0); }) == ClaimFault::address);
  CHECK(fault([](Alive& c) { c.address = {224, 0, 0, 1}; }) == ClaimFault::address);
  CHECK(fault([](Alive& c) { c.address = {255, 255, 255, 255}; }) == ClaimFault::address);
  CHECK(fault([](Alive& c) { c.address = {127, 0, 0, 1}; }) == ClaimFault::address);
  CHECK(fault([](Alive& c) { c.address = {127, 0, 0, 1}; }, true) == ClaimFault::none);
  CHECK(fault([](Alive& c) { c.port = 0; }) == ClaimFault::port);
  CHECK(fault([](Alive& c) { c.meta = Bytes(513, 1); }) == ClaimFault::meta);
  CHECK(fault([](Alive& c) { c.meta = Bytes(512, 1); }) == ClaimFault::none);
  CHECK(fault([](Alive& c) { c.incarnation = 0; }) == ClaimFault::incarnation);
  CHECK(fault([](Alive& c) { c.incarnation = 0xffffffff; }) == ClaimFault::incarnation);
  CHECK(fault([](Alive& c) { c.incarnation = 0xfffffffe; }) == ClaimFault::none);
}

TEST_CASE("accusations that nobody could refute are refused") {
  const Record known = record(Known::alive);
  const auto other = Subject::other;
  for (const std::uint32_t incarnation : {0xfffffffeU, 0xffffffffU}) {
    CHECK(judge(&known, wire::Suspect{incarnation, "x", "y"}, other).fault ==
          ClaimFault::incarnation);
    CHECK(judge(&known, wire::Dead{incarnation, "x", "y"}, other).fault == ClaimFault::incarnation);
    CHECK(judge(&known, wire::Suspect{incarnation, "x", "y"}, other, true).action ==
          Action::suspect);
  }
  CHECK(judge(&known, wire::Dead{0xfffffffd, "x", "y"}, other).action == Action::dead);
  CHECK(judge(&known, wire::Suspect{5, "", "y"}, other).fault == ClaimFault::name);
  CHECK(judge(&known, wire::Suspect{5, "x", "y\t"}, other).fault == ClaimFault::name);
  CHECK(judge(&known, wire::Suspect{5, "x", ""}, other).action == Action::suspect);
}

}  // namespace wesher::gossip
