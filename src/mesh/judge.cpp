#include "mesh/judge.h"

#include <algorithm>

#include "base/text.h"
#include "mesh/claim_rank.h"
#include "mesh/overlay_address.h"
#include "wire/node_meta.h"

namespace wesher::mesh {

void Judge::set_occupied(std::vector<IpAddress> addresses) {
  occupied_ = std::move(addresses);
  std::sort(occupied_.begin(), occupied_.end());
}

Judgement Judge::metadata(std::string_view name,
                          ByteView raw,
                          const IpAddress& underlay,
                          bool is_signed) const {
  if (raw.empty()) return {std::nullopt, Standing::seed, "announced nothing yet"};
  const auto decoded = wire::decode_node_meta(raw);
  const auto meta = decoded ? wire::validate_node_meta(*decoded) : tl::unexpected(decoded.error());
  if (!meta) {
    return {std::nullopt, Standing::refused, "its metadata is unreadable: " + meta.error().detail};
  }
  return values(name, *meta, underlay, is_signed);
}

Judgement Judge::values(std::string_view name,
                        const NodeMeta& meta,
                        const IpAddress& underlay,
                        bool is_signed) const {
  std::string reason = objection(name, meta, underlay, is_signed);
  const Standing standing = reason.empty() ? Standing::configured : Standing::refused;
  return {meta, standing, std::move(reason)};
}

std::string Judge::objection(std::string_view name,
                             const NodeMeta& meta,
                             const IpAddress& underlay,
                             bool is_signed) const {
  const IpAddress& address = meta.overlay;
  const std::string announces = "announces " + address.text() + ", ";
  const auto net = std::find_if(nets_.begin(), nets_.end(),
                                [&](const Prefix& each) { return each.contains(address); });
  if (net == nets_.end()) return announces + "outside " + nets_.front().text();
  if (address.is_unspecified() || address.is_multicast())
    return announces + "which no host can have";
  if (address == own_.overlay) return announces + "our own address";
  if (is_network_address(address, *net)) {
    const auto by_rule = overlay_address(name, *net);
    if (!by_rule || *by_rule != address) return announces + "the network address of " + net->text();
  }
  if (checks_unsigned_ && !is_signed && !legacy_rank(name, address, *net))
    return announces + "which the Go program does not give this name, and signs nothing";
  if (address == underlay) return announces + "which is its endpoint too";
  if (address == own_underlay_) return announces + "which is our endpoint";
  if (std::binary_search(occupied_.begin(), occupied_.end(), address))
    return announces + "which is an address, gateway or resolver of this host";
  if (meta.key == own_.key) return "announces our own public key";
  return {};
}

}  // namespace wesher::mesh
