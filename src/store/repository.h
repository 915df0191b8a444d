// All SQL of the program as typed functions; each is one transaction, and one thread at a time uses
// a Repository and its Database. Errors are values; a full
// disk or an I/O error is Errc::system with SQLite's text, a locked database Errc::busy.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/identity.h"
#include "base/time.h"
#include "model/member.h"
#include "model/state.h"
#include "store/database.h"

namespace wesher::store {

/// What the daemon says of its own node; no secret. One row.
struct SelfRow {
  std::string name;
  std::string interface;
  std::optional<IpAddress> overlay;  ///< nothing: none is free
  std::optional<WallTime> claimed;   ///< when it was claimed; nothing before it was announced
  Prefix overlay_net;
  PublicKey key;
  IdentityKey identity;  ///< under which our record is signed
  std::string cluster;   ///< fingerprint, "3f9a-c2e1"
  std::string underlay;  ///< announced address as text, empty before it is known
  std::uint16_t gossip_port = 0;
  std::uint16_t wireguard_port = 0;
  MetaFormat meta_format = MetaFormat::f2;
  std::string backend;  ///< "kernel WireGuard", "wireguard-go"
  std::string version;  ///< of the program that wrote this
  std::uint32_t pid = 0;
  WallTime started{};
  std::optional<WallTime> stopped;  ///< set at an orderly stop
  std::string stop_kind;            ///< "leave", "keep", "resign", "" while running
  std::string kept_out;  ///< why this host is not in the mesh: "10.9.0.0/29 is full (6 of 6)"

  friend bool operator==(const SelfRow&, const SelfRow&) = default;
};

inline constexpr std::size_t kHistoryRowsMax = 10000;  ///< older rows go with the next batch
inline constexpr std::size_t kDriftRowsMax = 1000;     ///< rows found longest ago go

struct HistoryEntry {
  std::int64_t id = 0;
  WallTime at{};
  std::string object{};  ///< "member db1", "peer web1", "link", "daemon", "hosts", …
  std::string what{};    ///< "alive -> failed", "added", "started", "refused", …
  std::string reason{};
};

/// Result of the last attempt to apply one object.
struct AppliedObject {
  std::string object{};
  bool ok = true;
  std::string detail{};  ///< the error, or empty
  WallTime at{};
  std::uint32_t attempts = 1;  ///< in a row without success; 1 for a success
};

struct AppliedReport {
  std::uint64_t generation = 0;  ///< the desired generation that the last full pass reached
  WallTime at{};
  std::vector<AppliedObject> failed{};  ///< objects whose last attempt failed, sorted
};

/// What others changed of one object and the daemon repaired.
struct DriftRow {
  std::string object{};     ///< "link", "peer web1", "hosts", as in history
  std::string what{};       ///< the last difference, as history tells it
  std::string reason{};     ///< "someone else set it down"
  std::uint64_t count = 1;  ///< repairs since the database was made
  WallTime at{};            ///< when it was found last
  std::optional<std::chrono::milliseconds> repaired{};  ///< notice to repair; nothing: not yet
  bool fighting = false;  ///< changed back more than 10 times in a minute; repaired with pauses
};

enum class HealthKind : std::uint8_t { seed, foreign_packets, member };

struct HealthRow {
  HealthKind kind = HealthKind::seed;
  std::string subject{};  ///< seed endpoint, source address, member name
  bool ok = false;
  std::string detail{};
  std::uint64_t count = 0;
  WallTime since{};
};

struct Request {
  std::int64_t id = 0;
  std::string kind{};       ///< "leave", "forget"
  std::string arguments{};  ///< JSON object
  std::uint32_t uid = 0;
  WallTime created{};
  WallTime expires{};
  std::string state{};  ///< "waiting", "running", "done", "refused", "expired"
  std::string result{};
};

/// Which history is asked for.
struct HistoryQuery {
  std::size_t newest_max = kHistoryRowsMax;
  std::optional<WallTime> since{};  ///< entries of that moment and later
  std::string node{};               ///< entries of this member and its peer; empty: all
};

/// A change of the desired state: rows that differ, and the generation that this makes.
struct DesiredChange {
  std::uint64_t generation = 0;
  DesiredInterface interface {};
  bool hosts = true;
  std::string own_name{};
  std::vector<DesiredPeer> put{};   ///< upserts by name
  std::vector<std::string> gone{};  ///< names
};

/// Results of one pass: failures are kept, successes clear them. A failure that is there already
/// counts one attempt more, or `attempts` if that is larger. An object that went away while it
/// failed is cleared by a success of its removal. AppliedReport::at is when its generation was
/// first reached.
struct AppliedChange {
  std::uint64_t generation = 0;
  WallTime at{};
  std::vector<AppliedObject> objects{};
};

/// Everything that one batch of the reconcile loop writes, in one transaction.
struct Batch {
  std::optional<SelfRow> self{};
  std::vector<Member> members{};         ///< upserts
  std::vector<std::string> forgotten{};  ///< member names to delete
  std::vector<HistoryEntry> history{};   ///< ids ignored
  std::vector<HealthRow> health{};       ///< upserts by (kind, subject)
  bool forget_health = false;            ///< drops all health rows first: a run starts without any
  std::optional<DesiredChange> desired{};
  std::optional<AppliedChange> applied{};
  std::vector<DriftRow> drift{};  ///< upserts by object

  [[nodiscard]] bool empty() const {
    return !forget_health && !self && members.empty() && forgotten.empty() && history.empty() &&
           health.empty() && !desired && !applied && drift.empty();
  }
};

/// Rows of health kept of each kind; sources of foreign packets can be many, and are not ours.
inline constexpr std::size_t kHealthRowsMax = 1000;
inline constexpr std::chrono::seconds kRequestLife{60};

class Repository {
 public:
  /// `database` outlives the repository.
  explicit Repository(Database& database) : db_(database) {}

  [[nodiscard]] Result<void> write(const Batch& batch);

  [[nodiscard]] Result<std::optional<SelfRow>> self();
  [[nodiscard]] Result<std::vector<Member>> members();  ///< sorted by name

  /// Replaces the effective options (names as on the command line, no secrets).
  [[nodiscard]] Result<void> put_options(const std::map<std::string, std::string>& options);
  [[nodiscard]] Result<std::map<std::string, std::string>> options();

  /// Stores the whole desired state; only rows that differ are written, and if any did the
  /// generation rises by one. Gives the generation. O(n): for a start; a change goes by `write`.
  [[nodiscard]] Result<std::uint64_t> put_desired(const Desired& desired);
  [[nodiscard]] Result<std::optional<Desired>> desired();

  [[nodiscard]] Result<AppliedReport> applied();

  /// Newest first.
  [[nodiscard]] Result<std::vector<HistoryEntry>> history(const HistoryQuery& query);
  [[nodiscard]] Result<std::vector<DriftRow>> drift();  ///< newest first
  [[nodiscard]] Result<std::vector<HealthRow>> health();

  /// Whether adopt mode holds: true from the making of the database until set otherwise.
  [[nodiscard]] Result<bool> adopting();
  [[nodiscard]] Result<void> set_adopting(bool adopting);

  // Requests: commands add them, the daemon takes and answers them. `kind` is letters, blanks and
  // hyphens, at most 32; `arguments` a JSON object of at most 4 KiB; Errc::malformed otherwise.
  [[nodiscard]] Result<std::int64_t> add_request(const std::string& kind,
                                                 const std::string& arguments,
                                                 std::uint32_t uid,
                                                 WallTime now);
  [[nodiscard]] Result<std::optional<Request>> request(std::int64_t id);
  /// All that are still kept, newest first.
  [[nodiscard]] Result<std::vector<Request>> requests(std::size_t newest_max);
  /// Waiting requests, oldest first, at most 64, marked running; expired ones are marked so and not
  /// given, nor are rows that add_request would not have made.
  [[nodiscard]] Result<std::vector<Request>> take_requests(WallTime now);
  /// `state` is "done" or "refused"; Errc::not_found unless that request is running.
  [[nodiscard]] Result<void> finish_request(std::int64_t id,
                                            const std::string& state,
                                            const std::string& result);

 private:
  Database& db_;
};

}  // namespace wesher::store
