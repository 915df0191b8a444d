// Messages → bytes, in the profile that every memberlist since v0.1.0 reads: keys in byte order,
// old raw strings, minimal unsigned integers (those of go-msgpack 0.5.5 for signed fields too).
// What crashes or misleads Go nodes has no encoding here.
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/msgpack.h"

namespace wesher::wire {

namespace {

/// Room for a typical message of a datagram, so that it is written without growing.
constexpr std::size_t kTypicalBytes = 256;
/// The most that a table takes beside its entries and the user state, and an entry beside its name,
/// address and metadata: keys, heads, numbers, versions.
constexpr std::size_t kTableBytes = 64;
constexpr std::size_t kEntryBytes = 80;

void put_type(Bytes& out, MessageType type) {
  out.push_back(static_cast<std::uint8_t>(type));
}

void put_field(MsgpackWriter& writer, std::string_view key, std::string_view value) {
  writer.text(key);
  writer.text(value);
}

void put_field(MsgpackWriter& writer, std::string_view key, ByteView value) {
  writer.text(key);
  writer.raw(value);
}

void put_field(MsgpackWriter& writer, std::string_view key, std::uint64_t value) {
  writer.text(key);
  writer.integer(value);
}

void put_flag(MsgpackWriter& writer, std::string_view key, bool value) {
  writer.text(key);
  writer.boolean(value);
}

void put_nilable(MsgpackWriter& writer, std::string_view key, ByteView value, bool nil) {
  writer.text(key);
  if (nil && value.empty()) {
    writer.nil();
  } else {
    writer.raw(value);
  }
}

std::uint8_t source_fields(const Source& source) {
  return static_cast<std::uint8_t>((source.address.empty() ? 0 : 1) +
                                   (source.node.empty() ? 0 : 1) + (source.port == 0 ? 0 : 1));
}

void put_source(MsgpackWriter& writer, const Source& source) {
  if (!source.address.empty()) put_field(writer, "SourceAddr", source.address);
  if (!source.node.empty()) put_field(writer, "SourceNode", source.node);
  if (source.port != 0) put_field(writer, "SourcePort", std::uint64_t{source.port});
}

void put(Bytes& out, const Ping& m) {
  put_type(out, MessageType::ping);
  MsgpackWriter writer(out);
  writer.map(static_cast<std::uint8_t>(2 + source_fields(m.source)));
  put_field(writer, "Node", m.node);
  put_field(writer, "SeqNo", m.sequence);
  put_source(writer, m.source);
}

void put(Bytes& out, const IndirectPing& m) {
  put_type(out, MessageType::indirect_ping);
  MsgpackWriter writer(out);
  writer.map(static_cast<std::uint8_t>(5 + source_fields(m.source)));
  put_flag(writer, "Nack", m.nack);
  put_field(writer, "Node", m.node);
  put_field(writer, "Port", std::uint64_t{m.port});
  put_field(writer, "SeqNo", m.sequence);
  put_source(writer, m.source);
  put_field(writer, "Target", m.target);
}

void put(Bytes& out, const Ack& m) {
  put_type(out, MessageType::ack);
  MsgpackWriter writer(out);
  writer.map(2);
  put_nilable(writer, "Payload", m.payload, m.nil_payload);
  put_field(writer, "SeqNo", m.sequence);
}

void put(Bytes& out, const Nack& m) {
  put_type(out, MessageType::nack);
  MsgpackWriter writer(out);
  writer.map(1);
  put_field(writer, "SeqNo", m.sequence);
}

void put(Bytes& out, const ErrorReply& m) {
  put_type(out, MessageType::error);
  MsgpackWriter writer(out);
  writer.map(1);
  put_field(writer, "Error", m.error);
}

/// Suspect and dead: the same fields.
template <class Accusation>
void put_accusation(Bytes& out, MessageType type, const Accusation& m) {
  put_type(out, type);
  MsgpackWriter writer(out);
  writer.map(3);
  put_field(writer, "From", m.from);
  put_field(writer, "Incarnation", m.incarnation);
  put_field(writer, "Node", m.node);
}

void put(Bytes& out, const Suspect& m) {
  put_accusation(out, MessageType::suspect, m);
}

void put(Bytes& out, const Dead& m) {
  put_accusation(out, MessageType::dead, m);
}

void put(Bytes& out, const AliveView& m) {
  if (!sane_versions(m.versions)) return;
  put_type(out, MessageType::alive);
  MsgpackWriter writer(out);
  writer.map(6);
  put_field(writer, "Addr", m.address);
  put_field(writer, "Incarnation", m.incarnation);
  put_nilable(writer, "Meta", m.meta, m.nil_meta);
  put_field(writer, "Node", m.node);
  put_field(writer, "Port", std::uint64_t{m.port});
  put_field(writer, "Vsn", m.versions);
}

/// A user message of a datagram; on a stream it has a header.
void put(Bytes& out, const User& m) {
  put_type(out, MessageType::user);
  out.insert(out.end(), m.payload.begin(), m.payload.end());
}

void put_stream(Bytes& out, const User& m) {
  if (m.payload.size() > limits::kUserMessageBytes) return;
  put_type(out, MessageType::user);
  MsgpackWriter writer(out);
  writer.map(1);
  put_field(writer, "UserMsgLen", m.payload.size());
  out.insert(out.end(), m.payload.begin(), m.payload.end());
}

void put_entry(MsgpackWriter& writer, const EntryView& entry) {
  const AliveView& m = entry.member;
  writer.map(7);
  put_field(writer, "Addr", m.address);
  put_field(writer, "Incarnation", m.incarnation);
  put_nilable(writer, "Meta", m.meta, m.nil_meta);
  put_field(writer, "Name", m.node);
  put_field(writer, "Port", std::uint64_t{m.port});
  put_field(writer, "State", std::uint64_t{entry.state});
  put_field(writer, "Vsn", m.versions);
}

void put_stream(Bytes& out, const PushPullView& m) {
  if (m.user_state.size() > limits::kUserStateBytes) return;
  std::size_t told = 0;
  std::size_t size = kTableBytes + m.user_state.size();
  for (const EntryView& entry : m.entries) {
    const AliveView& member = entry.member;
    told += sane_versions(member.versions) ? 1U : 0U;
    size += kEntryBytes + member.node.size() + member.address.size() + member.meta.size();
  }
  out.reserve(size);
  put_type(out, MessageType::push_pull);
  MsgpackWriter writer(out);
  writer.map(3);
  put_flag(writer, "Join", m.join);
  put_field(writer, "Nodes", told);
  put_field(writer, "UserStateLen", m.user_state.size());
  for (const EntryView& entry : m.entries) {
    if (sane_versions(entry.member.versions)) put_entry(writer, entry);
  }
  out.insert(out.end(), m.user_state.begin(), m.user_state.end());
}

void put_stream(Bytes& out, const PushPull& m) {
  PushPullView view;
  view.join = m.join;
  view.user_state = m.user_state;
  view.entries.reserve(m.entries.size());
  for (const PushPullEntry& entry : m.entries) {
    EntryView& v = view.entries.emplace_back();
    v.member.incarnation = entry.incarnation;
    v.member.node = entry.name;
    v.member.address = entry.address;
    v.member.port = entry.port;
    v.member.meta = entry.meta;
    v.member.nil_meta = entry.nil_meta;
    v.member.versions = entry.versions;
    v.state = entry.state;
  }
  put_stream(out, view);
}

/// The other stream messages look as they do in datagrams.
template <class Message>
void put_stream(Bytes& out, const Message& m) {
  put(out, m);
}

}  // namespace

bool sane_versions(ByteView versions) {
  if (versions.size() != std::tuple_size_v<Versions>) return false;
  const unsigned lowest = versions[0];
  const unsigned highest = versions[1];
  const unsigned current = versions[2];
  return lowest >= 1 && lowest <= current && current <= highest && versions[3] == 0;
}

Bytes encode(const PacketMessage& message) {
  Bytes out;
  out.reserve(kTypicalBytes);
  std::visit([&out](const auto& m) { put(out, m); }, message);
  return out;
}

Bytes encode(const AliveView& alive) {
  Bytes out;
  out.reserve(kTypicalBytes);
  put(out, alive);
  return out;
}

Bytes encode_stream(const StreamMessage& message) {
  Bytes out;
  std::visit([&out](const auto& m) { put_stream(out, m); }, message);
  return out;
}

Bytes encode_stream(const PushPullView& table) {
  Bytes out;
  put_stream(out, table);
  return out;
}

}  // namespace wesher::wire
