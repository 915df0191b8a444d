#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace wesher {

std::string printable(std::string_view foreign) {
  std::string out;
  for (const char c : foreign.substr(0, kShownTextMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (byte >= 0x20 && byte < 0x7f) {
      out.push_back(c);
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  if (foreign.size() > kShownTextMax) out += "…";
  return out;
}

bool is_valid_hostname(std::string_view name) {
  static constexpr std::size_t kNameMax = 253;
  static constexpr std::size_t kLabelMax = 63;
  if (name.empty() || name.size() > kNameMax) return false;
  const auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  while (true) {
    const std::string_view label = name.substr(0, name.find('.'));
    if (label.empty() || label.size() > kLabelMax) return false;
    if (!alnum(label.front()) || !alnum(label.back())) return false;
    if (!std::all_of(label.begin(), label.end(), [&](char c) { return alnum(c) || c == '-'; })) {
      return false;
    }
    if (label.size() == name.size()) return true;
    name.remove_prefix(label.size() + 1);
  }
}

std::string age_text(Duration age) {
  using std::chrono::days;
  using std::chrono::duration_cast;
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  age = std::max(age, Duration::zero());
  if (age >= days{2}) return fmt::format("{}d", duration_cast<days>(age).count());
  if (age >= hours{2}) return fmt::format("{}h", duration_cast<hours>(age).count());
  if (age >= minutes{2}) return fmt::format("{}m", duration_cast<minutes>(age).count());
  return fmt::format("{}s", duration_cast<seconds>(age).count());
}

Result<Duration> parse_span(std::string_view text) {
  struct Unit {
    char letter;
    std::chrono::seconds length;
  };

  static constexpr std::array kUnits = {
      Unit{'s', std::chrono::seconds{1}}, Unit{'m', std::chrono::minutes{1}},
      Unit{'h', std::chrono::hours{1}}, Unit{'d', std::chrono::days{1}}};
  static constexpr const char* kForm = "is no span of time: 45s, 15m, 2h or 3d";
  if (text.size() < 2 || text.front() == '-') return fail(Errc::malformed, kForm);
  const auto* unit = std::find_if(kUnits.begin(), kUnits.end(),
                                  [&](const Unit& each) { return each.letter == text.back(); });
  if (unit == kUnits.end()) return fail(Errc::malformed, kForm);
  const char* const last = text.data() + text.size() - 1;
  std::uint64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), last, number);
  if (end != last || ec == std::errc::invalid_argument) return fail(Errc::malformed, kForm);
  const auto most = static_cast<std::uint64_t>(std::chrono::seconds{kSpanMax} / unit->length);
  if (ec != std::errc() || number > most) return fail(Errc::malformed, "is longer than 100 years");
  return unit->length * static_cast<std::int64_t>(number);
}

std::string size_text(std::uint64_t bytes) {
  if (bytes == 0) return "0";
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  if (unit == 0 || value >= 10) return fmt::format("{:.0f} {}", std::floor(value), kUnits[unit]);
  return fmt::format("{:.1f} {}", std::floor(value * 10) / 10, kUnits[unit]);
}

std::string rfc3339(WallTime t) {
  using std::chrono::sys_days;
  static constexpr WallTime kFirst = sys_days{std::chrono::year{0} / 1 / 1};
  static constexpr WallTime kEnd = sys_days{std::chrono::year{10000} / 1 / 1};
  t = std::clamp(t, kFirst, kEnd - std::chrono::milliseconds{1});
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{t - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace wesher
