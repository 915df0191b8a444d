#include "interop/support/beside.h"

#include <algorithm>

#include <catch2/catch.hpp>

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Host;
using netns::Rig;

void require_both(Rig& rig, Host& ours, GoPeer& go) {
  rig.require_soon(ours.name() + " and " + go.name() + " know each other", 30s, [&] {
    if (ours.member_state(go.name()) != "alive" || !has_peer(ours, go.key())) return false;
    const Json peer = go.peer(ours.name());
    const auto device = ours.device();
    return go.state(ours.name()) == "alive" && device && peer.is_object() &&
           peer.at("overlay").is_object() && peer.at("overlay").at("key") == device->public_key;
  });
}

bool has_peer(const Host& ours, const std::string& key) {
  const auto device = ours.device();
  return device && std::any_of(device->peers.begin(), device->peers.end(),
                               [&](const auto& peer) { return peer.public_key == key; });
}

void require_content(GoPeer& go) {
  for (const std::string& line : go.complaints()) {
    INFO(line);
    // The library says this of itself whenever an address to listen on is a wildcard.
    const bool standing = line.find("Binding to public address") != std::string::npos;
    CHECK(standing);
  }
}

void start_ours(Rig& rig, Host& host, const std::string& join) {
  std::vector<std::string> arguments;
  if (!join.empty()) arguments = {"--join", join};
  host.start_daemon(arguments, {"WESHER_CLUSTER_KEY=" + rig.key()});
  rig.require_soon("the daemon of " + host.name() + " answers", 20s,
                   [&] { return host.listens(); });
}

}  // namespace wesher::interop
