// The plan for a single row: it must end where comparing everything ends.
#include "plan/change.h"

#include <catch2/catch.hpp>

#include "base/random.h"
#include "tests/plan/support/builders.h"
#include "tests/plan/support/simulated_host.h"

namespace wesher::plan::test {
namespace {

OwnNode own() {
  const Desired d = desired({});
  return {d.own_name, d.interface, true};
}

RowChange only(RowChanges changes) {
  REQUIRE(changes.size() == 1);
  return changes.begin()->second;
}

std::vector<std::string> text(const std::vector<Action>& actions) {
  std::vector<std::string> lines;
  for (const Action& action : actions)
    lines.push_back(lines_of(action).at(0) + " | " + action.reason);
  return lines;
}

using Text = std::vector<std::string>;

TEST_CASE("a new row is a peer and a route with the member in their reasons") {
  DesiredTable table(own());
  table.put(member("a", 1));
  const RowChange change = only(table.take_changes());
  CHECK(text(additions(table, change, kNow).value()) ==
        Text{"+ peer a (AQEB…)  10.0.0.1/32, 192.0.2.1:51820 | member alive since 12d",
             "+ route 10.0.0.1/32  proto wesher | address of member a"});
}

TEST_CASE("a row that went takes its peer and its route along and says why") {
  DesiredTable table(own());
  table.put(member("a", 1));
  Member left = member("a", 1);
  left.standing = Standing::seed;
  left.state = MemberState::left;
  left.state_since = ago(std::chrono::seconds(4));
  (void)table.take_changes();
  table.put(left);
  const RowChange change = only(table.take_changes());
  CHECK(additions(table, change, kNow).value().empty());
  CHECK(text(removals(table, *change.before, kNow)) ==
        Text{"- peer a (AQEB…) | member a left 4s ago",
             "- route 10.0.0.1/32  proto wesher | member a left 4s ago"});
}

TEST_CASE("what another row has taken over is not removed") {
  DesiredTable table(own());
  table.put(member("a", 1));
  (void)table.take_changes();
  table.remove("a");
  const RowChange change = only(table.take_changes());
  Member b = member("b", 2);
  b.meta->overlay = ip("10.0.0.1");
  table.put(b);
  CHECK(text(removals(table, *change.before, kNow)) ==
        Text{"- peer a (AQEB…) | no member has this key"});
  Member c = member("c", 3);
  c.meta->key = key(1);
  table.put(c);
  CHECK(removals(table, *change.before, kNow).empty());
}

TEST_CASE("an endpoint that changed alone is not decided without a look at the device") {
  DesiredTable table(own());
  table.put(member("a", 1));
  (void)table.take_changes();
  Member roamed = member("a", 1);
  roamed.underlay = ip("192.0.2.77");
  table.put(roamed);
  CHECK_FALSE(additions(table, only(table.take_changes()), kNow));
}

TEST_CASE("a single change leaves nothing to do for a comparison of everything") {
  int planned = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    Rng rng = Rng::from_number(seed);
    const auto number = [&] { return static_cast<std::uint8_t>(1 + rng.below(std::uint64_t{6})); };
    const auto some_member = [&] {
      Member m =
          member(std::string(1, static_cast<char>('a' + rng.below(std::uint64_t{5}))), number());
      m.meta->key = key(number());
      m.meta->overlay = IpAddress::v4(10, 0, 0, number());
      m.underlay = IpAddress::v4(192, 0, 2, 9);
      return m;
    };
    DesiredTable table(own());
    for (int i = 0; i < 4; ++i)
      table.put(some_member());
    (void)table.take_changes();
    Observed host = settled(table.desired());
    if (rng.below(std::uint64_t{3}) == 0) {
      table.remove(some_member().name);
    } else {
      table.put(some_member());
    }
    const RowChanges changes = table.take_changes();
    if (changes.size() != 1) continue;
    const RowChange& change = changes.begin()->second;
    const auto actions = additions(table, change, kNow);
    if (!actions) continue;
    ++planned;
    const Touched touched(changes);
    for (const Action& action : *actions) {
      CHECK(touched.covers(action));
      perform(host, action);
    }
    if (change.before) {
      for (const Action& action : removals(table, *change.before, kNow)) {
        CHECK(touched.covers(action));
        perform(host, action);
      }
    }
    Observed names = settled(table.desired());  // the hosts file is not the business of these two
    host.hosts = names.hosts;
    const Plan rest = diff(table.desired(), host, {kNow, true, {}});
    INFO(to_text(rest));
    REQUIRE(rest.empty());
  }
  CHECK(planned > 200);
}

TEST_CASE("only what belongs to a changed row is covered") {
  Touched touched;
  CHECK(touched.empty());
  touched.add(wanted("a", 1));
  CHECK(touched.covers({AddPeer{"a", key(1), {}, {}}, ""}));
  CHECK(touched.covers({RemovePeer{"", key(1)}, ""}));
  CHECK_FALSE(touched.covers({UpdatePeer{"a", key(2), {}, {}}, ""}));
  CHECK(touched.covers({RemoveRoute{prefix("10.0.0.1/32")}, ""}));
  CHECK_FALSE(touched.covers({AddRoute{prefix("10.0.0.2/32")}, ""}));
  CHECK_FALSE(touched.covers({AddAddress{prefix("10.0.0.1/32")}, ""}));
  CHECK_FALSE(touched.covers({SetLinkUp{}, ""}));
  WriteHosts lines;
  CHECK_FALSE(touched.covers({lines, ""}));
  lines.changes = {{'+', "a", ip("10.0.0.1"), ""}, {'-', "old", ip("10.0.0.1"), ""}};
  CHECK(touched.covers({lines, ""}));
  lines.changes.push_back({'-', "b", ip("10.0.0.2"), ""});
  CHECK_FALSE(touched.covers({lines, ""}));
}

}  // namespace
}  // namespace wesher::plan::test
