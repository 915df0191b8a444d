// Bytes → messages: every form that a Go node may send, unknown keys skipped, each field held to
// its limit before it is copied.
#include <algorithm>
#include <limits>
#include <utility>

#include "wire/compression.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/msgpack.h"

namespace wesher::wire {

namespace {

constexpr std::size_t kEntryBytes = 80;    ///< of a push/pull entry without metadata, about
constexpr std::size_t kAddressBytes = 16;  ///< the longer of the two forms of an address

template <class Unsigned>
void read(MsgpackReader& reader, Unsigned& value) {
  value = static_cast<Unsigned>(reader.integer(std::numeric_limits<Unsigned>::max()));
}

void read_name(MsgpackReader& reader, std::string& name) {
  name = reader.text(limits::kNameBytes);
}

/// Reads a byte field whose nil form is kept apart from its empty form.
void read_nilable(MsgpackReader& reader, Bytes& value, bool& nil, std::size_t max) {
  value = reader.bytes(max, &nil);
}

bool read_field(MsgpackReader& reader, std::string_view key, Source& m) {
  if (key == "SourceAddr") {
    m.address = reader.bytes(kAddressBytes);
  } else if (key == "SourceNode") {
    read_name(reader, m.node);
  } else if (key == "SourcePort") {
    read(reader, m.port);
  } else {
    return false;
  }
  return true;
}

bool read_field(MsgpackReader& reader, std::string_view key, Ping& m) {
  if (key == "SeqNo") {
    read(reader, m.sequence);
  } else if (key == "Node") {
    read_name(reader, m.node);
  } else {
    return read_field(reader, key, m.source);
  }
  return true;
}

bool read_field(MsgpackReader& reader, std::string_view key, IndirectPing& m) {
  if (key == "SeqNo") {
    read(reader, m.sequence);
  } else if (key == "Target") {
    m.target = reader.bytes(kAddressBytes);
  } else if (key == "Port") {
    read(reader, m.port);
  } else if (key == "Node") {
    read_name(reader, m.node);
  } else if (key == "Nack") {
    m.nack = reader.boolean();
  } else {
    return read_field(reader, key, m.source);
  }
  return true;
}

bool read_field(MsgpackReader& reader, std::string_view key, Ack& m) {
  if (key == "SeqNo") {
    read(reader, m.sequence);
  } else if (key == "Payload") {
    read_nilable(reader, m.payload, m.nil_payload, limits::kUserMessageBytes);
  } else {
    return false;
  }
  return true;
}

bool read_field(MsgpackReader& reader, std::string_view key, Nack& m) {
  if (key != "SeqNo") return false;
  read(reader, m.sequence);
  return true;
}

bool read_field(MsgpackReader& reader, std::string_view key, ErrorReply& m) {
  if (key != "Error") return false;
  m.error = reader.text(limits::kUserMessageBytes);
  return true;
}

/// Suspect and dead: the same fields.
template <class Accusation>
bool read_accusation(MsgpackReader& reader, std::string_view key, Accusation& m) {
  if (key == "Incarnation") {
    read(reader, m.incarnation);
  } else if (key == "Node") {
    read_name(reader, m.node);
  } else if (key == "From") {
    read_name(reader, m.from);
  } else {
    return false;
  }
  return true;
}

bool read_field(MsgpackReader& reader, std::string_view key, Suspect& m) {
  return read_accusation(reader, key, m);
}

bool read_field(MsgpackReader& reader, std::string_view key, Dead& m) {
  return read_accusation(reader, key, m);
}

bool read_field(MsgpackReader& reader, std::string_view key, Alive& m) {
  if (key == "Incarnation") {
    read(reader, m.incarnation);
  } else if (key == "Addr") {
    m.address = reader.bytes(kAddressBytes);
  } else if (key == "Node") {
    read_name(reader, m.node);
  } else if (key == "Port") {
    read(reader, m.port);
  } else if (key == "Meta") {
    read_nilable(reader, m.meta, m.nil_meta, limits::kMetaBytes);
  } else if (key == "Vsn") {
    m.versions = reader.bytes(std::tuple_size_v<Versions>);
  } else {
    return false;
  }
  return true;
}

/// An entry that is being read, and where its fields go that are not in one piece.
struct EntryReading {
  EntryView entry;
  std::vector<Bytes>& collected;
};

ByteView read_view(MsgpackReader& reader, EntryReading& m, std::size_t max, bool* nil = nullptr) {
  Bytes scratch;
  const ByteView view = reader.bytes_view(max, scratch, nil);
  if (scratch.empty()) return view;
  return m.collected.emplace_back(std::move(scratch));
}

bool read_field(MsgpackReader& reader, std::string_view key, EntryReading& m) {
  AliveView& member = m.entry.member;
  if (key == "Addr") {
    member.address = read_view(reader, m, kAddressBytes);
  } else if (key == "Incarnation") {
    read(reader, member.incarnation);
  } else if (key == "Meta") {
    member.meta = read_view(reader, m, limits::kMetaBytes, &member.nil_meta);
  } else if (key == "Name") {
    member.node = reader.text_view(limits::kNameBytes);
  } else if (key == "Port") {
    read(reader, member.port);
  } else if (key == "State") {
    read(reader, m.entry.state);
  } else if (key == "Vsn") {
    member.versions = read_view(reader, m, std::tuple_size_v<Versions>);
  } else {
    return false;
  }
  return true;
}

struct PushPullHeader {
  bool join = false;
  std::uint32_t nodes = 0;
  std::uint32_t user_state = 0;
};

bool read_field(MsgpackReader& reader, std::string_view key, PushPullHeader& m) {
  if (key == "Join") {
    m.join = reader.boolean();
  } else if (key == "Nodes") {
    m.nodes = static_cast<std::uint32_t>(reader.integer(limits::kMembers));
  } else if (key == "UserStateLen") {
    m.user_state = static_cast<std::uint32_t>(reader.integer(limits::kUserStateBytes));
  } else {
    return false;
  }
  return true;
}

struct UserHeader {
  std::uint32_t length = 0;
};

bool read_field(MsgpackReader& reader, std::string_view key, UserHeader& m) {
  if (key != "UserMsgLen") return false;
  m.length = static_cast<std::uint32_t>(reader.integer(limits::kUserMessageBytes));
  return true;
}

template <class Message>
void read_fields(MsgpackReader& reader, Message& m) {
  reader.next_message();
  for (std::size_t pairs = reader.map(); pairs > 0 && reader.ok(); --pairs) {
    const std::string_view key = reader.key();
    if (!read_field(reader, key, m)) reader.skip();
  }
}

template <class Message, class Any>
Result<Any> read_message(ByteView body, Message m = {}) {
  MsgpackReader reader(body);
  read_fields(reader, m);
  if (!reader.ok()) return reader.error();
  return Any(std::move(m));
}

/// An announcement without a Meta key has a nil one, as Go's decoder leaves it.
Alive without_meta() {
  Alive alive;
  alive.nil_meta = true;
  return alive;
}

/// Reads the next entry of a push/pull; false for one that was passed over. A damaged encoding
/// shows in the reader.
bool read_entry(MsgpackReader& reader, EntryReading& entry) {
  MsgpackReader attempt = reader;
  read_fields(attempt, entry);
  if (attempt.ok()) {
    reader = attempt;
    return true;
  }
  reader.next_message();
  reader.skip();
  return false;
}

Result<StreamMessageView> read_push_pull(ByteView body, std::size_t& bad_entries) {
  MsgpackReader reader(body);
  PushPullHeader header;
  read_fields(reader, header);
  PushPullView table;
  table.join = header.join;
  // Room by what is there, not by what is announced; typical tables fit without a move.
  table.entries.reserve(std::min<std::size_t>(header.nodes, reader.rest().size() / kEntryBytes));
  std::size_t bad = 0;
  for (std::uint32_t i = 0; i < header.nodes && reader.ok(); ++i) {
    EntryReading reading{{}, table.collected};
    reading.entry.member.nil_meta = true;
    if (read_entry(reader, reading)) {
      table.entries.push_back(reading.entry);
    } else {
      ++bad;
    }
  }
  if (!reader.ok()) return reader.error();
  if (header.user_state > reader.rest().size())
    return fail(Errc::malformed, "the user state of a push/pull is cut off");
  table.user_state = reader.rest().first(header.user_state);
  bad_entries = bad;
  return StreamMessageView(std::move(table));
}

Result<StreamMessageView> read_stream_user(ByteView body) {
  MsgpackReader reader(body);
  UserHeader header;
  read_fields(reader, header);
  if (!reader.ok()) return reader.error();
  if (header.length > reader.rest().size())
    return fail(Errc::malformed, "a user message is cut off");
  const ByteView payload = reader.rest().first(header.length);
  return User{{payload.begin(), payload.end()}};
}

/// One stream message without its compression layer.
Result<StreamMessageView> read_stream(ByteView bytes, std::size_t& bad_entries) {
  const ByteView body = bytes.subspan(1);
  switch (static_cast<MessageType>(bytes.front())) {
    case MessageType::ping:
      return read_message<Ping, StreamMessageView>(body);
    case MessageType::ack:
      return read_message<Ack, StreamMessageView>(body);
    case MessageType::push_pull:
      return read_push_pull(body, bad_entries);
    case MessageType::user:
      return read_stream_user(body);
    case MessageType::error:
      return read_message<ErrorReply, StreamMessageView>(body);
    default:
      return fail(Errc::unsupported, "a message type that does not belong on a stream");
  }
}

PushPullEntry owned(const EntryView& entry) {
  PushPullEntry copy = entry_of(entry.member.copy());
  copy.state = entry.state;
  return copy;
}

StreamMessage owned(PushPullView&& table) {
  PushPull copy;
  copy.join = table.join;
  copy.entries.reserve(table.entries.size());
  for (const EntryView& entry : table.entries)
    copy.entries.push_back(owned(entry));
  copy.user_state.assign(table.user_state.begin(), table.user_state.end());
  return copy;
}

/// The other messages hold nothing but their own.
template <class Message>
StreamMessage owned(Message&& message) {
  return std::forward<Message>(message);
}

}  // namespace

Alive AliveView::copy() const {
  return {incarnation,
          std::string(node),
          {address.begin(), address.end()},
          port,
          {meta.begin(), meta.end()},
          nil_meta,
          {versions.begin(), versions.end()}};
}

PushPullEntry entry_of(Alive alive) {
  return {std::move(alive.node), std::move(alive.address), alive.port, std::move(alive.meta),
          alive.nil_meta,        alive.incarnation,        0,          std::move(alive.versions)};
}

Result<PacketMessage> decode(ByteView bytes) {
  if (bytes.empty()) return fail(Errc::malformed, "an empty message");
  const ByteView body = bytes.subspan(1);
  switch (static_cast<MessageType>(bytes.front())) {
    case MessageType::ping:
      return read_message<Ping, PacketMessage>(body);
    case MessageType::indirect_ping:
      return read_message<IndirectPing, PacketMessage>(body);
    case MessageType::ack:
      return read_message<Ack, PacketMessage>(body);
    case MessageType::nack:
      return read_message<Nack, PacketMessage>(body);
    case MessageType::suspect:
      return read_message<Suspect, PacketMessage>(body);
    case MessageType::alive:
      return read_message<Alive, PacketMessage>(body, without_meta());
    case MessageType::dead:
      return read_message<Dead, PacketMessage>(body);
    case MessageType::user:
      if (body.size() > limits::kUserMessageBytes)
        return fail(Errc::too_large, "a user message is longer than is accepted");
      return User{{body.begin(), body.end()}};
    default:
      return fail(Errc::unsupported, "a message type that does not belong in a datagram");
  }
}

Result<StreamMessageView> view_stream(Bytes& plain, std::size_t* bad_entries) {
  std::size_t bad = 0;
  if (bad_entries == nullptr) bad_entries = &bad;
  *bad_entries = 0;
  if (plain.empty()) return fail(Errc::malformed, "an empty stream message");
  if (static_cast<MessageType>(plain.front()) == MessageType::compress) {
    auto packed = decompress_body(ByteView(plain).subspan(1), limits::kFramePlainBytes);
    if (!packed) return tl::unexpected(packed.error());
    plain = std::move(*packed);
  }
  return read_stream(plain, *bad_entries);
}

Result<StreamMessage> decode_stream(ByteView bytes, std::size_t* bad_entries) {
  Bytes plain(bytes.begin(), bytes.end());
  auto message = view_stream(plain, bad_entries);
  if (!message) return tl::unexpected(message.error());
  return std::visit([](auto& m) { return owned(std::move(m)); }, *message);
}

}  // namespace wesher::wire
