// Messages → bytes, in the profile that every memberlist since v0.1.0 reads: keys in byte order,
// old raw strings, minimal unsigned integers (those of go-msgpack 0.5.5 for signed fields too).
// What crashes or misleads Go nodes has no encoding here.
#include <algorithm>
#include <cstring>

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
constexpr std::size_t kEntryRoom = 80;
constexpr std::size_t kAhead = 8;  ///< entries that are looked ahead while a table is written

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

std::uint8_t source_fields(const PingView& m) {
  return static_cast<std::uint8_t>((m.source_address.empty() ? 0 : 1) +
                                   (m.source_node.empty() ? 0 : 1) + (m.source_port == 0 ? 0 : 1));
}

void put_source(MsgpackWriter& writer, const PingView& m) {
  if (!m.source_address.empty()) put_field(writer, "SourceAddr", m.source_address);
  if (!m.source_node.empty()) put_field(writer, "SourceNode", m.source_node);
  if (m.source_port != 0) put_field(writer, "SourcePort", std::uint64_t{m.source_port});
}

void put(Bytes& out, const PingView& m) {
  put_type(out, MessageType::ping);
  MsgpackWriter writer(out);
  writer.map(static_cast<std::uint8_t>(2 + source_fields(m)));
  put_field(writer, "Node", m.node);
  put_field(writer, "SeqNo", m.sequence);
  put_source(writer, m);
}

void put(Bytes& out, const IndirectPing& m) {
  put_type(out, MessageType::indirect_ping);
  MsgpackWriter writer(out);
  PingView source;
  source.source_address = m.source.address;
  source.source_node = m.source.node;
  source.source_port = m.source.port;
  writer.map(static_cast<std::uint8_t>(5 + source_fields(source)));
  put_flag(writer, "Nack", m.nack);
  put_field(writer, "Node", m.node);
  put_field(writer, "Port", std::uint64_t{m.port});
  put_field(writer, "SeqNo", m.sequence);
  put_source(writer, source);
  put_field(writer, "Target", m.target);
}

void put(Bytes& out, const AckView& m) {
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

/// Writes entries into room that is there already.
class EntryWriter {
 public:
  explicit EntryWriter(std::uint8_t* at) : at_(at) {}

  [[nodiscard]] std::uint8_t* at() const { return at_; }

  void put(const EntryView& entry) {
    const AliveView& m = entry.member;
    same(
        "\x87\xa4"
        "Addr");
    raw(m.address);
    same(
        "\xab"
        "Incarnation");
    number(m.incarnation);
    same(
        "\xa4"
        "Meta");
    if (m.nil_meta && m.meta.empty()) {
      *at_++ = 0xc0;
    } else {
      raw(m.meta);
    }
    same(
        "\xa4"
        "Name");
    raw(as_bytes(m.node));
    same(
        "\xa4"
        "Port");
    number(m.port);
    same(
        "\xa5"
        "State");
    number(entry.state);
    same(
        "\xa3"
        "Vsn");
    raw(m.versions);
  }

 private:
  /// Heads and keys that are always the same.
  template <std::size_t N>
  void same(const char (&text)[N]) {  // NOLINT(modernize-avoid-c-arrays): a literal
    std::memcpy(at_, text, N - 1);
    at_ += N - 1;
  }

  void raw(ByteView bytes) {
    const std::size_t size = bytes.size();
    if (size < 32) {
      *at_++ = static_cast<std::uint8_t>(0xa0U | size);
    } else {
      head(size > 0xffff ? 0xdb : 0xda, size, size > 0xffff ? 4 : 2);
    }
    at_ = std::copy(bytes.begin(), bytes.end(), at_);
  }

  void number(std::uint32_t value) {
    if (value <= 0x7f) {
      *at_++ = static_cast<std::uint8_t>(value);
    } else if (value <= 0xff) {
      head(0xcc, value, 1);
    } else if (value <= 0xffff) {
      head(0xcd, value, 2);
    } else {
      head(0xce, value, 4);
    }
  }

  void head(std::uint8_t type, std::size_t value, unsigned bytes) {
    *at_++ = type;
    for (unsigned left = bytes; left > 0; --left)
      *at_++ = static_cast<std::uint8_t>(value >> 8U * (left - 1));
  }

  std::uint8_t* at_;
};

/// Room that an entry takes at most.
std::size_t room_of(const AliveView& member) {
  return kEntryRoom + member.node.size() + member.address.size() + member.meta.size();
}

/// What the entry `ahead` further on points to will soon be read: a large table is in memory rather
/// than in a cache.
void expect(const std::vector<EntryView>& entries, std::size_t ahead) {
  constexpr std::size_t kLine = 64;
  if (ahead >= entries.size()) return;
  const AliveView& m = entries[ahead].member;
  __builtin_prefetch(m.node.data());
  __builtin_prefetch(m.versions.data());
  for (std::size_t at = 0; at < m.meta.size(); at += kLine)
    __builtin_prefetch(m.meta.data() + at);
}

/// The table with `told` entries in its header; how many there are.
std::size_t put_table(Bytes& out, const PushPullView& m, std::size_t told, std::size_t room) {
  put_type(out, MessageType::push_pull);
  MsgpackWriter writer(out);
  writer.map(3);
  put_flag(writer, "Join", m.join);
  put_field(writer, "Nodes", told);
  put_field(writer, "UserStateLen", m.user_state.size());
  const std::size_t from = out.size();
  out.resize(from + room);
  EntryWriter entries(out.data() + from);
  std::size_t count = 0;
  for (std::size_t i = 0; i < m.entries.size(); ++i) {
    expect(m.entries, i + kAhead);
    if (!sane_versions(m.entries[i].member.versions)) continue;
    entries.put(m.entries[i]);
    ++count;
  }
  out.resize(static_cast<std::size_t>(entries.at() - out.data()));
  out.insert(out.end(), m.user_state.begin(), m.user_state.end());
  return count;
}

void put_stream(Bytes& out, const PushPullView& m, std::size_t behind = 0) {
  if (m.user_state.size() > limits::kUserStateBytes) return;
  std::size_t room = 0;
  for (const EntryView& entry : m.entries)
    room += room_of(entry.member);
  const std::size_t from = out.size();
  out.reserve(from + kTableBytes + room + m.user_state.size() + behind);
  const std::size_t told = put_table(out, m, m.entries.size(), room);
  if (told == m.entries.size()) return;
  // Some were left out, which a table of members does not have: the header says so.
  out.resize(from);
  put_table(out, m, told, room);
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

void encode_to(Bytes& out, const PingView& ping) {
  put(out, ping);
}

void encode_to(Bytes& out, const AckView& ack) {
  put(out, ack);
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

void encode_stream_to(Bytes& out, const PushPullView& table, std::size_t behind) {
  put_stream(out, table, behind);
}

}  // namespace wesher::wire
