// The --join list: parsed once, resolved again and again, because addresses behind names change.
// Runs on the gossip thread; the lookups themselves run on a thread of Asio's.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <asio/steady_timer.hpp>

#include "base/backoff.h"
#include "base/error.h"
#include "base/ip.h"
#include "daemon/log.h"

namespace wesher::daemon {

/// One entry of --join.
struct JoinEntry {
  std::string host;
  std::uint16_t port = 0;

  /// HOST, HOST:PORT, IPv4, IPv4:PORT, IPv6, [IPv6] or [IPv6]:PORT; "NAME/" in front is allowed and
  /// ignored, as in memberlist. Errc::malformed names the entry.
  [[nodiscard]] static Result<JoinEntry> parse(const std::string& text, std::uint16_t default_port);
};

class SeedResolver {
 public:
  /// `on_resolved` gets the whole set whenever it differs from the last one.
  SeedResolver(asio::io_context& io,
               std::vector<JoinEntry> entries,
               Log& log,
               std::function<void(std::vector<Endpoint>)> on_resolved);

  /// Resolves now and from then on; `lonely` tells whether nobody is reached (then pauses grow from
  /// 2 s to 60 s, else every 60 s). `on_first_round` is called once, when every entry was looked up
  /// once, at once if there is none.
  void start(std::function<bool()> lonely, std::function<void()> on_first_round);
  void stop();
  /// Resolves now instead of when the pause is over.
  void refresh();

 private:
  void resolve_all();
  void take(std::size_t index,
            std::error_code ec,
            const asio::ip::udp::resolver::results_type& found);
  void finish_round();

  asio::io_context& io_;
  std::vector<JoinEntry> entries_;
  Log& log_;
  std::function<void(std::vector<Endpoint>)> on_resolved_;
  std::function<bool()> lonely_;
  std::function<void()> on_first_round_;
  asio::ip::udp::resolver resolver_;
  asio::steady_timer timer_;
  Rng rng_;
  Backoff backoff_{std::chrono::seconds{2}, std::chrono::seconds{60}};
  std::vector<std::set<Endpoint>> found_;  ///< per entry; the last answer stays when a lookup fails
  std::map<std::string, std::string> failures_;  ///< host → what was last said about it
  std::size_t waiting_ = 0;
  std::vector<Endpoint> announced_;
  bool stopped_ = false;
};

}  // namespace wesher::daemon
