#include "store/sql.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include "store/files.h"

namespace wesher::store {

namespace {

Error read_only(const std::string& path) {
  if (::geteuid() != 0) return os_error("write", path, EACCES);
  return {Errc::state_unusable,
          "can't write " + path +
              ": it is read-only; make the file, its directory and their filesystem writable"};
}

}  // namespace

bool is_damage(const SQLite::Exception& e) {
  return e.getErrorCode() == SQLITE_CORRUPT || e.getErrorCode() == SQLITE_NOTADB;
}

Error sql_error(const SQLite::Exception& e, const std::string& path) {
  const std::string said = e.what();
  switch (e.getErrorCode()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Errc::busy, path + " is in use by another process (" + said + "); try again"};
    case SQLITE_FULL:
      return {Errc::system,
              "can't write " + path + ": " + said + "; free some space on that filesystem"};
    case SQLITE_READONLY:
      return read_only(path);
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return os_error("open", path, EACCES);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Errc::state_unusable,
              path + " is damaged (" + said +
                  "); restart wesher: it moves the file aside and fills a new one from the mesh"};
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return {Errc::malformed, "a row that " + path + " can't hold (" + said + ")"};
    case SQLITE_CANTOPEN:
      return {Errc::system, "can't open " + path + ": " + said +
                                "; look at the rights and the free space of its directory"};
    default:
      return {Errc::system,
              fmt::format("{}: {} (SQLite error {}); look at the disk and its filesystem (dmesg)",
                          path, said, e.getExtendedErrorCode())};
  }
}

Binder& Binder::integer(std::int64_t value) {
  statement_.bind(next_++, value);
  return *this;
}

Binder& Binder::text(std::string_view value) {
  statement_.bind(next_++, std::string(value));
  return *this;
}

Binder& Binder::blob(ByteView value) {
  // A null pointer would bind NULL, and an empty view may have one.
  static constexpr std::uint8_t kNothing = 0;
  const void* const data = value.empty() ? &kNothing : value.data();
  statement_.bind(next_++, data, static_cast<int>(value.size()));
  return *this;
}

Binder& Binder::null() {
  statement_.bind(next_++);
  return *this;
}

Bytes RowReader::blob() {
  const SQLite::Column value = column();
  const auto* const data = static_cast<const std::uint8_t*>(value.getBlob());
  return data == nullptr ? Bytes() : Bytes(data, data + value.getBytes());
}

PublicKey RowReader::key() {
  const Bytes bytes = blob();
  std::array<std::uint8_t, kKeyBytes> key{};
  if (bytes.size() != key.size()) throw std::runtime_error("a key that is not 32 bytes");
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return PublicKey(key);
}

IpAddress RowReader::address() {
  const auto address = IpAddress::from_bytes(blob());
  if (!address) throw std::runtime_error("an address that is not one: " + address.error().detail);
  return *address;
}

std::string_view clipped(std::string_view text, std::size_t max) {
  if (text.size() <= max) return text;
  const auto is_continuation = [&](std::size_t i) {
    return (static_cast<unsigned char>(text[i]) & 0xc0U) == 0x80U;
  };
  while (max > 0 && is_continuation(max)) {
    --max;
  }
  return text.substr(0, max);
}

}  // namespace wesher::store
