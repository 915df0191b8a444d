// Desired state and what was reached of it; options and adopt mode, on which it rests.
#include <algorithm>

#include <fmt/format.h>

#include "store/repository.h"
#include "store/rows.h"
#include "store/sql.h"

namespace wesher::store {

namespace {

constexpr std::string_view kDesiredColumns =
    "generation, interface, key, listen_port, overlay, mtu, hosts, own_name, keepalive";

std::optional<Desired> read_desired(SQLite::Database& db) {
  SQLite::Statement one(db, fmt::format("SELECT {} FROM desired", kDesiredColumns));
  if (!one.executeStep()) return std::nullopt;
  RowReader row(one);
  Desired desired;
  desired.generation = row.integer<std::uint64_t>();
  desired.interface.name = row.text();
  desired.interface.key = row.key();
  desired.interface.listen_port = row.integer<std::uint16_t>();
  desired.interface.overlay = row.address();
  if (row.next_is_null()) {
    row.skip(1);
  } else {
    desired.interface.mtu = row.integer<std::uint32_t>();
  }
  desired.hosts = row.flag();
  desired.own_name = row.text();
  if (!row.next_is_null()) desired.interface.keepalive_s = row.integer<std::uint16_t>();

  SQLite::Statement peers(
      db, fmt::format("SELECT {} FROM desired_peer ORDER BY name", kDesiredPeerColumns));
  while (peers.executeStep()) {
    RowReader peer(peers);
    desired.peers.push_back(read_desired_peer(peer));
  }
  return desired;
}

void write_interface(SQLite::Database& db, const Desired& desired, std::uint64_t generation) {
  SQLite::Statement put(db, fmt::format("INSERT OR REPLACE INTO desired (one, {}) VALUES "
                                        "(1, ?,?,?,?,?,?,?,?,?)",
                                        kDesiredColumns));
  Binder row(put);
  row.integer(static_cast<std::int64_t>(generation))
      .text(desired.interface.name)
      .key(desired.interface.key)
      .integer(desired.interface.listen_port)
      .address(desired.interface.overlay);
  if (desired.interface.mtu) {
    row.integer(*desired.interface.mtu);
  } else {
    row.null();
  }
  row.flag(desired.hosts).name(desired.own_name);
  if (desired.interface.keepalive_s) {
    row.integer(*desired.interface.keepalive_s);
  } else {
    row.null();
  }
  row.run();
}

struct PeerChanges {
  std::vector<std::string> gone;  ///< stored, and now absent
  std::vector<DesiredPeer> put;   ///< wanted, and not stored like that

  [[nodiscard]] bool empty() const { return gone.empty() && put.empty(); }
};

PeerChanges compare(const std::vector<DesiredPeer>& stored, std::vector<DesiredPeer>& wanted) {
  std::sort(wanted.begin(), wanted.end(),
            [](const DesiredPeer& a, const DesiredPeer& b) { return a.name < b.name; });
  PeerChanges changes;
  auto old = stored.begin();
  for (const DesiredPeer& peer : wanted) {
    for (; old != stored.end() && old->name < peer.name; ++old) {
      changes.gone.push_back(old->name);
    }
    if (old != stored.end() && old->name == peer.name && *old++ == peer) continue;
    changes.put.push_back(peer);
  }
  for (; old != stored.end(); ++old) {
    changes.gone.push_back(old->name);
  }
  return changes;
}

void insert_peers(SQLite::Database& db, const std::vector<DesiredPeer>& peers) {
  SQLite::Statement put(
      db, fmt::format("INSERT INTO desired_peer ({}) VALUES (?,?,?,?,?,?)", kDesiredPeerColumns));
  for (const DesiredPeer& peer : peers) {
    Binder row(put);
    bind_desired_peer(row, peer);
    row.run();
  }
}

bool same_interface(const Desired& a, const Desired& b) {
  return a.interface == b.interface && a.hosts == b.hosts && a.own_name == b.own_name;
}

void put_result(SQLite::Database& db, const AppliedObject& object) {
  const std::string_view name = clipped(object.object, kTextMax);
  if (object.ok) {
    SQLite::Statement clear(db, "DELETE FROM applied_failure WHERE object = ?");
    Binder(clear).text(name).run();
    return;
  }
  SQLite::Statement put(
      db,
      "INSERT INTO applied_failure (object, detail, at_ms, attempts) VALUES (?,?,?,?)"
      " ON CONFLICT (object) DO UPDATE SET detail = excluded.detail, at_ms = excluded.at_ms,"
      " attempts = min(max(excluded.attempts, attempts + 1), 4294967295)");
  Binder(put)
      .text(name)
      .text(clipped(object.detail, kTextMax))
      .time(object.at)
      .integer(std::max<std::int64_t>(object.attempts, 1))
      .run();
}

}  // namespace

void write_desired(SQLite::Database& db, const DesiredChange& change) {
  Desired head;
  head.interface = change.interface;
  head.hosts = change.hosts;
  head.own_name = change.own_name;
  write_interface(db, head, change.generation);
  SQLite::Statement remove(db, "DELETE FROM desired_peer WHERE name = ?");
  // Deletes first, so that two peers may exchange an address or a key.
  for (const std::string& name : change.gone)
    Binder(remove).name(name).run();
  for (const DesiredPeer& peer : change.put)
    Binder(remove).name(peer.name).run();
  insert_peers(db, change.put);
}

void write_applied(SQLite::Database& db, const AppliedChange& change) {
  for (const AppliedObject& object : change.objects)
    put_result(db, object);
  SQLite::Statement put(db,
                        "INSERT INTO applied (one, generation, at_ms) VALUES (1, ?, ?)"
                        " ON CONFLICT (one) DO UPDATE SET generation = excluded.generation,"
                        " at_ms = excluded.at_ms WHERE generation <> excluded.generation");
  Binder(put).integer(static_cast<std::int64_t>(change.generation)).time(change.at).run();
}

Result<std::uint64_t> Repository::put_desired(const Desired& desired) {
  return guarded(db_.path(), [&]() -> Result<std::uint64_t> {
    SQLite::Database& db = db_.sqlite();
    Desired wanted = desired;
    for (DesiredPeer& peer : wanted.peers) {
      peer.reason = clipped(peer.reason, kTextMax);  // compared as it is stored
    }
    WriteTransaction transaction(db);
    const std::optional<Desired> stored = read_desired(db);
    static const std::vector<DesiredPeer> kNone;
    PeerChanges changes = compare(stored ? stored->peers : kNone, wanted.peers);
    if (stored && same_interface(*stored, wanted) && changes.empty()) return stored->generation;
    const std::uint64_t generation = stored ? stored->generation + 1 : 1;
    write_desired(db, {generation, wanted.interface, wanted.hosts, wanted.own_name,
                       std::move(changes.put), std::move(changes.gone)});
    transaction.commit();
    return generation;
  });
}

Result<std::optional<Desired>> Repository::desired() {
  return guarded(db_.path(), [&]() -> Result<std::optional<Desired>> {
    SQLite::Transaction snapshot(db_.sqlite());  // both tables of one moment
    return read_desired(db_.sqlite());
  });
}

Result<AppliedReport> Repository::applied() {
  return guarded(db_.path(), [&]() -> Result<AppliedReport> {
    SQLite::Database& db = db_.sqlite();
    SQLite::Transaction snapshot(db);
    AppliedReport report;
    SQLite::Statement one(db, "SELECT generation, at_ms FROM applied");
    if (one.executeStep()) {
      RowReader row(one);
      report.generation = row.integer<std::uint64_t>();
      report.at = row.time();
    }
    SQLite::Statement failures(
        db, "SELECT object, detail, at_ms, attempts FROM applied_failure ORDER BY object");
    while (failures.executeStep()) {
      RowReader row(failures);
      AppliedObject object;
      object.ok = false;
      object.object = row.text();
      object.detail = row.text();
      object.at = row.time();
      object.attempts = row.integer<std::uint32_t>();
      report.failed.push_back(std::move(object));
    }
    return report;
  });
}

Result<void> Repository::put_options(const std::map<std::string, std::string>& options) {
  const auto stored = this->options();
  if (!stored) return tl::unexpected(stored.error());
  if (*stored == options) return {};
  return guarded(db_.path(), [&]() -> Result<void> {
    SQLite::Database& db = db_.sqlite();
    WriteTransaction transaction(db);
    db.exec("DELETE FROM option");
    SQLite::Statement put(db, "INSERT INTO option (name, value) VALUES (?, ?)");
    for (const auto& [name, value] : options) {
      Binder(put).text(name).text(value).run();
    }
    transaction.commit();
    return {};
  });
}

Result<std::map<std::string, std::string>> Repository::options() {
  return guarded(db_.path(), [&]() -> Result<std::map<std::string, std::string>> {
    std::map<std::string, std::string> found;
    SQLite::Statement get(db_.sqlite(), "SELECT name, value FROM option");
    while (get.executeStep()) {
      RowReader row(get);
      std::string name = row.text();
      found[std::move(name)] = row.text();
    }
    return found;
  });
}

Result<bool> Repository::adopting() {
  return guarded(db_.path(), [&]() -> Result<bool> {
    return db_.sqlite().execAndGet("SELECT adopting FROM meta").getInt() != 0;
  });
}

Result<void> Repository::set_adopting(bool adopting) {
  return guarded(db_.path(), [&]() -> Result<void> {
    SQLite::Statement set(db_.sqlite(), "UPDATE meta SET adopting = ?1 WHERE adopting <> ?1");
    Binder(set).flag(adopting).run();
    return {};
  });
}

}  // namespace wesher::store
