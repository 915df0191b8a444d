// Notices that the addresses of this host may be others from now on, or its default route: what the
// announced address depends on. Never blocks. Not thread safe.
#pragma once

#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "os/unique_fd.h"

namespace wesher::system {

/// Whether a datagram of rtnetlink notifications tells of a link, an address, or a default route.
/// Bytes only.
[[nodiscard]] bool changes_addresses(ByteView datagram);

class AddressWatch {
 public:
  [[nodiscard]] static Result<AddressWatch> open();

  /// Readable when there is something to drain.
  [[nodiscard]] int fd() const { return netlink_.get(); }

  /// Whether something changed since the last call, or notices were lost.
  [[nodiscard]] bool drain();

 private:
  explicit AddressWatch(os::UniqueFd netlink) : netlink_(std::move(netlink)) {}

  os::UniqueFd netlink_;
};

}  // namespace wesher::system
