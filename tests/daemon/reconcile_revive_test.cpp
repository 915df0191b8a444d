// Sessions with members of the Go program after events, in virtual time.
#include "tests/daemon/support/core_rig.h"

using namespace wesher;
using namespace wesher::daemon;
using namespace wesher::daemon::test;

namespace {

using Done = std::vector<std::string>;

Member signed_member(const std::string& name, std::uint8_t n) {
  Member m = member(name, n);
  m.signed_claim = SignedClaim{};
  m.signed_claim->epoch = 1;
  return m;
}

/// A Go member and one of ours, both with sessions.
void with_sessions(CoreRig& f) {
  f.hear(mesh::MemberChanged{member("go1", 1), "joined"});
  f.hear(mesh::MemberChanged{signed_member("ours", 2), "joined"});
  f.run(seconds(20));
  for (ObservedPeer& peer : f.world->observed.peers) {
    peer.last_handshake = f.now.wall;
    peer.rx_bytes = peer.tx_bytes = 1000;
    peer.endpoint = Endpoint{IpAddress::v4(198, 51, 100, 7), 40001};
  }
  f.forget();
}

void send(CoreRig& f, std::uint64_t bytes) {
  for (ObservedPeer& peer : f.world->observed.peers)
    peer.tx_bytes += bytes;
}

}  // namespace

TEST_CASE("a Go member that is sent to in vain after an event gets a new session") {
  CoreRig f;
  with_sessions(f);
  f.hear(mesh::MemberChanged{signed_member("new", 3), "joined"});
  f.forget();
  send(f, 500);
  f.run(milliseconds(300));
  CHECK(f.done() == Done{"peer go1", "peer go1"});
  // Where WireGuard had it, not where it is announced.
  const Observed after = f.world->now();
  const auto peer = std::find_if(after.peers.begin(), after.peers.end(),
                                 [](const auto& p) { return p.key == member("go1", 1).meta->key; });
  REQUIRE(peer != after.peers.end());
  CHECK(peer->endpoint == Endpoint{IpAddress::v4(198, 51, 100, 7), 40001});
  CHECK(peer->allowed_ips == std::vector<Prefix>{Prefix::host(IpAddress::v4(10, 0, 0, 1))});
  CHECK(f.drift().empty());
  const auto history = f.stored([](auto& r) { return r.history({}).value(); });
  CHECK(std::any_of(history.begin(), history.end(), [](const auto& row) {
    return row.object == "sessions" && row.what == "renewed: go1";
  }));
}

TEST_CASE("nobody's session is touched where all are ours or nothing happens") {
  CoreRig f;
  with_sessions(f);
  send(f, 500);
  f.run(seconds(20));
  CHECK(f.done().empty());
  f.hear(mesh::MemberForgotten{"go1", "its retention is over"});
  f.hear(mesh::MemberChanged{signed_member("new", 3), "joined"});
  f.run(seconds(1));
  f.forget();
  send(f, 500);
  f.run(seconds(20));
  CHECK(f.done().empty());
}

TEST_CASE("a suspicion is no event for Go members and a failure is one") {
  CoreRig f;
  with_sessions(f);
  Member other = signed_member("ours", 2);
  other.state = MemberState::suspect;
  f.hear(mesh::MemberChanged{other, "no answer"});
  f.forget();
  send(f, 500);
  f.run(seconds(5));
  CHECK(f.done().empty());
  other.state = MemberState::failed;
  f.hear(mesh::MemberChanged{other, "no answer"});
  f.forget();
  send(f, 500);
  f.run(seconds(1));
  CHECK(f.done() == Done{"peer go1", "peer go1"});
}
