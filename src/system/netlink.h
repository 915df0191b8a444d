// One netlink socket for requests: RAII over libmnl, with what a daemon needs to explain a refusal
// (extended ACK text, linux/netlink.h NLMSGERR_ATTR_MSG) and to notice an interrupted dump
// (NLM_F_DUMP_INTR) or lost messages (ENOBUFS). Blocking, with a time limit. Not thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "system/netlink_message.h"

struct mnl_socket;

namespace wesher::system {

class NetlinkSocket {
 public:
  /// Called for every message of a reply; the payload is valid during the call only.
  using OnMessage = std::function<void(const NetlinkMessage&)>;

  /// `bus`: NETLINK_ROUTE or NETLINK_GENERIC.
  [[nodiscard]] static Result<NetlinkSocket> open(int bus);

  /// Sends one request and waits for its acknowledgement; replies before it go to `on_message`. The
  /// error's detail is the system's text alone: the caller puts in front what was asked. The
  /// request's bytes are wiped, as they may hold a private key.
  [[nodiscard]] Result<void> request(Bytes message, const OnMessage& on_message = {});

  /// Sends one dump request. True: complete. False: interrupted by a change or by lost messages, so
  /// that something may be missing or doubled.
  [[nodiscard]] Result<bool> dump(Bytes message, const OnMessage& on_message);

  /// Sends independent requests, as many in one datagram as fit in `kNetlinkMessageMax`, and
  /// returns the kernel's answer to each, in order.
  [[nodiscard]] std::vector<Result<void>> batch(std::vector<Bytes> messages);

  /// The address that the kernel writes into notifications of changes that this socket asked for.
  [[nodiscard]] std::uint32_t port_id() const;

 private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };

  explicit NetlinkSocket(mnl_socket* socket);

  [[nodiscard]] Result<void> send(ByteView bytes);
  [[nodiscard]] Result<ByteView> receive();
  [[nodiscard]] Result<bool> talk(Bytes& message, const OnMessage& on_message);
  void send_group(std::span<Bytes> group, std::span<Result<void>> results);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0;
  Bytes buffer_;  ///< received bytes; wiped after each conversation
};

/// How often an interrupted dump is tried again before its partial answer is used as a hint.
inline constexpr int kDumpTries = 4;

/// Repeats `attempt`, which returns Result<bool> as `NetlinkSocket::dump` does, until it is
/// complete or failed or was tried `kDumpTries` times. False: still interrupted.
template <class Attempt>
[[nodiscard]] Result<bool> dump_with_retries(const Attempt& attempt) {
  Result<bool> complete = false;
  for (int i = 0; i < kDumpTries; ++i) {
    complete = attempt();
    if (!complete || *complete) break;
  }
  return complete;
}

}  // namespace wesher::system
