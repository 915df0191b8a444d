// The life of members and the indexes over them. Who gets what is in roster_standing.cpp.
#include "mesh/roster.h"

#include <algorithm>

#include "mesh/words.h"

namespace wesher::mesh {

namespace {

/// Members that lived shorter than this make room first when the table is full.
constexpr Duration kShortLife = std::chrono::hours{1};

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
  if (entries_.contains(stored.name)) return;
  Entry* entry = admit(stored.name, now);
  if (entry == nullptr) return;
  touched_[stored.name] = stored;
  index(*entry, false);
  entry->member = stored;
  entry->judgement = judgement;
  entry->member.state_since = std::min(stored.state_since, now.wall);
  const Duration age = age_of(entry->member.state_since, now.wall);
  entry->entered = now.at - age;
  if (!is_live_state(stored.state)) {
    const Duration retention = retention_of(stored.state);
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
  entry->judgement = sighting.judgement;
  entry->seen = true;
  enter_state(*entry, sighting.state, now);
  index(*entry, true);
  settle_key(*entry);
  finish(sighting.name, why);
}

void Roster::set_tcp_only(std::string_view name, bool tcp_only) {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.tcp_only == tcp_only) return;
  touch(found->second);
  found->second.tcp_only = tcp_only;
  finish(name, tcp_only ? "answers over TCP only" : "answers over UDP again");
}

void Roster::fail_unconfirmed(const std::string& why, const Moment& now) {
  const Names names = unconfirmed_;
  for (const std::string& name : names) {
    Entry& entry = entries_.find(name)->second;
    touch(entry);
    index(entry, false);
    entry.seen = true;
    enter_state(entry, MemberState::failed, now);
    index(entry, true);
    settle_key(entry);
    finish(name, why);
  }
}

void Roster::expire(const Moment& now) {
  while (!expiries_.empty() && expiries_.begin()->first <= now.at) {
    const std::string name = expiries_.begin()->second;
    Entry& entry = entries_.find(name)->second;
    const Duration retention = retention_of(entry.member.state);
    if (live_ > 0) {
      forget(name, std::string(to_text(entry.member.state)) + " for " + span_text(retention));
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

Duration Roster::retention_of(MemberState state) const {
  return state == MemberState::left ? limits_.left_retention : limits_.failed_retention;
}

void Roster::enter_state(Entry& entry, MemberState state, const Moment& now) {
  Member& member = entry.member;
  if (is_live_state(state)) {
    entry.expires.reset();
    entry.overdue = false;
  } else if (member.state != state || !entry.expires) {
    entry.expires = now.at + retention_of(state);
    entry.tcp_only = false;
    entry.overdue = false;
  }
  if (member.state == state) return;
  member.state = state;
  member.state_since = now.wall;
  entry.entered = now.at;
}

Roster::Entry* Roster::admit(const std::string& name, const Moment& now) {
  if (const auto found = entries_.find(name); found != entries_.end()) return &found->second;
  if (entries_.size() >= limits_.members) {
    if (evictable_.empty()) return nullptr;
    forget(std::get<2>(*evictable_.begin()), "made room for a new member: the table is full");
  }
  touched_.try_emplace(name);
  Entry& entry = entries_[name];
  entry.member.name = name;
  entry.member.state_since = now.wall;
  entry.member.first_seen = now.wall;
  entry.entered = now.at;
  index(entry, true);
  return &entry;
}

void Roster::index(const Entry& entry, bool add) {
  const Member& member = entry.member;
  const auto put = [add](auto& set, auto value) {
    if (add) {
      set.insert(std::move(value));
    } else {
      set.erase(value);
    }
  };
  if (entry.expires) put(expiries_, std::pair(*entry.expires, member.name));
  const bool looks_live = is_live_state(member.state);
  if (looks_live && entry.seen) {
    add ? ++live_ : --live_;
    const Endpoint at{member.underlay, member.gossip_port};
    put(live_endpoints_[at], member.name);
    if (live_endpoints_[at].empty()) live_endpoints_.erase(at);
  } else {
    put(absent_, member.name);
    if (looks_live) {
      put(unconfirmed_, member.name);
    } else {
      const bool short_life = age_of(member.first_seen, member.state_since) < kShortLife;
      const unsigned rank = member.state == MemberState::left ? 0 : short_life ? 1 : 2;
      put(evictable_, Eviction{rank, entry.entered, member.name});
    }
  }
  std::size_t& bearers = underlays_[member.underlay];
  add ? ++bearers : --bearers;
  if (bearers == 0) underlays_.erase(member.underlay);
}

void Roster::drop(const std::string& name, const std::string& why) {
  if (entries_.contains(name)) forget(name, why);
}

void Roster::forget(std::string name, std::string why) {
  const auto found = entries_.find(name);
  Entry& entry = found->second;
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
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second.member;
}

std::vector<Member> Roster::all() const {
  std::vector<Member> members;
  members.reserve(entries_.size());
  for (const auto& [name, entry] : entries_)
    members.push_back(entry.member);
  return members;
}

bool Roster::is_live(std::string_view name) const {
  const auto found = entries_.find(name);
  return found != entries_.end() && found->second.seen && is_live_state(found->second.member.state);
}

Duration Roster::state_age(std::string_view name, Instant now) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? Duration::zero() : now - found->second.entered;
}

bool Roster::is_unconfirmed(std::string_view name) const {
  return unconfirmed_.contains(name);
}

bool Roster::is_replaced(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end() || !found->second.key_claim) return false;
  const Entry& entry = found->second;
  return keys_.owner(*entry.key_claim) != name &&
         (entry.replaced || !is_live_state(entry.member.state));
}

std::string_view Roster::live_at(const Endpoint& endpoint) const {
  const auto found = live_endpoints_.find(endpoint);
  return found == live_endpoints_.end() ? std::string_view{} : *found->second.begin();
}

bool Roster::has_underlay(const IpAddress& address) const {
  return underlays_.contains(address);
}

std::vector<std::string> Roster::absent_after(std::string_view after, std::size_t count) const {
  std::vector<std::string> names;
  auto at = absent_.upper_bound(after);
  const std::size_t wanted = std::min(count, absent_.size());
  while (names.size() < wanted) {
    if (at == absent_.end()) at = absent_.begin();
    names.push_back(*at++);
  }
  return names;
}

std::optional<Instant> Roster::next_expiry() const {
  if (expiries_.empty()) return std::nullopt;
  return expiries_.begin()->first;
}

}  // namespace wesher::mesh
