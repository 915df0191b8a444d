#include "mesh/claim_rank.h"

#include "mesh/overlay_address.h"

namespace wesher::mesh {

std::optional<ClaimRank> legacy_rank(std::string_view name,
                                     const IpAddress& address,
                                     const Prefix& net) {
  if (net.length % 8 != 0) return std::nullopt;
  const auto by_rule = overlay_address(name, net);
  if (!by_rule || *by_rule != address) return std::nullopt;
  return ClaimRank{ClaimClass::legacy, {}, {}};
}

}  // namespace wesher::mesh
