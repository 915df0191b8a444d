// Faults of the state directory while the daemon runs: the database goes, or is damaged, locked,
// full, read-only; the key file goes. The mesh and the data plane never notice.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>

#include "netns/support/ping.h"
#include "netns/support/records.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDatabase = "/var/lib/wesher/wgoverlay.db";
constexpr const char* kKeys = "/var/lib/wesher/wgoverlay.keys";

void must(const Host& host, const std::vector<std::string>& argv) {
  const Output output = host.exec(argv);
  INFO(output.text());
  REQUIRE(output.exit_code == 0);
}

// Makes the daemon look and write: what it finds is drift.
void stir(Rig& rig, Host& host, const std::string& peer) {
  must(host, {"ip", "route", "del", peer, "dev", "wgoverlay"});
  rig.require_soon("the route is back", 20s, [&] { return host.routes().size() == 1; });
}

void remove_database(const Host& host) {
  for (const char* suffix : {"", "-wal", "-shm"})
    fs::remove(host.path(kDatabase + std::string(suffix)));
}

// The file as it is, all of its log in it.
std::string whole_database(const Host& host) {
  write_database(host, "PRAGMA wal_checkpoint(TRUNCATE)");
  return read_file(host.path(kDatabase));
}

void replace_file(const Host& host, const std::string& text) {
  const std::string path = host.path(kDatabase);
  write_file(path + ".new", text);
  fs::permissions(path + ".new", fs::perms(0600));
  fs::rename(path + ".new", path);
}

void require_stored(Rig& rig, Host& host, const std::string& after) {
  rig.require_repair("the database knows the mesh again, " + after, 60s, [&] {
    return host.member_state("n1") == "alive" &&
           ask_database(host, "SELECT count(*) FROM desired_peer") == "1";
  });
}

// What stands below holds after each fault; it never costs a packet or a peer.
struct Steady {
  Steady(Rig& the_rig, Host& the_host)
      : rig(the_rig),
        host(the_host),
        key(host.device()->public_key),
        peer(host.address_in_hosts("n1")),
        pinger(rig.host(1), host.name()) {
    rig.require_soon("pings are answered", 20s, [&] { return pinger.sent() >= 5; });
  }

  void require_unharmed() {
    REQUIRE(host.daemon().running());
    REQUIRE(host.device()->public_key == key);
    rig.require_exactly({1, 2});
    INFO(pinger.end());
    // A route that is taken away to wake the daemon may cost the answer that is under way.
    REQUIRE(pinger.lost() <= stirred);
  }

  void stir() {
    ++stirred;
    netns::stir(rig, host, peer);
  }

  Rig& rig;
  Host& host;
  std::string key;
  std::string peer;
  Pinger pinger;
  int stirred = 0;
};

}  // namespace

TEST_CASE("a database that is deleted or replaced while the daemon runs is made anew", "[input]") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(2);
  Steady steady(rig, host);
  require_stored(rig, host, "at first");
  const std::string good = whole_database(host);

  remove_database(host);
  steady.stir();
  require_stored(rig, host, "after its removal");

  replace_file(host, good);
  steady.stir();
  require_stored(rig, host, "after an older one took its place");

  replace_file(host, "these are notes of somebody, not tables");
  steady.stir();
  require_stored(rig, host, "after notes took its place");
  REQUIRE(read_file(host.path(std::string(kDatabase) + ".aside-1")) ==
          "these are notes of somebody, not tables");
  steady.require_unharmed();
}

// What the write finds is mended by the next look, half a minute later; other ways to be damaged
// are in tests/store.
TEST_CASE("a database that is damaged or emptied while the daemon runs is made anew",
          "[input][long]") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(2);
  Steady steady(rig, host);
  require_stored(rig, host, "at first");

  const std::string good = whole_database(host);
  {
    std::fstream file(host.path(kDatabase), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file << std::string(good.size() - 100, '\xa5');
  }
  steady.stir();
  require_stored(rig, host, "after its pages were overwritten");

  (void)whole_database(host);
  fs::resize_file(host.path(kDatabase), 0);
  steady.stir();
  require_stored(rig, host, "after it was emptied");
  steady.require_unharmed();
}

TEST_CASE("a database from a newer version that takes the place of ours is left as it is",
          "[input]") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(2);
  Steady steady(rig, host);
  (void)whole_database(host);
  const std::string copy = host.path("/var/lib/wesher/newer");
  fs::copy_file(host.path(kDatabase), copy);
  SQLite::Database(copy, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 4711");
  const std::string newer = read_file(copy);
  fs::remove(copy);
  replace_file(host, newer);
  steady.stir();
  rig.require_soon("the daemon names the version", 20s,
                   [&] { return host.daemon_err().find("4711") != std::string::npos; });
  REQUIRE(read_file(host.path(kDatabase)) == newer);
  // And when it is out of the way, ours is back.
  remove_database(host);
  steady.stir();
  require_stored(rig, host, "after the newer one went");
  steady.require_unharmed();
}

TEST_CASE("a database that others keep locked delays neither mesh nor data plane", "[input]") {
  Rig rig(3);
  rig.start(1);
  rig.start(2);
  rig.require_mesh({1, 2});
  Host& host = rig.host(2);
  SQLite::Database other(host.path(kDatabase), SQLite::OPEN_READWRITE, 5000);
  other.exec("BEGIN IMMEDIATE");
  rig.start(3);
  rig.require_repair("n2 reaches the new member while its database is locked", 30s,
                     [&] { return host.pings("n3"); });
  REQUIRE(ask_database(host, "SELECT count(*) FROM member WHERE name = x'6e33'") == "0");
  other.exec("ROLLBACK");
  rig.require_repair("the new member is stored", 60s,
                     [&] { return host.member_state("n3") == "alive"; });
  rig.require_exactly({1, 2, 3});
}

TEST_CASE("a full disk under the state costs nothing but the state until there is room",
          "[input]") {
  Rig rig(3);
  rig.start(1);
  Host& host = rig.host(2);
  fs::create_directory(host.path("/var/lib/wesher"));
  must(host, {"mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", "/var/lib/wesher"});
  rig.start(2);
  rig.require_mesh({1, 2});
  (void)host.exec({"sh", "-c", "cat /dev/zero >/var/lib/wesher/filler"});
  rig.start(3);
  rig.require_repair("n2 reaches the new member on a full disk", 30s,
                     [&] { return host.pings("n3"); });
  rig.require_repair("n2 says that its disk is full", 60s,
                     [&] { return host.daemon_err().find("full") != std::string::npos; });
  must(host, {"rm", "/var/lib/wesher/filler"});
  rig.require_repair("the new member is stored when there is room", 60s,
                     [&] { return host.member_state("n3") == "alive"; });
  REQUIRE(host.daemon().running());
  rig.require_mesh();
  // Nothing of it was lost: a restart finds everything.
  host.stop_daemon(SIGKILL);
  host.start_daemon({});
  rig.require_soon("n2 is back", 60s, [&] { return rig.host(1).member_state("n2") == "alive"; });
  rig.require_exactly({1, 2, 3});
}

TEST_CASE("state and etc that turn read-only stop neither the mesh nor its repairs", "[input]") {
  Rig rig(3);
  rig.start(1, {"--on-stop", "keep"});
  rig.start(2, {"--on-stop", "keep"});
  rig.require_mesh({1, 2});
  Host& host = rig.host(2);
  for (const char* folder : {"/etc", "/var/lib/wesher"}) {
    must(host, {"mount", "--bind", folder, folder});
    must(host, {"mount", "-o", "remount,bind,ro", folder});
  }
  REQUIRE(host.exec({"touch", "/etc/x"}).exit_code != 0);
  const std::string hosts_before = host.hosts_file();
  rig.start(3, {"--on-stop", "keep"});
  rig.require_repair("n2 has the new member as its peer", 30s,
                     [&] { return host.device()->peers.size() == 2 && host.routes().size() == 2; });
  // The first handshake may have met n3 before it knew n2; WireGuard tries again after 5 s.
  const std::string newcomer = rig.host(3).addresses().at(0);
  rig.require_soon("packets reach n3", 20s, [&] { return host.pings(newcomer); });
  rig.require_soon("n2 says why there are no new names", 20s, [&] {
    return host.daemon_err().find("/etc/hosts is not writable: Read-only") != std::string::npos;
  });
  REQUIRE(host.hosts_file() == hosts_before);
  must(host, {"ip", "route", "del", rig.host(1).addresses().at(0), "dev", "wgoverlay"});
  rig.require_soon("repairs go on", 20s, [&] { return host.routes().size() == 2; });

  // A start needs to reserve numbers: it is refused, and what is there stays.
  host.stop_daemon(SIGKILL);
  const Output refused = host.wesher({"--backend", settings().backend});
  INFO(refused.text());
  REQUIRE(refused.exit_code == 78);
  REQUIRE(refused.err.find("/var/lib/wesher") != std::string::npos);
  REQUIRE(host.pings("n1"));
  for (const char* folder : {"/etc", "/var/lib/wesher"})
    must(host, {"umount", folder});
  host.start_daemon({"--on-stop", "keep"});
  rig.require_mesh();
}

TEST_CASE("a key file that is deleted or damaged under the daemon is whole after its stop",
          "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  host.start_daemon({"--on-stop", "keep"});
  rig.require_soon("the daemon is up", 30s, [&] { return host.addresses().size() == 1; });
  const std::string key = host.device()->public_key;
  for (const bool deleted : {true, false}) {
    if (deleted) {
      fs::remove(host.path(kKeys));
    } else {
      write_file(host.path(kKeys), "wesher-keys 1\nnot so\n");
    }
    REQUIRE(host.stop_daemon(SIGTERM) == 0);
    host.start_daemon({"--on-stop", "keep"});
    rig.require_soon("the next start is up", 30s, [&] {
      return ask_database(host, "SELECT pid FROM self WHERE stopped_ms IS NULL") ==
             std::to_string(host.daemon().pid());
    });
    REQUIRE(host.device()->public_key == key);
    REQUIRE(host.daemon().running());
  }
}

TEST_CASE("a state directory that is replaced under the daemon is filled anew", "[input]") {
  Rig rig(2);
  rig.start_all({"--on-stop", "keep"});
  rig.require_mesh();
  Host& host = rig.host(2);
  Steady steady(rig, host);
  fs::rename(host.path("/var/lib/wesher"), host.path("/var/lib/old"));
  fs::create_directory(host.path("/var/lib/wesher"));
  // Neither before nor after the daemon noticed does a second one get in.
  REQUIRE(host.wesher({"--backend", settings().backend}).exit_code != 0);
  REQUIRE_FALSE(fs::exists(host.path(kKeys)));
  steady.stir();
  require_stored(rig, host, "after its directory was replaced");
  REQUIRE(host.wesher({"--backend", settings().backend}).exit_code != 0);
  steady.require_unharmed();
  REQUIRE(host.stop_daemon(SIGTERM) == 0);
  host.start_daemon({"--on-stop", "keep"});
  rig.require_soon("n2 is back", 60s, [&] {
    return host.member_state("n1") == "alive" && rig.host(1).member_state("n2") == "alive";
  });
  REQUIRE(host.device()->public_key == steady.key);
}

}  // namespace wesher::netns
