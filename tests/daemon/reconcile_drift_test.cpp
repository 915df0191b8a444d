// What counts as drift, what is told of it, and what it costs when somebody keeps changing things
// back.
#include "tests/daemon/support/core_rig.h"

using namespace wesher;
using namespace wesher::daemon;
using namespace wesher::daemon::test;
using std::chrono::minutes;

TEST_CASE("a foreign change is repaired on notice and counted and told") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  f.world->observed.link.up = false;
  f.core->noticed();
  f.run(seconds(1));
  CHECK(f.world->now().link.up);
  const auto rows = f.drift();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].object == "link");
  CHECK(rows[0].what == "~ link  down -> up");
  CHECK(rows[0].count == 1);
  CHECK(rows[0].repaired);
  CHECK_FALSE(rows[0].fighting);
  const auto history = f.stored([](auto& r) { return r.history({.newest_max = 1}).value(); });
  CHECK(history.at(0).what == "~ link  down -> up");
  CHECK(history.at(0).reason == "drift: someone else set it down");
  f.start();  // counts go on after a restart
  f.world->observed.link.up = false;
  f.core->noticed();
  f.run(seconds(1));
  CHECK(f.drift().at(0).count == 2);
}

TEST_CASE("what a lost link takes along is made again and is no drift of its own") {
  CoreRig f;
  for (std::uint8_t n = 1; n <= 5; ++n)
    f.core->take(mesh::MemberChanged{member("n" + std::to_string(n), n), "joined"}, f.now.wall);
  f.run(seconds(5));
  const ObservedHosts hosts = f.world->observed.hosts;
  f.world->observed = {};
  f.world->observed.hosts = hosts;
  f.core->noticed();
  f.run(seconds(1));
  CHECK(f.world->now().peers.size() == 5);
  CHECK(f.world->now().routes.size() == 5);
  REQUIRE(f.drift().size() == 1);
  CHECK(f.drift()[0].what == "+ link wgtest  WireGuard, mtu 1420");

  f.world->observed.link.up = false;
  f.world->observed.routes.clear();
  f.core->noticed();
  f.run(seconds(1));
  CHECK(f.world->now().routes.size() == 5);
  REQUIRE(f.drift().size() == 1);  // the same object
  CHECK(f.drift()[0].count == 2);
  CHECK(f.drift()[0].what == "~ link  down -> up");
}

TEST_CASE("a foreign link under our name is told and left alone until it is gone") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  f.forget();
  f.world->observed = {};
  f.world->observed.link.kind = LinkKind::other;
  f.world->observed.link.kind_name = "bridge";
  f.core->noticed();
  f.run(seconds(2));
  CHECK(f.done().empty());
  const auto failed = f.stored([](auto& r) { return r.applied()->failed; });
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].object == "link");
  CHECK(failed[0].detail.find("bridge") != std::string::npos);
  f.world->observed = {};
  f.core->noticed();
  f.run(seconds(2));
  CHECK(f.world->now().peers.size() == 1);
  CHECK(f.stored([](auto& r) { return r.applied()->failed.empty(); }));
}

TEST_CASE("a peer that somebody added is found by the periodic comparison and is drift") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  ObservedPeer stray;
  stray.key = member("x", 99).meta->key;
  f.world->observed.peers.push_back(stray);
  f.run(seconds(31));
  CHECK(f.world->now().peers.size() == 1);
  REQUIRE(f.drift().size() == 1);
  CHECK(f.drift()[0].reason == "no member has this key");
}

TEST_CASE("what follows from facts or is a second attempt is no drift") {
  CoreRig f;
  f.world->refuses = "peer bad";
  for (std::uint8_t n = 1; n <= 5; ++n)
    f.core->take(mesh::MemberChanged{member("n" + std::to_string(n), n), "joined"}, f.now.wall);
  f.core->take(mesh::MemberChanged{member("bad", 66), "joined"}, f.now.wall);
  f.run(seconds(5));
  f.world->refuses.clear();
  f.run(seconds(40));
  CHECK(f.world->now().peers.size() == 6);
  f.core->take(mesh::MemberForgotten{"n1", "gone"}, f.now.wall);
  f.core->take(mesh::MemberForgotten{"n2", "gone"}, f.now.wall);
  f.run(seconds(40));
  CHECK(f.world->now().peers.size() == 4);
  CHECK(f.drift().empty());
}

TEST_CASE("a failure of an object that needs nothing any more is forgotten") {
  CoreRig f;
  f.world->refuses = "peer bad";
  f.join("bad", 66);
  f.run(seconds(5));
  const auto failed = [&] { return f.stored([](auto& r) { return r.applied()->failed.size(); }); };
  CHECK(failed() == 1);
  f.core->take(mesh::MemberForgotten{"bad", "gone"}, f.now.wall);
  f.run(seconds(40));
  CHECK(failed() == 0);
  CHECK(f.drift().empty());
}

TEST_CASE("what was changed while no daemon ran is brought in order and is no drift") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  f.core->finish(StopKind::keep, 0);
  f.world->observed.link.up = false;
  f.world->observed.routes.clear();
  f.start();
  CHECK(f.world->now().link.up);
  CHECK(f.world->now().routes.size() == 1);
  CHECK(f.drift().empty());
}

TEST_CASE("a link that is set down again and again is a fight that costs little") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  f.forget();
  for (int i = 0; i < 600; ++i) {  // ten minutes of somebody who looks every second
    f.world->observed.link.up = false;
    f.core->noticed();
    f.run(seconds(1));
  }
  REQUIRE(f.drift().size() == 1);
  CHECK(f.drift()[0].fighting);
  CHECK(f.done().size() < 30);
  CHECK(f.world->looks <= 610);  // one a second at most

  // Other objects are repaired all the same.
  ObservedPeer stray;
  stray.key = member("x", 99).meta->key;
  f.world->observed.peers.push_back(stray);
  f.core->noticed();
  f.run(kFightWindow);
  CHECK(f.world->now().peers.size() == 1);

  f.run(minutes(10));
  CHECK(f.world->now().link.up);
  CHECK_FALSE(f.drift().at(0).fighting);
  for (int i = 0; i < 20; ++i) {
    f.world->observed.link.up = false;
    f.core->noticed();
    f.run(seconds(1));
  }
  CHECK(f.drift().at(0).fighting);
  f.start();  // a fight ends with the run that noticed it
  CHECK_FALSE(f.drift().at(0).fighting);
  CHECK(f.world->now().link.up);
}
