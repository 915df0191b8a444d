// Overlay addresses that are not to be taken though nobody who is there has them: those of members
// that are silent, or left without giving them up. Told to whoever joins, as the application's part
// of a push/pull, which Go wesher nodes ignore. Pure.
//
// Format: "W2R" and version 1, then for each: length of the name 1, name, length of the address 1
// (4 or 16), address.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/ip.h"

namespace wesher::wire {

struct Reservation {
  std::string name;  ///< of the member it is kept for, 1 to 253 bytes
  IpAddress overlay;

  friend bool operator==(const Reservation&, const Reservation&) = default;
};

/// Empty for none. What is beyond limits::kMembers is left out.
[[nodiscard]] Bytes encode_reservations(const std::vector<Reservation>& reservations);

/// Errc::unsupported: other content than this; Errc::malformed: cut, a name or an address that
/// can't be, or more than limits::kMembers.
[[nodiscard]] Result<std::vector<Reservation>> decode_reservations(ByteView bytes);

}  // namespace wesher::wire
