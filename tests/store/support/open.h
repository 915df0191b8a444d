// Opening a database in a test, and a value to recognise it by.
#pragma once

#include <string>

#include <catch2/catch.hpp>

#include "store/database.h"
#include "store/repository.h"
#include "tests/store/support/place.h"

namespace wesher::store::test {

/// As the daemon; the test fails if that is refused.
inline Database::Opened open_daemon(const std::string& path, const std::string& id = kId) {
  auto open = Database::open_for_daemon(path, id);
  if (!open) FAIL(open.error().detail);
  return std::move(*open);
}

/// Why a command may not open it, and checks the code; "opened" if it may.
inline std::string command_refusal(const std::string& path, Database::Access access, Errc code) {
  const auto open = Database::open_for_command(path, access);
  if (open) return "opened";
  CHECK(open.error().code == code);
  return open.error().detail;
}

/// One value to be found again.
inline void set_option(Database& database, const std::string& value) {
  REQUIRE(Repository(database).put_options({{"key", value}}));
}

/// The value, or why it can't be read.
inline std::string option_in(Database& database) {
  auto options = Repository(database).options();
  return options ? (*options)["key"] : options.error().detail;
}

}  // namespace wesher::store::test
