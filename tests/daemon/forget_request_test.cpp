#include "daemon/forget_request.h"

#include <catch2/catch.hpp>

using namespace wesher;
using namespace wesher::daemon;

TEST_CASE("a request to forget comes back as it was written", "[daemon][forget]") {
  for (const ForgetRequest& request :
       {ForgetRequest{"db1", {}}, ForgetRequest{std::string("\0\xff\"\n", 4), {}},
        ForgetRequest{"", std::chrono::hours{1}}, ForgetRequest{"", Duration::zero()}}) {
    const auto parsed = parse_forget(format_forget(request));
    REQUIRE(parsed);
    CHECK(*parsed == request);
  }
  CHECK(format_forget({"db1", {}}) == R"({"name_hex":"646231"})");
  CHECK(format_forget({"", std::chrono::seconds{3}}) == R"({"failed_older_ms":3000})");
}

TEST_CASE("what no command writes is no request to forget", "[daemon][forget]") {
  for (const char* bad :
       {"", "{}", "[]", "null", R"({"name_hex":""})", R"({"name_hex":"6"})", R"({"name_hex":"xx"})",
        R"({"name_hex":1})", R"({"failed_older_ms":-1})", R"({"failed_older_ms":1.5})",
        R"({"failed_older_ms":"1"})", R"({"failed_older_ms":3153600000001})",
        R"({"name_hex":"61","failed_older_ms":1})", R"({"other":1})"}) {
    CAPTURE(bad);
    const auto parsed = parse_forget(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::malformed);
  }
}
