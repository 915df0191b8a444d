// The timers of a stock node, its probes, gossip and streams.
#include "tests/sim/support/stock_node.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "wire/stream.h"

namespace wesher::sim {

using namespace std::chrono_literals;
using wire::EntryState;

namespace {

// DefaultWANConfig.
constexpr Duration kProbeInterval = 5s;
constexpr Duration kProbeTimeout = 3s;
constexpr Duration kGossipInterval = 500ms;
constexpr Duration kPushPullInterval = 60s;
constexpr Duration kGossipToTheDead = 60s;
constexpr Duration kTcpTimeout = 30s;
constexpr std::size_t kGossipNodes = 4;
constexpr std::size_t kIndirectChecks = 3;
constexpr unsigned kHealthMax = 7;

constexpr std::size_t kPushPullScale = 32;
constexpr Duration kJoinPauseMax = 60s;

void earlier(std::optional<Instant>& best, const std::optional<Instant>& other) {
  if (other && (!best || *other < *best)) best = other;
}

}  // namespace

Duration stock_push_pull_interval(std::size_t members) {
  if (members <= kPushPullScale) return kPushPullInterval;
  const double doublings = std::ceil(std::log2(static_cast<double>(members)) - 5.0);
  return kPushPullInterval * (static_cast<int>(doublings) + 1);
}

StockNode::StockNode(StockConfig config,
                     const wire::Keyring& ring,
                     Rng rng,
                     std::shared_ptr<const SharedTable> base)
    : config_(std::move(config)), ring_(ring), rng_(std::move(rng)), table_(std::move(base)) {
  if (const StockRecord* self = table_.find(config_.name)) incarnation_ = self->incarnation;
}

void StockNode::start(Instant now) {
  probe_at_ = now + rng_.below(kProbeInterval);
  gossip_at_ = now + rng_.below(kGossipInterval);
  push_pull_at_ = now + rng_.below(kPushPullInterval);
  if (table_.find(config_.name) != nullptr) {
    walk_ = rng_.below(std::uint64_t{table_.size()});
    push_pull_at_ = now + rng_.below(stock_push_pull_interval(table_.size()));
    return;
  }
  ++incarnation_;
  hear(own_alive(), true, now);
  ++incarnation_;
  wire::Alive full = own_alive();
  full.meta = config_.meta;
  full.nil_meta = false;
  hear(full, true, now);
}

void StockNode::join(std::vector<Endpoint> addresses, Instant now) {
  to_join_ = std::move(addresses);
  join_pause_ = 500ms;
  join_at_ = now;
}

void StockNode::leave(Instant now) {
  pass_ticks(now);
  leaving_ = true;
  const bool old = config_.version == StockVersion::v0_1_4;
  hear(wire::Dead{incarnation_, config_.name, old ? std::string() : config_.name}, now);
}

void StockNode::pass_ticks(Instant now) {
  if (!gossip_at_ || !queue_.empty() || *gossip_at_ >= now) return;
  *gossip_at_ += ((now - *gossip_at_) / kGossipInterval + 1) * kGossipInterval;
}

void StockNode::handle_packet(const Endpoint& from, ByteView datagram, Instant now) {
  pass_ticks(now);
  const wire::OpenedPacket opened = wire::open_packet(ring_, datagram);
  for (const wire::PacketMessage& message : opened.messages)
    answer(from, message, now);
}

void StockNode::answer(const Endpoint& from, const wire::PacketMessage& message, Instant now) {
  if (const auto* alive = std::get_if<wire::Alive>(&message)) {
    hear(*alive, false, now);
  } else if (const auto* suspect = std::get_if<wire::Suspect>(&message)) {
    hear(*suspect, now);
    suspicions_end(now);
  } else if (const auto* dead = std::get_if<wire::Dead>(&message)) {
    hear(*dead, now);
  } else if (const auto* ping = std::get_if<wire::Ping>(&message)) {
    if (ping->node.empty() || is_self(ping->node))
      send(from, wire::encode(wire::Ack{ping->sequence, {}, true}));
  } else if (const auto* asked = std::get_if<wire::IndirectPing>(&message)) {
    answer(from, *asked, now);
  } else if (const auto* ack = std::get_if<wire::Ack>(&message)) {
    acked(ack->sequence);
  } else if (const auto* nack = std::get_if<wire::Nack>(&message)) {
    if (probe_ && probe_->sequence == nack->sequence) ++probe_->nacks;
  }
}

void StockNode::answer(const Endpoint& from, const wire::IndirectPing& asked, Instant now) {
  const auto address = IpAddress::from_bytes(asked.target);
  if (!address) return;
  const std::uint32_t sequence = ++sequence_;
  relays_[sequence] = {from, asked.sequence, asked.nack, now + kProbeTimeout};
  send({*address, asked.port == 0 ? config_.port : asked.port},
       wire::encode(wire::Ping{sequence, asked.node, {}}));
}

void StockNode::acked(std::uint32_t sequence) {
  if (probe_ && probe_->sequence == sequence) return end_probe(true, {});
  const auto relay = relays_.find(sequence);
  if (relay == relays_.end()) return;
  send(relay->second.requester, wire::encode(wire::Ack{relay->second.sequence, {}, true}));
  relays_.erase(relay);
}

/// A message of its own, with broadcasts in the room that it leaves.
void StockNode::send(const Endpoint& to, Bytes message) {
  std::vector<Bytes> parts;
  const std::size_t used = message.size() + 2;
  parts.push_back(std::move(message));
  if (!queue_.empty()) {
    for (Bytes& more : queue_.draw(wire::packet_budget(used), limit()))
      parts.push_back(std::move(more));
  }
  seal(to, wire::pack(parts));
}

void StockNode::seal(const Endpoint& to, Bytes plain) {
  transmits_.push_back({to, wire::seal_packet(ring_, plain, rng_)});
}

void StockNode::handle_timeout(Instant now) {
  pass_ticks(now);
  suspicions_end(now);
  for (auto relay = relays_.begin(); relay != relays_.end();) {
    if (relay->second.end > now) {
      ++relay;
      continue;
    }
    const Relay over = relay->second;
    relay = relays_.erase(relay);
    if (over.nack) send(over.requester, wire::encode(wire::Nack{over.sequence}));
  }
  if (probe_ && !probe_->indirect && probe_->ask_others <= now) ask_others(now);
  if (probe_ && probe_->end <= now) {
    end_probe(probe_->tcp_ok, now);
    suspicions_end(now);  // it may have been the last voice that one needed
  }
  if (probe_at_ && *probe_at_ <= now) {
    // A ticker drops ticks that nobody takes; one is kept.
    while (*probe_at_ <= now)
      *probe_at_ += kProbeInterval;
    tick_waits_ = true;
  }
  if (tick_waits_ && !probe_) {
    tick_waits_ = false;
    probe_tick(now);
  }
  if (gossip_at_ && *gossip_at_ <= now) {
    while (*gossip_at_ <= now)
      *gossip_at_ += kGossipInterval;
    gossip_tick(now);
  }
  if (push_pull_at_ && *push_pull_at_ <= now) push_pull_tick(now);
  if (join_at_ && *join_at_ <= now) {
    join_at_.reset();
    for (const Endpoint& to : to_join_) {
      ++joins_open_;
      push_pull(to, Stream::Kind::join);
    }
  }
}

std::optional<Instant> StockNode::poll_timeout() const {
  std::optional<Instant> next = probe_at_;
  // With an empty queue a tick says nothing.
  if (!queue_.empty()) earlier(next, gossip_at_);
  earlier(next, push_pull_at_);
  earlier(next, join_at_);
  if (probe_) earlier(next, probe_->indirect ? probe_->end : probe_->ask_others);
  if (tick_waits_ && !probe_) earlier(next, Instant{});
  for (const auto& [sequence, relay] : relays_)
    earlier(next, relay.end);
  for (const auto& [name, suspicion] : suspicions_)
    earlier(next, suspicion.end());
  return next;
}

void StockNode::probe_tick(Instant now) {
  for (std::size_t looked = 0; looked <= table_.size(); ++looked) {
    if (walk_ >= table_.size()) {
      table_.reap(now - kGossipToTheDead);
      table_.shuffle(rng_);
      walk_ = 0;
      if (table_.size() == 0) return;
    }
    const StockRecord& target = table_.at(walk_++);
    if (is_self(target.name) || target.down()) continue;
    return begin_probe(target, now);
  }
}

void StockNode::begin_probe(const StockRecord& target, Instant now) {
  Probe probe;
  probe.sequence = ++sequence_;
  probe.name = target.name;
  probe.incarnation = target.incarnation;
  probe.endpoint = target.endpoint();
  probe.ask_others = now + kProbeTimeout;
  probe.end = now + kProbeInterval * (health_ + 1);
  const Bytes ping = wire::encode(wire::Ping{probe.sequence, probe.name, {}});
  if (target.state == EntryState::alive) {
    send(probe.endpoint, ping);
  } else {
    const std::vector<Bytes> buddy{
        ping, wire::encode(wire::Suspect{target.incarnation, target.name, config_.name})};
    seal(probe.endpoint, wire::add_crc(wire::pack(buddy)));
  }
  probe_ = std::move(probe);
}

void StockNode::ask_others(Instant now) {
  static_cast<void>(now);
  probe_->indirect = true;
  const auto helpers = random(kIndirectChecks, [&](const StockRecord& each) {
    return each.state == EntryState::alive && each.name != probe_->name;
  });
  const ByteView target = probe_->endpoint.address.bytes();
  for (const StockRecord* helper : helpers) {
    const bool nack = helper->versions[1] >= 4;
    probe_->nacks_expected += nack ? 1 : 0;
    send(helper->endpoint(), wire::encode(wire::IndirectPing{probe_->sequence,
                                                             Bytes(target.begin(), target.end()),
                                                             probe_->endpoint.port,
                                                             probe_->name,
                                                             nack,
                                                             {}}));
  }
  const StockRecord* record = table_.find(probe_->name);
  if (record != nullptr && record->versions[1] >= 3)
    open(probe_->endpoint, {Stream::Kind::ping, probe_->sequence},
         wire::Ping{probe_->sequence, probe_->name, {}});
}

void StockNode::end_probe(bool ok, Instant now) {
  const Probe probe = *std::exchange(probe_, std::nullopt);
  if (ok) {
    health_ -= health_ > 0 ? 1 : 0;
    return;
  }
  const unsigned missing = probe.nacks_expected - std::min(probe.nacks, probe.nacks_expected);
  health_ = std::min(health_ + (probe.nacks_expected > 0 ? missing : 1), kHealthMax);
  hear(wire::Suspect{probe.incarnation, probe.name, config_.name}, now);
}

void StockNode::gossip_tick(Instant now) {
  if (queue_.empty()) return;
  const auto targets = random(kGossipNodes, [&](const StockRecord& each) {
    if (each.state == EntryState::dead) return now - each.changed <= kGossipToTheDead;
    return each.state != EntryState::left;
  });
  for (const StockRecord* target : targets) {
    // The budget of UDPBufferSize 1400 less the compound header and the encryption.
    const std::vector<Bytes> drawn = queue_.draw(wire::packet_budget(0), limit());
    if (drawn.empty()) return;
    const Bytes plain = wire::pack(drawn);
    seal(target->endpoint(), target->versions[1] >= 5 ? wire::add_crc(plain) : plain);
  }
}

/// memberlist's kRandomNodes: tries up to three times as many as there are, without repetition.
template <class Pred>
std::vector<const StockRecord*> StockNode::random(std::size_t count, Pred wanted) {
  std::vector<const StockRecord*> chosen;
  for (std::size_t tries = 0; tries < 3 * table_.size() && chosen.size() < count; ++tries) {
    const StockRecord& each = table_.at(rng_.below(std::uint64_t{table_.size()}));
    if (is_self(each.name) || !wanted(each)) continue;
    if (std::find(chosen.begin(), chosen.end(), &each) == chosen.end()) chosen.push_back(&each);
  }
  return chosen;
}

void StockNode::push_pull_tick(Instant now) {
  push_pull_at_ = now + stock_push_pull_interval(table_.size());
  const auto partner =
      random(1, [](const StockRecord& each) { return each.state == EntryState::alive; });
  if (!partner.empty()) push_pull(partner.front()->endpoint(), Stream::Kind::push_pull);
}

wire::PushPull StockNode::whole_table(bool join) const {
  wire::PushPull content;
  content.join = join;
  content.entries.reserve(table_.size());
  for (std::size_t i = 0; i < table_.size(); ++i) {
    const StockRecord& each = table_.at(i);
    content.entries.push_back({each.name,
                               each.address,
                               each.port,
                               each.meta,
                               each.meta.empty(),
                               each.incarnation,
                               static_cast<std::uint8_t>(each.state),
                               {each.versions.begin(), each.versions.end()}});
  }
  return content;
}

void StockNode::push_pull(const Endpoint& to, Stream::Kind kind) {
  open(to, {kind, 0}, whole_table(kind == Stream::Kind::join));
}

Bytes StockNode::frame_of(const wire::StreamMessage& message) {
  Bytes plain = wire::encode_stream(message);
  if (config_.compress) plain = wire::add_compression(plain);
  return wire::seal_frame(ring_, plain, rng_);
}

void StockNode::open(const Endpoint& to, Stream stream, const wire::StreamMessage& message) {
  const gossip::StreamId id = ++stream_ids_;
  streams_[id] = stream;
  requests_.push_back({id, to, frame_of(message), true, Instant{} + kTcpTimeout});
}

std::optional<Bytes> StockNode::handle_request(ByteView frame, Instant now) {
  pass_ticks(now);
  const auto request = wire::open_frame(ring_, frame);
  if (!request) return std::nullopt;
  if (const auto* ping = std::get_if<wire::Ping>(&*request)) {
    if (!ping->node.empty() && !is_self(ping->node)) return std::nullopt;
    return frame_of(wire::Ack{ping->sequence, {}, true});
  }
  const auto* theirs = std::get_if<wire::PushPull>(&*request);
  if (theirs == nullptr) return std::nullopt;
  Bytes answer = frame_of(whole_table(theirs->join));
  merge(*theirs, now);
  return answer;
}

void StockNode::handle_reply(gossip::StreamId id, ByteView frame, Instant now) {
  pass_ticks(now);
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const Stream stream = found->second;
  const auto reply = wire::open_frame(ring_, frame);
  if (!reply) return handle_stream_failed(id, now);
  streams_.erase(found);
  if (const auto* theirs = std::get_if<wire::PushPull>(&*reply)) merge(*theirs, now);
  if (stream.kind == Stream::Kind::join) {
    --joins_open_;
    to_join_.clear();
  }
  const auto* ack = std::get_if<wire::Ack>(&*reply);
  if (ack != nullptr && probe_ && probe_->sequence == stream.sequence) probe_->tcp_ok = true;
}

void StockNode::handle_stream_failed(gossip::StreamId id, Instant now) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const bool join = found->second.kind == Stream::Kind::join;
  streams_.erase(found);
  if (join) join_failed(now);
}

void StockNode::join_failed(Instant now) {
  if (--joins_open_ > 0 || to_join_.empty()) return;
  join_at_ = now + join_pause_;
  join_pause_ = std::min(join_pause_ * 2, kJoinPauseMax);
}

std::optional<gossip::Transmit> StockNode::poll_transmit() {
  if (transmits_.empty()) return std::nullopt;
  gossip::Transmit next = std::move(transmits_.front());
  transmits_.pop_front();
  return next;
}

std::optional<gossip::StreamRequest> StockNode::poll_stream() {
  if (requests_.empty()) return std::nullopt;
  gossip::StreamRequest next = std::move(requests_.front());
  requests_.pop_front();
  return next;
}

}  // namespace wesher::sim
