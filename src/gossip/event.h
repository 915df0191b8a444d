// What a gossip node has to say: datagrams, streams to open, events. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/compact.h"
#include "base/ip.h"
#include "base/time.h"
#include "wire/messages.h"

namespace wesher::gossip {

/// State of a record as memberlist has it.
enum class RecordState : std::uint8_t { alive, suspect, dead, left };

/// An address as announced, byte for byte: 4 or 16 of them.
using AddressBytes = InlineBytes<16>;

/// A member's record. The table holds one for ourselves too.
struct Record {
  std::string name;
  AddressBytes address;
  std::uint16_t port = 0;
  PackedBytes meta;
  wire::Versions versions{};
  std::uint32_t incarnation = 0;
  RecordState state = RecordState::dead;
  Instant changed;  ///< when the state was entered
};

/// A datagram to send from the gossip port.
struct Transmit {
  Endpoint to;
  Bytes datagram;
};

/// We are at another address from now on. With `goodbye`, *left* is told for the old one first:
/// memberlist accepts a member from another address only after that.
struct Move {
  Bytes address;  ///< 4 or 16 bytes
  std::uint16_t port = 0;
  std::optional<Bytes> meta;  ///< new metadata that goes with it
  bool goodbye = true;
};

using StreamId = std::uint64_t;

/// A stream to open: connect, write `frame`, read one frame if `wants_reply`, hand it to
/// `handle_reply`; whatever goes wrong goes to `handle_stream_failed`. Over at `deadline`.
struct StreamRequest {
  StreamId id = 0;
  Endpoint to;
  Bytes frame;
  bool wants_reply = true;
  Instant deadline;
};

/// A name that nobody alive had is alive: new, or back from dead or left.
struct Joined {
  Record record;
};

/// An alive member's metadata, address or versions changed.
struct Updated {
  Record record;
};

/// An alive member is suspected, or a suspected one is alive again (`record.state` tells).
struct Suspicion {
  Record record;
};

/// A member's suspicion ran out, or somebody else's did.
struct Failed {
  Record record;
  /// The message named no accuser: memberlist v0.1.5 and older say goodbye like that. A hint only.
  bool maybe_left = false;
};

/// A member said goodbye.
struct Left {
  Record record;
};

/// A dead or left record was dropped from the table. Whoever stores members keeps them.
struct Reaped {
  std::string name;
};

/// A member that was known by hearsay alone made room for another one.
struct Evicted {
  std::string name;
};

/// Somebody announces a known name from another address; it was refused. `name` may be ours.
struct NameConflict {
  std::string name;
  AddressBytes known_address;
  std::uint16_t known_port = 0;
  AddressBytes other_address;
  std::uint16_t other_port = 0;
};

/// The outcome of one address of `join` or `probe_seed`.
struct ContactResult {
  Endpoint to;
  bool ok = false;
  std::string reason;       ///< why not, one clause
  std::size_t members = 0;  ///< entries in the answer
};

/// A member answered our probe, over UDP or only over TCP.
struct Acked {
  std::string name;
  bool tcp_only = false;
};

/// A datagram or a request on a stream could not be decrypted. One event each; the shell counts and
/// limits.
struct Undecryptable {
  Endpoint from;
};

/// A record was refused by the limits or by the admission hook.
struct Refused {
  std::string name;
  std::string reason;
};

/// We were accused and answered with a higher incarnation.
struct Refuted {
  std::uint32_t incarnation = 0;
};

/// Incarnations run low: reserve up to but not including `end` on disk, then call
/// `extend_incarnations(end)`. Until then no number at or above the old end is used.
struct NeedIncarnations {
  std::uint32_t end = 0;
};

/// The own leave was transmitted often enough, or nobody is there to hear it.
struct LeaveSpread {
  std::size_t told = 0;  ///< members it was sent to directly or by gossip
};

using Event = std::variant<Joined,
                           Updated,
                           Suspicion,
                           Failed,
                           Left,
                           Reaped,
                           Evicted,
                           NameConflict,
                           ContactResult,
                           Acked,
                           Undecryptable,
                           Refused,
                           Refuted,
                           NeedIncarnations,
                           LeaveSpread>;

/// Why the node wants to be woken.
enum class Timer : std::uint8_t {
  probe,
  gossip,
  push_pull,
  ack_expiry,
  relay,
  suspicion,
  stream,
  doubt,       ///< a member that was said to be gone is asked
  refutation,  ///< one that was held back
};

struct Wakeup {
  Instant at;
  Timer reason = Timer::probe;
};

/// What stands behind a claim.
enum class Proof : std::uint8_t {
  none,       ///< somebody said it
  confirmed,  ///< the member itself, to us, when it was asked
  silent,     ///< the member does not answer us
};

/// What the admission hook is asked: a change that the table is about to make.
struct Claim {
  std::string_view name;
  RecordState state = RecordState::alive;  ///< the state claimed
  std::uint32_t incarnation = 0;
  ByteView address;  ///< alive only
  std::uint16_t port = 0;
  ByteView meta;
  std::string_view from;  ///< accuser, or the name itself
  Proof proof = Proof::none;
};

enum class Verdict : std::uint8_t {
  accept,
  keep_quiet,       ///< an alive claim is accepted, but told to nobody
  suspect_instead,  ///< a dead or left claim is a suspicion until the member was asked
  ask,              ///< an alive claim about a new name counts if the member itself makes it
  drop,             ///< ignored and not relayed
};

/// Asked before every change of the table; pure and quick. The known record is null for a new name.
class Admission {
 public:
  virtual ~Admission() = default;
  [[nodiscard]] virtual Verdict admit(const Claim& claim, const Record* known, Instant now) = 0;

  /// Whether an alive claim of a known name from another address replaces the record that is there,
  /// which memberlist never does while that is not left. Asked before `admit`.
  [[nodiscard]] virtual bool may_move(const Claim& claim, const Record& known, Instant now) {
    static_cast<void>(claim);
    static_cast<void>(known);
    static_cast<void>(now);
    return false;
  }

  /// A claim of our own name, in any state, in a table that we asked for; its content is unchecked.
  virtual void own_name_heard(const Claim& claim, Instant now) {
    static_cast<void>(claim);
    static_cast<void>(now);
  }

  /// What is told beside a table of ours, to whoever joins or asks read-only (`newcomer`) or to a
  /// member; empty: nothing. At most limits::kUserStateBytes.
  [[nodiscard]] virtual Bytes user_state(bool newcomer) const {
    static_cast<void>(newcomer);
    return {};
  }

  /// What stands for that part of it which all members are to have, in a comparison of tables.
  [[nodiscard]] virtual std::uint64_t user_state_digest() const { return 0; }

  /// What came beside a table.
  virtual void user_state_heard(ByteView state) { static_cast<void>(state); }

  /// Whether a new name is that of a member from before, which no limit on new names concerns.
  [[nodiscard]] virtual bool knows(std::string_view name) const {
    static_cast<void>(name);
    return false;
  }
};

}  // namespace wesher::gossip
