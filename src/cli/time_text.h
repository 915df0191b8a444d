// Times as people type them: ages ("2h") and moments (RFC 3339). Pure.
#pragma once

#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/time.h"

namespace wesher::cli {

/// "2026-05-04T03:02:01Z", with or without a fraction, with Z or an offset. Errc::malformed: a
/// clause that follows the name of the flag and its value.
[[nodiscard]] Result<WallTime> parse_rfc3339(std::string_view text);

/// How long ago, or when.
using Since = std::variant<Duration, WallTime>;

/// A span (parse_span of base/text.h) or a moment. Errc::malformed as above.
[[nodiscard]] Result<Since> parse_since(std::string_view text);

[[nodiscard]] WallTime moment_of(const Since& since, WallTime now);

}  // namespace wesher::cli
