// The records of all members and the indices that keep the cost of every event independent of
// their number: by name, by endpoint, random choice among the alive and among those worth a
// gossip, the probe round, and the order in which dead and left records are to be dropped.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/random.h"
#include "gossip/event.h"
#include "gossip/suspicion.h"

namespace wesher::gossip {

/// A record and what we keep beside it. Stays where it is in memory while it is in the table.
struct Member {
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  Record record;
  Endpoint endpoint;  ///< where `record.address` and `record.port` lead
  std::uint64_t id = 0;
  bool verified = false;  ///< it answered us once
  std::optional<SuspicionTimer> suspicion;
  Instant suspicion_end;           ///< valid while `suspicion` is
  std::optional<Instant> accused;  ///< when it was last told directly what we hold against it
  std::optional<Instant> conflict_told;

  // Places in the table's own lists.
  std::size_t in_alive = kNowhere;
  std::size_t in_gossip = kNowhere;
  std::size_t in_round = kNowhere;
};

class MemberTable {
 public:
  explicit MemberTable(Record own);
  MemberTable(const MemberTable&) = delete;
  MemberTable& operator=(const MemberTable&) = delete;

  [[nodiscard]] Member& self() { return *self_; }

  [[nodiscard]] const Member& self() const { return *self_; }

  [[nodiscard]] Member* find(std::string_view name);
  [[nodiscard]] const Member* find(std::string_view name) const;
  /// A member other than us at an endpoint; the one known longest if there are several.
  [[nodiscard]] Member* at(const Endpoint& endpoint);
  /// Whether any member other than us has this address, whatever its port.
  [[nodiscard]] bool has_address(const IpAddress& address) const;

  /// Records of any state, ourselves included: the `n` of all formulas.
  [[nodiscard]] std::size_t size() const { return members_.size(); }

  /// Others that are alive or suspect.
  [[nodiscard]] std::size_t live() const { return live_; }

  /// Others that never answered us.
  [[nodiscard]] std::size_t unverified() const { return unverified_; }

  /// Adds a record under a name that is not there yet; its turn in the probe round is random.
  Member& add(Record record, Rng& rng);
  /// Changes the state and stamps the time.
  void enter(Member& member, RecordState state, Instant now, Rng& rng);
  void move(Member& member, Bytes address, std::uint16_t port);
  void verify(Member& member);

  /// The next one of the probe round; null if nobody is live. `wrapped` tells that the end of the
  /// round was passed.
  struct Turn {
    Member* member = nullptr;
    bool wrapped = false;
  };

  [[nodiscard]] Turn next_turn(Rng& rng);

  /// Up to `count` others that are alive, all of them with equal chance, never `except`.
  [[nodiscard]] std::vector<Member*> choose_alive(Rng& rng,
                                                  std::size_t count,
                                                  const Member* except = nullptr);
  /// Up to `count` others that are alive, suspect, or dead for at most `dead_for`.
  [[nodiscard]] std::vector<Member*> choose_gossip(Rng& rng,
                                                   std::size_t count,
                                                   Instant now,
                                                   Duration dead_for);
  /// Drops the records that are dead or left for longer than `age`; their names.
  std::vector<std::string> reap(Instant now, Duration age);

  /// Calls `visit(const Record&)` for each record in order of the names.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [name, member] : members_)
      visit(member.record);
  }

  /// Where all others that are alive or suspect are.
  [[nodiscard]] std::vector<Endpoint> live_endpoints() const;

 private:
  using Pool = std::vector<Member*>;
  using Slot = std::size_t Member::*;

  static void pool_add(Pool& pool, Slot slot, Member& member);
  static void pool_remove(Pool& pool, Slot slot, Member& member);
  static void pool_swap(Pool& pool, Slot slot, std::size_t a, std::size_t b);
  void enter_round(Member& member, Rng& rng);
  void leave_round(Member& member);
  void file(Member& member, Rng& rng);
  void unfile(Member& member);

  std::map<std::string, Member, std::less<>> members_;
  std::map<std::pair<Endpoint, std::uint64_t>, Member*> by_endpoint_;
  std::map<std::pair<Instant, std::uint64_t>, Member*> retired_;  ///< dead and left by age
  Pool alive_;
  Pool gossip_;  ///< alive, suspect and dead; the long dead go when a choice meets them
  Pool round_;   ///< probe round; null where somebody went since the last wrap
  std::size_t turn_ = 0;
  std::size_t live_ = 0;
  std::size_t unverified_ = 0;
  std::uint64_t next_id_ = 0;
  Member* self_;
};

}  // namespace wesher::gossip
