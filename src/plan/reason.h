// Why an action is in a plan, in plain words made from what is known of members. Pure.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/ip.h"
#include "base/key.h"
#include "base/time.h"
#include "model/member.h"
#include "model/state.h"

namespace wesher::plan {

/// Looks members up by name, key and overlay address. Keeps pointers into its arguments, so it must
/// not outlive them.
class Reasons {
 public:
  Reasons(const Desired& desired, std::span<const Member> members, WallTime now);

  /// "member alive since 12d"; the stored reason when the member is not among those known.
  [[nodiscard]] std::string wanted(const DesiredPeer& peer) const;

  /// Name (empty if unknown) and reason for a peer that is not wanted.
  [[nodiscard]] std::pair<std::string, std::string> unwanted(const ObservedPeer& peer) const;
  /// Reason for a route or hosts line with an address that is not wanted: `otherwise` if no member
  /// that left or stands otherwise has it.
  [[nodiscard]] std::string unwanted(const IpAddress& address, std::string otherwise) const;
  /// The same for a hosts line by its name.
  [[nodiscard]] std::string unwanted(const std::string& name, std::string otherwise) const;

  /// "4m", for a time in the past; "0s" for one in the future.
  [[nodiscard]] std::string age(WallTime since) const;

 private:
  [[nodiscard]] std::string gone(const Member& member) const;

  WallTime now_;
  std::map<std::string_view, const Member*> by_name_;
  std::map<PublicKey, const Member*> by_key_;       ///< members that are no wanted peer
  std::map<IpAddress, const Member*> by_address_;   ///< likewise
  std::map<IpAddress, const DesiredPeer*> wanted_;  ///< by overlay address
};

}  // namespace wesher::plan
