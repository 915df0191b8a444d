// The records of all members and the indices that keep the cost of every event independent of
// their number: by name, by endpoint, random choice among the alive and among those worth a
// gossip, the probe round, and the order in which dead and left records are to be dropped.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/btree_set.h>

#include "base/budget.h"
#include "base/ip.h"
#include "base/random.h"
#include "gossip/event.h"
#include "gossip/name_index.h"
#include "gossip/suspicion.h"
#include "wire/limits.h"

namespace wesher::gossip {

/// What stands behind the name of a member. Whoever floods us with names gets no further than the
/// first of these, and each only pushes out what is of its own kind or below.
enum class Standing : std::uint8_t {
  hearsay,   ///< somebody told of it whom we did not ask
  vouched,   ///< somebody told of it whom we asked
  verified,  ///< it answered us
};

/// What is kept only of members that there was something wrong with, or that said so of others.
struct Trouble {
  std::optional<SuspicionTimer> suspicion;
  Instant suspicion_end;           ///< valid while `suspicion` is
  std::optional<Instant> accused;  ///< when it was last told directly what we hold against it
  std::optional<Instant> conflict_told;
  std::optional<Instant> questioned;  ///< when it was last asked for its own record
  Budget accusations{limits::kAccusations};
};

/// A record and what we keep beside it. Stays where it is in memory while it is in the table.
struct Member {
  static constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

  /// Made when it is asked for.
  [[nodiscard]] Trouble& trouble() {
    if (trouble_ == nullptr) trouble_ = std::make_unique<Trouble>();
    return *trouble_;
  }

  /// The suspicion that runs; null: none.
  [[nodiscard]] SuspicionTimer* suspicion() {
    return trouble_ != nullptr && trouble_->suspicion ? &*trouble_->suspicion : nullptr;
  }

  Record record;
  Endpoint endpoint;  ///< where `record.address` and `record.port` lead
  Standing standing = Standing::verified;
  bool quiet = false;  ///< told to nobody
  std::uint64_t id = 0;

  // Places in the table's own lists.
  std::uint32_t in_all = kNowhere;
  std::uint32_t in_alive = kNowhere;
  std::uint32_t in_gossip = kNowhere;
  std::uint32_t in_round = kNowhere;
  std::uint32_t in_changed = kNowhere;

  std::uint64_t share = 0;  ///< of the table's sum; of an earlier record while `in_changed`

 private:
  std::unique_ptr<Trouble> trouble_;
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

  /// Others that are known by hearsay alone.
  [[nodiscard]] std::size_t hearsay() const { return hearsay_; }

  /// Who makes room first: of those that never answered us the one of the lowest standing, of
  /// these the one that is known longest; null if there is none.
  [[nodiscard]] Member* evictable() const;

  /// Adds a record under a name that is not there yet; its turn in the probe round is random.
  Member& add(Record record, Standing standing, Rng& rng);
  /// Takes a member other than us out.
  void remove(Member& member);
  /// Changes the state and stamps the time.
  void enter(Member& member, RecordState state, Instant now, Rng& rng);
  void move(Member& member, const AddressBytes& address, std::uint16_t port);

  /// Its record has this incarnation from now on.
  void count(Member& member, std::uint32_t incarnation) {
    member.record.incarnation = incarnation;
    touch(member);
  }

  /// It is at least of this standing from now on.
  void lift(Member& member, Standing standing);

  /// Something else of its record changed, or whether it is told: its part of `sum` is void.
  void touch(Member& member) {
    if (&member != self_) pool_add(changed_, &Member::in_changed, member);
  }

  /// The sum of `share_of(const Member&)` over all but ourselves. Asks only for those that were
  /// added or changed since the last call, so it is to be the same function each time.
  template <class ShareOf>
  [[nodiscard]] std::uint64_t sum(ShareOf share_of) {
    for (Member* member : changed_) {
      member->in_changed = Member::kNowhere;
      sum_ -= member->share;
      member->share = share_of(std::as_const(*member));
      sum_ += member->share;
    }
    changed_.clear();
    return sum_;
  }

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

  class Ahead;

  /// Calls `visit(const Member&)` for each of them in no order that means anything, ourselves
  /// included.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (i + 2 * kAhead < members_.size()) expect(*members_[i + 2 * kAhead]);
      if (i + kAhead < members_.size()) expect_meta(*members_[i + kAhead]);
      visit(std::as_const(*members_[i]));
    }
  }

  /// Where all others that are alive or suspect are.
  [[nodiscard]] std::vector<Endpoint> live_endpoints() const;

 private:
  using Pool = std::vector<Member*>;
  using Slot = std::uint32_t Member::*;

  /// Orders members by what `Key` gives, of which no two are equal, and takes such values too.
  template <class Key>
  struct By {
    using is_transparent = void;

    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return Key::of(a) < Key::of(b);
    }
  };

  struct EndpointKey {
    using Value = std::pair<const Endpoint&, std::uint64_t>;

    static Value of(const Member* member) { return {member->endpoint, member->id}; }

    static const Value& of(const Value& value) { return value; }
  };

  struct AgeKey {
    using Value = std::pair<Instant, std::uint64_t>;

    static Value of(const Member* member) { return {member->record.changed, member->id}; }
  };

  struct StandingKey {
    using Value = std::pair<Standing, std::uint64_t>;

    static Value of(const Member* member) { return {member->standing, member->id}; }
  };

  template <class Key>
  using Index = absl::btree_set<Member*, By<Key>>;

  static constexpr std::size_t kAhead = 4;  ///< members that are expected before one is visited

  static void expect(const Member& member);
  static void expect_meta(const Member& member);
  static void pool_add(Pool& pool, Slot slot, Member& member);
  static void pool_remove(Pool& pool, Slot slot, Member& member);
  static void pool_swap(Pool& pool, Slot slot, std::size_t a, std::size_t b);
  void enter_round(Member& member, Rng& rng);
  void leave_round(Member& member);
  void file(Member& member, Rng& rng);
  void unfile(Member& member);

  [[nodiscard]] std::uint32_t place_of_name(std::string_view name) const;

  std::vector<std::unique_ptr<Member>> members_;
  NameIndex by_name_;
  // A member must be out of an index while what orders it there changes.
  Index<EndpointKey> by_endpoint_;
  Index<AgeKey> retired_;          ///< dead and left by age
  Index<StandingKey> unverified_;  ///< by standing, then by id, which is by age
  Pool alive_;
  Pool gossip_;   ///< alive, suspect and dead; the long dead go when a choice meets them
  Pool round_;    ///< probe round; null where somebody went since the last wrap
  Pool changed_;  ///< whose share is to be computed again
  std::uint64_t sum_ = 0;
  std::size_t turn_ = 0;
  std::size_t live_ = 0;
  std::size_t hearsay_ = 0;
  std::uint64_t next_id_ = 0;
  Member* self_;
};

/// Brings nearer to the processor what will soon be looked for, in the order of the names that are
/// added: merging a large table is waiting for memory, most of all. In steps, as each finds where
/// the next one's is.
class MemberTable::Ahead {
 public:
  explicit Ahead(const MemberTable& table) : table_(table) {}

  /// So many names are to be added before the first one is looked for.
  static constexpr std::size_t kNames = std::size_t{3} * kAhead;

  void add(std::string_view name);

 private:
  [[nodiscard]] const Member* added_before(std::size_t count) const;

  const MemberTable& table_;
  std::array<std::uint32_t, kNames> hashes_{};
  std::size_t added_ = 0;
};

}  // namespace wesher::gossip
