// The overlay addresses that a node tries, one after the other, until one is free. The first is the
// Go program's (overlay_address.h) where a host can have it; from there on steps of one size that
// has no divisor in common with the number of usable hosts: each comes once, so that all of them
// tried is the proof that the pool is full. Different names take different steps. Pure.
//
// With s the index of the first address, m the number of usable hosts and h = FNV-1a-128 of the
// name and "step", its last 8 bytes:
//
//     a_k = (s + k·d) mod m,   d = 1 + h mod (m - 1), raised until gcd(d, m) = 1
//
// Where the Go program's address is a network or broadcast address, s is the host next to it. In
// IPv6 networks of /64 and shorter the hosts are those of the /64 around the first address.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/ip.h"

namespace wesher::mesh {

class OverlayCandidates {
 public:
  /// The candidates of `name` in `net`; for an address that the operator fixed, `net` is that
  /// address alone (Prefix::host). Errors as overlay_address.
  [[nodiscard]] static Result<OverlayCandidates> of(std::string_view name, const Prefix& net);

  /// How many there are in all, at least 1.
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// The next one; nothing after all of them.
  std::optional<IpAddress> next();

 private:
  OverlayCandidates() = default;

  IpAddress base_;           ///< of the pool, its host bits are zero
  std::uint64_t first_ = 0;  ///< host bits of index 0
  std::uint64_t size_ = 1;
  std::uint64_t step_ = 1;
  std::uint64_t index_ = 0;  ///< of the next one
  std::uint64_t left_ = 1;
};

}  // namespace wesher::mesh
