// TCP streams of the gossip protocol: one request and at most one reply each. Accepts, reads frames
// within the limits of wire/limits.h, opens streams that the mesh asks for. Nothing is sent to a
// peer that has not authenticated. Runs on the gossip thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include "base/bytes.h"
#include "base/ip.h"
#include "gossip/event.h"

namespace wesher::daemon {

/// What the streams hand on. All are called on the gossip thread.
struct StreamHandlers {
  /// A complete request frame; the reply frame, or nothing: close silently.
  std::function<std::optional<Bytes>(const Endpoint& from, ByteView frame)> request;
  std::function<void(gossip::StreamId id, ByteView frame)> reply;
  std::function<void(gossip::StreamId id, std::string reason)> failed;
  std::function<void(gossip::StreamId id)> done;
  std::function<bool(const IpAddress& address)> is_member;
};

class Streams {
 public:
  Streams(asio::io_context& io, asio::ip::tcp::acceptor acceptor, StreamHandlers handlers);

  /// Starts accepting.
  void start();
  /// Opens one stream; its outcome goes to exactly one handler.
  void open(gossip::StreamRequest request);
  /// Stops accepting.
  void close();

 private:
  /// What the inbound streams hold together. Shared with them: the last ones may end after us.
  struct Load {
    std::size_t streams = 0;
    std::map<std::string, std::size_t> per_source;
    std::size_t unauthenticated_bytes = 0;
  };
  struct Inbound;
  using Socket = asio::ip::tcp::socket;

  asio::awaitable<void> accept_loop();
  asio::awaitable<void> serve(Socket socket, Endpoint from, std::string source);
  asio::awaitable<void> exchange(gossip::StreamRequest request);
  [[nodiscard]] bool admit(const Endpoint& from, const std::string& source) const;

  asio::io_context& io_;
  asio::ip::tcp::acceptor acceptor_;
  StreamHandlers handlers_;
  std::shared_ptr<Load> load_ = std::make_shared<Load>();
};

}  // namespace wesher::daemon
