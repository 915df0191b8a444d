#include "daemon/address_follower.h"

namespace wesher::daemon {

Result<void> AddressFollower::start() {
  auto watch = system::AddressWatch::open();
  if (!watch) return tl::unexpected(watch.error());
  watch_ = std::move(*watch);
  descriptor_.assign(watch_->fd());
  wait();
  return {};
}

void AddressFollower::stop() {
  timer_.cancel();
  if (descriptor_.is_open()) descriptor_.release();  // the watch owns the descriptor
  watch_.reset();
}

void AddressFollower::wait() {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code ec) {
    if (ec || !watch_) return;
    if (watch_->drain()) noticed();
    wait();
  });
}

void AddressFollower::noticed() {
  if (waiting_) return;
  waiting_ = true;
  timer_.expires_after(kAddressesSettle);
  timer_.async_wait([this](std::error_code ec) {
    waiting_ = false;
    if (!ec && watch_) changed_();
  });
}

}  // namespace wesher::daemon
