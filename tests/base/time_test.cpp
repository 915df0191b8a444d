#include "base/time.h"

#include <catch2/catch.hpp>

namespace wesher {
namespace {

TEST_CASE("wall times are milliseconds since 1970 and back") {
  for (const std::int64_t ms : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'790'000'000'123}})
    CHECK(to_ms(wall_from_ms(ms)) == ms);
  CHECK(wall_from_ms(1500).time_since_epoch() == std::chrono::milliseconds{1500});
}

}  // namespace
}  // namespace wesher
