// Everybody we know but ourselves, and who of them owns which overlay address and which public key.
// Pure data structure: it is told what was seen and gives the rows that changed. O(log n) per
// event, plus the rows that change.
//
// Life of a member:
//
//   alive <-> suspect --> failed --(failed_retention)--> gone
//     |                     |
//     +-------> left <------+      left, gone --(left_retention)--> forgotten
//
// Gone members are what remembers that old records of them are old; they are called now and then.
// While nobody is live nobody is gone, since whoever is left to call is worth more than a tidy
// table: a member whose time is over becomes a seed then.
//
// Of failed members that had lived shorter than kShortLife the oldest are gone when there are more
// failed ones than kFailedMin and kFailedPerLive a live member: instances that come and go and are
// killed. Others never, as a node that is cut off has many failed members and must keep its
// tunnels.
//
// A restored member that was alive or suspect is *unconfirmed* until it is seen: it keeps its
// state, its peer and its claims, but does not count as live.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <absl/container/btree_set.h>

#include "base/compact.h"
#include "base/time.h"
#include "mesh/contest.h"
#include "mesh/fact.h"
#include "mesh/judge.h"
#include "mesh/spoken_format.h"
#include "model/member.h"

namespace wesher::mesh {

/// What was seen of a member just now.
struct Sighting {
  std::string name;
  Bytes underlay_bytes;  ///< 4 or 16 bytes; anything else leaves the address as it was
  std::uint16_t gossip_port = 0;
  std::uint32_t incarnation = 0;
  MemberState state = MemberState::alive;
  Judgement judgement;
  std::optional<SignedClaim> signed_claim;  ///< verified; nothing: unsigned
};

class Roster {
 public:
  struct Limits {
    Duration failed_retention;  ///< at most, with `by_lifetime`
    Duration left_retention;
    std::size_t members;  ///< rows at most
    /// Members of these names stay configured however long they are silent.
    std::set<std::string, std::less<>> kept = {};
    bool by_lifetime = false;  ///< `retention_by_lifetime` of model/member.h
  };

  explicit Roster(Limits limits) : limits_(std::move(limits)) {}

  // --- changes; each adds to the facts that `take` gives ---

  /// Takes a stored member over as it is, `judgement` being today's of its metadata. The age of a
  /// failed or left one counts on from `state_since`, clamped to [0, retention]; at least
  /// kRestoredGrace remains. A `state_since` in the future becomes now.
  void restore(const Member& stored, const Judgement& judgement, const Moment& now);
  /// Takes in what was seen. `why` is for history where the state changes; changes of key, address
  /// and standing add their own clauses.
  void see(const Sighting& sighting, std::string why, const Moment& now);
  /// What a known member announces is judged anew, because something of ours changed.
  void rejudge(std::string_view name, const Judgement& judgement);
  /// Notes whether a member answers over TCP only.
  void set_tcp_only(std::string_view name, bool tcp_only);
  /// Unconfirmed members become failed.
  void fail_unconfirmed(const std::string& why, const Moment& now);
  /// One member that is not live is gone from now on.
  void retire(std::string_view name, const std::string& why, const Moment& now);
  /// Drops one member, whatever its state; nothing if it is not there.
  void drop(const std::string& name, const std::string& why);
  /// What follows for members whose retention is over.
  void expire(const Moment& now);

  /// The facts since the last call, in order.
  [[nodiscard]] std::vector<Fact> take();

  // --- questions ---

  [[nodiscard]] const Member* find(std::string_view name) const;
  [[nodiscard]] std::vector<Member> all() const;  ///< sorted by name

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  /// Members seen alive or suspect in this run.
  [[nodiscard]] std::size_t live() const { return live_; }

  /// Of those, the ones that sign nothing, by the format that they speak.
  [[nodiscard]] const FormatCounts& legacy_formats() const { return legacy_formats_; }

  [[nodiscard]] bool is_live(std::string_view name) const;
  /// How long a member has been in its state; zero for an unknown one. Not moved by the wall clock.
  [[nodiscard]] Duration state_age(std::string_view name, Instant now) const;
  [[nodiscard]] bool is_unconfirmed(std::string_view name) const;
  /// Whether this one is not live, or was the owner of its key, and another name announces that key
  /// now: nobody answers to the old name any more.
  [[nodiscard]] bool is_replaced(std::string_view name) const;
  /// A live member at that endpoint; empty: none.
  [[nodiscard]] std::string_view live_at(const Endpoint& endpoint) const;
  /// The same if it is the only one there, else empty.
  [[nodiscard]] std::string_view sole_live_at(const Endpoint& endpoint) const;
  /// Whether a member of any state has that underlay address.
  [[nodiscard]] bool has_underlay(const IpAddress& address) const;
  /// Members that are not live, in the order of their names, starting behind `after` and around.
  [[nodiscard]] std::vector<std::string> absent_after(std::string_view after,
                                                      std::size_t count) const;
  /// The next gone member behind that name, around; empty: there is none.
  [[nodiscard]] std::string_view gone_after(std::string_view after) const;

  [[nodiscard]] bool any_gone() const { return !gone_.empty(); }

  /// How long this one is kept if it failed, or left.
  [[nodiscard]] Duration retention_of(const Member& member) const;
  /// When `expire` has something to do.
  [[nodiscard]] std::optional<Instant> next_expiry() const;

  /// Names of all members whose last metadata has that overlay address, whatever their state and
  /// standing, sorted.
  [[nodiscard]] std::vector<std::string> claimants(const IpAddress& overlay) const;
  /// The latest claim time of any member that is not after `limit`; 1970 if nobody signed one.
  [[nodiscard]] WallTime newest_claim(WallTime limit) const;

  /// Calls `visit(const Member&)` for every member, in order of the names.
  template <class Visit>
  void each(Visit visit) const {
    for (const auto& entry : entries_)
      visit(entry->member);
  }

  /// Calls `visit(const Member&)` for every member that is not live, in order of the names.
  template <class Visit>
  void each_absent(Visit visit) const {
    for (const Entry* entry : absent_)
      visit(entry->member);
  }

  /// Whether any member seen alive or suspect in this run is such that `is(member)`.
  template <class Is>
  [[nodiscard]] bool any_live(Is is) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
      return entry->seen && is_live_state(entry->member.state) && is(entry->member);
    });
  }

  /// The owners by the rule of Contest; empty: nobody.
  [[nodiscard]] std::string_view owner_of(const IpAddress& address) const;
  [[nodiscard]] std::string_view owner_of(const PublicKey& key) const;

 private:
  struct Entry {
    Member member;          ///< its `meta` is the one that was judged
    PackedBytes objection;  ///< reason of that judgement
    std::optional<PublicKey> key_claim;
    std::optional<IpAddress> address_claim;
    std::optional<Instant> expires;
    std::optional<MetaFormat> counted;  ///< as one of `legacy_formats_`
    Instant entered{};                  ///< when the state was entered
    Standing judged = Standing::seed;
    bool seen = false;      ///< in this run
    bool tcp_only = false;  ///< answers no UDP
    bool replaced = false;  ///< owned its key until another name did
    bool overdue = false;   ///< its retention is over, but nobody is live
  };

  static const Entry& entry_in(const std::unique_ptr<Entry>& entry) { return *entry; }

  static const Entry& entry_in(const Entry* entry) { return *entry; }

  /// Orders entries by what `Key` makes of them, of which no two are equal, and takes that too.
  template <class Key>
  struct By {
    using is_transparent = void;

    static typename Key::Value value(const typename Key::Value& value) { return value; }

    template <class Pointer>
    static typename Key::Value value(const Pointer& entry) {
      return Key::of(entry_in(entry));
    }

    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return value(a) < value(b);
    }
  };

  struct NameKey {
    using Value = std::string_view;

    static Value of(const Entry& entry) { return entry.member.name; }
  };

  struct ExpiryKey {
    using Value = std::pair<Instant, std::string_view>;

    static Value of(const Entry& entry) { return {*entry.expires, entry.member.name}; }
  };

  struct EndpointKey {
    using Value = std::tuple<const IpAddress&, std::uint16_t, std::string_view>;

    static Value of(const Entry& entry) {
      return {entry.member.underlay, entry.member.gossip_port, entry.member.name};
    }
  };

  struct UnderlayKey {
    using Value = std::pair<const IpAddress&, std::string_view>;

    static Value of(const Entry& entry) { return {entry.member.underlay, entry.member.name}; }
  };

  /// Rank, when the state was entered, name: who goes first when the table is full.
  struct EvictionKey {
    using Value = std::tuple<unsigned, Instant, std::string_view>;

    static Value of(const Entry& entry);
  };

  template <class Key>
  using Index = absl::btree_set<Entry*, By<Key>>;

  Entry* admit(const std::string& name, const Moment& now);
  [[nodiscard]] Entry* entry(std::string_view name);
  [[nodiscard]] const Entry* entry(std::string_view name) const;
  /// Out of the indices before anything changes that orders it there, and in again afterwards.
  void index(Entry& entry, bool add);
  void count_format(Entry& entry, bool live);
  void touch(const Entry& entry);
  void retire(Entry& entry, const std::string& why, const Moment& now);
  void limit_failed(const Moment& now);
  [[nodiscard]] bool is_kept(const Member& member, MemberState state) const;
  static void judge(Entry& entry, const Judgement& judgement);
  void enter_state(Entry& entry, MemberState state, const Moment& now);
  void settle_key(Entry& entry);
  void settle_address(Entry& entry);
  void key_changed(const PublicKey& key, const Contest<PublicKey>::Owners& owners);
  void address_changed(const IpAddress& address, const Contest<IpAddress>::Owners& owners);
  void stand(Entry& entry) const;
  void finish(std::string_view subject, const std::string& why);
  /// By value: the name may live in an index that this takes it out of.
  void forget(std::string name, std::string why);

  Limits limits_;
  absl::btree_set<std::unique_ptr<Entry>, By<NameKey>> entries_;
  Contest<PublicKey> keys_;
  Contest<IpAddress> addresses_;
  /// Rows that the running change may alter, as they were before it; nothing: the row is new.
  std::map<std::string, std::optional<Member>, std::less<>> touched_;
  std::vector<Fact> facts_;
  std::size_t live_ = 0;
  FormatCounts legacy_formats_{};
  Index<NameKey> absent_;
  Index<NameKey> unconfirmed_;
  Index<NameKey> gone_;
  std::size_t failed_ = 0;
  Index<EndpointKey> live_endpoints_;
  Index<UnderlayKey> underlays_;
  Index<ExpiryKey> expiries_;
  Index<EvictionKey> evictable_;
};

inline constexpr Duration kShortLife = std::chrono::hours{1};
inline constexpr std::size_t kFailedMin = 64;
inline constexpr std::size_t kFailedPerLive = 4;

/// A restored member that is past its retention is tried for this long before it is forgotten, so
/// that a cluster that was switched off for longer finds itself again.
inline constexpr Duration kRestoredGrace = std::chrono::minutes{10};

}  // namespace wesher::mesh
