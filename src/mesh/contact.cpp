// Whom to call and when: the read-only questions at the start, seeds, failed members, and everybody
// who was ever there while nobody is.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mesh/impl.h"
#include "mesh/words.h"

namespace wesher::mesh {

namespace {

/// Restored members that are asked at the start, beside the seeds: one answer tells all.
constexpr std::size_t kAskRestored = 8;
/// Push/pulls to missing members under way at a time; each may hang until the TCP timeout.
constexpr std::size_t kContactsMax = 32;
/// Every third call to a failed member goes over TCP, for where UDP is blocked.
constexpr std::uint64_t kTableEvery = 3;
/// How long the answers are waited for when a node that is out of the mesh asks again.
constexpr Duration kProbeAgain = std::chrono::seconds{2};
/// Members called at a time while nobody is live.
constexpr std::size_t kLonelyCalls = 4;
/// How often one of the members that are gone is called, in turn: a cluster that was split for
/// longer than its members are kept comes together again.
constexpr Duration kGoneCall = std::chrono::seconds{30};
/// How many of the live members, on average, ask a member of the Go program for its table when it
/// is back by hearsay; it may hold some of us for dead, never calls whom it holds for that, and a
/// single answer tells who must refute. None would ask in 0.7 % of the cases, and then the next
/// regular push/pull brings it.
constexpr std::size_t kAskReturned = 5;

Endpoint endpoint_of(const Member& member) {
  return {member.underlay, member.gossip_port};
}

}  // namespace

void Mesh::Impl::set_seeds(const std::vector<Endpoint>& seeds, const Moment& now) {
  std::vector<Endpoint> others;
  std::copy_if(seeds.begin(), seeds.end(), std::back_inserter(others),
               [this](const Endpoint& seed) { return seed != own_endpoint_; });
  seeds_.set(others, now.at);
  if (phase_ == Phase::probing) {
    for (const Endpoint& seed : seeds_.take_due(now.at))
      contact(seed, Call::probe, now.at);
  } else if (phase_ == Phase::announced) {
    try_seeds(now.at);
  }
}

void Mesh::Impl::start(Duration probe_max, const Moment& now) {
  if (phase_ == Phase::idle) probe(probe_max, now);
}

/// Asks read-only who is there; `announce` follows.
void Mesh::Impl::probe(Duration max, const Moment& now) {
  phase_ = Phase::probing;
  retry_due_.reset();
  namesake_.reset();
  rules_.questions_begin();
  for (const Endpoint& seed : seeds_.take_due(now.at))
    contact(seed, Call::probe, now.at);
  for (const Endpoint& member : restored_to_ask())
    contact(member, Call::probe, now.at);
  if (contacts_.empty()) {
    announce(now);
  } else {
    probe_deadline_ = now.at + max;
  }
}

/// A random few of those that were alive last, else of those that failed, else of those that left.
std::vector<Endpoint> Mesh::Impl::restored_to_ask() {
  std::map<MemberState, std::vector<Endpoint>> by_state;
  for (const Member& member : roster_.all())
    by_state[member.state].push_back(endpoint_of(member));
  std::vector<Endpoint> chosen;
  for (auto& [state, endpoints] : by_state) {
    if (is_departed(state) && !chosen.empty()) break;
    rng_.shuffle(endpoints);
    for (const Endpoint& endpoint : endpoints) {
      if (chosen.size() < kAskRestored) chosen.push_back(endpoint);
    }
  }
  return chosen;
}

void Mesh::Impl::contact(const Endpoint& to, Call kind, Instant now) {
  if (to.port == 0 || to.address.is_unspecified() || to == own_endpoint_) return;
  Contact& under_way = contacts_[to];
  if (under_way.count >= (kind == Call::urgent_join ? 2U : 1U)) return;
  if (under_way.count++ == 0) under_way.probe = kind == Call::probe;
  under_way.urgent = under_way.urgent || kind == Call::urgent_join;
  seeds_.tried(to);
  if (kind == Call::probe) {
    node_.probe_seed(to, now);
  } else {
    node_.join(to, now);
  }
}

/// With a name, an address of our own and a format, on disk; else we wait for them.
void Mesh::Impl::announce(const Moment& now) {
  if (waits_for_copies(now)) return;
  phase_ = Phase::waiting;
  probe_deadline_.reset();
  if (pending_ || format_pending_ || name_is_taken(now)) return;
  prepare_format(now);
  prepare_address(now);
  if (pending_ || format_pending_) return;
  if (!own_.has_address()) return wait_for_address(now);
  announced(now);
}

void Mesh::Impl::announced(const Moment& now) {
  phase_ = Phase::announced;
  retry_due_.reset();
  unheard_ = false;
  rules_.announced();
  confirm_deadline_ = now.at + kConfirmWithin;
  keep_form(now);
  node_.announce(now.at, any_legacy_live());
  tell_of_predecessor();
  herald_.say(Severity::info, "started",
              printable(config_.gossip.name) + " announces itself as " +
                  own_.meta().overlay.text() + " at " + own_endpoint_.text());
  for (const Endpoint& endpoint : std::exchange(answered_, {}))
    contact(endpoint, Call::join, now.at);
  try_seeds(now.at);
}

void Mesh::Impl::on(const gossip::ContactResult& event, const Moment& now) {
  const auto found = contacts_.find(event.to);
  if (found == contacts_.end()) return;
  const bool probe = found->second.probe;
  if (--found->second.count == 0) contacts_.erase(found);
  if (copies_asked_.erase(event.to) > 0 && event.ok) copy_answered(event.to);
  for (Fact& fact : seeds_.result(event.to, event.ok, event.reason, now, rng_))
    facts_.push(std::move(fact));
  if (phase_ == Phase::leaving || phase_ == Phase::left) return;
  if (!probe) {
    if (event.ok) joined_through(event.to, now);
    return;
  }
  if (phase_ == Phase::announced) {
    if (event.ok) contact(event.to, Call::join, now.at);
    return;
  }
  if (event.ok) answered_.push_back(event.to);
  if (event.ok || contacts_.empty()) announce(now);
}

void Mesh::Impl::joined_through(const Endpoint& to, const Moment& now) {
  if (roster_.live() == 0) return;  // it answered, but is no member
  const std::string_view name = roster_.live_at(to);
  facts_.push(Synced{name.empty() ? to.text() : std::string(name)});
  if (std::exchange(joined_, true)) return;
  std::string through = to.text();
  if (!name.empty()) through = printable(name) + " (" + through + ")";
  herald_.say(
      Severity::lifecycle, "joined",
      "joined through " + through + "; " + members_text(roster_.live()) + " alive beside us");
  static_cast<void>(now);
}

void Mesh::Impl::run_timers(const Moment& now) {
  for (Fact& fact : foreign_.take_due(now.at))
    facts_.push(std::move(fact));
  herald_.handle_timeout(now);
  if (leave_deadline_ && *leave_deadline_ <= now.at) leave_done(0);
  if (probe_deadline_ && *probe_deadline_ <= now.at) announce(now);
  if (retry_due_ && *retry_due_ <= now.at) probe(kProbeAgain, now);
  if (confirm_deadline_ && *confirm_deadline_ <= now.at) {
    confirm_deadline_.reset();
    roster_.fail_unconfirmed("no answer since we started", now);
  }
  if (phase_ != Phase::announced) return collect(now);
  roster_.expire(now);
  statements_.expire(now.wall);
  collect(now);
  try_seeds(now.at);
  try_failed(now);
  try_absent(now.at);
  try_gone(now.at);
  try_address(now);
  try_format(now);
}

void Mesh::Impl::try_seeds(Instant now) {
  if (seed_is_live()) return;
  for (const Endpoint& seed : seeds_.take_due(now))
    contact(seed, Call::join, now);
}

void Mesh::Impl::try_failed(const Moment& now) {
  while (const auto name = reconnect_.take(roster_.live() + 1, now.at))
    ++calls_ % kTableEvery == 0 ? push_pull(*name, Call::join, now.at) : ping(*name, now.at);
}

/// While nobody is live: those that failed or left, in turn, a few at a time.
void Mesh::Impl::try_absent(Instant now) {
  if (!lonely_due_ || *lonely_due_ > now) return;
  lonely_due_ = now + lonely_backoff_.next(rng_);
  for (const std::string& name : roster_.absent_after(lonely_cursor_, kLonelyCalls)) {
    push_pull(name, Call::join, now);
    lonely_cursor_ = name;
  }
}

void Mesh::Impl::try_gone(Instant now) {
  if (!gone_due_ || *gone_due_ > now) return;
  gone_due_.reset();
  const Member* member = roster_.find(roster_.gone_after(gone_cursor_));
  if (member == nullptr) return;
  gone_cursor_ = member->name;
  // Its place may be somebody else's by now, who would not know the name.
  if (roster_.live_at(endpoint_of(*member)).empty()) ping(member->name, now);
}

void Mesh::Impl::ping(const std::string& name, Instant now) {
  const Member* member = roster_.find(name);
  if (member == nullptr || phase_ != Phase::announced) return;
  const Endpoint to = endpoint_of(*member);
  if (to.port != 0 && !to.address.is_unspecified()) node_.ping(name, to, now);
}

void Mesh::Impl::push_pull(const std::string& name, Call kind, Instant now) {
  const Member* member = roster_.find(name);
  if (member == nullptr || phase_ != Phase::announced) return;
  // Calls into the void never keep one from a member that just gave a sign of life.
  const std::size_t most = kind == Call::urgent_join ? 2 * kContactsMax : kContactsMax;
  if (contacts_.size() < most) contact(endpoint_of(*member), kind, now);
}

/// A member that failed is live again. Members of ours call whom they miss by themselves.
void Mesh::Impl::ask_returned(const Member& member, Instant now) {
  if (member.signed_claim || phase_ != Phase::announced) return;
  const auto under_way = contacts_.find(endpoint_of(member));
  if (under_way != contacts_.end() && under_way->second.urgent) return;
  if (rng_.below(roster_.live() + 1) < kAskReturned) push_pull(member.name, Call::urgent_join, now);
}

void Mesh::Impl::watch_loneliness(Instant now) {
  if (phase_ == Phase::announced && !gone_due_ && roster_.any_gone()) gone_due_ = now + kGoneCall;
  const bool lonely = phase_ == Phase::announced && roster_.live() == 0 && roster_.size() > 0;
  if (!lonely) {
    lonely_due_.reset();
    lonely_backoff_.reset();
  } else if (!lonely_due_) {
    lonely_due_ = now + lonely_backoff_.next(rng_);
  }
}

bool Mesh::Impl::seed_is_live() const {
  const auto seeds = seeds_.all();
  return std::any_of(seeds.begin(), seeds.end(),
                     [this](const Endpoint& seed) { return !roster_.live_at(seed).empty(); });
}

}  // namespace wesher::mesh
