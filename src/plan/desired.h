// Facts → what should be, kept up to date member by member. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/member.h"
#include "model/state.h"

namespace wesher::plan {

/// What this node knows of itself and was told by its operator.
struct OwnNode {
  std::string name;
  DesiredInterface interface;
  bool hosts = true;
};

/// A member that lost a contest for an address or a key, or can't become a peer.
struct Loser {
  std::string name;
  std::string reason;
};

/// One desired row that changed; at least one of the two is there, and they differ.
struct RowChange {
  std::optional<DesiredPeer> before;
  std::optional<DesiredPeer> after;
};

/// By member name.
using RowChanges = std::map<std::string, RowChange>;

/// Later changes on top of earlier ones; a row that is as it was before both drops out.
void merge(RowChanges& into, const RowChanges& later);

/// Desired state as a function of the members that were put in, in whatever order they came.
/// Members with standing `configured` become peers, whatever they claim: keys and addresses end up
/// unique (mesh/ has judged already; this is the guard behind it; the smaller name wins), ours are
/// never given away. The endpoint's port is our own WireGuard port, as in the Go program: it is the
/// same cluster-wide. A change costs O(log n) and what its rivals for key and address cost.
class DesiredTable {
 public:
  explicit DesiredTable(OwnNode own);

  /// Our own address, key or option changed; every member is judged anew. O(n log n).
  void set_own(OwnNode own);
  /// Adds a member or replaces the one of that name.
  void put(const Member& member);
  void remove(const std::string& name);

  [[nodiscard]] const OwnNode& own() const { return own_; }

  [[nodiscard]] const std::map<std::string, Member>& members() const { return members_; }

  /// Generation 0: whoever stores it counts.
  [[nodiscard]] const Desired& desired() const { return desired_; }

  /// The row of that member; null if it has none.
  [[nodiscard]] const DesiredPeer* find(const std::string& name) const;
  /// Who has that key or that overlay address now; null if nobody.
  [[nodiscard]] const DesiredPeer* owner(const PublicKey& key) const;
  [[nodiscard]] const DesiredPeer* owner(const IpAddress& overlay) const;

  /// Rows that changed since the last call.
  [[nodiscard]] RowChanges take_changes();
  /// Members that lost, or lost for another reason, since the last call; sorted by name.
  [[nodiscard]] std::vector<Loser> take_losers();

 private:
  template <class Value>
  struct Contest {
    std::map<Value, std::set<std::string>> candidates;
    std::map<Value, std::string> owner;
  };

  void settle();
  void judge(const std::string& name);
  void set_row(const std::string& name, std::optional<DesiredPeer> row);
  void enter(const Member& member, bool present);
  [[nodiscard]] std::optional<std::string> unusable(const Member& member) const;
  /// Why a configured member gets no row; nothing if it does.
  [[nodiscard]] std::optional<std::string> why_not(const Member& member) const;
  template <class Value>
  void release(Contest<Value>& contest, const Value& value, const std::string& name);
  template <class Value>
  void claim(Contest<Value>& contest, const Value& value, const std::string& name);

  OwnNode own_;
  std::map<std::string, Member> members_;
  Desired desired_;
  Contest<IpAddress> overlays_;
  Contest<PublicKey> keys_;
  std::set<std::string> dirty_;
  RowChanges changes_;
  std::map<std::string, std::string> losing_;  ///< name → why
  std::set<std::string> newly_losing_;
};

}  // namespace wesher::plan
