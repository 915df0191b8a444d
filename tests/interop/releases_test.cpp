// What only releases of memberlist do that are not packaged: 0.1.4, without source fields in its
// pings and with a death accused by nobody as its leave; 0.5.1, with source fields, CRCs,
// compressed gossip, signed counts and F3. Each is played to two real daemons.
#include <algorithm>

#include <catch2/catch.hpp>

#include "interop/support/beside.h"
#include "interop/support/scripted_peer.h"

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Rig;

namespace {

/// Two daemons of ours, n1 and n2; the peer, on n3, joins n1.
void start(Rig& rig, ScriptedPeer& peer, std::size_t dead) {
  start_ours(rig, rig.host(1));
  start_ours(rig, rig.host(2), rig.seed(1));
  rig.require_mesh({1, 2});
  const wire::PushPull answer = peer.join(rig.host(1), dead);
  REQUIRE(answer.join);
  REQUIRE(answer.entries.size() == 2);
}

void require_alive(Rig& rig, ScriptedPeer& peer) {
  rig.require_soon("both of ours have the member and its key", 30s, [&] {
    return std::all_of(rig.hosts().begin(), rig.hosts().begin() + 2, [&](const auto& host) {
      return host->member_state(peer.name()) == "alive" && has_peer(*host, peer.key());
    });
  });
}

template <class Message>
bool got(ScriptedPeer& peer, std::uint32_t sequence, const std::string& from) {
  const auto heard = peer.heard();
  return std::any_of(heard.begin(), heard.end(), [&](const ScriptedPeer::Heard& one) {
    const auto* message = std::get_if<Message>(&one.message);
    return message != nullptr && message->sequence == sequence && one.from == from &&
           one.from_port == 7946;
  });
}

/// It is probed by both of ours, and its own pings, direct and through a relay, are answered.
void require_probes(Rig& rig, ScriptedPeer& peer) {
  peer.say(rig.host(1), peer.ping(1001, rig.host(1)));
  rig.require_soon("its ping is acked from the gossip port", 10s,
                   [&] { return got<wire::Ack>(peer, 1001, rig.seed(1)); });
  peer.say(rig.host(1), peer.indirect_ping(1002, rig.host(2)));
  rig.require_soon("its relay acks", 10s, [&] { return got<wire::Ack>(peer, 1002, rig.seed(1)); });
  rig.require_soon("both of ours probe it", 40s, [&] {
    const auto heard = peer.heard();
    return std::all_of(rig.hosts().begin(), rig.hosts().begin() + 2, [&](const auto& host) {
      return std::any_of(heard.begin(), heard.end(), [&](const ScriptedPeer::Heard& one) {
        const auto* ping = std::get_if<wire::Ping>(&one.message);
        // Without source fields: the ack goes to where the ping came from in every release.
        return ping != nullptr && one.from == host->underlay_address() && one.from_port == 7946 &&
               ping->source == wire::Source{};
      });
    });
  });
}

}  // namespace

TEST_CASE("a member of memberlist 0.1.4 joins, probes, leaves accused by nobody, and comes back",
          "[long]") {
  Rig rig(3);
  ScriptedPeer peer(rig.host(3), rig.key(), Release::v0_1_4);
  start(rig, peer, 0);
  require_alive(rig, peer);
  require_probes(rig, peer);
  peer.gossip(rig.host(1), {peer.goodbye()});
  // A death like any other: nobody can tell who says so, and the peer stays.
  rig.require_soon("both of ours hold it as failed", 20s, [&] {
    return rig.host(1).member_state("old") == "failed" &&
           rig.host(2).member_state("old") == "failed";
  });
  REQUIRE(has_peer(rig.host(1), peer.key()));
  const std::string before = peer.key();
  peer.change_key();
  (void)peer.join(rig.host(2));
  require_alive(rig, peer);
  rig.require_soon("its key of before is gone", 10s, [&] {
    return !has_peer(rig.host(1), before) && !has_peer(rig.host(2), before);
  });
}

TEST_CASE("a member of memberlist 0.5.1 joins with signed counts, gossips under CRCs, and leaves",
          "[long]") {
  Rig rig(3);
  ScriptedPeer peer(rig.host(3), rig.key(), Release::v0_5_1);
  start(rig, peer, 199);
  require_alive(rig, peer);
  // Dead members that we never knew are none.
  REQUIRE(rig.host(1).member_state("gone-0").empty());
  require_probes(rig, peer);
  // Wherever a ping says that its ack should go, it goes to the sender.
  peer.say(rig.host(1), peer.ping(1003, rig.host(1), 9));
  rig.require_soon("the ack comes to the sender", 10s,
                   [&] { return got<wire::Ack>(peer, 1003, rig.seed(1)); });
  const std::string before = peer.key();
  peer.change_key();
  peer.gossip(rig.host(1), {wire::Suspect{1, "nobody", "n9"}, peer.alive()});
  require_alive(rig, peer);
  rig.require_soon("the peer of the key before is gone", 10s,
                   [&] { return !has_peer(rig.host(1), before); });
  peer.gossip(rig.host(1), {peer.goodbye(), wire::Suspect{1, "nobody", "n9"}});
  peer.fall_silent();
  rig.require_soon("it left, and its peer is gone", 60s, [&] {
    return std::all_of(rig.hosts().begin(), rig.hosts().begin() + 2, [&](const auto& host) {
      return host->member_state("new") == "left" && !has_peer(*host, peer.key());
    });
  });
}

}  // namespace wesher::interop
