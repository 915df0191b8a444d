// What the mesh tells the rest of the program: facts for the database, notices for people, and the
// few things that it asks for. Plain values, in order; draining them is the only way out of mesh/.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/ip.h"
#include "base/time.h"
#include "model/member.h"

namespace wesher::mesh {

/// A member's row as it is from now on. `why` is the transition for history ("joined through db2",
/// "no answer for 30s"); empty = nothing that belongs into history (e.g. an incarnation).
struct MemberChanged {
  Member member;
  std::string why;
};

/// A member's row is to be deleted: its retention is over.
struct MemberForgotten {
  std::string name;
  std::string why;
};

enum class Severity : std::uint8_t { debug, info, warning, lifecycle };

/// A line for the log. `lifecycle` is shown at every level. `group` names the kind of line for rate
/// limits; `text` is safe to print.
struct Notice {
  Severity severity = Severity::info;
  std::string group;
  std::string text;
};

/// How contact with a seed went, for `status`. One row per seed address.
struct SeedHealth {
  Endpoint seed;
  bool ok = false;
  std::string detail;       ///< "connected, no answer (another cluster key?)"
  std::uint64_t tries = 0;  ///< in a row, without success
  WallTime since{};         ///< of the first of those tries
};

/// Packets from a source could not be decrypted.
struct ForeignPackets {
  IpAddress source;
  std::uint64_t count = 0;
};

/// A push/pull with an alive member succeeded (ends adopt mode's first condition).
struct Synced {
  std::string with;
};

/// Reserve incarnations up to but not including `end` in the key file, then call
/// `Mesh::incarnations_reserved(end)`.
struct ReserveIncarnations {
  std::uint32_t end = 0;
};

/// Our overlay address is to be this one from now on (nothing: we have none, the pool is full).
/// Store it in the key file and configure it, then call `Mesh::claim_stored(overlay)`: nobody hears
/// of it before.
struct OwnClaim {
  std::optional<IpAddress> overlay;
  WallTime claimed{};  ///< the claim time, stored with it
  std::string why;     ///< one clause for history and people
};

/// Reserve epochs of signed records up to but not including `end` in the key file, then call
/// `Mesh::epochs_reserved(end)`.
struct ReserveEpochs {
  std::uint64_t end = 0;
};

/// Another host runs under our identity, on a copy of our state: become somebody else, without a
/// word to anybody. Told once; nothing more is announced before.
struct CopyFound {
  std::string name;  ///< of the other, printable
  Endpoint at;
};

/// Our metadata are to be in this format from now on. Store that in the key file, then call
/// `Mesh::format_stored(format)`: nobody hears it before.
struct SpeakFormat {
  MetaFormat format = MetaFormat::f2;
  std::string why;  ///< one clause for history
};

/// The own leave has spread; the daemon may take things down.
struct LeaveDone {
  std::size_t told = 0;
};

using Fact = std::variant<MemberChanged,
                          MemberForgotten,
                          Notice,
                          SeedHealth,
                          ForeignPackets,
                          Synced,
                          ReserveIncarnations,
                          OwnClaim,
                          ReserveEpochs,
                          CopyFound,
                          SpeakFormat,
                          LeaveDone>;

}  // namespace wesher::mesh
