// Foreign text made safe, and the rules for names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace wesher {

/// How much of a foreign string is ever shown.
inline constexpr std::size_t kShownTextMax = 64;

/// The one way by which text from the network, a file or an operator reaches a log line, a table or
/// a reason: printable ASCII as it is, a backslash doubled, every other byte as \xNN, at most 64
/// characters of input, then "…".
[[nodiscard]] std::string printable(std::string_view foreign);

/// RFC 1123: labels of letters, digits and inner hyphens, 1–63 each, joined by dots, at most 253
/// in all. Underscores are not hostname characters.
[[nodiscard]] bool is_valid_hostname(std::string_view name);

/// An age for people, in whole units of the largest kind of which there are two: "0s", "41s",
/// "90s", "4m", "2h", "47h", "12d". A negative one is "0s".
[[nodiscard]] std::string age_text(Duration age);

/// The longest span that is read: what is older is no history, what is longer is no waiting.
inline constexpr std::chrono::days kSpanMax{36500};

/// "45s", "15m", "2h", "3d": a whole number and one unit. Errc::malformed: a clause that follows
/// the name of a flag and its value.
[[nodiscard]] Result<Duration> parse_span(std::string_view text);

/// A byte count for people, rounded down: "0", "890 B", "9.1 KiB", "890 MiB", "1.2 GiB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// RFC 3339 in UTC with milliseconds: "2026-05-04T03:02:01.000Z". For JSON. That format knows the
/// years 0000 to 9999; times beyond give the first or last of them.
[[nodiscard]] std::string rfc3339(WallTime t);

}  // namespace wesher
