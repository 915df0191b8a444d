// The life of members and the indexes over them. Who gets what is in roster_standing.cpp.
#include "mesh/roster.h"

#include <algorithm>

#include "mesh/words.h"

namespace wesher::mesh {

namespace {

/// Who makes room first when there are too many.
constexpr unsigned kRankDeparted = 0;
constexpr unsigned kRankShort = 1;  ///< lived shorter than kShortLife
constexpr unsigned kRankLong = 2;
constexpr unsigned kRankKept = 3;  ///< by their operator

/// Ages of stored states are cut to this, so that a clock gone wild can't overflow anything.
constexpr std::chrono::milliseconds kOldest = std::chrono::days{3660};

Duration age_of(WallTime since, WallTime now) {
  if (now <= since) return Duration::zero();
  // As unsigned numbers the difference can't overflow.
  const auto age =
      static_cast<std::uint64_t>(to_ms(now)) - static_cast<std::uint64_t>(to_ms(since));
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(std::min<std::uint64_t>(age, kOldest.count())));
}

}  // namespace

void Roster::restore(const Member& stored, const Judgement& judgement, const Moment& now) {
  if (this->entry(stored.name) != nullptr) return;
  Entry* entry = admit(stored.name, now);
  if (entry == nullptr) return;
  touched_[stored.name] = stored;
  index(*entry, false);
  entry->member = stored;
  judge(*entry, judgement);
  entry->member.state_since = std::min(stored.state_since, now.wall);
  const Duration age = age_of(entry->member.state_since, now.wall);
  entry->entered = now.at - age;
  if (!is_live_state(stored.state) && !is_kept(stored, stored.state)) {
    const Duration retention = retention_of(stored);
    entry->overdue = stored.state == MemberState::failed && age >= retention;
    entry->expires = now.at + std::max(retention - age, kRestoredGrace);
  }
  index(*entry, true);
  settle_key(*entry);
  finish(stored.name, {});
}

void Roster::see(const Sighting& sighting, std::string why, const Moment& now) {
  Entry* entry = admit(sighting.name, now);
  if (entry == nullptr) return;
  touch(*entry);
  index(*entry, false);
  Member& member = entry->member;
  if (const auto address = IpAddress::from_bytes(sighting.underlay_bytes)) {
    member.underlay_bytes = sighting.underlay_bytes;
    member.underlay = *address;
    member.gossip_port = sighting.gossip_port;
  }
  member.incarnation = sighting.incarnation;
  member.signed_claim = sighting.signed_claim;
  judge(*entry, sighting.judgement);
  entry->seen = true;
  enter_state(*entry, sighting.state, now);
  index(*entry, true);
  settle_key(*entry);
  finish(sighting.name, why);
  if (sighting.state == MemberState::failed) limit_failed(now);
}

void Roster::retire(std::string_view name, const std::string& why, const Moment& now) {
  Entry* const found = entry(name);
  if (found != nullptr) retire(*found, why, now);
}

void Roster::retire(Entry& entry, const std::string& why, const Moment& now) {
  touch(entry);
  index(entry, false);
  enter_state(entry, MemberState::gone, now);
  index(entry, true);
  settle_key(entry);
  finish(entry.member.name, why);
}

/// Those of a short life, the oldest first; while nobody is live there is nothing to compare with.
void Roster::limit_failed(const Moment& now) {
  while (live_ > 0 && failed_ > std::max(kFailedMin, kFailedPerLive * (live_ + 1))) {
    const auto first = evictable_.lower_bound(EvictionKey::Value{kRankShort, {}, {}});
    if (first == evictable_.end() || std::get<0>(EvictionKey::of(**first)) != kRankShort) return;
    retire(**first, "failed, and too many did to keep those that were here shortly", now);
  }
}

void Roster::rejudge(std::string_view name, const Judgement& judgement) {
  Entry* const found = entry(name);
  if (found == nullptr) return;
  touch(*found);
  judge(*found, judgement);
  settle_key(*found);
  finish(name, {});
}

void Roster::set_tcp_only(std::string_view name, bool tcp_only) {
  Entry* const found = entry(name);
  if (found == nullptr || found->tcp_only == tcp_only) return;
  touch(*found);
  found->tcp_only = tcp_only;
  finish(name, tcp_only ? "answers over TCP only" : "answers over UDP again");
}

void Roster::fail_unconfirmed(const std::string& why, const Moment& now) {
  const std::vector<Entry*> entries(unconfirmed_.begin(), unconfirmed_.end());
  for (Entry* const each : entries) {
    Entry& entry = *each;
    touch(entry);
    index(entry, false);
    entry.seen = true;
    enter_state(entry, MemberState::failed, now);
    index(entry, true);
    settle_key(entry);
    finish(entry.member.name, why);
  }
}

void Roster::expire(const Moment& now) {
  while (!expiries_.empty() && *(*expiries_.begin())->expires <= now.at) {
    Entry& entry = **expiries_.begin();
    const std::string name = entry.member.name;
    const std::string why =
        std::string(to_text(entry.member.state)) + " for " + span_text(retention_of(entry.member));
    if (live_ > 0) {
      if (entry.member.state == MemberState::failed) {
        retire(entry, why, now);
      } else {
        forget(name, why);
      }
      continue;
    }
    touch(entry);
    index(entry, false);
    entry.overdue = true;
    entry.expires = now.at + kRestoredGrace;
    index(entry, true);
    settle_key(entry);
    finish(name, {});
  }
}

bool Roster::is_kept(const Member& member, MemberState state) const {
  return state == MemberState::failed && limits_.kept.contains(member.name);
}

Duration Roster::retention_of(const Member& member) const {
  if (is_departed(member.state)) return limits_.left_retention;
  if (!limits_.by_lifetime) return limits_.failed_retention;
  return retention_by_lifetime(member.first_seen, member.state_since, limits_.failed_retention);
}

void Roster::enter_state(Entry& entry, MemberState state, const Moment& now) {
  Member& member = entry.member;
  const bool same = member.state == state;
  if (!same) {
    member.state = state;
    member.state_since = now.wall;
    entry.entered = now.at;
  }
  if (is_live_state(state)) {
    entry.expires.reset();
    entry.overdue = false;
  } else if (!same || !entry.expires) {
    entry.expires.reset();
    if (!is_kept(member, state)) entry.expires = now.at + retention_of(member);
    entry.tcp_only = false;
    entry.overdue = false;
  }
}

Roster::Entry* Roster::admit(const std::string& name, const Moment& now) {
  if (Entry* const found = this->entry(name)) return found;
  if (entries_.size() >= limits_.members) {
    if (evictable_.empty()) return nullptr;
    forget((*evictable_.begin())->member.name, "made room for a new member: the table is full");
  }
  touched_.try_emplace(name);
  auto made = std::make_unique<Entry>();
  Entry& entry = *made;
  entry.member.name = name;
  entry.member.state_since = now.wall;
  entry.member.first_seen = now.wall;
  entry.entered = now.at;
  entries_.insert(std::move(made));
  index(entry, true);
  return &entry;
}

Roster::Entry* Roster::entry(std::string_view name) {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->get();
}

const Roster::Entry* Roster::entry(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->get();
}

void Roster::judge(Entry& entry, const Judgement& judgement) {
  entry.member.meta = judgement.meta;
  entry.judged = judgement.standing;
  entry.objection = as_bytes(judgement.reason);
}

Roster::EvictionKey::Value Roster::EvictionKey::of(const Entry& entry) {
  const Member& member = entry.member;
  unsigned rank = kRankLong;
  if (is_departed(member.state)) {
    rank = kRankDeparted;
  } else if (!entry.expires) {
    rank = kRankKept;
  } else if (age_of(member.first_seen, member.state_since) < kShortLife) {
    rank = kRankShort;
  }
  return {rank, entry.entered, member.name};
}

void Roster::index(Entry& entry, bool add) {
  const auto put = [add, &entry](auto& set) {
    if (add) {
      set.insert(&entry);
    } else {
      set.erase(&entry);
    }
  };
  if (entry.expires) put(expiries_);
  put(underlays_);
  const bool looks_live = is_live_state(entry.member.state);
  count_format(entry, add && looks_live && entry.seen);
  if (looks_live && entry.seen) {
    add ? ++live_ : --live_;
    put(live_endpoints_);
    return;
  }
  put(absent_);
  if (entry.member.state == MemberState::gone) put(gone_);
  if (entry.member.state == MemberState::failed) add ? ++failed_ : --failed_;
  if (looks_live) {
    put(unconfirmed_);
  } else {
    put(evictable_);
  }
}

void Roster::count_format(Entry& entry, bool live) {
  if (entry.counted) --legacy_formats_.at(static_cast<std::size_t>(*entry.counted));
  entry.counted.reset();
  const Member& member = entry.member;
  if (!live || member.signed_claim || !member.meta) return;
  entry.counted = member.meta->format;
  ++legacy_formats_.at(static_cast<std::size_t>(*entry.counted));
}

void Roster::drop(const std::string& name, const std::string& why) {
  if (entry(name) != nullptr) forget(name, why);
}

void Roster::forget(std::string name, std::string why) {
  const auto found = entries_.find(std::string_view(name));
  Entry& entry = **found;
  entry.overdue = true;  // claims nothing any more
  settle_key(entry);
  index(entry, false);
  touched_.erase(name);
  entries_.erase(found);
  finish({}, {});
  facts_.emplace_back(MemberForgotten{std::move(name), std::move(why)});
}

std::vector<Fact> Roster::take() {
  return std::exchange(facts_, {});
}

const Member* Roster::find(std::string_view name) const {
  const Entry* const found = entry(name);
  return found == nullptr ? nullptr : &found->member;
}

std::vector<Member> Roster::all() const {
  std::vector<Member> members;
  members.reserve(entries_.size());
  for (const auto& entry : entries_)
    members.push_back(entry->member);
  return members;
}

bool Roster::is_live(std::string_view name) const {
  const Entry* const found = entry(name);
  return found != nullptr && found->seen && is_live_state(found->member.state);
}

Duration Roster::state_age(std::string_view name, Instant now) const {
  const Entry* const found = entry(name);
  return found == nullptr ? Duration::zero() : now - found->entered;
}

bool Roster::is_unconfirmed(std::string_view name) const {
  return unconfirmed_.contains(name);
}

bool Roster::is_replaced(std::string_view name) const {
  const Entry* const found = entry(name);
  if (found == nullptr || !found->key_claim) return false;
  return keys_.owner(*found->key_claim) != name &&
         (found->replaced || !is_live_state(found->member.state));
}

std::string_view Roster::live_at(const Endpoint& endpoint) const {
  const auto found =
      live_endpoints_.lower_bound(EndpointKey::Value{endpoint.address, endpoint.port, {}});
  if (found == live_endpoints_.end()) return {};
  const Member& member = (*found)->member;
  const bool there = member.underlay == endpoint.address && member.gossip_port == endpoint.port;
  return there ? std::string_view(member.name) : std::string_view{};
}

std::string_view Roster::sole_live_at(const Endpoint& endpoint) const {
  const std::string_view name = live_at(endpoint);
  if (name.empty()) return {};
  const auto next =
      live_endpoints_.upper_bound(EndpointKey::Value{endpoint.address, endpoint.port, name});
  const bool shared = next != live_endpoints_.end() &&
                      (*next)->member.underlay == endpoint.address &&
                      (*next)->member.gossip_port == endpoint.port;
  return shared ? std::string_view{} : name;
}

bool Roster::has_underlay(const IpAddress& address) const {
  const auto found = underlays_.lower_bound(UnderlayKey::Value{address, {}});
  return found != underlays_.end() && (*found)->member.underlay == address;
}

std::vector<std::string> Roster::absent_after(std::string_view after, std::size_t count) const {
  std::vector<std::string> names;
  auto at = absent_.upper_bound(after);
  const std::size_t wanted = std::min(count, absent_.size());
  while (names.size() < wanted) {
    if (at == absent_.end()) at = absent_.begin();
    names.push_back((*at++)->member.name);
  }
  return names;
}

std::string_view Roster::gone_after(std::string_view after) const {
  if (gone_.empty()) return {};
  auto at = gone_.upper_bound(after);
  if (at == gone_.end()) at = gone_.begin();
  return (*at)->member.name;
}

std::vector<std::string> Roster::claimants(const IpAddress& overlay) const {
  std::vector<std::string> names;
  each([&](const Member& member) {
    if (member.meta && member.meta->overlay == overlay) names.push_back(member.name);
  });
  return names;
}

WallTime Roster::newest_claim(WallTime limit) const {
  WallTime newest{};
  each([&](const Member& member) {
    if (member.signed_claim && member.signed_claim->claimed <= limit)
      newest = std::max(newest, member.signed_claim->claimed);
  });
  return newest;
}

std::optional<Instant> Roster::next_expiry() const {
  if (expiries_.empty()) return std::nullopt;
  return (*expiries_.begin())->expires;
}

}  // namespace wesher::mesh
