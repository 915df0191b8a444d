// The facade of a gossip node: inputs are handed to the part that they concern, outputs come from
// the outbox and the timers of the parts. The parts: core.h (shared state), membership.h (claims),
// own_member.h (what we say of ourselves), spreader.h (gossip), prober.h and pings.h (failure
// detection), streams.h (push/pull), agreement.h (whether one is needed).
#include "gossip/node.h"

#include <algorithm>
#include <utility>

#include "gossip/agreement.h"
#include "gossip/core.h"
#include "gossip/doubts.h"
#include "gossip/membership.h"
#include "gossip/own_member.h"
#include "gossip/pings.h"
#include "gossip/prober.h"
#include "gossip/spreader.h"
#include "gossip/streams.h"
#include "wire/limits.h"
#include "wire/packet.h"

namespace wesher::gossip {

namespace {

/// Pings answered, or relayed, for one datagram. Go sends one.
constexpr unsigned kPingsPerDatagram = 4;
/// Members that who announces itself relays at most: some 80 KB each time gossip has sent them all.
/// Those that start together with us are few beside that in any cluster that is not all new.
constexpr std::size_t kRelayed = 256;

}  // namespace

struct Node::Impl {
  Impl(Config config, wire::Keyring keyring, Rng rng, Admission* admission, Instant now)
      : core(std::move(config), std::move(keyring), std::move(rng), admission, now),
        spreader(core),
        own(core, spreader),
        doubts(core),
        membership(core, own, doubts),
        agreement(core),
        streams(core, membership, agreement),
        prober(core, membership, streams),
        pings(core) {}

  void packet(const Endpoint& from, ByteView datagram, Instant now);
  [[nodiscard]] bool is_outdated() const;
  [[nodiscard]] std::string answering(const Endpoint& from);
  void claim(const wire::PacketMessageView& message, std::string_view answering, Instant now);
  void request(const Endpoint& from, const wire::PacketMessageView& message, Instant now);
  void relay_known();
  void answer_ping(const Endpoint& from, const wire::PingView& ping);
  void start(Instant now);
  void stop();
  bool settle(Instant now);

  Core core;
  Spreader spreader;
  OwnMember own;
  Doubts doubts;
  Membership membership;
  Agreement agreement;
  Streams streams;
  Prober prober;
  Pings pings;
  wire::PacketViews opened;  ///< the datagram at hand
  unsigned pings_left = 0;   ///< that it may still ask for
  Budget strangers{limits::kDecryptsUnknown};
  Budget repeated{limits::kRefutations};
};

void Node::Impl::packet(const Endpoint& from, ByteView datagram, Instant now) {
  const bool sealed = datagram.size() > wire::kSealOverhead;
  const ByteView nonce = sealed ? datagram.subspan(1, wire::kNonceBytes) : ByteView{};
  if (sealed && core.nonces.seen(nonce)) return;
  // Junk costs its sender more than us; members are always heard.
  if (!core.table.has_address(from.address) && !strangers.take(now, limits::kDecryptsUnknown))
    return;
  wire::view_packet(core.outbox.keyring(), datagram, opened);
  if (!opened.authenticated) return core.outbox.event(Undecryptable{from});
  core.nonces.remember(nonce);
  const std::string himself = answering(from);
  const bool outdated = is_outdated();
  // Claims first: an ack of the same datagram then carries our refutation.
  for (const wire::PacketMessageView& message : opened.messages)
    claim(message, himself, now);
  pings_left = kPingsPerDatagram;
  for (const wire::PacketMessageView& message : opened.messages)
    request(from, message, now);
  // Whoever accused us hears the answer now, not at the next tick.
  const bool answered = own.take_refuted() && pings_left == kPingsPerDatagram;
  if (answered || (outdated && repeated.take(now, limits::kRefutations))) {
    const Bytes alive = own.alive_message();
    core.outbox.send(from, {&alive, 1});
  }
}

/// Whether it takes us for gone by a number that we had before. That needs no refutation, but
/// whoever believes it has not heard of the newer one, and who counts as gone with us would never.
bool Node::Impl::is_outdated() const {
  if (core.phase != Phase::member) return false;
  const auto about_us = [&](const auto* claim) {
    return claim != nullptr && claim->node == core.config.name &&
           claim->incarnation < core.table.self().record.incarnation;
  };
  return std::any_of(opened.messages.begin(), opened.messages.end(), [&](const auto& message) {
    return about_us(std::get_if<wire::Suspect>(&message)) ||
           about_us(std::get_if<wire::Dead>(&message));
  });
}

/// Who has just answered a ping that we sent to it directly, by a number that only the receiver of
/// that ping can know; empty: nobody. What such a datagram says of the sender, the sender says.
std::string Node::Impl::answering(const Endpoint& from) {
  const Member* member = core.table.at(from);
  if (member == nullptr) return {};
  for (const wire::PacketMessageView& message : opened.messages) {
    const auto* ack = std::get_if<wire::AckView>(&message);
    if (ack == nullptr) continue;
    for (const std::string_view asked :
         {prober.asked_under(ack->sequence), doubts.asked_under(ack->sequence),
          pings.asked_under(ack->sequence)}) {
      if (!asked.empty() && asked == member->record.name) return member->record.name;
    }
  }
  return {};
}

void Node::Impl::claim(const wire::PacketMessageView& message,
                       std::string_view answering,
                       Instant now) {
  const auto way = [&](std::string_view subject) {
    return !answering.empty() && subject == answering ? Way::himself : Way::hearsay;
  };
  if (const auto* alive = std::get_if<wire::AliveView>(&message)) {
    membership.hear(*alive, way(alive->node), now);
  } else if (const auto* suspect = std::get_if<wire::Suspect>(&message)) {
    membership.hear(*suspect, Way::hearsay, now);
  } else if (const auto* dead = std::get_if<wire::Dead>(&message)) {
    membership.hear(*dead, way(dead->node), now);
  }
}

void Node::Impl::request(const Endpoint& from,
                         const wire::PacketMessageView& message,
                         Instant now) {
  if (const auto* ping = std::get_if<wire::PingView>(&message)) {
    answer_ping(from, *ping);
  } else if (const auto* indirect = std::get_if<wire::IndirectPing>(&message)) {
    if (pings_left > 0) {
      --pings_left;
      pings.relay(from, *indirect, now);
    }
  } else if (const auto* ack = std::get_if<wire::AckView>(&message)) {
    if (prober.on_ack(ack->sequence, now)) {
      if (agreement.heard(ack->payload, now)) streams.exchange(from, now);
    } else if (!doubts.on_ack(ack->sequence)) {
      pings.on_ack(ack->sequence);
    }
  } else if (const auto* nack = std::get_if<wire::Nack>(&message)) {
    prober.on_nack(nack->sequence);
  }
}

void Node::Impl::answer_ping(const Endpoint& from, const wire::PingView& ping) {
  if (!ping.node.empty() && ping.node != core.config.name) return;
  if (pings_left == 0) return;
  --pings_left;
  const Member* member = core.table.at(from);
  const bool digest = member != nullptr && core.phase == Phase::member;
  wire::PacketParts& parts = core.outbox.compose();
  parts.add(wire::AckView(ping.sequence, digest ? agreement.digest() : ByteView{}));
  // Whoever asks whether we really leave, hears it from us.
  if (core.phase == Phase::gone) parts.add(own.goodbye_message());
  if (member != nullptr && core.announced())
    parts.add(accusation_of(member->record, core.config.name));
  if (parts.count() > 1) return core.outbox.post(from);
  core.outbox.post_with_broadcasts(from, core.queue, core.transmit_limit());
}

void Node::Impl::relay_known() {
  std::size_t relayed = 0;
  core.table.for_each([&](const Member& member) {
    if (&member == &core.table.self() || member.quiet || relayed == kRelayed) return;
    if (member.record.state != RecordState::alive) return;
    core.broadcast(member.record.name, wire::encode(alive_of(member.record)));
    ++relayed;
  });
}

void Node::Impl::start(Instant now) {
  prober.start(now);
  spreader.start(now);
  streams.start(now);
}

void Node::Impl::stop() {
  prober.stop();
  streams.stop();
}

/// The end of every input: what it left to be done.
bool Node::Impl::settle(Instant now) {
  for (const Endpoint& to : std::exchange(core.questions, {}))
    streams.question(to, now);
  own.greet(std::exchange(core.strangers, {}), now);
  if (std::exchange(core.news, false)) agreement.news(now);
  if (agreement.settling()) prober.hurry(now + Agreement::kLook);
  return own.settle(now);
}

Node::Node(Config config, wire::Keyring keyring, Rng rng, Admission* admission, Instant now)
    : impl_(std::make_unique<Impl>(
          std::move(config), std::move(keyring), std::move(rng), admission, now)) {}

Node::~Node() = default;
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;

void Node::handle_packet(const Endpoint& from, ByteView datagram, Instant now) {
  impl_->core.begin_input();
  impl_->packet(from, datagram, now);
  impl_->settle(now);
}

std::optional<Bytes> Node::handle_request(const Endpoint& from, ByteView frame, Instant now) {
  impl_->core.begin_input();
  auto answer = impl_->streams.answer(from, frame, now);
  impl_->settle(now);
  return answer;
}

void Node::handle_reply(StreamId id, ByteView frame, Instant now) {
  impl_->core.begin_input();
  if (const auto sequence = impl_->streams.reply(id, frame, now))
    impl_->prober.on_tcp_ack(*sequence);
  impl_->settle(now);
}

void Node::handle_stream_failed(StreamId id, std::string reason, Instant now) {
  if (reason.empty()) reason = "the stream failed";
  impl_->streams.failed(id, std::move(reason), now);
}

void Node::handle_stream_done(StreamId id, Instant now) {
  impl_->streams.failed(id, "the stream ended without an answer", now);
}

void Node::handle_send_error(const Endpoint& to, Instant /*now*/) {
  impl_->prober.on_send_error(to);
}

void Node::handle_timeout(Instant now) {
  impl_->core.begin_input();
  impl_->membership.timeout(now);
  impl_->pings.timeout(now);
  impl_->prober.timeout(now);
  impl_->streams.timeout(now);
  impl_->own.timeout(now);
  do {
    impl_->spreader.timeout(now);
  } while (impl_->settle(now));
}

void Node::probe_seed(const Endpoint& seed, Instant now) {
  impl_->streams.probe_seed(seed, now);
}

void Node::announce(Instant now, bool relay) {
  if (!impl_->own.announce(now)) return;
  if (relay) impl_->relay_known();
  impl_->start(now);
}

void Node::join(const Endpoint& seed, Instant now) {
  impl_->streams.join(seed, now);
}

void Node::ping(const std::string& name, const Endpoint& to, Instant now) {
  impl_->pings.ping(name, to, now);
}

void Node::update_meta(Bytes meta, Instant now) {
  impl_->own.update_meta(std::move(meta), now);
}

void Node::move_to(Move move, Instant now) {
  impl_->own.move_to(std::move(move), now);
}

void Node::leave(Instant now) {
  impl_->stop();
  impl_->own.leave(now);
}

void Node::extend_incarnations(std::uint32_t end, Instant now) {
  impl_->own.extend(end, now);
}

std::optional<Transmit> Node::poll_transmit() {
  return impl_->core.outbox.poll_transmit();
}

void Node::reuse(Bytes datagram) {
  impl_->core.outbox.reuse(std::move(datagram));
}

std::optional<StreamRequest> Node::poll_stream() {
  return impl_->core.outbox.poll_stream();
}

std::optional<Event> Node::poll_event() {
  return impl_->core.outbox.poll_event();
}

std::optional<Wakeup> Node::poll_timeout() const {
  std::optional<Wakeup> first;
  for (const auto& next :
       {impl_->membership.next(), impl_->pings.next(), impl_->prober.next(), impl_->streams.next(),
        impl_->spreader.next(), impl_->doubts.next(), impl_->own.next()}) {
    if (next && (!first || next->at < first->at)) first = next;
  }
  return first;
}

const Record* Node::find(std::string_view name) const {
  const Member* member = impl_->core.table.find(name);
  return member == nullptr ? nullptr : &member->record;
}

const Record& Node::self() const {
  return impl_->core.table.self().record;
}

std::size_t Node::size() const {
  return impl_->core.table.size();
}

std::size_t Node::live() const {
  return impl_->core.table.live();
}

bool Node::is_member_address(const IpAddress& address) const {
  return impl_->core.table.has_address(address);
}

unsigned Node::health() const {
  return impl_->core.health.score();
}

}  // namespace wesher::gossip
