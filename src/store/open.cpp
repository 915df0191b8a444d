#include "store/open.h"

#include <cerrno>
#include <cstdlib>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "os/calls.h"
#include "os/files.h"
#include "os/unique_fd.h"
#include "store/aside.h"
#include "store/connection.h"
#include "store/files.h"
#include "store/sql.h"

namespace wesher::store {

namespace {

using Connection = std::unique_ptr<SQLite::Database>;

/// What one look at the file came to: a connection, or why the file has to go.
struct Attempt {
  Prepared prepared;
  std::string unusable;  ///< a clause: "it is damaged (…)"
};

/// Makes sure that a file of ours is there which this process may write: 0600, no link, own.
Result<void> prepare_file(const std::string& path) {
  const auto facts = look_at(path);
  if (!facts) return tl::unexpected(facts.error());
  if (*facts) {
    if (auto mine = check_owner(path, (*facts)->owner, (*facts)->mode, 022); !mine) return mine;
    for (const std::string& file : {path, path + "-wal", path + "-shm"}) {
      if (os::chmod(file, 0600) != 0 && errno != ENOENT) {
        return tl::unexpected(os_error("write", file, errno));
      }
    }
    return {};
  }
  // A log without its database is of a database that was deleted.
  for (const std::string& left : {path + "-wal", path + "-shm"}) {
    if (auto removed = remove_file(left); !removed) return removed;
  }
  const os::UniqueFd made(os::open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!made) return tl::unexpected(os_error("create", path, errno));
  return {};
}

/// A disk that refused to give a page says nothing about the page, and the next try may get it: an
/// exception as of any other query. The check tells it like damage, with the code in its text.
void throw_if_refused(const std::string& check) {
  static constexpr std::string_view kMark = "error code=";
  const auto mark = check.find(kMark);
  if (mark == std::string::npos) return;
  const int code = std::atoi(check.c_str() + mark + kMark.size());
  if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB) return;
  throw SQLite::Exception(check, code);
}

/// Why the content can't be used as it is; empty if it can.
std::string damage_in(SQLite::Database& db, const SchemaSource& source) {
  // The file may be written (why_not_writable), so it says so itself.
  if (sqlite3_db_readonly(db.getHandle(), "main") != 0) return "it is damaged (its write version)";
  const std::string check = db.execAndGet("PRAGMA quick_check(1)").getString();
  throw_if_refused(check);
  if (check != "ok") return "it is damaged (" + check + ")";
  if (schema_text(db) != expected_schema_text(source.schema)) {
    return "its tables are not those of its version";
  }
  return "";
}

/// Copies and migrates. The error of a step names it; damage goes up as an exception.
Result<void> bring_up_to_date(SQLite::Database& db,
                              const std::string& path,
                              const SchemaSource& source,
                              int from) {
  if (auto kept = keep_copy(db, path, from); !kept) return kept;
  try {
    run_migrations(db, source.migrations, from);
  } catch (const SQLite::Exception& e) {
    if (is_damage(e)) throw;
    const Error cause = sql_error(e, path);
    const int reached = stamp_of(db).version;
    return fail(cause.code == Errc::malformed ? Errc::state_unusable : cause.code,
                fmt::format("can't bring {} from schema {} to {} ({}); the one before is kept as "
                            "{}.v{}; install the older wesher again, or reset with: {}",
                            path, reached, reached + 1, e.what(), path, from, reset_command(path)));
  }
  return {};
}

/// A file of ours, of a version that is not newer.
Result<Attempt> take_over(Connection db,
                          const std::string& path,
                          const std::string& key_file_id,
                          const SchemaSource& source) {
  Attempt attempt;
  const int version = stamp_of(*db).version;
  if (version < 1) {
    attempt.unusable = "it has tables of no version";
    return attempt;
  }
  SQLite::Statement owner(*db, "SELECT key_file_id FROM meta");
  if (!owner.executeStep() || owner.getColumn(0).getString() != key_file_id) {
    attempt.unusable = "it belongs to another key file";
    return attempt;
  }
  owner.reset();
  if (version < source.newest()) {
    if (auto done = bring_up_to_date(*db, path, source, version); !done) {
      return tl::unexpected(done.error());
    }
    attempt.prepared.notice =
        fmt::format("{} was brought from schema {} to {}; the one before is kept as {}.v{}", path,
                    version, source.newest(), path, version);
  }
  attempt.unusable = damage_in(*db, source);
  attempt.prepared.db = std::move(db);
  return attempt;
}

Result<Attempt> look_into(const std::string& path,
                          const std::string& key_file_id,
                          const SchemaSource& source) {
  Connection db = connect(path, SQLite::OPEN_READWRITE);
  const Stamp stamp = stamp_of(*db);
  if (!stamp.is_empty() && stamp.application != kApplicationId) {
    Attempt attempt;
    attempt.unusable = "it is not a database of wesher";
    return attempt;
  }
  if (stamp.version > source.newest()) {
    return tl::unexpected(newer_version(path, stamp.version, source.newest()));
  }
  const std::string mode = db->execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode != "wal") {
    return fail(Errc::state_unusable, "the filesystem of " + path +
                                          " can't hold a database in WAL mode; set "
                                          "STATE_DIRECTORY to a directory on a local one");
  }
  db->exec("PRAGMA journal_size_limit = 4194304");  // a burst does not keep its disk space
  if (!stamp.is_empty()) return take_over(std::move(db), path, key_file_id, source);
  create_tables(*db, source, key_file_id);
  Attempt attempt;
  attempt.prepared.db = std::move(db);
  attempt.prepared.fresh = true;
  return attempt;
}

Result<Attempt> try_open(const std::string& path,
                         const std::string& key_file_id,
                         const SchemaSource& source) {
  if (auto ready = prepare_file(path); !ready) return tl::unexpected(ready.error());
  if (const int os_errno = why_not_writable(path); os_errno != 0) {
    return tl::unexpected(os_error("write", path, os_errno));
  }
  return guarded(path, [&]() -> Result<Attempt> {
    try {
      return look_into(path, key_file_id, source);
    } catch (const SQLite::Exception& e) {
      // A file that may be written and yet is read-only says so itself, in a damaged header; with
      // the tables of a sound database no query of ours is an error.
      const int code = e.getErrorCode();
      if (!is_damage(e) && code != SQLITE_READONLY && code != SQLITE_ERROR) throw;
      Attempt attempt;
      attempt.unusable = std::string("it is damaged (") + e.what() + ")";
      return attempt;
    }
  });
}

}  // namespace

Result<Prepared> prepare_for_daemon(const std::string& path,
                                    const std::string& key_file_id,
                                    const SchemaSource& source) {
  if (auto made = ensure_directory(os::directory_of(path)); !made) {
    return tl::unexpected(made.error());
  }
  auto first = try_open(path, key_file_id, source);
  if (!first) return tl::unexpected(first.error());
  if (first->unusable.empty()) return std::move(first->prepared);
  first->prepared.db.reset();  // closed before it is moved
  const auto kept = move_aside(path);
  if (!kept) return tl::unexpected(kept.error());
  auto second = try_open(path, key_file_id, source);
  if (!second) return tl::unexpected(second.error());
  if (!second->unusable.empty()) {
    return fail(Errc::state_unusable,
                "a new " + path + " can't be used: " + second->unusable + "; look at the disk");
  }
  second->prepared.notice =
      fmt::format("{} could not be used: {}; it was moved to {}, and a new one fills from the mesh",
                  path, first->unusable, *kept);
  return std::move(second->prepared);
}

}  // namespace wesher::store
