// Whose an overlay address is, between whole meshes on a virtual network.
#include <catch2/catch.hpp>

#include "mesh/move_budget.h"
#include "mesh/overlay_address.h"
#include "tests/mesh/support/three.h"
#include "wire/keyring.h"
#include "wire/packet.h"
#include "wire/signed_record.h"

namespace wesher::mesh {

using namespace test;

namespace {

/// Hosts that sign, all of which want addresses of one network.
struct Pool {
  explicit Pool(const std::string& net_text) : prefix(Prefix::parse(net_text).value()) {
    net.adjust = [this](Config& config) { config.overlay_net = prefix; };
  }

  /// With the address that its name has by rule.
  Host& host(const std::string& name, std::uint8_t number) {
    Host& added = net.add(name, number);
    added.identity = number;
    added.own.overlay = overlay_address(name, prefix).value();
    added.claimed = net.now().wall;
    return added;
  }

  /// A Go node: signs nothing, never moves.
  Host& legacy(const std::string& name, std::uint8_t number) {
    Host& added = host(name, number);
    added.identity = 0;
    return added;
  }

  [[nodiscard]] std::set<IpAddress> addresses() const {
    std::set<IpAddress> all;
    for (const Host* each : hosts)
      all.insert(each->own.overlay);
    return all;
  }

  Prefix prefix;
  Network net;
  std::vector<const Host*> hosts;
};

/// db, pi and web in a /24, settled.
struct Trio : Pool {
  Trio() : Pool("10.42.7.0/24") {
    net.start(db);
    for (Host* each : {&pi, &web})
      net.start(*each, {"db"});
    net.run(10s);
    REQUIRE(net.converged());
  }

  /// The machine of `host` dies; nothing of it is left when it starts again.
  void wipe(Host& host) {
    net.kill(host);
    host.identity = 77;
    host.incarnation = 1;
    host.epoch = 1;
    host.claim_is_new = true;
    host.rows.clear();
    host.own.key = key(77);
  }

  Host& db = host("db", 1);
  Host& pi = host("pi", 2);
  Host& web = host("web", 3);
};

}  // namespace

TEST_CASE("Two names of one address get two whichever starts first") {
  for (const bool swapped : {false, true}) {
    Pool pool("10.42.7.0/24");
    Host& first = pool.host(swapped ? "host21" : "host1", 1);
    Host& second = pool.host(swapped ? "host1" : "host21", 2);
    Host& third = pool.host("db", 3);
    REQUIRE(first.own.overlay == second.own.overlay);
    const IpAddress wanted = first.own.overlay;
    pool.net.start(first);
    pool.net.run(5s);
    pool.net.start(third, {first.name});
    pool.net.run(5s);
    pool.net.start(second, {first.name});
    pool.net.run(10s);
    CHECK(first.own.overlay == wanted);
    CHECK(second.own.overlay != wanted);
    CHECK(pool.net.converged());
    // And after both start again.
    const IpAddress other = second.own.overlay;
    pool.net.kill(first);
    pool.net.kill(second);
    pool.net.start(second);
    pool.net.start(first);
    pool.net.run(40s);
    CHECK(first.own.overlay == wanted);
    CHECK(second.own.overlay == other);
    CHECK(pool.net.converged());
  }
}

TEST_CASE("Of two that start at the same time the one with the later claim moves at once") {
  Pool pool("10.42.7.0/24");
  Host& first = pool.host("host1", 1);
  Host& second = pool.host("host21", 2);
  second.claimed += 1s;
  first.claim_is_new = second.claim_is_new = false;
  pool.net.start(first);
  pool.net.start(second);
  pool.net.run(3s);
  REQUIRE(first.own.overlay == second.own.overlay);
  second.mesh->set_seeds({first.endpoint}, pool.net.now());
  pool.net.run(1s);
  CHECK(first.own.overlay != second.own.overlay);
  CHECK(first.own.overlay == overlay_address("host1", pool.prefix).value());
  CHECK(second.count<OwnClaim>() == 1);
  pool.net.run(5s);
  CHECK(pool.net.converged());
}

TEST_CASE("An address of the Go program is never contested") {
  for (const bool legacy_first : {true, false}) {
    Pool pool("10.42.7.0/24");
    Host& go = pool.legacy("host1", 1);
    Host& ours = pool.host("host21", 2);
    Host& db = pool.host("db", 3);
    pool.net.start(db);
    pool.net.start(legacy_first ? go : ours, {"db"});
    pool.net.run(5s);
    pool.net.start(legacy_first ? ours : go, {"db"});
    pool.net.run(15s);
    CHECK(go.own.overlay == overlay_address("host1", pool.prefix).value());
    CHECK(ours.own.overlay != go.own.overlay);
    CHECK(db.member("host1").standing == Standing::configured);
    CHECK(db.member("host21").standing == Standing::configured);
  }
}

TEST_CASE("A clock of 1970 moves nobody") {
  Pool pool("10.42.7.0/24");
  Host& first = pool.host("host1", 1);
  Host& second = pool.host("host21", 2);
  first.claim_is_new = false;
  second.claimed = wall_from_ms(1);
  pool.net.start(first);
  pool.net.run(5s);
  pool.net.start(second, {"host1"});
  pool.net.run(10s);
  CHECK(first.count<OwnClaim>() == 0);
  CHECK(second.own.overlay != first.own.overlay);
  CHECK(second.claimed > first.claimed);
  CHECK(pool.net.converged());
}

TEST_CASE("A claim from the end of all time dates no other one") {
  Pool pool("10.42.7.0/24");
  Host& liar = pool.host("liar", 1);
  Host& late = pool.host("late", 2);
  liar.claim_is_new = false;
  liar.claimed = wall_from_ms(253402300799999);
  pool.net.start(liar);
  pool.net.start(late, {"liar"});
  pool.net.run(10s);
  CHECK(late.claimed < pool.net.now().wall + 1h);
}

TEST_CASE("A full network is said with all that are in it, and the next free address is taken") {
  Pool pool("10.42.7.0/29");
  std::vector<Host*> hosts;
  for (std::uint8_t i = 1; i <= 7; ++i) {
    hosts.push_back(&pool.host("node" + std::to_string(i), i));
    pool.net.start(*hosts.back(),
                   i == 1 ? std::vector<std::string>{} : std::vector<std::string>{"node1"});
    pool.net.run(10s);
  }
  Host& late = *hosts[6];
  CHECK_FALSE(late.mesh->announced());
  CHECK(any_contains(late.notices(),
                     "overlay network 10.42.7.0/29 is full: 6 usable addresses, in use by"));
  CHECK(hosts[0]->mesh->find("node7") == nullptr);
  CHECK(pool.net.leave(*hosts[3], 10s, true).has_value());
  pool.net.run(1min);
  CHECK(late.mesh->announced());
  CHECK(pool.net.converged());
}

TEST_CASE("Who loses its address while none is free takes the next that becomes free") {
  Pool pool("10.42.7.0/30");  // two hosts
  Host& a = pool.host("a", 1);
  Host& b = pool.host("b", 2);
  Host& c = pool.host("c", 3);
  pool.net.start(a);
  pool.net.run(5s);
  pool.net.start(b, {"a"});
  pool.net.run(5s);
  REQUIRE(pool.net.converged());
  c.own.overlay = a.own.overlay;
  c.claimed = pool.net.now().wall;
  c.claim_is_new = false;
  pool.net.start(c);
  pool.net.run(5s);
  c.mesh->set_seeds({a.endpoint}, pool.net.now());
  pool.net.run(20s);
  CHECK(c.own.overlay.is_unspecified());
  CHECK(a.member("c").standing != Standing::configured);
  CHECK(pool.net.leave(b, 10s, true).has_value());
  pool.net.run(30s);
  CHECK_FALSE(c.own.overlay.is_unspecified());
  CHECK(pool.net.converged());
}

TEST_CASE("Who waits for an address takes that of a member that dies") {
  Pool pool("10.42.7.0/30");  // two hosts
  Host& a = pool.host("a", 1);
  Host& b = pool.host("b", 2);
  Host& c = pool.host("c", 3);
  pool.net.start(a);
  pool.net.run(5s);
  pool.net.start(b, {"a"});
  pool.net.run(5s);
  pool.net.start(c, {"a"});
  pool.net.run(30s);
  REQUIRE_FALSE(c.mesh->announced());
  const IpAddress freed = b.own.overlay;
  const bool unseen = GENERATE(false, true);  // it can't hear anybody while that happens
  if (unseen) pool.net.cut({"c"});
  pool.net.kill(b);
  pool.net.run(5min);
  pool.net.heal();
  if (unseen) pool.net.run(5min);
  CHECK(c.mesh->announced());
  CHECK(c.own.overlay == freed);
  CHECK(pool.net.converged());
}

TEST_CASE("Who waits for --overlay-ip hears of one among many that its holder is dead") {
  Pool pool("10.42.7.0/24");
  const IpAddress wanted = ip("10.42.7.50");
  pool.net.adjust = [&pool, &wanted](Config& config) {
    config.overlay_net = pool.prefix;
    if (config.gossip.name == "waits") config.fixed_overlay = wanted;
  };
  Host& witness = pool.host("witness", 1);
  Host& holder = pool.host("holder", 2);
  Host& waits = pool.host("waits", 3);
  holder.own.overlay = wanted;
  waits.own.overlay = {};
  pool.net.start(witness);
  for (Host* each : {&holder, &waits}) {
    pool.net.run(5s);
    pool.net.start(*each, {"witness"});
  }
  pool.net.run(30s);
  REQUIRE_FALSE(waits.mesh->announced());
  pool.net.cut({"waits"});
  pool.net.kill(holder);
  pool.net.run(5min);
  for (std::uint8_t i = 0; i < 9; ++i)  // these never knew it
    pool.net.start(pool.host("later" + std::to_string(i), static_cast<std::uint8_t>(10 + i)),
                   {"witness"});
  pool.net.run(30s);
  pool.net.heal();
  waits.mesh->set_seeds({pool.net.host("later0").endpoint}, pool.net.now());
  pool.net.run(5min);
  CHECK(waits.mesh->announced());
  CHECK(waits.own.overlay == wanted);
  CHECK(pool.net.converged());
}

TEST_CASE("Who loses its address while none is free loses it at those who had it there, too") {
  Pool pool("10.42.7.0/30");  // two hosts
  Host& third = pool.host("a", 1);
  Host& loser = pool.host("b", 2);
  Host& winner = pool.host("c", 3);
  third.own.overlay = ip("10.42.7.1");
  loser.own.overlay = ip("10.42.7.2");
  winner.own.overlay = loser.own.overlay;
  loser.claimed += 1h;
  loser.claim_is_new = winner.claim_is_new = false;
  pool.net.start(third);
  pool.net.run(5s);
  pool.net.start(loser, {"a"});
  pool.net.run(5s);
  REQUIRE(pool.net.converged());
  pool.net.start(winner);
  pool.net.run(5s);
  winner.mesh->set_seeds({loser.endpoint}, pool.net.now());
  pool.net.run(30s);
  REQUIRE(loser.own.overlay.is_unspecified());
  CHECK(third.member("b").standing != Standing::configured);
  CHECK(third.member("c").standing == Standing::configured);
  CHECK(third.member("b").signed_claim);  // its name is still its own
}

TEST_CASE("An address that was left or went silent is not taken by those who saw it") {
  for (const bool politely : {true, false}) {
    Pool pool("10.42.7.0/29");
    std::vector<Host*> hosts;
    for (std::uint8_t i = 1; i <= 4; ++i) {
      hosts.push_back(&pool.host("node" + std::to_string(i), i));
      pool.net.start(*hosts.back(), {"node1"});
      pool.net.run(10s);
    }
    Host& away = *hosts[3];
    const IpAddress reserved = away.own.overlay;
    if (politely) {
      CHECK(pool.net.leave(away).has_value());
    } else {
      pool.net.kill(away);
    }
    pool.net.run(5min);
    // Somebody comes who wants an address that is held, and must take another one.
    Host& moved = *hosts[1];
    Host& thief = pool.net.add("thief", 6);
    thief.own.overlay = moved.own.overlay;
    thief.identity = 6;
    thief.claim_is_new = false;  // says that it had the address before
    pool.net.start(thief, {"node1"});
    pool.net.run(30s);
    CHECK(thief.own.overlay != reserved);
    CHECK(moved.own.overlay != reserved);
    pool.net.start(away, {"node1"});
    pool.net.run(40s);
    CHECK(away.own.overlay == reserved);
    CHECK(pool.net.converged());
  }
}

TEST_CASE("A machine that was rebuilt under its name is in at once with its address") {
  const Duration away = GENERATE(0s, 30s, 10min);
  Trio mesh;
  const IpAddress before = mesh.pi.own.overlay;
  mesh.wipe(mesh.pi);
  mesh.net.run(away);
  mesh.pi.own.overlay = ip("10.42.7.99");  // an address by a rule that did not lead to this one
  mesh.net.start(mesh.pi, {"db"});
  mesh.net.run(5s);
  CHECK(mesh.pi.own.overlay == before);
  CHECK(mesh.net.converged());
}

TEST_CASE("A host keeps the bytes of its underlay address that the members have of it") {
  const Bytes mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 2};
  Network net;
  Host& db = net.add("db", 1);
  Host& pi = net.add("pi", 2);  // signs nothing: the Go program
  net.adjust = [&](Config& config) {
    if (config.gossip.name == "pi") config.gossip.address = mapped;
  };
  net.start(db);
  net.start(pi, {"db"});
  net.run(5s);
  REQUIRE(db.member("pi").underlay_bytes == mapped);
  net.kill(pi);
  net.adjust = nullptr;
  pi.identity = 2;
  pi.rows.clear();
  for (int life = 0; life < 2; ++life) {
    net.start(pi, {"db"});
    net.run(5s);
    CHECK(db.member("pi").signed_claim.has_value());
    CHECK(db.member("pi").underlay_bytes == mapped);
    CHECK(net.converged());
    net.kill(pi);
  }
}

TEST_CASE("A host that is renamed keeps its address, and its old name does not stand in its way") {
  Trio mesh;
  mesh.net.kill(mesh.pi);
  Host& renamed = mesh.host("raspberry", 4);
  mesh.net.place(renamed, 2);
  renamed.identity = mesh.pi.identity;
  renamed.own = mesh.pi.own;
  renamed.claimed = mesh.pi.claimed;
  renamed.claim_is_new = false;
  renamed.epoch = mesh.pi.epoch;
  mesh.net.start(renamed, {"db"});
  mesh.net.run(10s);
  CHECK(renamed.own.overlay == mesh.pi.own.overlay);
  CHECK(renamed.count<OwnClaim>() == 0);
  CHECK(mesh.db.member("raspberry").standing == Standing::configured);
  CHECK(mesh.db.member("pi").standing != Standing::configured);
}

TEST_CASE("A machine that was rebuilt elsewhere waits for its name") {
  Trio mesh;
  mesh.wipe(mesh.pi);
  mesh.net.place(mesh.pi, 99);
  mesh.net.start(mesh.pi, {"db"});
  mesh.net.run(20s);
  CHECK_FALSE(mesh.pi.mesh->announced());
  CHECK(any_contains(mesh.pi.notices(), "the name pi belongs to a live member at 192.0.2.2:7946"));
  mesh.net.run(7min);
  CHECK(mesh.pi.mesh->announced());
  CHECK(mesh.net.converged());
}

TEST_CASE("A machine that was rebuilt elsewhere after the old one failed hears when it is let in") {
  Trio mesh;
  mesh.wipe(mesh.pi);
  mesh.net.run(60s);
  REQUIRE(mesh.net.host("db").member("pi").state == MemberState::failed);
  mesh.net.place(mesh.pi, 99);
  mesh.net.start(mesh.pi, {"db"});
  mesh.net.run(20s);
  CHECK(any_contains(mesh.pi.notices(),
                     "the name pi was another machine's at 192.0.2.2:7946, which is silent"));
  mesh.net.run(7min);
  CHECK(mesh.net.converged());
}

TEST_CASE("Whoever says unasked that our name is taken keeps nobody out of the mesh") {
  Pool pool("10.42.7.0/24");
  Host& db = pool.host("db", 1);
  Host& pi = pool.host("pi", 2);
  pool.net.start(db);
  pool.net.run(5s);
  wire::Keyring ring;
  REQUIRE(ring.add(Bytes(32, 1)));
  Rng rng = Rng::from_number(3);
  wire::Alive alive;
  alive.incarnation = 1;
  alive.node = "pi";
  alive.address = {192, 0, 2, 66};
  alive.port = 7946;
  alive.versions = {1, 5, 2, 0, 0, 0};
  const std::vector<Bytes> claims{wire::encode(alive)};
  pool.net.start(pi, {"db"});
  pool.net.inject(pi, endpoint("192.0.2.66:7946"),
                  wire::seal_packet(ring, wire::pack(claims), rng));
  pool.net.run(5s);
  CHECK(pi.mesh->announced());
  CHECK(pool.net.converged());
}

TEST_CASE("A host that moves is found at its new address within a second") {
  Trio mesh;
  mesh.net.move(mesh.pi, 99);
  mesh.net.run(1s);
  CHECK(mesh.db.member("pi").underlay == ip("192.0.2.99"));
  CHECK(mesh.web.member("pi").underlay == ip("192.0.2.99"));
  CHECK(mesh.net.converged());
}

TEST_CASE("Who claims our address again and again is made way for three times a day") {
  Trio mesh;
  wire::Keyring ring;
  REQUIRE(ring.add(Bytes(32, 1)));
  Rng rng = Rng::from_number(3);
  std::array<std::uint8_t, kKeyBytes> seed{};
  seed.fill(66);
  const SigningKey liar{SecretKey(seed)};
  // Its record is always older than the claim of whatever address pi has.
  for (std::uint8_t i = 1; i <= 6; ++i) {
    wire::SignedRecord record;
    record.identity = liar.identity();
    record.epoch = i;
    record.claim_time = wall_from_ms(1);
    wire::Alive alive;
    alive.incarnation = i;
    alive.node = "liar";
    alive.address = {192, 0, 2, 66};
    alive.port = 7946;
    alive.versions = {1, 5, 2, 0, 0, 0};
    const NodeMeta meta{mesh.pi.own.overlay, key(66), MetaFormat::f2};
    alive.meta =
        wire::encode_signed(meta, record, {alive.node, alive.address, alive.port}, liar).value();
    const std::vector<Bytes> claims{wire::encode(alive)};
    for (Host* host : {&mesh.db, &mesh.pi, &mesh.web})
      mesh.net.inject(*host, endpoint("192.0.2.66:7946"),
                      wire::seal_packet(ring, wire::pack(claims), rng));
    mesh.net.run(5s);
    // Nobody ever sends to the liar what is for pi.
    CHECK(mesh.db.member("pi").standing == Standing::configured);
  }
  CHECK(mesh.pi.count<OwnClaim>() == MoveBudget::kMoves + 1);  // the first is from the start
  CHECK(any_contains(mesh.pi.notices(), "we moved 3 times for it within a day and stay now"));
}

}  // namespace wesher::mesh
