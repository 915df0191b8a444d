// The bounds of claim_check.h; each number is in wire/limits.h.
#include "gossip/claim_check.h"

#include <algorithm>

#include "base/ip.h"
#include "wire/limits.h"

namespace wesher::gossip {

namespace {

bool printable_bytes(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

bool valid_address(ByteView bytes, bool allow_loopback) {
  const auto address = IpAddress::from_bytes(bytes);
  if (!address) return false;
  if (address->is_unspecified() || address->is_multicast() || address->is_broadcast()) return false;
  return allow_loopback || !address->is_loopback();
}

template <class Accusation>
ClaimFault check_accusation(const Accusation& claim) {
  if (!valid_name(claim.node)) return ClaimFault::name;
  if (!claim.from.empty() && !valid_name(claim.from)) return ClaimFault::name;
  if (claim.incarnation > limits::kIncarnationMax) return ClaimFault::incarnation;
  return ClaimFault::none;
}

}  // namespace

std::string_view fault_text(ClaimFault fault) {
  switch (fault) {
    case ClaimFault::none:
      return "nothing is wrong";
    case ClaimFault::name:
      return "a name is empty, too long or has control characters";
    case ClaimFault::address:
      return "the address is not one that a host can have";
    case ClaimFault::port:
      return "the port is 0";
    case ClaimFault::meta:
      return "the metadata is longer than 512 bytes";
    case ClaimFault::versions:
      return "the protocol versions would harm other members";
    case ClaimFault::state:
      return "the state is unknown";
    case ClaimFault::incarnation:
      return "the incarnation is out of bounds";
  }
  return "it is malformed";
}

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::kNameBytes && printable_bytes(name);
}

ClaimFault check(const wire::AliveView& claim, bool allow_loopback) {
  if (!valid_name(claim.node)) return ClaimFault::name;
  if (!valid_address(claim.address, allow_loopback)) return ClaimFault::address;
  if (claim.port == 0) return ClaimFault::port;
  if (claim.meta.size() > limits::kMetaBytes) return ClaimFault::meta;
  if (!wire::sane_versions(claim.versions)) return ClaimFault::versions;
  if (claim.incarnation == 0 || claim.incarnation > kAliveIncarnationMax)
    return ClaimFault::incarnation;
  return ClaimFault::none;
}

ClaimFault check(const wire::Suspect& claim) {
  return check_accusation(claim);
}

ClaimFault check(const wire::Dead& claim) {
  return check_accusation(claim);
}

}  // namespace wesher::gossip
