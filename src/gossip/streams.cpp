// Push/pull and TCP pings: streams.h.
#include "gossip/streams.h"

#include <utility>

#include "base/text.h"
#include "wire/stream.h"

namespace wesher::gossip {

namespace {

/// Streams that we keep open at once; far above what seeds, probes and push/pulls need.
constexpr std::size_t kContacts = 1024;

/// Who announces this very endpoint; empty: nobody.
std::string_view name_at(const Endpoint& endpoint, const wire::PushPullView& table) {
  for (const wire::EntryView& entry : table.entries) {
    if (entry.member.port != endpoint.port) continue;
    const auto address = IpAddress::from_bytes(entry.member.address);
    if (address && *address == endpoint.address) return entry.member.node;
  }
  return {};
}

static_assert(static_cast<int>(RecordState::alive) == static_cast<int>(wire::EntryState::alive));
static_assert(static_cast<int>(RecordState::left) == static_cast<int>(wire::EntryState::left));

}  // namespace

void Streams::start(Instant now) {
  running_ = true;
  periodic_at_ = now + core_.rng.below(core_.config.push_pull_interval);
}

void Streams::stop() {
  running_ = false;
  periodic_at_.reset();
}

wire::PushPullView Streams::table(bool join) const {
  wire::PushPullView content;
  content.join = join;
  const Member& self = core_.table.self();
  content.entries.reserve(core_.table.size());
  core_.table.for_each([&](const Member& member) {
    const bool told = &member == &self ? core_.announced() : !member.quiet;
    if (!told) return;
    content.entries.push_back(
        {alive_of(member.record), static_cast<std::uint8_t>(member.record.state)});
  });
  return content;
}

void Streams::probe_seed(const Endpoint& to, Instant now) {
  push_pull(Purpose::probe_seed, to, {}, now);
}

void Streams::question(const Endpoint& to, Instant now) {
  push_pull(Purpose::question, to, {}, now);
}

void Streams::join(const Endpoint& to, Instant now) {
  const Contact contact{Purpose::join, to, now};
  if (core_.phase == Phase::quiet)
    return finish(contact, "this node has not announced itself yet", 0, now);
  if (core_.phase == Phase::gone) return finish(contact, "this node is leaving", 0, now);
  push_pull(Purpose::join, to, table(true), now);
}

void Streams::exchange(const Endpoint& to, Instant now) {
  if (running_ && core_.table.at(to) != nullptr)
    push_pull(Purpose::exchange, to, table(false), now);
}

Bytes Streams::user_state(bool newcomer) const {
  return core_.admission == nullptr ? Bytes{} : core_.admission->user_state(newcomer);
}

void Streams::push_pull(Purpose purpose,
                        const Endpoint& to,
                        wire::PushPullView content,
                        Instant now) {
  Bytes state;
  if (!content.entries.empty()) state = user_state(false);
  content.user_state = state;
  const Contact contact{purpose, to, now + core_.config.tcp_timeout};
  const bool hurried = purpose != Purpose::periodic && purpose != Purpose::exchange;
  const bool opened = has_room(contact) && open(contact, core_.outbox.frame(content, !hurried));
  if (!opened) finish(contact, "too many streams are open", 0, now);
}

void Streams::tcp_ping(const Endpoint& to,
                       const std::string& name,
                       std::uint32_t sequence,
                       Instant deadline) {
  const Contact contact{Purpose::tcp_ping, to, deadline, sequence};
  if (has_room(contact)) open(contact, core_.outbox.frame(wire::Ping{sequence, name, {}}));
}

bool Streams::has_room(const Contact& contact) const {
  return contacts_.size() < kContacts && contact.to.port != 0;
}

bool Streams::open(const Contact& contact, std::optional<Bytes> frame) {
  if (!frame) return false;
  const StreamId id = next_id_++;
  core_.outbox.open_stream({id, contact.to, std::move(*frame), true, contact.deadline});
  deadlines_.emplace(contact.deadline, id);
  contacts_.emplace(id, contact);
  return true;
}

std::optional<Streams::Contact> Streams::take(StreamId id) {
  const auto found = contacts_.find(id);
  if (found == contacts_.end()) return std::nullopt;
  const Contact contact = found->second;
  deadlines_.erase({contact.deadline, id});
  contacts_.erase(found);
  return contact;
}

void Streams::merge(const wire::PushPullView& theirs,
                    Way way,
                    std::string_view teller,
                    Instant now) {
  const std::vector<wire::EntryView>& entries = theirs.entries;
  MemberTable::Ahead ahead(core_.table);
  std::size_t next = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    for (; next < entries.size() && next <= i + MemberTable::Ahead::kNames; ++next)
      ahead.add(entries[next].member.node);
    const bool himself = !teller.empty() && entries[i].member.node == teller;
    membership_.hear(entries[i], himself ? Way::himself : way, now);
  }
}

std::optional<Bytes> Streams::answer(const Endpoint& from, ByteView frame, Instant now) {
  // A frame that was here before is a recording: whoever plays it learns nothing.
  const ByteView nonce = wire::frame_nonce(frame);
  if (!nonce.empty() && core_.nonces.seen(nonce)) return std::nullopt;
  Bytes plain;
  const auto request = wire::view_frame(core_.outbox.keyring(), frame, plain);
  if (!request) {
    if (request.error().code == Errc::not_permitted) core_.outbox.event(Undecryptable{from});
    return std::nullopt;
  }
  core_.nonces.remember(nonce);
  if (const auto* ping = std::get_if<wire::Ping>(&*request)) {
    if (!ping->node.empty() && ping->node != core_.config.name) return std::nullopt;
    return core_.outbox.frame(wire::Ack{ping->sequence, {}, true});
  }
  if (const auto* theirs = std::get_if<wire::PushPullView>(&*request)) {
    wire::PushPullView content = table(theirs->join);
    const bool newcomer = theirs->join || theirs->entries.empty();
    const Bytes state = user_state(newcomer);
    content.user_state = state;
    auto ours = core_.outbox.frame(content, !newcomer);
    const bool member = core_.table.has_address(from.address);
    merge(*theirs, member ? Way::member : Way::hearsay, {}, now);
    if (core_.admission != nullptr) core_.admission->user_state_heard(theirs->user_state);
    return ours;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Streams::reply(StreamId id, ByteView frame, Instant now) {
  const auto contact = take(id);
  if (!contact) return std::nullopt;
  Bytes plain;
  const auto message = wire::view_frame(core_.outbox.keyring(), frame, plain);
  if (contact->purpose == Purpose::tcp_ping) {
    const auto* ack = message ? std::get_if<wire::Ack>(&*message) : nullptr;
    if (ack == nullptr || ack->sequence != contact->sequence) return std::nullopt;
    return ack->sequence;
  }
  if (!message) {
    const bool foreign = message.error().code == Errc::not_permitted;
    finish(*contact,
           foreign ? "the answer is not encrypted with our cluster key" : message.error().detail, 0,
           now);
  } else if (const auto* theirs = std::get_if<wire::PushPullView>(&*message)) {
    const std::size_t members = theirs->entries.size();
    if (core_.admission != nullptr) core_.admission->user_state_heard(theirs->user_state);
    // Who listens there, if we don't know, its own table tells.
    const Member* known = core_.table.at(contact->to);
    const std::string teller(known == nullptr ? name_at(contact->to, *theirs)
                                              : std::string_view(known->record.name));
    merge(*theirs, Way::answer, teller, now);
    if (Member* member = core_.table.at(contact->to)) core_.table.lift(*member, Standing::verified);
    finish(*contact, {}, members, now);
  } else if (const auto* error = std::get_if<wire::ErrorReply>(&*message)) {
    finish(*contact, "it answered with an error: " + printable(error->error), 0, now);
  } else {
    finish(*contact, "the answer is not a table of members", 0, now);
  }
  return std::nullopt;
}

void Streams::failed(StreamId id, std::string reason, Instant now) {
  const auto contact = take(id);
  if (contact) finish(*contact, std::move(reason), 0, now);
}

void Streams::finish(const Contact& contact, std::string reason, std::size_t members, Instant now) {
  switch (contact.purpose) {
    case Purpose::probe_seed:
    case Purpose::join:
      core_.outbox.event(ContactResult{contact.to, reason.empty(), std::move(reason), members});
      return;
    case Purpose::periodic:
      if (running_) {
        periodic_at_ = now + push_pull_period(core_.config.push_pull_interval, core_.table.size());
      }
      return;
    case Purpose::exchange:
    case Purpose::tcp_ping:
    case Purpose::question:
      return;
  }
}

void Streams::periodic(Instant now) {
  periodic_at_.reset();
  const bool agreed = agreement_.take();
  const auto partner = core_.table.choose_alive(core_.rng, 1);
  if (agreed || partner.empty()) return finish({}, {}, 0, now);
  push_pull(Purpose::periodic, partner.front()->endpoint, table(false), now);
}

void Streams::timeout(Instant now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now)
    failed(deadlines_.begin()->second, "no answer in time", now);
  if (periodic_at_ && *periodic_at_ <= now) periodic(now);
}

std::optional<Wakeup> Streams::next() const {
  std::optional<Wakeup> wakeup;
  if (!deadlines_.empty()) wakeup = Wakeup{deadlines_.begin()->first, Timer::stream};
  if (periodic_at_ && (!wakeup || *periodic_at_ < wakeup->at))
    wakeup = Wakeup{*periodic_at_, Timer::push_pull};
  return wakeup;
}

}  // namespace wesher::gossip
