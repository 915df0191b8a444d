// Requests: rows that commands add and the daemon answers. What a row says is checked when it is
// added, by the CHECKs of its table, and again before the daemon gets it.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "store/repository.h"
#include "store/rows.h"
#include "store/sql.h"

namespace wesher::store {

namespace {

constexpr std::size_t kKindMax = 32;  // schema.sql, as the next
constexpr std::size_t kArgumentsMax = 4096;
constexpr std::size_t kResultMax = 4096;        // a sentence or a short JSON text
constexpr std::int64_t kRequestRowsMax = 1000;  // old ones, kept to be read afterwards
constexpr std::int64_t kTakenAtOnce = 64;       // the rest waits for the next turn

constexpr std::string_view kColumns =
    "id, kind, arguments, uid, created_ms, expires_ms, state, result";

Request read_request(RowReader& row) {
  Request request;
  request.id = row.integer();
  request.kind = row.text();
  request.arguments = row.text();
  request.uid = row.integer<std::uint32_t>();
  request.created = row.time();
  request.expires = row.time();
  request.state = row.text();
  request.result = row.text();
  return request;
}

bool is_kind(std::string_view kind) {
  return !kind.empty() && kind.size() <= kKindMax &&
         std::all_of(kind.begin(), kind.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == ' ' || c == '-'; });
}

bool is_json_object(SQLite::Database& db, const std::string& text) {
  SQLite::Statement ask(db,
                        "SELECT CASE WHEN json_valid(?1) THEN json_type(?1) = 'object' ELSE 0 END");
  Binder(ask).text(text);
  return ask.executeStep() && ask.getColumn(0).getInt() == 1;
}

/// Why a row must not be run; empty if it may.
std::string objection(SQLite::Database& db, const std::string& kind, const std::string& arguments) {
  if (!is_kind(kind)) return "\"" + printable(kind) + "\" is not the name of a request";
  if (arguments.size() > kArgumentsMax) {
    return fmt::format("the arguments are longer than {} bytes", kArgumentsMax);
  }
  if (!is_json_object(db, arguments)) return "the arguments are not a JSON object";
  return "";
}

/// Out of its time, also where the clock went back behind its creation.
bool is_expired(const Request& request, WallTime now) {
  return now >= request.expires || request.created > now + kRequestLife ||
         request.expires - request.created > kRequestLife;
}

void set_state(SQLite::Database& db,
               std::int64_t id,
               std::string_view state,
               std::string_view result) {
  SQLite::Statement set(db, "UPDATE request SET state = ?, result = ? WHERE id = ?");
  Binder(set).text(state).text(clipped(result, kResultMax)).integer(id).run();
}

std::vector<Request> waiting(SQLite::Database& db) {
  SQLite::Statement get(db, fmt::format("SELECT {} FROM request WHERE state = 'waiting'"
                                        " ORDER BY id LIMIT {}",
                                        kColumns, kTakenAtOnce));
  std::vector<Request> found;
  while (get.executeStep()) {
    RowReader row(get);
    found.push_back(read_request(row));
  }
  return found;
}

}  // namespace

Result<std::int64_t> Repository::add_request(const std::string& kind,
                                             const std::string& arguments,
                                             std::uint32_t uid,
                                             WallTime now) {
  return guarded(db_.path(), [&]() -> Result<std::int64_t> {
    SQLite::Database& db = db_.sqlite();
    if (const std::string why = objection(db, kind, arguments); !why.empty()) {
      return fail(Errc::malformed, why);
    }
    WriteTransaction transaction(db);
    SQLite::Statement add(
        db,
        "INSERT INTO request (kind, arguments, uid, created_ms, expires_ms, state, result)"
        " VALUES (?,?,?,?,?,'waiting','')");
    Binder(add).text(kind).text(arguments).integer(uid).time(now).time(now + kRequestLife).run();
    const std::int64_t id = db.getLastInsertRowid();
    SQLite::Statement trim(db, "DELETE FROM request WHERE id <= ?");
    Binder(trim).integer(id - kRequestRowsMax).run();
    transaction.commit();
    return id;
  });
}

Result<std::optional<Request>> Repository::request(std::int64_t id) {
  return guarded(db_.path(), [&]() -> Result<std::optional<Request>> {
    SQLite::Statement get(db_.sqlite(),
                          fmt::format("SELECT {} FROM request WHERE id = ?", kColumns));
    Binder(get).integer(id);
    if (!get.executeStep()) return std::optional<Request>();
    RowReader row(get);
    return read_request(row);
  });
}

Result<std::vector<Request>> Repository::requests(std::size_t newest_max) {
  return guarded(db_.path(), [&]() -> Result<std::vector<Request>> {
    SQLite::Statement get(db_.sqlite(),
                          fmt::format("SELECT {} FROM request ORDER BY id DESC LIMIT ?", kColumns));
    Binder(get).integer(static_cast<std::int64_t>(
        std::min<std::size_t>(newest_max, static_cast<std::size_t>(kRequestRowsMax))));
    std::vector<Request> found;
    while (get.executeStep()) {
      RowReader row(get);
      found.push_back(read_request(row));
    }
    return found;
  });
}

Result<std::vector<Request>> Repository::take_requests(WallTime now) {
  return guarded(db_.path(), [&]() -> Result<std::vector<Request>> {
    SQLite::Database& db = db_.sqlite();
    std::vector<Request> taken;
    if (waiting(db).empty()) return taken;  // the usual case writes nothing
    WriteTransaction transaction(db);
    for (Request& request : waiting(db)) {
      if (is_expired(request, now)) {
        set_state(db, request.id, "expired", "nobody took it in time");
      } else if (const std::string why = objection(db, request.kind, request.arguments);
                 !why.empty()) {
        set_state(db, request.id, "refused", why);
      } else {
        set_state(db, request.id, "running", "");
        request.state = "running";
        taken.push_back(std::move(request));
      }
    }
    transaction.commit();
    return taken;
  });
}

Result<void> Repository::finish_request(std::int64_t id,
                                        const std::string& state,
                                        const std::string& result) {
  if (state != "done" && state != "refused") {
    return fail(Errc::malformed, "a request ends done or refused, not " + printable(state));
  }
  return guarded(db_.path(), [&]() -> Result<void> {
    SQLite::Statement set(db_.sqlite(),
                          "UPDATE request SET state = ?, result = ?"
                          " WHERE id = ? AND state = 'running'");
    const int rows = Binder(set).text(state).text(clipped(result, kResultMax)).integer(id).run();
    if (rows == 0) return fail(Errc::not_found, fmt::format("no request {} is running", id));
    return {};
  });
}

}  // namespace wesher::store
