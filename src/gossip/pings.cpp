// Relayed and single pings: pings.h.
#include "gossip/pings.h"

#include <algorithm>
#include <vector>

namespace wesher::gossip {

namespace {

/// Pings under way at once. A cluster of 16,384 members asks one node for some 10 a second even
/// when every probe fails; entries live for the probe timeout.
constexpr std::size_t kWaitingMax = 1024;

}  // namespace

std::uint32_t Pings::wait(Waiting waiting, Instant wake) {
  const std::uint32_t sequence = core_.take_sequence();
  wakes_.emplace(wake, sequence);
  waiting_.emplace(sequence, std::move(waiting));
  return sequence;
}

void Pings::ping(const std::string& name, const Endpoint& to, Instant now) {
  if (waiting_.size() >= kWaitingMax || !valid_name(name)) return;
  const Instant until = now + core_.config.probe_timeout;
  const std::uint32_t sequence = wait({name, std::nullopt, until}, until);
  std::vector<Bytes> messages{wire::encode(wire::Ping{sequence, name, {}})};
  const Member* member = core_.table.find(name);
  if (member != nullptr && core_.announced()) {
    Bytes accusation = accusation_of(member->record, core_.config.name);
    if (!accusation.empty()) messages.push_back(std::move(accusation));
  }
  core_.outbox.send(to, messages);
}

void Pings::relay(const Endpoint& from, const wire::IndirectPing& request, Instant now) {
  if (waiting_.size() >= kWaitingMax || !relays_.take(now, limits::kRelays)) return;
  if (!request.node.empty() && !valid_name(request.node)) return;
  const auto address = IpAddress::from_bytes(request.target);
  if (!address) return;
  const Endpoint target{*address, request.port == 0 ? core_.config.port : request.port};
  if (core_.table.at(target) == nullptr) {
    // We ping for nobody but members. The requester learns at once that we live.
    if (request.nack) send_nack(from, request.sequence);
    return;
  }
  const Instant until = now + core_.config.probe_timeout;
  const Instant nack_at = std::min(now + core_.config.relay_nack_after, until);
  const Requester requester{from, request.sequence, request.nack};
  const std::uint32_t sequence =
      wait({request.node, requester, until}, request.nack ? nack_at : until);
  core_.send(target, wire::Ping{sequence, request.node, {}});
}

std::string_view Pings::asked_under(std::uint32_t sequence) const {
  const auto found = waiting_.find(sequence);
  const bool ours = found != waiting_.end() && !found->second.requester;
  return ours ? std::string_view(found->second.name) : std::string_view{};
}

void Pings::on_ack(std::uint32_t sequence) {
  const auto found = waiting_.find(sequence);
  if (found == waiting_.end()) return;
  const Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  core_.release_sequence(sequence);
  if (waiting.requester) {
    core_.send(waiting.requester->endpoint, wire::AckView(waiting.requester->sequence, {}));
    return;
  }
  if (Member* member = core_.table.find(waiting.name))
    core_.table.lift(*member, Standing::verified);
  core_.outbox.event(Acked{waiting.name, false});
}

void Pings::send_nack(const Endpoint& to, std::uint32_t sequence) {
  core_.send(to, wire::encode(wire::Nack{sequence}));
}

void Pings::timeout(Instant now) {
  while (!wakes_.empty() && wakes_.begin()->first <= now) {
    const std::uint32_t sequence = wakes_.begin()->second;
    wakes_.erase(wakes_.begin());
    const auto found = waiting_.find(sequence);
    if (found == waiting_.end()) continue;
    Waiting& waiting = found->second;
    if (waiting.requester && waiting.requester->nack) {
      waiting.requester->nack = false;
      send_nack(waiting.requester->endpoint, waiting.requester->sequence);
    }
    if (waiting.until > now) {
      wakes_.emplace(waiting.until, sequence);
      continue;
    }
    waiting_.erase(found);
    core_.release_sequence(sequence);
  }
}

std::optional<Wakeup> Pings::next() const {
  if (wakes_.empty()) return std::nullopt;
  return Wakeup{wakes_.begin()->first, Timer::relay};
}

}  // namespace wesher::gossip
