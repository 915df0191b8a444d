// What a member announces, decoded and judged on its own, without regard to other members. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"
#include "model/member.h"

namespace wesher::mesh {

/// `configured` here means: nothing speaks against it but other members (see Roster).
struct Judgement {
  std::optional<NodeMeta> meta;
  Standing standing = Standing::seed;
  std::string reason;
};

/// Judges announcements for one node.
class Judge {
 public:
  /// `own_underlay`: the address that we announce.
  /// `nets`: where overlay addresses may be, ours first; not empty.
  Judge(NodeMeta own, std::vector<Prefix> nets, IpAddress own_underlay)
      : own_(own), nets_(std::move(nets)), own_underlay_(own_underlay) {}

  /// Addresses, gateways and resolvers of this host: whoever announces one of them would take it
  /// away from this host, so it gets no route here.
  void set_occupied(std::vector<IpAddress> addresses);

  /// From now on what signs nothing is refused at any address but the one that the Go program gives
  /// its name: of nodes of that program the address is all that can be checked.
  void check_unsigned() { checks_unsigned_ = true; }

  void set_own_key(const PublicKey& key) { own_.key = key; }

  void set_own_overlay(const IpAddress& overlay) { own_.overlay = overlay; }

  void set_own_underlay(const IpAddress& underlay) { own_underlay_ = underlay; }

  /// Metadata as received; `is_signed`: with a record whose signature was verified. Empty (a Go
  /// node's first alive): a seed that announced nothing yet. Unreadable: refused, with what the
  /// decoder says.
  [[nodiscard]] Judgement metadata(std::string_view name,
                                   ByteView raw,
                                   const IpAddress& underlay,
                                   bool is_signed) const;

  /// Values decoded before, e.g. those of a stored member. Refused: an address outside the overlay
  /// network, ours, one that this host needs, our own endpoint's or the member's own (its tunnel
  /// would run through itself), unspecified, multicast, or the network address; our key. The
  /// network address is accepted from the name that the Go program gives it to.
  [[nodiscard]] Judgement values(std::string_view name,
                                 const NodeMeta& meta,
                                 const IpAddress& underlay,
                                 bool is_signed) const;

 private:
  [[nodiscard]] std::string objection(std::string_view name,
                                      const NodeMeta& meta,
                                      const IpAddress& underlay,
                                      bool is_signed) const;

  NodeMeta own_;
  std::vector<Prefix> nets_;
  IpAddress own_underlay_;
  std::vector<IpAddress> occupied_;  ///< sorted
  bool checks_unsigned_ = false;
};

}  // namespace wesher::mesh
