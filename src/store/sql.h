// What the parts of store/ that speak SQL share: exceptions of SQLite as errors with a remedy, and
// values in and out of statements.
#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/key.h"
#include "base/time.h"

namespace wesher::store {

/// The error that an exception of SQLiteCpp about the database at `path` means:
/// busy and locked → busy; full, I/O → system; read-only → not_permitted or state_unusable;
/// corrupt, not a database → state_unusable; constraint → malformed.
[[nodiscard]] Error sql_error(const SQLite::Exception& e, const std::string& path);

/// Whether the exception says that the file is not a sound database.
[[nodiscard]] bool is_damage(const SQLite::Exception& e);

/// Runs `work`, which gives a Result, and turns exceptions into errors. A transaction inside it
/// has rolled back by then.
template <class Work>
auto guarded(const std::string& path, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const SQLite::Exception& e) {
    return tl::unexpected(sql_error(e, path));
  } catch (const std::exception& e) {
    return tl::unexpected(Error{Errc::system, path + ": " + e.what()});
  }
}

/// A transaction that is the only writer from its start.
class WriteTransaction {
 public:
  explicit WriteTransaction(SQLite::Database& db)
      : transaction_(db, SQLite::TransactionBehavior::IMMEDIATE) {}

  void commit() { transaction_.commit(); }

 private:
  SQLite::Transaction transaction_;
};

/// Binds the arguments of a statement in order, then steps. Bytes are bound as BLOB, text as TEXT.
class Binder {
 public:
  explicit Binder(SQLite::Statement& statement) : statement_(statement) { statement_.reset(); }

  Binder& integer(std::int64_t value);
  Binder& text(std::string_view value);
  Binder& blob(ByteView value);
  Binder& null();

  Binder& name(const std::string& value) { return blob(as_bytes(value)); }

  Binder& flag(bool value) { return integer(value ? 1 : 0); }

  Binder& time(WallTime value) { return integer(to_ms(value)); }

  Binder& key(const PublicKey& value) { return blob(value.bytes()); }

  Binder& address(const IpAddress& value) { return blob(value.bytes()); }

  /// Runs a statement that gives no row; how many rows changed.
  int run() { return statement_.exec(); }

 private:
  SQLite::Statement& statement_;
  int next_ = 1;
};

/// Reads the columns of the current row in order. What a sound database can't hold (its CHECKs
/// forbid it) throws std::runtime_error.
class RowReader {
 public:
  explicit RowReader(SQLite::Statement& statement) : statement_(statement) {}

  template <class T = std::int64_t>
  [[nodiscard]] T integer() {
    return static_cast<T>(column().getInt64());
  }

  [[nodiscard]] std::string text() { return column().getString(); }

  [[nodiscard]] Bytes blob();
  [[nodiscard]] PublicKey key();
  [[nodiscard]] IpAddress address();

  [[nodiscard]] bool flag() { return integer() != 0; }

  [[nodiscard]] WallTime time() { return wall_from_ms(integer()); }

  /// Whether the next column is NULL; stays on it.
  [[nodiscard]] bool next_is_null() { return statement_.getColumn(next_).isNull(); }

  void skip(int columns) { next_ += columns; }

 private:
  SQLite::Column column() { return statement_.getColumn(next_++); }

  SQLite::Statement& statement_;
  int next_ = 0;
};

/// At most `max` bytes of a text, not cut inside a UTF-8 sequence.
[[nodiscard]] std::string_view clipped(std::string_view text, std::size_t max);

}  // namespace wesher::store
