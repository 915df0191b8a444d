// The hosts file's part of the plan, and which lines are wanted at all.
#include <catch2/catch.hpp>

#include "tests/plan/support/builders.h"

namespace wesher::plan::test {
namespace {

std::vector<std::string> names_wanted(const Desired& d, std::vector<std::string> foreign = {}) {
  ObservedHosts hosts;
  hosts.foreign_names = std::move(foreign);
  std::vector<std::string> names;
  for (const ObservedHostsLine& line : wanted_hosts(d, hosts)) {
    REQUIRE(line.names.size() == 1);
    names.push_back(line.names.front());
  }
  return names;
}

using Names = std::vector<std::string>;

/// The one hosts action that the plan has, or nothing.
std::optional<Action> hosts_action(const Desired& d, const ObservedHosts& hosts, bool may = true) {
  Observed o = settled(d);
  o.hosts = hosts;
  DiffOptions options;
  options.may_remove = may;
  const Plan plan = diff(d, o, options);
  if (plan.empty()) return std::nullopt;
  REQUIRE(plan.actions.size() == 1);
  return plan.actions.front();
}

std::vector<ObservedHostsLine> written(const std::optional<Action>& action) {
  REQUIRE(action.has_value());
  return std::get<WriteHosts>(action->what).lines;
}

TEST_CASE("only valid hostnames get hosts lines") {
  const Desired d = desired({wanted("a b", 1), wanted("a_b", 2), wanted("-a", 3), wanted("", 4),
                             wanted("a\n6.6.6.6 bank", 5), wanted("ok.example", 6)});
  CHECK(names_wanted(d) == Names{"ok.example"});
}

TEST_CASE("names of the loopback get no hosts lines") {
  const Desired d = desired({wanted("LocalHost", 1), wanted("localhost.localdomain", 2),
                             wanted("db.localhost", 3), wanted("localhost6", 4),
                             wanted("ip6-loopback", 5), wanted("localhosts", 6)});
  CHECK(names_wanted(d) == Names{"localhosts"});
}

TEST_CASE("our own name gets no hosts line in any case of letters") {
  CHECK(names_wanted(desired({wanted("SELF", 1), wanted("self", 2), wanted("selfish", 3)})) ==
        Names{"selfish"});
}

TEST_CASE("a name on a line that is not ours gets no hosts line") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2), wanted("C", 3)});
  CHECK(names_wanted(d, {"B", "c"}) == Names{"a"});
}

TEST_CASE("of names that differ by case only the first gets the line") {
  CHECK(names_wanted(desired({wanted("DB", 1), wanted("db", 2)})) == Names{"DB"});
}

TEST_CASE("no lines are wanted with hosts switched off") {
  Desired d = desired({wanted("a", 1)});
  d.hosts = false;
  CHECK(wanted_hosts(d, {}).empty());
}

TEST_CASE("the order of our lines in the file is no difference") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2)});
  ObservedHosts hosts;
  hosts.managed = {{ip("10.0.0.2"), {"b"}}, {ip("10.0.0.1"), {"a"}}};
  CHECK_FALSE(hosts_action(d, hosts));
}

TEST_CASE("lines that stay keep their places and new ones follow by name") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2), wanted("c", 3), wanted("d", 4)});
  ObservedHosts hosts;
  hosts.managed = {{ip("10.0.0.3"), {"c"}}, {ip("10.0.0.9"), {"x"}}, {ip("10.0.0.77"), {"b"}}};
  const auto action = hosts_action(d, hosts);
  CHECK(written(action) == std::vector<ObservedHostsLine>{{ip("10.0.0.3"), {"c"}},
                                                          {ip("10.0.0.2"), {"b"}},
                                                          {ip("10.0.0.1"), {"a"}},
                                                          {ip("10.0.0.4"), {"d"}}});
  CHECK(lines_of(*action) == Names{"+ hosts a  10.0.0.1", "~ hosts b  10.0.0.2",
                                   "+ hosts d  10.0.0.4", "- hosts x  10.0.0.9"});
  CHECK(action->reason == "4 lines differ");
}

TEST_CASE("lines under the old banner are rewritten even if they say the same") {
  const Desired d = desired({wanted("a", 1)});
  ObservedHosts hosts;
  hosts.managed = {{ip("10.0.0.1"), {"a"}}};
  hosts.outdated = true;
  const auto action = hosts_action(d, hosts);
  CHECK(written(action) == hosts.managed);
  CHECK(lines_of(*action) == Names{"~ hosts  our lines rewritten"});
  CHECK(action->reason == "our lines are not in the form that we write");
}

TEST_CASE("a line of several names is taken apart") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2)});
  ObservedHosts hosts;
  hosts.managed = {{ip("10.0.0.1"), {"a", "b"}}};
  const auto action = hosts_action(d, hosts);
  CHECK(written(action) ==
        std::vector<ObservedHostsLine>{{ip("10.0.0.1"), {"a"}}, {ip("10.0.0.2"), {"b"}}});
  CHECK(lines_of(*action) == Names{"~ hosts b  10.0.0.2"});
  CHECK(action->reason == "our line said 10.0.0.1");
}

TEST_CASE("a second line of one name goes") {
  const Desired d = desired({wanted("a", 1)});
  ObservedHosts hosts;
  hosts.managed = {{ip("10.0.0.1"), {"a"}}, {ip("10.0.0.8"), {"a"}}};
  const auto action = hosts_action(d, hosts);
  CHECK(written(action) == std::vector<ObservedHostsLine>{{ip("10.0.0.1"), {"a"}}});
  CHECK(action->reason == "a second line for this name");
}

TEST_CASE("our line goes when a line that is not ours has the name") {
  const Desired d = desired({wanted("a", 1)});
  ObservedHosts hosts;
  hosts.managed = {{ip("10.0.0.1"), {"a"}}};
  hosts.foreign_names = {"a"};
  const auto action = hosts_action(d, hosts);
  CHECK(written(action).empty());
  CHECK(action->reason == "a line that is not ours has this name");
}

TEST_CASE("a line with our own name goes") {
  ObservedHosts hosts;
  hosts.managed = {{ip("10.0.0.1"), {"Self"}}};
  CHECK(hosts_action(desired({}), hosts)->reason == "our own name");
}

TEST_CASE("with hosts switched off all our old lines go and then nothing is written") {
  Desired d = desired({wanted("a", 1)});
  d.hosts = false;
  ObservedHosts hosts;
  hosts.managed = {{ip("10.0.0.1"), {"a"}}};
  hosts.outdated = true;
  const auto action = hosts_action(d, hosts);
  CHECK(written(action).empty());
  CHECK(action->reason == "hosts lines are switched off");
  hosts.managed.clear();
  CHECK_FALSE(hosts_action(d, hosts));
}

TEST_CASE("a hosts file that is not writable is left alone") {
  ObservedHosts hosts;
  hosts.writable = false;
  hosts.outdated = true;
  hosts.managed = {{ip("10.0.0.9"), {"old"}}};
  CHECK_FALSE(hosts_action(desired({wanted("a", 1)}), hosts));
}

TEST_CASE("in adopt mode old lines stay unless their name or address is wanted otherwise") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2)});
  ObservedHosts hosts;
  hosts.managed = {
      {ip("10.0.0.9"), {"old"}}, {ip("10.0.0.2"), {"ghost"}}, {ip("10.0.0.8"), {"a", "other"}}};
  const auto action = hosts_action(d, hosts, false);
  CHECK(written(action) == std::vector<ObservedHostsLine>{{ip("10.0.0.9"), {"old"}},
                                                          {ip("10.0.0.1"), {"a"}},
                                                          {ip("10.0.0.8"), {"other"}},
                                                          {ip("10.0.0.2"), {"b"}}});
  CHECK(lines_of(*action) ==
        Names{"~ hosts a  10.0.0.1", "+ hosts b  10.0.0.2", "- hosts ghost  10.0.0.2"});
}

}  // namespace
}  // namespace wesher::plan::test
