#include "netns/support/halves.h"

namespace wesher::netns {

Halves::Halves(Rig& rig, const std::vector<int>& others) {
  std::string commands =
      "link add br1 type bridge mcast_snooping 0\n"
      "link set br1 addrgenmode none\n"
      "link set br1 up\n"
      "link add cable0 type veth peer name cable1\n"
      "link set cable0 master br0 up\n"
      "link set cable1 master br1 up\n";
  for (const int number : others)
    commands += "link set " + rig.host(number).port() + " master br1\n";
  must_run({"ip", "-batch", "-"}, {}, commands);
}

void Halves::part() {
  must_run({"ip", "link", "set", "cable0", "down"});
}

void Halves::heal() {
  must_run({"ip", "link", "set", "cable0", "up"});
}

}  // namespace wesher::netns
