#include "mesh/mesh.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mesh/impl.h"
#include "mesh/words.h"
#include "wire/limits.h"
#include "wire/node_meta.h"

namespace wesher::mesh {

namespace {

constexpr Duration kSameLineEvery = std::chrono::minutes{10};
constexpr std::size_t kLinesRemembered = 256;
/// A member that left and is said to be back with an old record is asked at most this often.
/// It may have started just now, and not have announced itself yet.
constexpr Duration kAskReturnedEvery = std::chrono::milliseconds{250};

gossip::Config with_meta(gossip::Config config, std::optional<Bytes> meta) {
  config.meta = std::move(meta).value_or(Bytes{});
  return config;
}

OwnRecord own_record(const Config& config) {
  return OwnRecord({config.gossip.name, config.gossip.address, config.gossip.port, config.own,
                    config.claimed, config.epoch_first, config.epoch_end, config.instance},
                   config.identity_seed);
}

std::vector<Prefix> all_nets(const Config& config) {
  std::vector<Prefix> nets{config.overlay_net.masked()};
  for (const Prefix& net : config.accepted_nets)
    nets.push_back(net.masked());
  return nets;
}

Rng branch(Rng& rng) {
  std::array<std::uint8_t, 32> seed{};
  rng.fill(seed);
  return Rng(seed);
}

void take_earlier(std::optional<Instant>& best, const std::optional<Instant>& other) {
  if (other && (!best || *other < *best)) best = other;
}

}  // namespace

Mesh::Impl::Impl(
    Config config, wire::Keyring keyring, Rng rng, std::vector<Member> restored, Moment now)
    : config_(std::move(config)),
      own_endpoint_{IpAddress::from_bytes(config_.gossip.address).value_or(IpAddress{}),
                    config_.gossip.port},
      rng_(std::move(rng)),
      own_(own_record(config_)),
      spoken_(config_.own.format, config_.format_is_fixed, config_.format_patience),
      judge_(config_.own, all_nets(config_), own_endpoint_.address),
      roster_({config_.failed_retention,
               config_.left_retention,
               limits::kMembers,
               {config_.static_members.begin(), config_.static_members.end()},
               config_.retention_by_lifetime}),
      rules_({config_.gossip.name, own_.identity(), config_.overlay_net, config_.fixed_overlay,
              config_.host_addresses, config_.claimed, config_.claim_is_new},
             roster_),
      seeds_(config_.seed_retry_first, config_.seed_retry_max, config_.cluster),
      reconnect_(config_.reconnect_interval),
      conflicts_(kSameLineEvery, kLinesRemembered),
      refusals_(kSameLineEvery, kLinesRemembered),
      contested_(kContestEvery, kLinesRemembered),
      returns_(kAskReturnedEvery, kLinesRemembered),
      node_(
          with_meta(config_.gossip, own_.renew()), std::move(keyring), branch(rng_), this, now.at),
      unheard_(config_.claim_is_new),
      lonely_backoff_(config_.seed_retry_first, config_.seed_retry_max) {
  judge_.set_occupied(config_.host_addresses);
  if (config_.checks_unsigned) judge_.check_unsigned();
  restore(restored, now);
}

/// Those that are configured come first, so that each keeps what it has.
void Mesh::Impl::restore(const std::vector<Member>& restored, const Moment& now) {
  for (const bool configured : {true, false}) {
    for (const Member& member : restored) {
      if ((member.standing == Standing::configured) != configured || member.name.empty()) continue;
      if (member.name == config_.gossip.name) {
        facts_.push(MemberForgotten{member.name, "its name is ours now"});
        continue;
      }
      const Judgement judgement = member.meta
                                      ? judge_.values(member.name, *member.meta, member.underlay,
                                                      member.signed_claim.has_value())
                                      : Judgement{std::nullopt, member.standing, member.reason};
      roster_.restore(member, judgement, now);
    }
  }
  collect(now);
  for (const Member& member : roster_.all())
    look_for(member.name, now.at);
}

/// What is said to be alive: evidence.h. About ourselves nobody but us decides: a claim that we are
/// gone is an accusation, which the node answers. That a member left removes it at once, so it is a
/// suspicion until the member confirmed it or is silent. That one is dead removes nothing for days;
/// it is believed as usual.
gossip::Verdict Mesh::Impl::admit(const gossip::Claim& claim,
                                  const gossip::Record* known,
                                  Instant now) {
  if (known == nullptr && is_outdated(claim))
    return returns_.pass(claim.name, now) ? gossip::Verdict::ask : gossip::Verdict::drop;
  if (claim.state == gossip::RecordState::alive) {
    return believes(claim, now) ? gossip::Verdict::accept : gossip::Verdict::drop;
  }
  const bool left = claim.state == gossip::RecordState::left;
  const bool gone = left || claim.state == gossip::RecordState::dead;
  const bool leaving = phase_ == Phase::leaving || phase_ == Phase::left;
  if (claim.name == config_.gossip.name && gone && !leaving) {
    return gossip::Verdict::suspect_instead;
  }
  if (left && claim.proof == gossip::Proof::none) return gossip::Verdict::suspect_instead;
  return gossip::Verdict::accept;
}

/// Whether it is what a member said before it left: gossip forgets goodbyes after a minute, and
/// records from before it keep for ever.
bool Mesh::Impl::is_outdated(const gossip::Claim& claim) const {
  if (claim.state != gossip::RecordState::alive || claim.proof != gossip::Proof::none) return false;
  const Member* row = roster_.find(claim.name);
  return row != nullptr && is_departed(row->state) && claim.incarnation <= row->incarnation;
}

bool Mesh::Impl::knows(std::string_view name) const {
  return roster_.find(name) != nullptr;
}

void Mesh::Impl::set_own_key(const PublicKey& key, const Moment& now) {
  own_.set_key(key);
  judge_.set_own_key(key);
  renew_record(now);
}

/// Results of contacts come last: the members that an answer brought are known then.
void Mesh::Impl::pump(const Moment& now) {
  for (;;) {
    std::vector<gossip::ContactResult> results;
    bool any = false;
    while (const auto event = node_.poll_event()) {
      any = true;
      if (const auto* result = std::get_if<gossip::ContactResult>(&*event)) {
        results.push_back(*result);
      } else {
        std::visit([&](const auto& e) { on(e, now); }, *event);
      }
    }
    for (const gossip::ContactResult& result : results)
      on(result, now);
    if (take_statements(now)) continue;
    if (!any) break;
  }
  checked_.clear();
  spoken_.observe(roster_.legacy_formats(), now.at);
  ask_back(now);
  if (phase_ == Phase::announced || phase_ == Phase::waiting) ask_copies(now);
  watch_loneliness(now.at);
  while (auto notice = herald_.poll())
    facts_.push(std::move(*notice));
}

void Mesh::Impl::leave(Duration max_wait, bool for_good, const Moment& now) {
  if (phase_ == Phase::leaving || phase_ == Phase::left) return;
  const bool was_announced = phase_ == Phase::announced;
  if (for_good && was_announced) say_for_good(now);
  phase_ = Phase::leaving;
  lonely_due_.reset();
  probe_deadline_.reset();
  confirm_deadline_.reset();
  leave_deadline_ = now.at + max_wait;
  if (was_announced) {
    node_.leave(now.at);
  } else {
    leave_done(0);
  }
}

void Mesh::Impl::leave_done(std::size_t told) {
  if (phase_ != Phase::leaving) return;
  phase_ = Phase::left;
  leave_deadline_.reset();
  facts_.push(
      Notice{Severity::lifecycle, "left", "left the mesh; told " + members_text(told)});
  facts_.push(LeaveDone{told});
}

std::optional<Instant> Mesh::Impl::next_timeout() const {
  std::optional<Instant> next;
  if (const auto wakeup = node_.poll_timeout()) next = wakeup->at;
  take_earlier(next, foreign_.poll_timeout());
  take_earlier(next, herald_.poll_timeout());
  take_earlier(next, leave_deadline_);
  take_earlier(next, probe_deadline_);
  take_earlier(next, retry_due_);
  take_earlier(next, confirm_deadline_);
  if (phase_ == Phase::announced) {
    take_earlier(next, lonely_due_);
    take_earlier(next, gone_due_);
    take_earlier(next, reconnect_.poll_timeout());
    take_earlier(next, roster_.next_expiry());
    if (!format_pending_) take_earlier(next, spoken_.poll_timeout());
    if (!seed_is_live()) take_earlier(next, seeds_.poll_timeout());
  }
  return next;
}

std::optional<Fact> Mesh::Impl::next_fact() {
  return facts_.poll();
}

// --- the public face ---

Mesh::Mesh(Config config, wire::Keyring keyring, Rng rng, std::vector<Member> restored, Moment now)
    : impl_(std::make_unique<Impl>(
          std::move(config), std::move(keyring), std::move(rng), std::move(restored), now)) {}

Mesh::~Mesh() = default;
Mesh::Mesh(Mesh&&) noexcept = default;
Mesh& Mesh::operator=(Mesh&&) noexcept = default;

void Mesh::handle_packet(const Endpoint& from, ByteView datagram, Moment now) {
  impl_->node().handle_packet(from, datagram, now.at);
  impl_->pump(now);
}

std::optional<Bytes> Mesh::handle_request(const Endpoint& from, ByteView frame, Moment now) {
  auto reply = impl_->node().handle_request(from, frame, now.at);
  impl_->pump(now);
  return reply;
}

void Mesh::handle_reply(gossip::StreamId id, ByteView frame, Moment now) {
  impl_->node().handle_reply(id, frame, now.at);
  impl_->pump(now);
}

void Mesh::handle_stream_failed(gossip::StreamId id, std::string reason, Moment now) {
  impl_->node().handle_stream_failed(id, std::move(reason), now.at);
  impl_->pump(now);
}

void Mesh::handle_stream_done(gossip::StreamId id, Moment now) {
  impl_->node().handle_stream_done(id, now.at);
  impl_->pump(now);
}

void Mesh::handle_send_error(const Endpoint& to, Moment now) {
  impl_->node().handle_send_error(to, now.at);
  impl_->pump(now);
}

void Mesh::handle_timeout(Moment now) {
  impl_->node().handle_timeout(now.at);
  impl_->pump(now);
  impl_->run_timers(now);
  impl_->pump(now);
}

void Mesh::set_seeds(std::vector<Endpoint> seeds, Moment now) {
  impl_->set_seeds(seeds, now);
  impl_->pump(now);
}

void Mesh::start(Duration probe_max, Moment now) {
  impl_->start(probe_max, now);
  impl_->pump(now);
}

void Mesh::leave(Duration max_wait, bool for_good, Moment now) {
  impl_->leave(max_wait, for_good, now);
  impl_->pump(now);
}

void Mesh::incarnations_reserved(std::uint32_t end, Moment now) {
  impl_->node().extend_incarnations(end, now.at);
  impl_->pump(now);
}

void Mesh::own_key_changed(const PublicKey& key, Moment now) {
  impl_->set_own_key(key, now);
  impl_->pump(now);
}

void Mesh::epochs_reserved(std::uint64_t end, Moment now) {
  impl_->epochs_reserved(end, now);
  impl_->pump(now);
}

void Mesh::claim_stored(std::optional<IpAddress> overlay, Moment now) {
  impl_->claim_stored(overlay, now);
  impl_->pump(now);
}

void Mesh::format_stored(MetaFormat format, Moment now) {
  impl_->format_stored(format, now);
  impl_->pump(now);
}

void Mesh::own_address_changed(Bytes underlay, Moment now) {
  impl_->set_underlay(std::move(underlay), now);
  impl_->pump(now);
}

Result<std::string> Mesh::forget(std::string_view name, Moment now) {
  return impl_->forget(name, now);
}

std::vector<std::string> Mesh::forget_failed_older(Duration age, Moment now) {
  return impl_->forget_failed_older(age, now);
}

std::optional<gossip::Transmit> Mesh::poll_transmit() {
  return impl_->node().poll_transmit();
}

void Mesh::reuse(Bytes datagram) {
  impl_->node().reuse(std::move(datagram));
}

std::optional<gossip::StreamRequest> Mesh::poll_stream() {
  return impl_->node().poll_stream();
}

std::optional<Fact> Mesh::poll_fact() {
  return impl_->next_fact();
}

std::optional<Instant> Mesh::poll_timeout() const {
  return impl_->next_timeout();
}

const Member* Mesh::find(std::string_view name) const {
  return impl_->roster().find(name);
}

std::vector<Member> Mesh::members() const {
  return impl_->roster().all();
}

bool Mesh::is_member_address(const IpAddress& address) const {
  return impl_->node().is_member_address(address) || impl_->roster().has_underlay(address);
}

std::size_t Mesh::live() const {
  return impl_->roster().live();
}

bool Mesh::announced() const {
  return impl_->announced();
}

}  // namespace wesher::mesh
