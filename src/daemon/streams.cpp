#include "daemon/streams.h"

#include <array>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/connect.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include "daemon/asio_ip.h"
#include "daemon/clock.h"
#include "wire/limits.h"
#include "wire/stream.h"

namespace wesher::daemon {

namespace {

constexpr auto kAwait = asio::experimental::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadChunk = 16384;

/// Closes a socket when its time is over; every pending operation on it then ends with an error. A
/// wait that was already due when the time was extended, or the socket is gone, does nothing.
class Deadline {
 public:
  Deadline(asio::ip::tcp::socket& socket, Duration after)
      : timer_(socket.get_executor()), state_(std::make_shared<State>(State{&socket})) {
    extend(after);
  }

  ~Deadline() { state_->socket = nullptr; }

  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void extend(Duration after) {
    const unsigned round = ++state_->round;
    timer_.expires_after(after);
    timer_.async_wait([state = state_, round](std::error_code ec) {
      if (ec || state->socket == nullptr || state->round != round) return;
      state->expired = true;
      std::error_code ignored;
      state->socket->close(ignored);
    });
  }

  [[nodiscard]] bool expired() const { return state_->expired; }

 private:
  struct State {
    asio::ip::tcp::socket* socket;
    unsigned round = 0;
    bool expired = false;
  };

  asio::steady_timer timer_;
  std::shared_ptr<State> state_;
};

/// One host counts as one source: an IPv4 address, or an IPv6 /64.
std::string source_of(const IpAddress& address) {
  return address.is_v4() ? address.text() : Prefix{address, 64}.masked().text();
}

std::string connect_reason(std::error_code ec, bool expired) {
  if (expired) return "no answer: the connection timed out (is its TCP port open?)";
  if (ec == asio::error::connection_refused) return "connection refused: is wesher running there?";
  return "cannot connect: " + ec.message();
}

}  // namespace

Streams::Streams(asio::io_context& io, asio::ip::tcp::acceptor acceptor, StreamHandlers handlers)
    : io_(io), acceptor_(std::move(acceptor)), handlers_(std::move(handlers)) {}

void Streams::start() {
  asio::co_spawn(io_, accept_loop(), asio::detached);
}

void Streams::close() {
  std::error_code ignored;
  acceptor_.close(ignored);
}

bool Streams::admit(const Endpoint& from, const std::string& source) const {
  const auto same = load_->per_source.find(source);
  if (same != load_->per_source.end() && same->second >= limits::kStreamsPerSource) return false;
  const std::size_t room = handlers_.is_member(from.address)
                               ? limits::kStreamsInbound
                               : limits::kStreamsInbound - limits::kStreamsForMembers;
  return load_->streams < room;
}

asio::awaitable<void> Streams::accept_loop() {
  for (;;) {
    auto [ec, socket] = co_await acceptor_.async_accept(kAwait);
    if (ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor) co_return;
    if (ec) {  // out of descriptors and the like: give it a moment
      asio::steady_timer pause(io_, std::chrono::milliseconds(100));
      co_await pause.async_wait(kAwait);
      continue;
    }
    std::error_code gone;
    const auto remote = socket.remote_endpoint(gone);
    if (gone) continue;
    const Endpoint from{from_asio(remote.address()), remote.port()};
    std::string source = source_of(from.address);
    if (!admit(from, source)) continue;  // closes it
    asio::co_spawn(io_, serve(std::move(socket), from, std::move(source)), asio::detached);
  }
}

/// Counts an inbound stream and the unauthenticated bytes it holds for as long as it lives.
struct Streams::Inbound {
  Inbound(std::shared_ptr<Load> shared, std::string name)
      : load(std::move(shared)), source(std::move(name)) {
    ++load->streams;
    ++load->per_source[source];
  }

  ~Inbound() {
    --load->streams;
    const auto entry = load->per_source.find(source);
    if (--entry->second == 0) load->per_source.erase(entry);
    release();
  }

  Inbound(const Inbound&) = delete;
  Inbound& operator=(const Inbound&) = delete;

  /// Counts bytes received; false when all streams together would hold too many.
  bool charge(std::size_t bytes) {
    if (load->unauthenticated_bytes + bytes > limits::kUnauthenticatedBytes) return false;
    load->unauthenticated_bytes += bytes;
    charged += bytes;
    return true;
  }

  void release() { load->unauthenticated_bytes -= std::exchange(charged, 0); }

  std::shared_ptr<Load> load;
  std::string source;
  std::size_t charged = 0;
};

asio::awaitable<void> Streams::serve(Socket socket, Endpoint from, std::string source) {
  Inbound counted(load_, std::move(source));
  Deadline deadline(socket, limits::kStreamFirstBytes);
  wire::FrameReader reader(handlers_.is_member(from.address) ? limits::kFrameBytesMember
                                                             : limits::kFrameBytesStranger);
  std::array<std::uint8_t, kReadChunk> chunk{};
  bool header_seen = false;
  while (!reader.complete()) {
    const auto [ec, n] = co_await socket.async_read_some(asio::buffer(chunk), kAwait);
    if (ec || !counted.charge(n)) co_return;
    if (!reader.feed(ByteView(chunk).first(n))) co_return;
    if (!header_seen && reader.header_complete()) {
      header_seen = true;
      deadline.extend(limits::kStreamFrame);
    }
  }
  const std::optional<Bytes> reply = handlers_.request(from, reader.frame());
  counted.release();
  if (!reply) co_return;
  deadline.extend(limits::kStreamFrame);
  co_await asio::async_write(socket, asio::buffer(*reply), kAwait);
}

void Streams::open(gossip::StreamRequest request) {
  asio::co_spawn(io_, exchange(std::move(request)), asio::detached);
}

asio::awaitable<void> Streams::exchange(gossip::StreamRequest request) {
  Socket socket(io_);
  Deadline deadline(socket, request.deadline - now().at);
  const asio::ip::tcp::endpoint to(to_asio(request.to.address), request.to.port);
  const auto [connect_error] = co_await socket.async_connect(to, kAwait);
  if (connect_error) {
    handlers_.failed(request.id, connect_reason(connect_error, deadline.expired()));
    co_return;
  }
  const auto [write_error, written] =
      co_await asio::async_write(socket, asio::buffer(request.frame), kAwait);
  if (write_error) {
    handlers_.failed(request.id, "the connection broke while writing: " + write_error.message());
    co_return;
  }
  if (!request.wants_reply) {
    handlers_.done(request.id);
    co_return;
  }
  wire::FrameReader reader(limits::kFrameBytesMember);
  std::array<std::uint8_t, kReadChunk> chunk{};
  while (!reader.complete()) {
    const auto [ec, n] = co_await socket.async_read_some(asio::buffer(chunk), kAwait);
    if (ec) {
      handlers_.failed(request.id, deadline.expired()
                                       ? "connected, but no answer in time"
                                       : "it closed the connection without an answer");
      co_return;
    }
    if (!reader.feed(ByteView(chunk).first(n))) {
      handlers_.failed(request.id, "what answers there does not speak this protocol");
      co_return;
    }
  }
  handlers_.reply(request.id, reader.frame());
}

}  // namespace wesher::daemon
