// Hosts that run on copies of one state, and hosts that only moved.
#include <catch2/catch.hpp>

#include "tests/mesh/support/network.h"
#include "tests/mesh/support/samples.h"

namespace wesher::mesh {

using namespace test;

namespace {

/// Two hosts of the mesh, and hosts that all have the state of "orig": identity 5, key 5.
struct Fixture {
  Fixture() {
    for (std::uint8_t n = 1; n <= 2; ++n) {
      Host& host = net.add("m" + std::to_string(n), n);
      host.identity = n;
      net.start(host, n == 1 ? std::vector<std::string>{} : std::vector<std::string>{"m1"});
    }
    net.on_fact = [this](Host& host, const Fact& fact) {
      if (const auto* copy = std::get_if<CopyFound>(&fact)) found[host.name].push_back(copy->name);
    };
    net.run(10s);
  }

  Host& add(const std::string& name, std::uint8_t number) {
    Host& host = net.add(name, number);
    host.identity = 5;
    host.own = NodeMeta{ip("10.42.0.5"), key(5), MetaFormat::f2};
    return host;
  }

  /// Starts it with so many lives behind it: the larger instance.
  void start(Host& host, std::uint64_t lives = 0) {
    host.life = lives;
    net.start(host, {"m1"});
  }

  /// What the daemon does when it is told so.
  void become_another(Host& host, std::uint8_t number) {
    net.kill(host);
    host.identity = number;
    host.own = NodeMeta{ip("10.42.0." + std::to_string(number)), key(number), MetaFormat::f2};
    net.start(host);
  }

  std::map<std::string, std::vector<std::string>> found;
  Network net;
};

}  // namespace

TEST_CASE("A copy finds its original before it announces itself and says nothing") {
  Fixture f;
  Host& original = f.add("orig", 5);
  f.start(original, 9);
  f.net.run(10s);
  Host& copy = f.add("copy", 6);
  f.start(copy);
  f.net.run(10s);
  CHECK(f.found == std::map<std::string, std::vector<std::string>>{{"copy", {"orig"}}});
  CHECK_FALSE(copy.mesh->announced());
  CHECK(f.net.host("m1").rows.count("copy") == 0);
  CHECK(f.net.host("m1").member("orig").state == MemberState::alive);
  f.become_another(copy, 6);
  f.net.run(10s);
  CHECK(f.net.converged());
  CHECK(f.net.host("m1").member("orig").meta->overlay == ip("10.42.0.5"));
}

TEST_CASE("A host that came back elsewhere under another name keeps what it has") {
  Fixture f;
  Host& original = f.add("orig", 5);
  f.start(original);
  f.net.run(10s);
  f.net.kill(original);
  Host& moved = f.add("moved", 6);
  f.start(moved, 3);
  f.net.run(60s);
  CHECK(f.found.empty());
  CHECK(moved.mesh->announced());
  CHECK(f.net.host("m2").member("moved").meta->overlay == ip("10.42.0.5"));
  CHECK(f.net.host("m2").member("moved").standing == Standing::configured);
}

TEST_CASE("Of five copies that start together one stays and the others become somebody else") {
  Fixture f;
  std::vector<Host*> copies;
  for (std::uint8_t n = 0; n < 5; ++n) {
    copies.push_back(&f.add("c" + std::to_string(n), static_cast<std::uint8_t>(20 + n)));
    f.start(*copies.back(), (n * 3U) % 5U);
  }
  std::uint8_t number = 40;
  for (int round = 0; round < 10; ++round) {
    f.net.run(5s);
    for (Host* host : copies) {
      if (host->identity == 5 && f.found.contains(host->name)) f.become_another(*host, number++);
    }
  }
  f.net.run(60s);
  CHECK(f.net.converged());
  std::size_t stayed = 0;
  for (const Host* host : copies)
    stayed += host->identity == 5;
  CHECK(stayed == 1);
}

TEST_CASE("A restart on the same host is no copy") {
  Fixture f;
  Host& original = f.add("orig", 5);
  f.start(original);
  f.net.run(10s);
  f.net.kill(original);
  f.net.start(original);
  f.net.run(10s);
  CHECK(f.found.empty());
  CHECK(f.net.converged());
}

TEST_CASE("What others say of a copy is asked for and a lie changes nothing") {
  Fixture f;
  Host& original = f.add("orig", 5);
  f.start(original);
  f.net.run(10s);
  // A record of ours from before, at a place where nobody is.
  f.net.kill(original);
  f.net.place(original, 77);
  f.start(original, 4);
  f.net.run(2s);
  CHECK(f.found.empty());
  f.net.run(60s);
  CHECK(original.mesh->announced());
}

}  // namespace wesher::mesh
