// One of our daemons and nodes of Go's memberlist: who joins, changes, leaves, dies and comes back.
#include <algorithm>
#include <csignal>
#include <memory>

#include <catch2/catch.hpp>

#include "interop/support/beside.h"
#include "interop/support/capture.h"

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Host;
using netns::Rig;

namespace {

// A new daemon speaks what the Go node speaks, so that each reads the other.
void ours_joins(const std::string& format) {
  Rig rig(2);
  GoPeer go(rig.host(1), rig.key(), {format, "go-" + format, ""});
  Capture capture(rig.host(2));
  start_ours(rig, rig.host(2), rig.seed(1));
  rig.require_soon("n2 has the Go node as a peer", 30s, [&] {
    return rig.host(2).member_state(go.name()) == "alive" && has_peer(rig.host(2), go.key());
  });
  require_both(rig, rig.host(2), go);
  rig.require_soon("the Go node has n2", 30s, [&] { return go.state("n2") == "alive"; });
  require_content(go);
  // We opened the push/pull, as a join, and the answer holds what the library holds.
  bool joined = false;
  for (const CapturedStream& stream : capture.streams())
    if (stream.initiator && stream.from == rig.seed(2))
      for (const Json& object : dump_streams(rig.key(), {stream.bytes}))
        if (object.value("message", "") == "push_pull") joined = true;
  REQUIRE(joined);
}

}  // namespace

TEST_CASE("our daemon joins a Go node that speaks F1") {
  ours_joins("F1");
}

TEST_CASE("our daemon joins a Go node that speaks F2") {
  ours_joins("F2");
}

TEST_CASE("our daemon joins a Go node that speaks F3") {
  ours_joins("F3");
}

TEST_CASE("a Go node joins our daemon") {
  Rig rig(2);
  start_ours(rig, rig.host(1));
  GoPeer go(rig.host(2), rig.key(), {"F2", "go", ""});
  go.join(rig.seed(1));
  require_both(rig, rig.host(1), go);
  require_content(go);
}

TEST_CASE("a Go node's new metadata reach our device, and ours reach the Go node") {
  Rig rig(2);
  start_ours(rig, rig.host(1));
  GoPeer go(rig.host(2), rig.key(), {"F2", "go", ""});
  go.join(rig.seed(1));
  require_both(rig, rig.host(1), go);
  const std::string old_key = go.key();
  go.change_key();
  require_both(rig, rig.host(1), go);
  rig.require_soon("the old key is gone from the device", 10s,
                   [&] { return !has_peer(rig.host(1), old_key); });
  // Another overlay network, so another overlay address: the same member with other metadata.
  Host& host = rig.host(1);
  const std::string before = go.record("n1").at("meta");
  REQUIRE(host.stop_daemon(SIGKILL) == 128 + SIGKILL);
  host.start_daemon({"--overlay-net", "10.9.0.0/16"});
  rig.require_soon("the Go node has the new metadata", 30s, [&] {
    const Json record = go.record("n1");
    return record.at("state") == "alive" && record.at("meta") != before &&
           record.at("overlay").at("address").get<std::string>().rfind("10.9.", 0) == 0;
  });
}

TEST_CASE("a Go node that leaves is gone from our device, and ours from the Go node's table") {
  Rig rig(3);
  start_ours(rig, rig.host(1));
  GoPeer stays(rig.host(2), rig.key(), {"F2", "stays", ""});
  GoPeer leaves(rig.host(3), rig.key(), {"F2", "leaves", ""});
  stays.join(rig.seed(1));
  leaves.join(rig.seed(1));
  require_both(rig, rig.host(1), stays);
  require_both(rig, rig.host(1), leaves);
  leaves.leave();
  rig.require_soon("the device lost the peer of the one that left", 20s, [&] {
    return !has_peer(rig.host(1), leaves.key()) && rig.host(1).member_state("leaves") == "left";
  });
  REQUIRE(has_peer(rig.host(1), stays.key()));
  REQUIRE(rig.host(1).stop_daemon(SIGTERM) == 0);
  rig.require_soon("the Go node knows that ours left", 20s,
                   [&] { return stays.state("n1") == "left"; });
  REQUIRE(stays.heard("leave", "n1").size() == 1);
}

TEST_CASE("crashes are found on both sides, and who comes back is taken back", "[long]") {
  Rig rig(4);
  start_ours(rig, rig.host(1));
  start_ours(rig, rig.host(2), rig.seed(1));
  GoPeer stays(rig.host(3), rig.key(), {"F2", "stays", ""});
  auto dies = std::make_unique<GoPeer>(rig.host(4), rig.key(), GoPeerSettings{"F2", "dies", ""});
  stays.join(rig.seed(1));
  dies->join(rig.seed(1));
  for (GoPeer* go : {&stays, dies.get()})
    for (const int number : {1, 2})
      require_both(rig, rig.host(number), *go);
  dies->crash();
  REQUIRE(rig.host(2).stop_daemon(SIGKILL) == 128 + SIGKILL);
  rig.require_soon("both ends have both crashed members as failed", 150s, [&] {
    return rig.host(1).member_state("dies") == "failed" &&
           rig.host(1).member_state("n2") == "failed" && stays.state("dies") == "dead" &&
           stays.state("n2") == "dead";
  });
  // A member that failed keeps its peer with us.
  REQUIRE(has_peer(rig.host(1), dies->key()));
  // The same address, and nothing remembered: its incarnation starts from 1 again.
  GoPeer again(rig.host(4), rig.key(), {"F2", "dies", ""});
  again.join(rig.seed(3));
  rig.host(2).start_daemon({});
  for (GoPeer* go : {&stays, &again})
    for (const int number : {1, 2})
      require_both(rig, rig.host(number), *go);
  rig.require_soon("the key of before is gone", 10s,
                   [&] { return !has_peer(rig.host(1), dies->key()); });
}

TEST_CASE("a Go node that left and comes back from another address has its endpoint moved") {
  Rig rig(3);
  start_ours(rig, rig.host(1));
  GoPeer go(rig.host(2), rig.key(), {"F2", "moves", ""});
  go.join(rig.seed(1));
  require_both(rig, rig.host(1), go);
  go.leave();
  rig.require_soon("the member left", 20s,
                   [&] { return rig.host(1).member_state("moves") == "left"; });
  GoPeer moved(rig.host(3), rig.key(), {"F2", "moves", go.key()});
  moved.join(rig.seed(1));
  require_both(rig, rig.host(1), moved);
  rig.require_soon("the peer's endpoint is the new address", 10s, [&] {
    const auto device = rig.host(1).device();
    return device && std::any_of(device->peers.begin(), device->peers.end(), [&](const auto& peer) {
             return peer.public_key == moved.key() && peer.endpoint == rig.seed(3) + ":51820";
           });
  });
}

TEST_CASE("ours that comes back from another address is taken back by a Go node") {
  Rig rig(2);
  start_ours(rig, rig.host(1));
  GoPeer go(rig.host(2), rig.key(), {"F2", "go", ""});
  go.join(rig.seed(1));
  require_both(rig, rig.host(1), go);
  Host& host = rig.host(1);
  REQUIRE(host.stop_daemon(SIGTERM) == 0);
  rig.require_soon("the Go node knows that ours left", 20s,
                   [&] { return go.state("n1") == "left"; });
  const netns::Output moved =
      host.exec({"sh", "-c",
                 "ip addr flush dev eth0 && ip addr add 172.31.0.77/24 dev eth0 && "
                 "ip route replace default dev eth0"});
  INFO(moved.text());
  REQUIRE(moved.exit_code == 0);
  host.start_daemon({"--join", rig.seed(2)});
  rig.require_soon("the Go node has it at the new address", 40s, [&] {
    const Json record = go.record("n1");
    return record.at("state") == "alive" && record.at("address") == "172.31.0.77";
  });
  require_both(rig, host, go);
}

TEST_CASE("a Go node sees ours that changes its address leave and come") {
  Rig rig(3);
  start_ours(rig, rig.host(1));
  start_ours(rig, rig.host(2), rig.seed(1));
  GoPeer go(rig.host(3), rig.key(), {"F2", "go", ""});
  go.join(rig.seed(1));
  require_both(rig, rig.host(1), go);
  require_both(rig, rig.host(2), go);
  REQUIRE(go.heard("leave", "n2").empty());
  const std::size_t joined = go.heard("join", "n2").size();
  const netns::Output moved =
      rig.host(2).exec({"sh", "-c",
                        "ip addr flush dev eth0 && ip addr add 172.31.0.77/24 dev eth0 && "
                        "ip route replace default dev eth0"});
  INFO(moved.text());
  REQUIRE(moved.exit_code == 0);
  rig.require_repair("the Go node has it at the new address", 10s, [&] {
    const Json record = go.record("n2");
    return record.at("state") == "alive" && record.at("address") == "172.31.0.77";
  });
  rig.require_soon("it heard of a leave and of a join behind it", 10s, [&] {
    return go.heard("leave", "n2").size() == 1 && go.heard("join", "n2").size() == joined + 1;
  });
  REQUIRE(go.heard("leave", "n2").front() <= go.heard("join", "n2").back());
  require_both(rig, rig.host(2), go);
  // To ours it was there all the time.
  REQUIRE(rig.host(1).member_state("n2") == "alive");
  REQUIRE(rig.host(1).daemon_err().find("n2 (172.31.0.2) left") == std::string::npos);
}

TEST_CASE("metadata that ours cannot read pass through it unchanged") {
  Rig rig(4);
  start_ours(rig, rig.host(1));
  GoPeer strange(rig.host(2), rig.key(), {"F2", "strange", ""});
  GoPeer reader(rig.host(3), rig.key(), {"F2", "reader", ""});
  strange.join(rig.seed(1));
  reader.join(rig.seed(1));
  require_both(rig, rig.host(1), strange);
  std::string longest;
  for (int i = 0; i < 512; ++i)
    longest += i % 2 == 0 ? "a7" : "00";
  strange.ask("meta " + longest);
  rig.require_soon("the other Go node has all 512 bytes", 60s,
                   [&] { return reader.record("strange").at("meta") == longest; });
  rig.require_soon("ours still has it as a member", 10s,
                   [&] { return rig.host(1).member_state("strange") == "alive"; });
  // Also in a push/pull with ours.
  GoPeer late(rig.host(4), rig.key(), {"F2", "late", ""});
  late.join(rig.seed(1));
  REQUIRE(late.record("strange").at("meta") == longest);
}

}  // namespace wesher::interop
