// lines_of(), object_of() and to_text(): the words shared by plan, history, logs and tests.
#include <catch2/catch.hpp>

#include "tests/plan/support/builders.h"

namespace wesher::plan::test {
namespace {

struct Example {
  What what;
  std::string object;
  std::string line;
};

std::vector<Example> examples() {
  const Prefix p = prefix("10.0.0.1/32");
  const Endpoint e = endpoint("192.0.2.1:51820");
  const std::string full = key(1).base64();
  return {
      {CreateLink{"wg1", 1380}, "link", "+ link wg1  WireGuard, mtu 1380"},
      {SetAlias{"x"}, "link", "~ link  alias -> x"},
      {SetMtu{1420, 1380}, "link", "~ link  mtu 1420 -> 1380"},
      {ConfigureDevice{key(1), 5}, "device", "~ device  key AQEB…, port 5"},
      {ConfigureDevice{key(1), {}}, "device", "~ device  key AQEB…"},
      {ConfigureDevice{{}, std::uint16_t{5}}, "device", "~ device  port 5"},
      {SetLinkUp{}, "link", "~ link  down -> up"},
      {AddAddress{p}, "address 10.0.0.1/32", "+ address 10.0.0.1/32"},
      {RemoveAddress{p}, "address 10.0.0.1/32", "- address 10.0.0.1/32"},
      {AddPeer{"web1", key(1), e, p}, "peer web1",
       "+ peer web1 (AQEB…)  10.0.0.1/32, 192.0.2.1:51820"},
      {UpdatePeer{"web1", key(1), e, {}}, "peer web1", "~ peer web1 (AQEB…)  192.0.2.1:51820"},
      {AddPeer{"web1", key(1), e, p, std::uint16_t{25}}, "peer web1",
       "+ peer web1 (AQEB…)  10.0.0.1/32, 192.0.2.1:51820, keepalive 25s"},
      {UpdatePeer{"web1", key(1), {}, {}, std::uint16_t{0}}, "peer web1",
       "~ peer web1 (AQEB…)  keepalive off"},
      {UpdatePeer{"web1", key(1), {}, p}, "peer web1", "~ peer web1 (AQEB…)  10.0.0.1/32"},
      {RemovePeer{"web1", key(1)}, "peer web1", "- peer web1 (AQEB…)"},
      {RemovePeer{"", key(1)}, "peer " + full, "- peer (AQEB…)  " + full},
      {AddRoute{p}, "route 10.0.0.1/32", "+ route 10.0.0.1/32  proto wesher"},
      {RemoveRoute{p}, "route 10.0.0.1/32", "- route 10.0.0.1/32  proto wesher"},
      {WriteHosts{{}, {{'-', "a", ip("10.0.0.1"), "why"}}}, "hosts", "- hosts a  10.0.0.1"},
      {WriteHosts{}, "hosts", "~ hosts  our lines rewritten"},
  };
}

TEST_CASE("every action has one object and one line without its reason") {
  for (const Example& example : examples()) {
    const Action action{example.what, "the reason"};
    CHECK(object_of(action) == example.object);
    CHECK(lines_of(action) == std::vector<std::string>{example.line});
  }
}

TEST_CASE("names from outside are escaped in lines and objects") {
  const Action action{RemovePeer{"a\x1b]0;x\x07", key(1)}, ""};
  CHECK(object_of(action) == "peer a\\x1b]0;x\\x07");
  CHECK(lines_of(action).at(0) == "- peer a\\x1b]0;x\\x07 (AQEB…)");
}

TEST_CASE("two long names with the same beginning are two objects") {
  const std::string name(64, 'a');
  const Action one{RemovePeer{name + "1", key(1)}, ""};
  const Action two{RemovePeer{name + "2", key(2)}, ""};
  CHECK(object_of(one) != object_of(two));
}

TEST_CASE("columns are aligned by characters and not by bytes") {
  Plan plan;
  plan.actions = {{RemovePeer{"a", key(1)}, "first"},
                  {RemoveRoute{prefix("10.0.0.1/32")}, "second"},
                  {SetLinkUp{}, ""}};
  CHECK(to_text(plan) ==
        "3 changes\n"
        "  - peer a (AQEB…)                   first\n"
        "  - route 10.0.0.1/32  proto wesher  second\n"
        "  ~ link               down -> up\n");
}

TEST_CASE("each change of the hosts file counts and bears its own reason") {
  Plan plan;
  plan.interface = "wg1";
  plan.actions = {
      {WriteHosts{{}, {{'+', "a", ip("10.0.0.1"), "one"}, {'-', "b", ip("10.0.0.2"), "two"}}},
       "2 lines differ"}};
  CHECK(to_text(plan) ==
        "wg1: 2 changes\n"
        "  + hosts a  10.0.0.1  one\n"
        "  - hosts b  10.0.0.2  two\n");
}

}  // namespace
}  // namespace wesher::plan::test
