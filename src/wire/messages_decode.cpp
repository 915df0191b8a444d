// Bytes → messages: every form that a Go node may send, unknown keys skipped, each field held to
// its limit before it is copied.
#include <algorithm>
#include <limits>
#include <utility>

#include "wire/compression.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/msgpack.h"
#include "wire/usual_form.h"

namespace wesher::wire {

namespace {

constexpr std::size_t kEntryBytes = 80;    ///< of a push/pull entry without metadata, about
constexpr std::size_t kAddressBytes = 16;  ///< the longer of the two forms of an address

/// A message of views that is being read, and where its fields go that are not in one piece.
template <class View>
struct Reading {
  View view;
  std::vector<Bytes>& collected;

  ByteView bytes(MsgpackReader& reader, std::size_t max, bool* nil = nullptr) {
    Bytes scratch;
    const ByteView bytes = reader.bytes_view(max, scratch, nil);
    if (scratch.empty()) return bytes;
    return collected.emplace_back(std::move(scratch));
  }
};

template <class Unsigned>
void read(MsgpackReader& reader, Unsigned& value) {
  value = static_cast<Unsigned>(reader.integer(std::numeric_limits<Unsigned>::max()));
}

void read_name(MsgpackReader& reader, std::string& name) {
  name = reader.text(limits::kNameBytes);
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

bool read_field(MsgpackReader& reader, std::string_view key, Reading<PingView>& m) {
  if (key == "SeqNo") {
    read(reader, m.view.sequence);
  } else if (key == "Node") {
    m.view.node = reader.text_view(limits::kNameBytes);
  } else if (key == "SourceAddr") {
    m.view.source_address = m.bytes(reader, kAddressBytes);
  } else if (key == "SourceNode") {
    m.view.source_node = reader.text_view(limits::kNameBytes);
  } else if (key == "SourcePort") {
    read(reader, m.view.source_port);
  } else {
    return false;
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

bool read_field(MsgpackReader& reader, std::string_view key, Reading<AckView>& m) {
  if (key == "SeqNo") {
    read(reader, m.view.sequence);
  } else if (key == "Payload") {
    m.view.payload = m.bytes(reader, limits::kUserMessageBytes, &m.view.nil_payload);
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

/// What alive messages and entries have in common but for the key of the name.
bool read_member(MsgpackReader& reader,
                 std::string_view key,
                 std::string_view name_key,
                 Reading<AliveView>& m) {
  if (key == "Incarnation") {
    read(reader, m.view.incarnation);
  } else if (key == "Addr") {
    m.view.address = m.bytes(reader, kAddressBytes);
  } else if (key == name_key) {
    m.view.node = reader.text_view(limits::kNameBytes);
  } else if (key == "Port") {
    read(reader, m.view.port);
  } else if (key == "Meta") {
    m.view.meta = m.bytes(reader, limits::kMetaBytes, &m.view.nil_meta);
  } else if (key == "Vsn") {
    m.view.versions = m.bytes(reader, std::tuple_size_v<Versions>);
  } else {
    return false;
  }
  return true;
}

bool read_field(MsgpackReader& reader, std::string_view key, Reading<AliveView>& m) {
  return read_member(reader, key, "Node", m);
}

/// An entry that is being read.
struct EntryReading {
  Reading<AliveView> member;
  std::uint8_t state = 0;
};

bool read_field(MsgpackReader& reader, std::string_view key, EntryReading& m) {
  if (key != "State") return read_member(reader, key, "Name", m.member);
  read(reader, m.state);
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

template <class View, class Any>
Result<Any> read_view(ByteView body, std::vector<Bytes>& collected, View start = {}) {
  MsgpackReader reader(body);
  Reading<View> reading{start, collected};
  read_fields(reader, reading);
  if (!reader.ok()) return reader.error();
  return Any(reading.view);
}

/// An announcement without a Meta key has a nil one, as Go's decoder leaves it.
AliveView without_meta() {
  AliveView alive;
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
    EntryView& entry = table.entries.emplace_back();
    ByteView rest = reader.rest();
    if (read_usual(rest, entry)) {
      reader = MsgpackReader(rest);
      continue;
    }
    EntryReading reading{{without_meta(), table.collected}};
    const bool usable = read_entry(reader, reading);
    entry = {reading.member.view, reading.state};
    if (usable) continue;
    table.entries.pop_back();
    ++bad;
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

/// A ping or an ack, which hold nothing but their own on streams.
template <class View>
Result<StreamMessageView> read_copy(ByteView body) {
  std::vector<Bytes> collected;
  const auto read = read_view<View, View>(body, collected);
  if (!read) return tl::unexpected(read.error());
  return StreamMessageView(read->copy());
}

/// One stream message without its compression layer.
Result<StreamMessageView> read_stream(ByteView bytes, std::size_t& bad_entries) {
  const ByteView body = bytes.subspan(1);
  switch (static_cast<MessageType>(bytes.front())) {
    case MessageType::ping:
      return read_copy<PingView>(body);
    case MessageType::ack:
      return read_copy<AckView>(body);
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

}  // namespace

Result<PacketMessageView> view(ByteView bytes, std::vector<Bytes>& collected) {
  if (bytes.empty()) return fail(Errc::malformed, "an empty message");
  const ByteView body = bytes.subspan(1);
  AliveView alive;
  switch (static_cast<MessageType>(bytes.front())) {
    case MessageType::ping:
      return read_view<PingView, PacketMessageView>(body, collected);
    case MessageType::indirect_ping:
      return read_message<IndirectPing, PacketMessageView>(body);
    case MessageType::ack:
      return read_view<AckView, PacketMessageView>(body, collected);
    case MessageType::nack:
      return read_message<Nack, PacketMessageView>(body);
    case MessageType::suspect:
      return read_message<Suspect, PacketMessageView>(body);
    case MessageType::alive:
      if (read_usual(body, alive)) return alive;
      return read_view<AliveView, PacketMessageView>(body, collected, without_meta());
    case MessageType::dead:
      return read_message<Dead, PacketMessageView>(body);
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

}  // namespace wesher::wire
