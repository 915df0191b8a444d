// `wesher doctor` on real hosts: what it finds, and that it changes nothing.
#include <algorithm>
#include <csignal>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>

#include "netns/support/refusal.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

using nlohmann::json;

/// What it says, which is the same as JSON; fails the scenario unless it ends so.
json diagnosis(const Host& host, int exit_code, const std::vector<std::string>& options = {}) {
  std::vector<std::string> arguments{"doctor", "--json"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  // A daemon writes its state while it runs; what the doctor does to it is nothing all the same.
  const auto what = host.has_daemon() ? Fingerprint::without_state : Fingerprint::with_state;
  const std::string before = host.fingerprint(what);
  const Output ran = host.wesher(arguments);
  INFO(ran.text());
  REQUIRE(ran.exit_code == exit_code);
  REQUIRE(host.fingerprint(what) == before);
  const json report = json::parse(ran.out);
  json checks = json::object();
  for (const json& check : report.at("checks"))
    checks[check.at("check").get<std::string>()] = check;
  return checks;
}

bool says(const json& check, const std::string& verdict, const std::string& part) {
  INFO(check.dump());
  CHECK(check.at("verdict") == verdict);
  return check.at("text").get<std::string>().find(part) != std::string::npos;
}

/// This process is called so while the object lives.
class Called {
 public:
  explicit Called(const char* name) {
    ::prctl(PR_GET_NAME, before_);
    ::prctl(PR_SET_NAME, name);
  }

  ~Called() { ::prctl(PR_SET_NAME, before_); }

  Called(const Called&) = delete;
  Called& operator=(const Called&) = delete;

 private:
  char before_[16] = {};
};

}  // namespace

TEST_CASE("the doctor tells who holds the ports and changes nothing") {
  Rig rig(1);
  Host& host = rig.host(1);
  json checks = diagnosis(host, 0);
  for (const auto& [name, check] : checks.items()) {
    INFO(check.dump());
    REQUIRE(check.at("verdict") == "ok");
  }
  REQUIRE_FALSE(host.has_link());
  {
    const HeldPort tcp(host, Port::tcp, 7946);
    checks = diagnosis(host, 1);
    REQUIRE(says(checks["gossip port"], "fail", "TCP 7946 is held by netns_tests (pid "));
    // Another port is another matter.
    REQUIRE(says(diagnosis(host, 0, {"--cluster-port", "7999"})["gossip port"], "ok", "free"));
  }
  {
    // What the Go program looks like from outside.
    const Called go("wesher");
    const HeldPort tcp(host, Port::tcp, 7946);
    const HeldPort udp(host, Port::udp, 7946);
    checks = diagnosis(host, 0);
    REQUIRE(says(checks["gossip port"], "warn", "another wesher: the Go program?"));
    REQUIRE(checks["gossip port"].at("remedy").get<std::string>().find("stop") !=
            std::string::npos);
  }
  REQUIRE(says(diagnosis(host, 0)["gossip port"], "ok", "free"));
}

TEST_CASE("the doctor knows our own daemon and its state and a host that is not in order") {
  Rig rig(1);
  Host& host = rig.host(1);
  rig.start(1);
  rig.require_soon("it has its address", 20s, [&] { return !host.addresses().empty(); });
  rig.require_soon("it gossips", 20s, [&] {
    return host.daemon_err().find("listening on 7946") != std::string::npos;
  });
  const json checks = diagnosis(host, 0);
  REQUIRE(says(checks["gossip port"], "ok", "held by our daemon"));
  REQUIRE(says(checks["wireguard port"], "ok", "that of wgoverlay"));
  REQUIRE(says(checks["interface"], "ok", "wgoverlay is ours"));
  REQUIRE(says(checks["state"], "ok", "wgoverlay.keys: cluster "));
  REQUIRE(says(checks["overlay address"], "ok", "kept from earlier runs"));
  const std::string overlay = host.addresses().front();
  REQUIRE(host.stop_daemon(SIGTERM) == 0);
  REQUIRE(host.exec({"sysctl", "-q", "-w", "kernel.hostname=other"}).exit_code == 0);
  REQUIRE(host.exec({"ip", "address", "add", overlay + "/32", "dev", "eth0"}).exit_code == 0);
  write_file(host.path("/var/lib/wesher/wgoverlay.db"), "no database");
  const json sick = diagnosis(host, 1);
  REQUIRE(says(sick["name"], "warn", "other now, it was n1"));
  REQUIRE(says(sick["overlay address"], "fail", "also an address"));
  REQUIRE(sick["state"].at("verdict") != "ok");
}

TEST_CASE("a user without rights gets what can be seen and is told what cannot", "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  rig.start(1);
  rig.require_soon("it has state", 20s, [&] { return !host.addresses().empty(); });
  const Output ran =
      host.exec({"setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups",
                 "--inh-caps=-all", "--bounding-set=-all", settings().wesher, "doctor"});
  INFO(ran.text());
  REQUIRE(ran.err.empty());
  REQUIRE(ran.out.find("warn  rights") != std::string::npos);
  REQUIRE(ran.out.find("warn  state            not checked") != std::string::npos);
  REQUIRE(ran.out.find("Remedy: sudo wesher doctor") != std::string::npos);
}

}  // namespace wesher::netns
