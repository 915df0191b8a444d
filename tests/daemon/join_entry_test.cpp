#include <catch2/catch.hpp>

#include "daemon/seed_resolver.h"

using wesher::daemon::JoinEntry;

TEST_CASE("a join entry is a host with or without a port", "[daemon][join]") {
  const auto [text, host, port] = GENERATE(table<std::string, std::string, int>({
      {"db1", "db1", 7946},
      {"db1.example.org", "db1.example.org", 7946},
      {"db1:8000", "db1", 8000},
      {"192.0.2.1", "192.0.2.1", 7946},
      {"192.0.2.1:8000", "192.0.2.1", 8000},
      {"2001:db8::1", "2001:db8::1", 7946},
      {"[2001:db8::1]", "2001:db8::1", 7946},
      {"[2001:db8::1]:8000", "2001:db8::1", 8000},
      {"name/192.0.2.1:8000", "192.0.2.1", 8000},
  }));
  CAPTURE(text);
  const auto entry = JoinEntry::parse(text, 7946);
  REQUIRE(entry);
  CHECK(entry->host == host);
  CHECK(entry->port == port);
}

TEST_CASE("a join entry that is no host is refused by name", "[daemon][join]") {
  const auto text = GENERATE("db1:", "db1:0", "db1:70000", "db1:x", "[2001:db8::1", "[db1]:80",
                             "under_score", "", "-x", "a b");
  CAPTURE(text);
  const auto entry = JoinEntry::parse(text, 7946);
  REQUIRE_FALSE(entry);
  CHECK(entry.error().code == wesher::Errc::malformed);
  CHECK(entry.error().detail.starts_with("--join "));
}
