// Push/pull and TCP pings: streams.h.
#include "gossip/streams.h"

#include <utility>

#include "base/text.h"
#include "wire/stream.h"

namespace wesher::gossip {

namespace {

/// Streams that we keep open at once; far above what seeds, probes and push/pulls need.
constexpr std::size_t kContacts = 1024;

wire::PushPullEntry entry_of(const Record& record) {
  wire::PushPullEntry entry;
  entry.name = record.name;
  entry.address = record.address;
  entry.port = record.port;
  entry.meta = record.meta;
  entry.nil_meta = record.meta.empty();
  entry.incarnation = record.incarnation;
  entry.state = static_cast<std::uint8_t>(record.state);
  entry.versions.assign(record.versions.begin(), record.versions.end());
  return entry;
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

wire::PushPull Streams::table(bool join) const {
  wire::PushPull content;
  content.join = join;
  const Record& self = core_.table.self().record;
  content.entries.reserve(core_.table.size());
  core_.table.for_each([&](const Member& member) {
    const bool told = &member.record == &self ? core_.announced() : !member.quiet;
    if (told) content.entries.push_back(entry_of(member.record));
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

void Streams::push_pull(Purpose purpose,
                        const Endpoint& to,
                        const wire::PushPull& content,
                        Instant now) {
  const Contact contact{purpose, to, now + core_.config.tcp_timeout};
  if (!open(contact, content)) finish(contact, "too many streams are open", 0, now);
}

void Streams::tcp_ping(const Endpoint& to,
                       const std::string& name,
                       std::uint32_t sequence,
                       Instant deadline) {
  open({Purpose::tcp_ping, to, deadline, sequence}, wire::Ping{sequence, name, {}});
}

bool Streams::open(Contact contact, const wire::StreamMessage& message) {
  if (contacts_.size() >= kContacts || contact.to.port == 0) return false;
  auto frame = core_.outbox.frame(message);
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

void Streams::merge(wire::PushPull&& theirs, Way way, std::string_view teller, Instant now) {
  for (wire::PushPullEntry& entry : theirs.entries) {
    const bool himself = !teller.empty() && entry.name == teller;
    membership_.hear(std::move(entry), himself ? Way::himself : way, now);
  }
}

std::optional<Bytes> Streams::answer(const Endpoint& from, ByteView frame, Instant now) {
  // A frame that was here before is a recording: whoever plays it learns nothing.
  const ByteView nonce = wire::frame_nonce(frame);
  if (!nonce.empty() && core_.nonces.seen(nonce)) return std::nullopt;
  std::size_t bad_entries = 0;
  auto request = wire::open_frame(core_.outbox.keyring(), frame, &bad_entries);
  if (!request) {
    if (request.error().code == Errc::not_permitted) core_.outbox.event(Undecryptable{from});
    return std::nullopt;
  }
  core_.nonces.remember(nonce);
  if (const auto* ping = std::get_if<wire::Ping>(&*request)) {
    if (!ping->node.empty() && ping->node != core_.config.name) return std::nullopt;
    return core_.outbox.frame(wire::Ack{ping->sequence, {}, true});
  }
  if (auto* theirs = std::get_if<wire::PushPull>(&*request)) {
    auto ours = core_.outbox.frame(table(theirs->join));
    const bool member = core_.table.has_address(from.address);
    merge(std::move(*theirs), member ? Way::member : Way::hearsay, {}, now);
    return ours;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Streams::reply(StreamId id, ByteView frame, Instant now) {
  const auto contact = take(id);
  if (!contact) return std::nullopt;
  auto message = wire::open_frame(core_.outbox.keyring(), frame);
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
  } else if (auto* theirs = std::get_if<wire::PushPull>(&*message)) {
    const std::size_t members = theirs->entries.size();
    // Who listens there is not known before its table tells: then the table is its own.
    const Member* known = core_.table.at(contact->to);
    const std::string teller = known == nullptr ? std::string{} : known->record.name;
    merge(std::move(*theirs), Way::answer, teller, now);
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
    case Purpose::tcp_ping:
    case Purpose::question:
      return;
  }
}

void Streams::periodic(Instant now) {
  periodic_at_.reset();
  const auto partner = core_.table.choose_alive(core_.rng, 1);
  if (partner.empty()) return finish({}, {}, 0, now);
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
