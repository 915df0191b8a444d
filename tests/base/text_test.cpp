#include "base/text.h"

#include <limits>

#include <catch2/catch.hpp>

namespace wesher {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("printable text passes and all else is escaped") {
  using std::string_view_literals::operator""sv;
  CHECK(printable("web-1.example ~!") == "web-1.example ~!");
  CHECK(printable("a\nb\x1b[2J\x7f\0\xc3\xa9"sv) == "a\\x0ab\\x1b[2J\\x7f\\x00\\xc3\\xa9");
  CHECK(printable("\\x0a") == "\\\\x0a");
  CHECK(printable("").empty());
}

TEST_CASE("no two texts of up to 64 bytes print alike") {
  CHECK(printable("\n") != printable("\\x0a"));
}

TEST_CASE("only 64 bytes of foreign text are ever shown") {
  CHECK(printable(std::string(64, 'a')) == std::string(64, 'a'));
  CHECK(printable(std::string(65, 'a')) == std::string(64, 'a') + "…");
  CHECK(printable(std::string(1000, '\n')).size() == 64 * 4 + std::string("…").size());
}

TEST_CASE("hostnames are labels of letters and digits and inner hyphens") {
  for (const char* good : {"a", "web1", "WEB-1", "a.b", "1.2.3.4", "x--y", "xn--bcher-kva.example"})
    CHECK(is_valid_hostname(good));
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a_b", "a b", "a\n",
                          "b\xc3\xbc"
                          "cher",
                          "a/b", "*"}) {
    CHECK_FALSE(is_valid_hostname(bad));
  }
}

TEST_CASE("labels have at most 63 characters and names at most 253") {
  const std::string label(63, 'a');
  CHECK(is_valid_hostname(label));
  CHECK_FALSE(is_valid_hostname(label + "a"));
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  REQUIRE(longest.size() == 253);
  CHECK(is_valid_hostname(longest));
  CHECK_FALSE(is_valid_hostname(longest + "a"));
}

TEST_CASE("an age is told in the largest unit of which there are two") {
  CHECK(age_text(seconds{-5}) == "0s");
  CHECK(age_text(milliseconds{999}) == "0s");
  CHECK(age_text(seconds{119}) == "119s");
  CHECK(age_text(minutes{2}) == "2m");
  CHECK(age_text(minutes{119} + seconds{59}) == "119m");
  CHECK(age_text(hours{2}) == "2h");
  CHECK(age_text(hours{47}) == "47h");
  CHECK(age_text(hours{48}) == "2d");
  CHECK(age_text(days{400}) == "400d");
}

TEST_CASE("a size is rounded down to what its unit shows") {
  CHECK(size_text(0) == "0");
  CHECK(size_text(1) == "1 B");
  CHECK(size_text(1023) == "1023 B");
  CHECK(size_text(1024) == "1.0 KiB");
  CHECK(size_text(9330) == "9.1 KiB");
  CHECK(size_text(10239) == "9.9 KiB");
  CHECK(size_text(10240) == "10 KiB");
  CHECK(size_text(1024 * 1024 - 1) == "1023 KiB");
  CHECK(size_text(890ULL << 20U) == "890 MiB");
  CHECK(size_text(5ULL << 38U) == "1.2 TiB");
  CHECK(size_text(std::numeric_limits<std::uint64_t>::max()) == "16 EiB");
}

TEST_CASE("times are written as RFC 3339 in UTC with milliseconds") {
  CHECK(rfc3339(wall_from_ms(0)) == "1970-01-01T00:00:00.000Z");
  CHECK(rfc3339(wall_from_ms(-1)) == "1969-12-31T23:59:59.999Z");
  CHECK(rfc3339(wall_from_ms(1'777'863'721'007)) == "2026-05-04T03:02:01.007Z");
  CHECK(rfc3339(wall_from_ms(951'782'400'000)) == "2000-02-29T00:00:00.000Z");
}

TEST_CASE("times beyond what RFC 3339 can write give its first or last year") {
  CHECK(rfc3339(wall_from_ms(std::numeric_limits<std::int64_t>::max())) ==
        "9999-12-31T23:59:59.999Z");
  CHECK(rfc3339(wall_from_ms(std::numeric_limits<std::int64_t>::min())) ==
        "0000-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace wesher
