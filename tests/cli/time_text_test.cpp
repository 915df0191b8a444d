#include "cli/time_text.h"

#include <catch2/catch.hpp>

#include "base/text.h"

using namespace wesher;
using namespace wesher::cli;

TEST_CASE("a span is a whole number and one unit", "[cli][time]") {
  using std::chrono::seconds;
  CHECK(parse_span("0s").value() == seconds{0});
  CHECK(parse_span("45s").value() == seconds{45});
  CHECK(parse_span("15m").value() == seconds{900});
  CHECK(parse_span("2h").value() == seconds{7200});
  CHECK(parse_span("3d").value() == seconds{259200});
  CHECK(parse_span("36500d").value() == kSpanMax);
  for (const char* bad : {"", "s", "45", "-5m", "+5m", "5 m", "1.5h", "5M", "5mm", "0x5s", "m5"}) {
    CAPTURE(bad);
    const auto span = parse_span(bad);
    REQUIRE_FALSE(span);
    CHECK(span.error().code == Errc::malformed);
    CHECK(span.error().detail == "is no span of time: 45s, 15m, 2h or 3d");
  }
  for (const char* bad : {"36501d", "99999999999999999999999s", "18446744073709551615d"}) {
    CAPTURE(bad);
    CHECK(parse_span(bad).error().detail == "is longer than 100 years");
  }
}

TEST_CASE("a moment is a date and time of RFC 3339 with its offset", "[cli][time]") {
  const auto text_of = [](std::string_view text) { return rfc3339(parse_rfc3339(text).value()); };
  CHECK(text_of("2026-05-04T03:02:01Z") == "2026-05-04T03:02:01.000Z");
  CHECK(text_of("2026-05-04t03:02:01.25z") == "2026-05-04T03:02:01.250Z");
  CHECK(text_of("2026-05-04 03:02:01.1239999Z") == "2026-05-04T03:02:01.123Z");
  CHECK(text_of("2026-05-04T03:02:01+02:00") == "2026-05-04T01:02:01.000Z");
  CHECK(text_of("2026-12-31T20:30:00-04:30") == "2027-01-01T01:00:00.000Z");
  CHECK(text_of("2024-02-29T00:00:00Z") == "2024-02-29T00:00:00.000Z");
  CHECK(text_of("2016-12-31T23:59:60Z") == "2017-01-01T00:00:00.000Z");
  for (const char* bad :
       {"", "2026-05-04", "2026-05-04T03:02Z", "2026-05-04T03:02:01", "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-05-04T24:00:00Z",
        "2026-05-04T03:60:00Z", "2026-05-04T03:02:61Z", "2026-05-04T03:02:01.Z",
        "2026-05-04T03:02:01Zx", "2026-05-04T03:02:01+0200", "2026-05-04T03:02:01+24:00",
        "-026-05-04T03:02:01Z", "2026-5-4T03:02:01Z", "2026-05-04T-3:02:01Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_rfc3339(bad));
  }
}

TEST_CASE("since is an age or a moment", "[cli][time]") {
  const WallTime now = wall_from_ms(1777863721000);
  CHECK(moment_of(parse_since("2h").value(), now) == now - std::chrono::hours{2});
  CHECK(moment_of(parse_since("2026-05-04T00:00:00Z").value(), now) ==
        parse_rfc3339("2026-05-04T00:00:00Z").value());
  CHECK(parse_since("yesterday").error().detail ==
        "is neither an age (45s, 15m, 2h, 3d) nor a time such as 2026-05-04T03:02:01Z");
}
