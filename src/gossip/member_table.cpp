// The indices of member_table.h. A change of state takes a member out of all of them (`unfile`)
// and puts it back where it now belongs (`file`), so that they can't drift from the record.
#include "gossip/member_table.h"

#include <algorithm>

namespace wesher::gossip {

namespace {

Endpoint endpoint_of(const Record& record) {
  return {IpAddress::from_bytes(record.address).value_or(IpAddress{}), record.port};
}

/// A place in a list; none has more entries than there may be members, and those that just left.
std::uint32_t place_of(std::size_t index) {
  return static_cast<std::uint32_t>(index);
}

bool is_live(RecordState state) {
  return state == RecordState::alive || state == RecordState::suspect;
}

}  // namespace

MemberTable::MemberTable(Record own) {
  auto self = std::make_unique<Member>();
  self->record = std::move(own);
  self->endpoint = endpoint_of(self->record);
  self->id = next_id_++;
  self_ = self.get();
  self->in_all = 0;
  by_name_.add(self->record.name, 0);
  members_.push_back(std::move(self));
}

std::uint32_t MemberTable::place_of_name(std::string_view name) const {
  return by_name_.find(name, [&](std::uint32_t at) { return members_[at]->record.name == name; });
}

void MemberTable::expect(const Member& member) {
  constexpr std::size_t kLine = 64;
  const char* from = reinterpret_cast<const char*>(&member);
  for (std::size_t at = 0; at < sizeof(Member); at += kLine)
    __builtin_prefetch(from + at);
}

void MemberTable::Ahead::add(std::string_view name) {
  const std::uint32_t hash = NameIndex::hash_of(name);
  table_.by_name_.expect(hash);
  if (const Member* member = added_before(kAhead)) expect(*member);
  if (const Member* member = added_before(2 * kAhead)) expect_meta(*member);
  hashes_[added_++ % hashes_.size()] = hash;
}

const Member* MemberTable::Ahead::added_before(std::size_t count) const {
  if (added_ < count) return nullptr;
  const std::uint32_t at = table_.by_name_.first(hashes_[(added_ - count) % hashes_.size()]);
  return at == NameIndex::kNowhere ? nullptr : table_.members_[at].get();
}

void MemberTable::expect_meta(const Member& member) {
  constexpr std::size_t kLine = 64;
  const auto* from = reinterpret_cast<const char*>(member.record.meta.data());
  for (std::size_t at = 0; at < member.record.meta.size(); at += kLine)
    __builtin_prefetch(from + at);
}

Member* MemberTable::find(std::string_view name) {
  const std::uint32_t at = place_of_name(name);
  return at == NameIndex::kNowhere ? nullptr : members_[at].get();
}

const Member* MemberTable::find(std::string_view name) const {
  const std::uint32_t at = place_of_name(name);
  return at == NameIndex::kNowhere ? nullptr : members_[at].get();
}

Member* MemberTable::at(const Endpoint& endpoint) {
  const auto found = by_endpoint_.lower_bound(EndpointKey::Value{endpoint, 0});
  return found == by_endpoint_.end() || (*found)->endpoint != endpoint ? nullptr : *found;
}

bool MemberTable::has_address(const IpAddress& address) const {
  const Endpoint lowest{address, 0};
  const auto found = by_endpoint_.lower_bound(EndpointKey::Value{lowest, 0});
  return found != by_endpoint_.end() && (*found)->endpoint.address == address;
}

Member* MemberTable::evictable() const {
  return unverified_.empty() ? nullptr : *unverified_.begin();
}

Member& MemberTable::add(Record record, Standing standing, Rng& rng) {
  auto made = std::make_unique<Member>();
  Member& member = *made;
  member.record = std::move(record);
  member.endpoint = endpoint_of(member.record);
  member.id = next_id_++;
  member.standing = Standing::hearsay;
  member.in_all = place_of(members_.size());
  by_name_.add(member.record.name, member.in_all);
  members_.push_back(std::move(made));
  by_endpoint_.insert(&member);
  unverified_.insert(&member);
  ++hearsay_;
  lift(member, standing);
  file(member, rng);
  touch(member);
  return member;
}

void MemberTable::remove(Member& member) {
  unfile(member);
  leave_round(member);
  pool_remove(changed_, &Member::in_changed, member);
  sum_ -= member.share;
  by_endpoint_.erase(&member);
  lift(member, Standing::verified);
  const std::uint32_t gap = member.in_all;
  const std::uint32_t last = place_of(members_.size() - 1);
  by_name_.remove(member.record.name, gap);
  if (gap != last) {
    std::swap(members_[gap], members_[last]);
    members_[gap]->in_all = gap;
    by_name_.move(members_[gap]->record.name, last, gap);
  }
  members_.pop_back();
}

void MemberTable::enter(Member& member, RecordState state, Instant now, Rng& rng) {
  if (&member != self_) unfile(member);
  member.record.state = state;
  member.record.changed = now;
  if (&member != self_) file(member, rng);
  touch(member);
}

void MemberTable::move(Member& member, const AddressBytes& address, std::uint16_t port) {
  if (&member != self_) by_endpoint_.erase(&member);
  member.record.address = address;
  member.record.port = port;
  member.endpoint = endpoint_of(member.record);
  if (&member != self_) by_endpoint_.insert(&member);
  touch(member);
}

void MemberTable::lift(Member& member, Standing standing) {
  if (standing <= member.standing) return;
  if (member.standing == Standing::hearsay) --hearsay_;
  unverified_.erase(&member);
  member.standing = standing;
  if (standing != Standing::verified) unverified_.insert(&member);
}

void MemberTable::pool_add(Pool& pool, Slot slot, Member& member) {
  if (member.*slot != Member::kNowhere) return;
  member.*slot = place_of(pool.size());
  pool.push_back(&member);
}

void MemberTable::pool_remove(Pool& pool, Slot slot, Member& member) {
  if (member.*slot == Member::kNowhere) return;
  pool_swap(pool, slot, member.*slot, pool.size() - 1);
  pool.pop_back();
  member.*slot = Member::kNowhere;
}

void MemberTable::pool_swap(Pool& pool, Slot slot, std::size_t a, std::size_t b) {
  std::swap(pool[a], pool[b]);
  pool[a]->*slot = place_of(a);
  pool[b]->*slot = place_of(b);
}

void MemberTable::enter_round(Member& member, Rng& rng) {
  if (member.in_round != Member::kNowhere) return;
  const std::size_t last = round_.size();
  const std::size_t place = rng.below(last + 1);
  round_.push_back(&member);
  std::swap(round_[place], round_[last]);
  for (const std::size_t i : {place, last}) {
    if (round_[i] != nullptr) round_[i]->in_round = place_of(i);
  }
}

void MemberTable::leave_round(Member& member) {
  if (member.in_round == Member::kNowhere) return;
  round_[member.in_round] = nullptr;
  member.in_round = Member::kNowhere;
}

void MemberTable::file(Member& member, Rng& rng) {
  const RecordState state = member.record.state;
  if (is_live(state)) {
    ++live_;
    enter_round(member, rng);
  } else {
    leave_round(member);
    retired_.insert(&member);
  }
  if (state == RecordState::alive) pool_add(alive_, &Member::in_alive, member);
  if (state != RecordState::left) pool_add(gossip_, &Member::in_gossip, member);
}

void MemberTable::unfile(Member& member) {
  if (is_live(member.record.state)) {
    --live_;
  } else {
    retired_.erase(&member);
  }
  pool_remove(alive_, &Member::in_alive, member);
  pool_remove(gossip_, &Member::in_gossip, member);
}

MemberTable::Turn MemberTable::next_turn(Rng& rng) {
  Turn turn;
  for (;;) {
    while (turn_ < round_.size()) {
      turn.member = round_[turn_++];
      if (turn.member != nullptr) return turn;
    }
    if (turn.wrapped) return turn;
    turn.wrapped = true;
    turn_ = 0;
    std::erase(round_, nullptr);
    rng.shuffle(round_);
    for (std::size_t i = 0; i < round_.size(); ++i)
      round_[i]->in_round = place_of(i);
  }
}

std::vector<Member*> MemberTable::choose_alive(Rng& rng, std::size_t count, const Member* except) {
  std::vector<Member*> chosen;
  for (std::size_t i = 0; i < alive_.size() && chosen.size() < count; ++i) {
    pool_swap(alive_, &Member::in_alive, i, i + rng.below(alive_.size() - i));
    if (alive_[i] != except) chosen.push_back(alive_[i]);
  }
  return chosen;
}

std::vector<Member*> MemberTable::choose_gossip(Rng& rng,
                                                std::size_t count,
                                                Instant now,
                                                Duration dead_for) {
  std::vector<Member*> chosen;
  while (chosen.size() < gossip_.size() && chosen.size() < count) {
    const std::size_t i = chosen.size();
    pool_swap(gossip_, &Member::in_gossip, i, i + rng.below(gossip_.size() - i));
    Member& member = *gossip_[i];
    if (!is_live(member.record.state) && now - member.record.changed > dead_for) {
      pool_remove(gossip_, &Member::in_gossip, member);
    } else {
      chosen.push_back(&member);
    }
  }
  return chosen;
}

std::vector<std::string> MemberTable::reap(Instant now, Duration age) {
  std::vector<std::string> names;
  while (!retired_.empty() && now - (*retired_.begin())->record.changed > age) {
    Member& member = **retired_.begin();
    names.push_back(member.record.name);
    remove(member);
  }
  return names;
}

std::vector<Endpoint> MemberTable::live_endpoints() const {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(live_);
  for (const Member* member : gossip_) {
    if (is_live(member->record.state)) endpoints.push_back(member->endpoint);
  }
  return endpoints;
}

}  // namespace wesher::gossip
