// Times as people type them: spans ("2h") and moments (RFC 3339). Pure.
#pragma once

#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/time.h"

namespace wesher::cli {

/// The longest span that is read: what is older is no history, what is longer is no waiting.
inline constexpr std::chrono::days kSpanMax{36500};

/// "45s", "15m", "2h", "3d": a whole number and one unit. Errc::malformed: a clause that follows
/// the name of the flag and its value.
[[nodiscard]] Result<Duration> parse_span(std::string_view text);

/// "2026-05-04T03:02:01Z", with or without a fraction, with Z or an offset. Errc::malformed as
/// above.
[[nodiscard]] Result<WallTime> parse_rfc3339(std::string_view text);

/// How long ago, or when.
using Since = std::variant<Duration, WallTime>;

/// A span or a moment. Errc::malformed as above.
[[nodiscard]] Result<Since> parse_since(std::string_view text);

[[nodiscard]] WallTime moment_of(const Since& since, WallTime now);

}  // namespace wesher::cli
