// The probe cycle of prober.h.
#include "gossip/prober.h"

#include <algorithm>
#include <vector>

namespace wesher::gossip {

namespace {

constexpr std::uint8_t kSpeaksTcpPing = 3;  ///< pmax from which a member answers TCP pings
constexpr std::uint8_t kSpeaksNack = 4;     ///< pmax from which a relay sends nacks
constexpr std::size_t kVersionMax = 1;      ///< place of pmax in the version vector

}  // namespace

void Prober::start(Instant now) {
  tick_at_ = now + core_.rng.below(core_.config.probe_interval);
}

void Prober::stop() {
  tick_at_.reset();
  due_ = false;
  if (probe_) core_.release_sequence(probe_->sequence);
  probe_.reset();
}

void Prober::hurry(Instant by) {
  if (tick_at_ && by < *tick_at_) tick_at_ = by;
}

void Prober::timeout(Instant now) {
  // The end of a probe comes before a tick of the same moment.
  if (probe_ && probe_->direct && probe_->direct_until <= now) ask_others();
  if (probe_ && probe_->until <= now) conclude(now);
  if (!tick_at_ || *tick_at_ > now) return;
  *tick_at_ += core_.config.probe_interval;
  if (*tick_at_ <= now) tick_at_ = now + core_.config.probe_interval;
  if (probe_) {
    due_ = true;
  } else {
    tick(now);
  }
}

void Prober::tick(Instant now) {
  const MemberTable::Turn turn = core_.table.next_turn(core_.rng);
  if (turn.wrapped) membership_.reap(now);
  if (turn.member != nullptr) begin(*turn.member, now);
}

void Prober::begin(const Member& target, Instant now) {
  const Record& record = target.record;
  Probe probe;
  probe.sequence = core_.take_sequence();
  probe.name = record.name;
  probe.to = target.endpoint;
  probe.address = record.address;
  probe.pmax = record.versions[kVersionMax];
  probe.incarnation = record.incarnation;
  probe.until = now + core_.health.scale(core_.config.probe_interval);
  probe.direct_until = std::min(now + core_.config.probe_timeout, probe.until);
  probe_ = std::move(probe);
  wire::PingView ping;
  ping.sequence = probe_->sequence;
  ping.node = record.name;
  if (record.state != RecordState::suspect) return core_.send(target.endpoint, ping);
  wire::PacketParts& buddy = core_.outbox.compose();
  buddy.add(ping);
  buddy.add(accusation_of(record, core_.config.name));
  core_.outbox.post(target.endpoint);
}

void Prober::ask_others() {
  probe_->direct = false;
  const Member* target = core_.table.find(probe_->name);
  const auto relays = core_.table.choose_alive(core_.rng, core_.config.indirect_checks, target);
  for (const Member* relay : relays) {
    wire::IndirectPing request;
    request.sequence = probe_->sequence;
    request.target.assign(probe_->address.begin(), probe_->address.end());
    request.port = probe_->to.port;
    request.node = probe_->name;
    request.nack = relay->record.versions[kVersionMax] >= kSpeaksNack;
    probe_->nacks_expected += request.nack ? 1 : 0;
    core_.send(relay->endpoint, wire::encode(request));
  }
  if (probe_->pmax >= kSpeaksTcpPing)
    streams_.tcp_ping(probe_->to, probe_->name, probe_->sequence, probe_->until);
}

std::string_view Prober::asked_under(std::uint32_t sequence) const {
  const bool direct = probe_ && probe_->direct && probe_->sequence == sequence;
  return direct ? std::string_view(probe_->name) : std::string_view{};
}

bool Prober::on_ack(std::uint32_t sequence, Instant now) {
  if (!probe_ || probe_->sequence != sequence) return false;
  succeed(false, now);
  return true;
}

void Prober::on_nack(std::uint32_t sequence) {
  if (!probe_ || probe_->sequence != sequence || probe_->direct) return;
  probe_->nacks = std::min(probe_->nacks + 1, probe_->nacks_expected);
}

void Prober::on_tcp_ack(std::uint32_t sequence) {
  if (probe_ && probe_->sequence == sequence) probe_->tcp_acked = true;
}

void Prober::on_send_error(const Endpoint& to) {
  if (probe_ && probe_->direct && probe_->to == to) ask_others();
}

void Prober::conclude(Instant now) {
  if (probe_->tcp_acked) return succeed(true, now);
  const unsigned missing = probe_->nacks_expected - probe_->nacks;
  core_.health.worsen(probe_->nacks_expected > 0 ? missing : 1);
  const std::string name = probe_->name;
  const std::uint32_t incarnation = probe_->incarnation;
  membership_.suspect(name, incarnation, now);
  end(now);
}

void Prober::succeed(bool tcp_only, Instant now) {
  core_.health.improve();
  if (Member* member = core_.table.find(probe_->name))
    core_.table.lift(*member, Standing::verified);
  core_.outbox.event(Acked{probe_->name, tcp_only});
  end(now);
}

void Prober::end(Instant now) {
  core_.release_sequence(probe_->sequence);
  probe_.reset();
  if (!due_) return;
  due_ = false;
  tick(now);
}

std::optional<Wakeup> Prober::next() const {
  std::optional<Wakeup> wakeup;
  if (tick_at_) wakeup = Wakeup{*tick_at_, Timer::probe};
  if (probe_) {
    const Instant at = probe_->direct ? probe_->direct_until : probe_->until;
    if (!wakeup || at <= wakeup->at) wakeup = Wakeup{at, Timer::ack_expiry};
  }
  return wakeup;
}

}  // namespace wesher::gossip
