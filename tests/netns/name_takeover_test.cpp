// A machine that is rebuilt elsewhere under its old name: refused while the old one may be back,
// then in with the name and its address.
#include <csignal>

#include <catch2/catch.hpp>

#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

/// The timers that are used here are a tenth, so a name is free 10 s after its owner failed.
const std::vector<std::string> kFast{"--test-timers", "10", "--takeover-after", "100s"};

bool says(const Host& host, const std::string& text) {
  return host.daemon_err().find(text) != std::string::npos;
}

/// n1 to n3, of which n3 is gone for good.
class Lost {
 public:
  Lost() {
    for (const int number : {1, 2, 3})
      rig_.start(number, kFast);
    rig_.require_mesh({1, 2, 3});
    address_ = rig_.host(3).addresses().at(0);
    rig_.host(3).stop_daemon(SIGKILL);
    (void)rig_.host(3).exec({"ip", "link", "delete", "eth0"});
  }

  Rig& rig() { return rig_; }

  Host& rebuilt() { return rig_.host(4); }

  void start_rebuilt() {
    std::vector<std::string> arguments = kFast;
    arguments.insert(arguments.end(), {"--node-name", "n3", "--join", rig_.seed()});
    rebuilt().start_daemon(arguments, {"WESHER_CLUSTER_KEY=" + rig_.key()});
  }

  void require_failed() {
    for (const int number : {1, 2})
      rig_.require_soon("n3 has failed", 60s,
                        [&] { return rig_.host(number).member_state("n3") == "failed"; });
  }

  void require_taken_over(std::chrono::seconds bound) {
    rig_.require_repair("the rebuilt machine has name and address", bound, [&] {
      const auto device = rebuilt().device();
      return device && rebuilt().addresses() == std::vector{address_} &&
             rig_.host(1).member_state("n3") == "alive" &&
             rig_.host(2).member_state("n3") == "alive";
    });
    for (const int number : {1, 2}) {
      Host& host = rig_.host(number);
      rig_.require_soon(host.name() + " reaches it by its name", 20s,
                        [&] { return host.pings("n3"); });
      REQUIRE(host.address_in_hosts("n3") == address_);
      rig_.require_soon(host.name() + " has two peers", 10s,
                        [&] { return host.device()->peers.size() == 2; });
      INFO(host.daemon_err());
      REQUIRE(says(host, "n3 at " + rig_.seed(4) + ":7946: the identity of the name changed"));
    }
  }

 private:
  Rig rig_{4};
  std::string address_;
};

}  // namespace

TEST_CASE("a machine that is rebuilt elsewhere waits until its old self is given up",
          "[long][input]") {
  Lost lost;
  lost.start_rebuilt();
  lost.rig().require_soon("it says whose the name is and when it is free", 20s, [&] {
    return says(lost.rebuilt(), "the name n3 belongs to a live member at " + lost.rig().seed(3)) &&
           says(lost.rebuilt(),
                "its name is free 10s after its last sign of life, or now with "
                "'wesher forget n3' on the members");
  });
  lost.require_failed();
  lost.require_taken_over(60s);
}

TEST_CASE("a machine that is rebuilt elsewhere is refused until the takeover time is over",
          "[input]") {
  Lost lost;
  lost.require_failed();
  lost.start_rebuilt();
  lost.rig().require_soon("the members say why they refuse it", 10s, [&] {
    return says(lost.rig().host(1), "; it was refused. That member is silent; its name is free in");
  });
  lost.require_taken_over(60s);
}

}  // namespace wesher::netns
