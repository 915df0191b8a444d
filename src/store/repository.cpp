// The batch that the reconcile loop writes, and the facts in it.
#include "store/repository.h"

#include <fmt/format.h>

#include "store/rows.h"
#include "store/sql.h"

namespace wesher::store {

namespace {

void write_self(SQLite::Database& db, const SelfRow& self) {
  SQLite::Statement put(db, fmt::format("INSERT OR REPLACE INTO self (one, {}) VALUES "
                                        "(1, ?,?,?,?,?, ?,?,?,?,?, ?,?,?,?,?, ?,?,?,?,?)",
                                        kSelfColumns));
  Binder row(put);
  bind_self(row, self);
  row.run();
}

void write_members(SQLite::Database& db, const std::vector<Member>& members) {
  if (members.empty()) return;
  SQLite::Statement put(db, fmt::format("INSERT OR REPLACE INTO member ({}) VALUES "
                                        "(?,?,?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?)",
                                        kMemberColumns));
  for (const Member& member : members) {
    Binder row(put);
    bind_member(row, member);
    row.run();
  }
}

void forget_members(SQLite::Database& db, const std::vector<std::string>& names) {
  if (names.empty()) return;
  SQLite::Statement forget(db, "DELETE FROM member WHERE name = ?");
  SQLite::Statement forget_health(db, "DELETE FROM health WHERE kind = 'member' AND subject = ?");
  for (const std::string& name : names) {
    Binder(forget).name(name).run();
    Binder(forget_health).text(name).run();
  }
}

void write_history(SQLite::Database& db, const std::vector<HistoryEntry>& entries) {
  if (entries.empty()) return;
  SQLite::Statement add(db, "INSERT INTO history (at_ms, object, what, reason) VALUES (?,?,?,?)");
  for (const HistoryEntry& entry : entries) {
    Binder(add)
        .time(entry.at)
        .text(clipped(entry.object, kTextMax))
        .text(clipped(entry.what, kTextMax))
        .text(clipped(entry.reason, kTextMax))
        .run();
  }
  // Ids rise by one and rows go only at the low end, so the highest id bounds the count.
  SQLite::Statement trim(db, "DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?");
  Binder(trim).integer(static_cast<std::int64_t>(kHistoryRowsMax)).run();
}

void write_health(SQLite::Database& db, const std::vector<HealthRow>& rows) {
  if (rows.empty()) return;
  SQLite::Statement put(db,
                        "INSERT OR REPLACE INTO health (kind, subject, ok, detail, count, since_ms)"
                        " VALUES (?,?,?,?,?,?)");
  for (const HealthRow& row : rows) {
    Binder(put)
        .text(to_text(row.kind))
        .text(clipped(row.subject, kTextMax))
        .flag(row.ok)
        .text(clipped(row.detail, kTextMax))
        .integer(static_cast<std::int64_t>(
            std::min<std::uint64_t>(row.count, std::numeric_limits<std::int64_t>::max())))
        .time(row.since)
        .run();
  }
  // Anybody can send packets from many addresses.
  SQLite::Statement trim(
      db,
      "DELETE FROM health WHERE kind = ?1 AND subject IN (SELECT subject FROM health"
      " WHERE kind = ?1 ORDER BY since_ms DESC, subject LIMIT -1 OFFSET ?2)");
  for (const auto kind : {HealthKind::seed, HealthKind::foreign_packets, HealthKind::member}) {
    Binder(trim).text(to_text(kind)).integer(static_cast<std::int64_t>(kHealthRowsMax)).run();
  }
}

void write_drift(SQLite::Database& db, const std::vector<DriftRow>& rows) {
  if (rows.empty()) return;
  SQLite::Statement put(
      db,
      "INSERT OR REPLACE INTO drift (object, what, reason, count, at_ms, repaired_ms, fighting)"
      " VALUES (?,?,?,?,?,?,?)");
  for (const DriftRow& row : rows) {
    Binder to(put);
    to.text(clipped(row.object, kTextMax))
        .text(clipped(row.what, kTextMax))
        .text(clipped(row.reason, kTextMax))
        .integer(static_cast<std::int64_t>(row.count))
        .time(row.at);
    if (row.repaired) {
      to.integer(row.repaired->count());
    } else {
      to.null();
    }
    to.flag(row.fighting).run();
  }
  SQLite::Statement trim(db,
                         "DELETE FROM drift WHERE object IN (SELECT object FROM drift"
                         " ORDER BY at_ms DESC, object LIMIT -1 OFFSET ?)");
  Binder(trim).integer(static_cast<std::int64_t>(kDriftRowsMax)).run();
}

}  // namespace

Result<void> Repository::write(const Batch& batch) {
  if (batch.empty()) return {};
  return guarded(db_.path(), [&]() -> Result<void> {
    SQLite::Database& db = db_.sqlite();
    WriteTransaction transaction(db);
    if (batch.self) write_self(db, *batch.self);
    forget_members(db, batch.forgotten);
    write_members(db, batch.members);
    write_history(db, batch.history);
    if (batch.forget_health) db.exec("DELETE FROM health");
    write_health(db, batch.health);
    write_drift(db, batch.drift);
    if (batch.desired) write_desired(db, *batch.desired);
    if (batch.applied) write_applied(db, *batch.applied);
    transaction.commit();
    return {};
  });
}

Result<std::optional<SelfRow>> Repository::self() {
  return guarded(db_.path(), [&]() -> Result<std::optional<SelfRow>> {
    SQLite::Statement get(db_.sqlite(), fmt::format("SELECT {} FROM self", kSelfColumns));
    if (!get.executeStep()) return std::optional<SelfRow>();
    RowReader row(get);
    return read_self(row);
  });
}

Result<std::vector<Member>> Repository::members() {
  return guarded(db_.path(), [&]() -> Result<std::vector<Member>> {
    std::vector<Member> found;
    SQLite::Statement get(db_.sqlite(),
                          fmt::format("SELECT {} FROM member ORDER BY name", kMemberColumns));
    while (get.executeStep()) {
      RowReader row(get);
      found.push_back(read_member(row));
    }
    return found;
  });
}

Result<std::vector<HealthRow>> Repository::health() {
  return guarded(db_.path(), [&]() -> Result<std::vector<HealthRow>> {
    std::vector<HealthRow> found;
    SQLite::Statement get(db_.sqlite(),
                          "SELECT kind, subject, ok, detail, count, since_ms FROM health"
                          " ORDER BY kind, subject");
    while (get.executeStep()) {
      RowReader row(get);
      HealthRow health;
      health.kind = known(health_kind_from(row.text()));
      health.subject = row.text();
      health.ok = row.flag();
      health.detail = row.text();
      health.count = row.integer<std::uint64_t>();
      health.since = row.time();
      found.push_back(std::move(health));
    }
    return found;
  });
}

}  // namespace wesher::store
