// The gossip port on loopback: who is let in, what is read, what is never answered.
#include "daemon/streams.h"

#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <catch2/catch.hpp>

#include "daemon/clock.h"
#include "daemon/sockets.h"
#include "wire/keyring.h"
#include "wire/limits.h"
#include "wire/stream.h"

using namespace wesher;
using namespace wesher::daemon;
using asio::ip::tcp;

namespace {

const Bytes kPlain{1, 2, 3};

struct Fixture {
  asio::io_context io;
  wire::Keyring keyring;
  Rng rng = Rng::from_number(1);
  std::optional<Bytes> answer;
  std::vector<Bytes> requests;
  std::vector<std::string> outcomes;
  std::uint16_t port = 0;
  std::unique_ptr<Streams> streams;

  Fixture() {
    REQUIRE(keyring.add(Bytes(32, 7)));
    tcp::acceptor acceptor(io, tcp::endpoint(tcp::v6(), 0));
    port = acceptor.local_endpoint().port();
    streams = std::make_unique<Streams>(
        io, std::move(acceptor),
        StreamHandlers{[this](const Endpoint&, ByteView frame) {
                         requests.emplace_back(frame.begin(), frame.end());
                         return answer;
                       },
                       [this](gossip::StreamId, ByteView) { outcomes.emplace_back("reply"); },
                       [this](gossip::StreamId, std::string reason) { outcomes.push_back(reason); },
                       [this](gossip::StreamId) { outcomes.emplace_back("done"); },
                       [](const IpAddress&) { return false; }});
    streams->start();
  }

  Bytes frame() { return wire::seal_frame(keyring, kPlain, rng); }

  tcp::socket connect() {
    tcp::socket socket(io);
    socket.connect(tcp::endpoint(asio::ip::address_v6::loopback(), port));
    return socket;
  }

  /// Runs the loop until the condition holds; false after ten seconds.
  bool run_until(const std::function<bool()>& condition) {
    const Instant limit = now().at + std::chrono::seconds(10);
    while (!condition()) {
      if (now().at >= limit) return false;
      io.restart();
      io.run_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  /// What the other side sends until it closes.
  Bytes read_all(tcp::socket& socket) {
    Bytes all;
    bool closed = false;
    std::array<std::uint8_t, 4096> chunk{};
    socket.non_blocking(true);
    REQUIRE(run_until([&] {
      std::error_code ec;
      const std::size_t n = socket.read_some(asio::buffer(chunk), ec);
      all.insert(all.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
      closed = ec && ec != asio::error::would_block;
      return closed;
    }));
    return all;
  }

  gossip::StreamRequest request_to_self(bool wants_reply) {
    return {1,
            {*IpAddress::parse("::1"), port},
            frame(),
            wants_reply,
            now().at + std::chrono::seconds(5)};
  }
};

}  // namespace

TEST_CASE("a frame in small pieces is one request and its answer is written", "[daemon][streams]") {
  Fixture f;
  f.answer = Bytes{9, 9};
  auto socket = f.connect();
  const Bytes frame = f.frame();
  for (const std::uint8_t byte : frame) {
    asio::write(socket, asio::buffer(&byte, 1));
    f.io.restart();
    f.io.poll();
  }
  CHECK(f.read_all(socket) == Bytes{9, 9});
  REQUIRE(f.requests.size() == 1);
  CHECK(f.requests[0] == frame);
}

TEST_CASE("a request without an answer is closed without a byte", "[daemon][streams]") {
  Fixture f;
  auto socket = f.connect();
  asio::write(socket, asio::buffer(f.frame()));
  CHECK(f.read_all(socket).empty());
  CHECK(f.requests.size() == 1);
}

TEST_CASE("what is no encrypted frame is closed without a byte and reaches nobody",
          "[daemon][streams]") {
  Fixture f;
  auto socket = f.connect();
  asio::write(socket, asio::buffer(std::string("GET / HTTP/1.1\r\n\r\n")));
  CHECK(f.read_all(socket).empty());
  CHECK(f.requests.empty());
}

TEST_CASE("a length over the limit of strangers is closed at once", "[daemon][streams]") {
  Fixture f;
  auto socket = f.connect();
  const Bytes header{0x0a, 0x01, 0x40, 0x00, 0x00};  // 20 MiB
  asio::write(socket, asio::buffer(header));
  CHECK(f.read_all(socket).empty());
}

TEST_CASE("one source holds no more than its share of streams", "[daemon][streams]") {
  Fixture f;
  std::vector<tcp::socket> held;
  for (std::size_t i = 0; i < limits::kStreamsPerSource; ++i) {
    held.push_back(f.connect());
    f.io.restart();
    f.io.poll();
  }
  auto refused = f.connect();
  CHECK(f.read_all(refused).empty());
  // One of them ends, and there is room again.
  held.pop_back();
  f.answer = Bytes{1};
  REQUIRE(f.run_until([&] {
    auto again = f.connect();
    std::error_code ec;
    asio::write(again, asio::buffer(f.frame()), ec);
    return f.read_all(again) == Bytes{1};
  }));
}

TEST_CASE("an outbound stream ends with exactly one outcome", "[daemon][streams]") {
  Fixture f;
  SECTION("the reply") {
    f.answer = f.frame();
    f.streams->open(f.request_to_self(true));
    REQUIRE(f.run_until([&] { return !f.outcomes.empty(); }));
    CHECK(f.outcomes == std::vector<std::string>{"reply"});
  }
  SECTION("nothing was wanted") {
    f.streams->open(f.request_to_self(false));
    REQUIRE(f.run_until([&] { return !f.outcomes.empty(); }));
    CHECK(f.outcomes == std::vector<std::string>{"done"});
  }
  SECTION("closed without an answer") {
    f.streams->open(f.request_to_self(true));
    REQUIRE(f.run_until([&] { return !f.outcomes.empty(); }));
    CHECK(f.outcomes == std::vector<std::string>{"it closed the connection without an answer"});
  }
  SECTION("nobody listens") {
    auto request = f.request_to_self(true);
    f.streams->close();
    f.streams->open(std::move(request));
    REQUIRE(f.run_until([&] { return !f.outcomes.empty(); }));
    CHECK(f.outcomes == std::vector<std::string>{"connection refused: is wesher running there?"});
  }
  SECTION("its time is over") {
    auto request = f.request_to_self(true);
    tcp::acceptor silent(f.io, tcp::endpoint(tcp::v6(), 0));
    request.to.port = silent.local_endpoint().port();
    request.deadline = now().at + std::chrono::milliseconds(50);
    f.streams->open(std::move(request));
    REQUIRE(f.run_until([&] { return !f.outcomes.empty(); }));
    CHECK(f.outcomes == std::vector<std::string>{"connected, but no answer in time"});
  }
}

TEST_CASE("a gossip port in use is an error that names the port and the way out",
          "[daemon][sockets]") {
  asio::io_context io;
  asio::ip::udp::socket taken(io, asio::ip::udp::endpoint(asio::ip::udp::v6(), 0));
  const std::uint16_t port = taken.local_endpoint().port();
  const auto refused = open_gossip_sockets(io, port);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::busy);
  CHECK(refused.error().detail.starts_with("gossip port " + std::to_string(port) +
                                           " (UDP) is in use"));
  CHECK(refused.error().detail.find("--cluster-port") != std::string::npos);
  const auto wireguard = check_wireguard_port(io, port);
  REQUIRE_FALSE(wireguard);
  CHECK(wireguard.error().detail.find("--wireguard-port") != std::string::npos);
}
