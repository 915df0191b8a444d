// A gossip node as the daemon runs it, without a data plane: the peer of go/peer/main.go in
// tests/bench/run. Says on stdout who came, "alive NAME", and who went, "gone NAME"; ends when its
// stdin does.
//
//   bench_peer --name NAME --address ADDR --port PORT --key HEX [--join HOST:PORT] [--log info]
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <unistd.h>

#include "base/text.h"
#include "daemon/clock.h"
#include "daemon/gossip_loop.h"

namespace {

using namespace wesher;

[[noreturn]] void usage() {
  std::fputs("bench_peer --name NAME --address ADDR --port PORT --key HEX [--join HOST:PORT]\n",
             stderr);
  std::exit(2);
}

Bytes from_hex(const std::string& text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

mesh::Mesh make_mesh(const std::string& name,
                     const IpAddress& address,
                     std::uint16_t port,
                     const Bytes& key) {
  mesh::Config config;
  config.gossip.name = name;
  const ByteView bytes = address.bytes();
  config.gossip.address.assign(bytes.begin(), bytes.end());
  config.gossip.port = port;
  config.gossip.allow_loopback = true;
  config.overlay_net = *Prefix::parse("10.0.0.0/8");
  // An address that nobody else has, and a random key.
  config.own.overlay = *IpAddress::from_bytes(Bytes{10, 1, *(bytes.end() - 2), *(bytes.end() - 1)});
  Bytes public_key(32);
  daemon::system_rng().fill(public_key);
  config.own.key = *PublicKey::from_bytes(public_key);
  wire::Keyring keyring;
  (void)keyring.add(key);
  return {std::move(config), std::move(keyring), daemon::system_rng(), {}, daemon::now()};
}

class Told {
 public:
  void take(const mesh::Fact& fact) {
    const auto* changed = std::get_if<mesh::MemberChanged>(&fact);
    if (changed == nullptr) return;
    const Member& member = changed->member;
    const bool here = member.state == MemberState::alive || member.state == MemberState::suspect;
    bool& told = here_[member.name];
    if (told == here) return;
    told = here;
    std::printf("%s %s\n", here ? "alive" : "gone", printable(member.name).c_str());
    std::fflush(stdout);
  }

 private:
  std::map<std::string, bool> here_;
};

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; i += 2)
    options[argv[i]] = argv[i + 1];
  if (!options.contains("--name") || !options.contains("--port") || !options.contains("--key"))
    usage();
  const auto address =
      IpAddress::parse(options.contains("--address") ? options["--address"] : "127.0.0.1");
  if (!address) usage();
  const auto port = static_cast<std::uint16_t>(std::stoul(options["--port"]));
  asio::io_context io{1};
  auto sockets = daemon::open_gossip_sockets(io, port);
  if (!sockets) {
    std::fprintf(stderr, "bench_peer: %s\n", sockets.error().detail.c_str());
    return 1;
  }
  std::vector<daemon::JoinEntry> join;
  if (!options["--join"].empty()) {
    auto entry = daemon::JoinEntry::parse(options["--join"], port);
    if (!entry) usage();
    join.push_back(std::move(*entry));
  }
  daemon::Log log(options.contains("--log") ? daemon::LogLevel::info : daemon::LogLevel::error);
  Told told;
  daemon::GossipLoop loop(io, std::move(*sockets),
                          make_mesh(options["--name"], *address, port, from_hex(options["--key"])),
                          std::move(join), {}, log,
                          {[&](const mesh::Fact& fact, WallTime) { told.take(fact); },
                           [&](std::size_t) { io.stop(); }, [](const mesh::CopyFound&) {},
                           [](const mesh::Notice&) {}, [] {}});
  loop.start(std::chrono::seconds{2});
  std::puts("ready");
  std::fflush(stdout);

  asio::posix::stream_descriptor input(io, ::dup(STDIN_FILENO));
  input.async_wait(asio::posix::stream_descriptor::wait_read, [&](std::error_code) { io.stop(); });
  io.run();
  return 0;
}
