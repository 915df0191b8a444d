// Tells when the addresses of this host may have changed, once they have settled: on the gossip
// thread, in its io_context.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include "base/error.h"
#include "system/address_watch.h"

namespace wesher::daemon {

/// From the first notice to the look at the addresses: a host that changes networks loses the old
/// address, gets the new one and its route in some hundred milliseconds.
inline constexpr std::chrono::milliseconds kAddressesSettle{700};

class AddressFollower {
 public:
  AddressFollower(asio::io_context& io, std::function<void()> changed)
      : descriptor_(io), timer_(io), changed_(std::move(changed)) {}

  ~AddressFollower() { stop(); }

  AddressFollower(const AddressFollower&) = delete;
  AddressFollower& operator=(const AddressFollower&) = delete;
  AddressFollower(AddressFollower&&) = delete;
  AddressFollower& operator=(AddressFollower&&) = delete;

  /// Begins to listen.
  [[nodiscard]] Result<void> start();
  void stop();

 private:
  void wait();
  void noticed();

  std::optional<system::AddressWatch> watch_;
  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer timer_;
  std::function<void()> changed_;
  bool waiting_ = false;  ///< the timer runs
};

}  // namespace wesher::daemon
