// The messages of memberlist as values, and their bytes. Format: HashiCorp memberlist v0.1.0 to
// v0.6.0 with go-msgpack, protocol version 2 to 5; every layout here is held to bytes recorded from
// those programs (tests/vectors). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace wesher::wire {

/// First byte of every message.
enum class MessageType : std::uint8_t {
  ping = 0,
  indirect_ping = 1,
  ack = 2,
  suspect = 3,
  alive = 4,
  dead = 5,
  push_pull = 6,
  compound = 7,
  user = 8,
  compress = 9,
  encrypt = 10,
  nack = 11,
  crc = 12,
  error = 13,
  label = 244,
};

/// pmin, pmax, pcur, dmin, dmax, dcur: protocol and delegate protocol versions.
using Versions = std::array<std::uint8_t, 6>;
/// What every Go wesher announces, and so do we. Another delegate part would stop all merges.
inline constexpr Versions kOwnVersions = {1, 5, 2, 0, 0, 0};

/// Whether a version vector may be told to Go nodes: exactly 6 bytes, 1 ≤ pmin ≤ pmax,
/// pmin ≤ pcur ≤ pmax, dmin ≤ 0 ≤ dmax. Through v0.6.0 a shorter one crashes them, a missing or
/// zero one ends every push/pull of the cluster.
[[nodiscard]] bool sane_versions(ByteView versions);

/// The optional source fields of ping and indirect ping (v0.2.0 and later). Absent = reply to the
/// packet's sender.
struct Source {
  Bytes address;  ///< 4 or 16 bytes; empty = field left out
  std::uint16_t port = 0;
  std::string node;

  friend bool operator==(const Source&, const Source&) = default;
};

struct Ping {
  std::uint32_t sequence = 0;
  std::string node;  ///< whom it is for; empty = whoever gets it
  Source source;

  friend bool operator==(const Ping&, const Ping&) = default;
};

struct IndirectPing {
  std::uint32_t sequence = 0;
  Bytes target;            ///< address to ping: 4 or 16 bytes
  std::uint16_t port = 0;  ///< 0 = the receiver's own gossip port
  std::string node;
  bool nack = false;  ///< the requester wants a nack when the target is silent
  Source source;

  friend bool operator==(const IndirectPing&, const IndirectPing&) = default;
};

struct Ack {
  std::uint32_t sequence = 0;
  Bytes payload;
  bool nil_payload = true;  ///< encoded as nil rather than as an empty string

  friend bool operator==(const Ack&, const Ack&) = default;
};

struct Nack {
  std::uint32_t sequence = 0;

  friend bool operator==(const Nack&, const Nack&) = default;
};

struct ErrorReply {
  std::string error;

  friend bool operator==(const ErrorReply&, const ErrorReply&) = default;
};

struct Suspect {
  std::uint32_t incarnation = 0;
  std::string node;
  std::string from;

  friend bool operator==(const Suspect&, const Suspect&) = default;
};

struct Alive {
  std::uint32_t incarnation = 0;
  std::string node;
  Bytes address;  ///< exactly as announced: 4 or 16 bytes
  std::uint16_t port = 0;
  Bytes meta;
  bool nil_meta = false;  ///< an empty meta that was nil on the wire
  Bytes versions;         ///< 6 bytes from every sane sender; kept as received

  friend bool operator==(const Alive&, const Alive&) = default;
};

struct Dead {
  std::uint32_t incarnation = 0;
  std::string node;
  std::string from;  ///< equal to `node`: it left; empty: v0.1.5 and older left

  friend bool operator==(const Dead&, const Dead&) = default;
};

struct User {
  Bytes payload;

  friend bool operator==(const User&, const User&) = default;
};

/// State of an entry of a push/pull.
enum class EntryState : std::uint8_t { alive = 0, suspect = 1, dead = 2, left = 3 };

struct PushPullEntry {
  std::string name;
  Bytes address;
  std::uint16_t port = 0;
  Bytes meta;
  bool nil_meta = false;
  std::uint32_t incarnation = 0;
  std::uint8_t state = 0;  ///< as received; 0–3 are EntryState
  Bytes versions;

  friend bool operator==(const PushPullEntry&, const PushPullEntry&) = default;
};

struct PushPull {
  bool join = false;
  std::vector<PushPullEntry> entries;
  Bytes user_state;

  friend bool operator==(const PushPull&, const PushPull&) = default;
};

/// What an alive message says, as views of whoever holds the bytes.
struct AliveView {
  AliveView() = default;

  /// Views of `alive`, which outlives them.
  AliveView(const Alive& alive)  // NOLINT(google-explicit-constructor): an alive is one of its own
      : incarnation(alive.incarnation),
        node(alive.node),
        address(alive.address),
        port(alive.port),
        meta(alive.meta),
        nil_meta(alive.nil_meta),
        versions(alive.versions) {}

  [[nodiscard]] Alive copy() const;

  std::uint32_t incarnation = 0;
  std::string_view node;
  ByteView address;
  std::uint16_t port = 0;
  ByteView meta;
  bool nil_meta = false;
  ByteView versions;
};

/// An entry of a push/pull, as views of whoever holds the bytes.
struct EntryView {
  AliveView member;
  std::uint8_t state = 0;  ///< as received; 0–3 are EntryState
};

/// A push/pull whose entries stay where they are, in a received plaintext or in a table.
struct PushPullView {
  bool join = false;
  std::vector<EntryView> entries;
  ByteView user_state;
  /// Fields that were not in one piece where they came from; entries point into them.
  std::vector<Bytes> collected;
};

/// An entry that tells what an alive message does.
[[nodiscard]] PushPullEntry entry_of(Alive alive);

/// Ping and ack, as views of whoever holds the bytes.
struct PingView {
  PingView() = default;

  PingView(const Ping& ping)  // NOLINT(google-explicit-constructor): a ping is one of its own
      : sequence(ping.sequence),
        node(ping.node),
        source_address(ping.source.address),
        source_port(ping.source.port),
        source_node(ping.source.node) {}

  [[nodiscard]] Ping copy() const;

  std::uint32_t sequence = 0;
  std::string_view node;
  ByteView source_address;
  std::uint16_t source_port = 0;
  std::string_view source_node;
};

struct AckView {
  AckView() = default;

  AckView(std::uint32_t number, ByteView told)
      : sequence(number), payload(told), nil_payload(told.empty()) {}

  AckView(const Ack& ack)  // NOLINT(google-explicit-constructor): an ack is one of its own
      : sequence(ack.sequence), payload(ack.payload), nil_payload(ack.nil_payload) {}

  [[nodiscard]] Ack copy() const;

  std::uint32_t sequence = 0;
  ByteView payload;
  bool nil_payload = true;
};

/// Everything that may arrive in a datagram, layers removed.
using PacketMessage = std::variant<Ping, IndirectPing, Ack, Nack, Suspect, Alive, Dead, User>;
/// PacketMessage, of which what arrives often is views into the plaintext.
using PacketMessageView =
    std::variant<PingView, IndirectPing, AckView, Nack, Suspect, AliveView, Dead, User>;
/// Everything that may arrive on a stream, layers removed.
using StreamMessage = std::variant<Ping, Ack, PushPull, User, ErrorReply>;

/// StreamMessage, a table as views into the plaintext.
using StreamMessageView = std::variant<Ping, Ack, PushPullView, User, ErrorReply>;

/// The message as Go would send it: type byte, msgpack map with sorted keys, old raw strings,
/// minimal unsigned integers. Empty, which nothing here sends, for what must never be told to a Go
/// node: an Alive without `sane_versions`.
[[nodiscard]] Bytes encode(const PacketMessage& message);
[[nodiscard]] Bytes encode(const AliveView& alive);
/// The same appended to `out`.
void encode_to(Bytes& out, const PingView& ping);
void encode_to(Bytes& out, const AckView& ack);

[[nodiscard]] inline Bytes encode(const Alive& alive) {
  return encode(AliveView(alive));
}

/// Body of a stream frame, before encryption. Entries of a push/pull without `sane_versions` are
/// left out. Empty when a user message is over kUserMessageBytes or a user state over
/// kUserStateBytes.
[[nodiscard]] Bytes encode_stream(const StreamMessage& message);
/// The same of a table that lies elsewhere; into one buffer, sized beforehand.
[[nodiscard]] Bytes encode_stream(const PushPullView& table);
/// The same appended to `out`, with room for `behind` bytes more.
void encode_stream_to(Bytes& out, const PushPullView& table, std::size_t behind = 0);

/// Reads one message of a datagram: no layer types (compound, compress, …) any more. Unknown keys
/// are skipped, missing ones are zero, trailing bytes ignored; everything bounded by limits.h.
[[nodiscard]] Result<PacketMessage> decode(ByteView bytes);
/// The same without copies where the view has none. `collected` gets fields that are not in one
/// piece; `bytes` and it must outlive the view.
[[nodiscard]] Result<PacketMessageView> view(ByteView bytes, std::vector<Bytes>& collected);
/// A message of its own.
[[nodiscard]] PacketMessage owned(PacketMessageView&& message);
/// Reads the plaintext of a stream frame, a compression layer included. An entry of a push/pull
/// that can be passed over but not used (a field over its limit or of another kind) is left out
/// and counted in `bad_entries`; a damaged encoding fails all.
[[nodiscard]] Result<StreamMessage> decode_stream(ByteView bytes,
                                                  std::size_t* bad_entries = nullptr);
/// The same without copies of the entries. Takes the compression layer off `plain` first, which
/// then holds what the views point to: it must outlive them, and may be moved.
[[nodiscard]] Result<StreamMessageView> view_stream(Bytes& plain,
                                                    std::size_t* bad_entries = nullptr);

}  // namespace wesher::wire
