// `wesher forget` on one host, heard by all.
#include <catch2/catch.hpp>

#include "tests/mesh/support/network.h"
#include "tests/mesh/support/samples.h"

namespace wesher::mesh {

using namespace test;

namespace {

/// Six hosts that sign, and one of the Go program; "web" is killed and has failed everywhere.
struct Fixture {
  Fixture() {
    for (std::uint8_t n = 1; n <= 7; ++n) {
      Host& host = net.add(names[n - 1U], n);
      host.identity = n == 7 ? 0 : n;
      net.start(host, n == 1 ? std::vector<std::string>{} : std::vector<std::string>{"a"});
    }
    net.run(30s);
    net.kill(net.host("web"));
    net.run(3min);
  }

  Result<std::string> forget(const std::string& at, const std::string& name) {
    Host& host = net.host(at);
    auto result = host.mesh->forget(name, net.now(host));
    net.drain(host);
    return result;
  }

  std::set<MemberState> states(const std::string& of) {
    std::set<MemberState> found;
    for (const std::string& name : names) {
      const Host& host = net.host(name);
      if (host.up() && host.identity != 0 && name != of) found.insert(host.member(of).state);
    }
    return found;
  }

  const std::vector<std::string> names{"a", "b", "c", "d", "e", "web", "go"};
  Network net;
};

}  // namespace

TEST_CASE("Who is forgotten on one host is gone on all within seconds") {
  Fixture f;
  REQUIRE(f.states("web") == std::set{MemberState::failed});
  REQUIRE(f.forget("c", "web"));
  f.net.run(5s);
  CHECK(f.states("web") == std::set{MemberState::gone});
  const auto again = f.forget("d", "web");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::not_found);
  // Nobody objects to its return.
  f.net.start(f.net.host("web"));
  f.net.run(60s);
  CHECK(f.net.converged());
}

TEST_CASE("Nobody who is there is forgotten whatever is said") {
  Fixture f;
  CHECK(f.forget("c", "b").error().code == Errc::busy);
  // b fails for a only, and is forgotten there.
  f.net.cut({"a"});
  f.net.run(10min);
  REQUIRE(f.net.host("a").member("b").state == MemberState::failed);
  REQUIRE(f.forget("a", "b"));
  CHECK(f.net.host("a").member("b").state == MemberState::gone);
  f.net.heal();
  f.net.run(60s);
  CHECK(f.states("b") == std::set{MemberState::alive});
  CHECK(f.net.host("c").member("b").standing == Standing::configured);
}

TEST_CASE("A host that was cut off hears later of who is forgotten") {
  Fixture f;
  f.net.cut({"e"});
  f.net.run(3min);
  REQUIRE(f.forget("c", "web"));
  f.net.run(10min);
  CHECK(f.net.host("e").member("web").state == MemberState::failed);
  f.net.heal();
  f.net.run(60s);
  CHECK(f.states("web") == std::set{MemberState::gone});
}

TEST_CASE("A host that starts later hears of who is forgotten") {
  Fixture f;
  Host& e = f.net.host("e");
  f.net.kill(e);
  f.net.run(3min);
  REQUIRE(f.forget("c", "web"));
  f.net.run(10s);
  f.net.start(e, {"a"});
  f.net.run(60s);
  CHECK(e.member("web").state == MemberState::gone);
}

TEST_CASE("Who signs nothing is not believed by others") {
  Fixture f;
  Host& go = f.net.host("go");
  REQUIRE(go.mesh->forget("web", f.net.now(go)));
  f.net.drain(go);
  f.net.run(2min);
  CHECK(f.states("web") == std::set{MemberState::failed});
}

}  // namespace wesher::mesh
