#include "cli/time_text.h"

#include <charconv>
#include <optional>

#include "base/text.h"

namespace wesher::cli {

namespace {

using std::chrono::milliseconds;

/// Exactly `digits` digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + digits, number);
  if (ec != std::errc() || end != text.data() + digits || text.front() == '-') return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

bool take_one_of(std::string_view& text, std::string_view characters) {
  if (text.empty() || characters.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take_one_of(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take_one_of(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date};
}

/// "HH:MM", in the bounds of a day or of an offset.
std::optional<std::chrono::minutes> take_hours_minutes(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take_one_of(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return std::chrono::hours{*hour} + std::chrono::minutes{*minute};
}

/// ":SS" with a fraction of any length; what is finer than a millisecond is cut.
std::optional<milliseconds> take_seconds(std::string_view& text) {
  if (!take_one_of(text, ":")) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second
  milliseconds out = std::chrono::seconds{*second};
  if (!take_one_of(text, ".")) return out;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  for (int weight = 100; !text.empty() && text.front() >= '0' && text.front() <= '9';
       weight /= 10) {
    out += milliseconds{weight * (text.front() - '0')};
    text.remove_prefix(1);
  }
  return out;
}

/// Local time minus UTC, with nothing behind it.
std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take_one_of(text, "Zz")) return std::chrono::minutes{0};
  const bool west = !text.empty() && text.front() == '-';
  if (!take_one_of(text, "+-")) return std::nullopt;
  const auto offset = take_hours_minutes(text);
  if (!offset) return std::nullopt;
  return west ? -*offset : *offset;
}

std::optional<WallTime> read_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take_one_of(text, "Tt ")) return std::nullopt;
  const auto minutes = take_hours_minutes(text);
  if (!minutes) return std::nullopt;
  const auto seconds = take_seconds(text);
  if (!seconds) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return WallTime{*date} + *minutes + *seconds - *offset;
}

}  // namespace

Result<WallTime> parse_rfc3339(std::string_view text) {
  const auto moment = read_rfc3339(text);
  if (!moment) return fail(Errc::malformed, "is no time such as 2026-05-04T03:02:01Z");
  return *moment;
}

Result<Since> parse_since(std::string_view text) {
  const auto span = parse_span(text);
  if (span) return Since{*span};
  const auto moment = parse_rfc3339(text);
  if (moment) return Since{*moment};
  return fail(Errc::malformed,
              "is neither an age (45s, 15m, 2h, 3d) nor a time such as 2026-05-04T03:02:01Z");
}

WallTime moment_of(const Since& since, WallTime now) {
  if (const auto* moment = std::get_if<WallTime>(&since)) return *moment;
  return now - std::chrono::duration_cast<milliseconds>(std::get<Duration>(since));
}

}  // namespace wesher::cli
