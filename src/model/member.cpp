#include "model/member.h"

#include <algorithm>
#include <array>

namespace wesher {

namespace {

constexpr std::array kStates = {MemberState::alive, MemberState::suspect, MemberState::failed,
                                MemberState::left, MemberState::gone};
constexpr std::array kStandings = {Standing::configured, Standing::seed, Standing::refused};
constexpr std::array kFormats = {MetaFormat::f1, MetaFormat::f2, MetaFormat::f3};

/// So many times as long as it lived a member is kept.
constexpr int kLifetimes = 10;
constexpr std::chrono::milliseconds kLifetimeMax = std::chrono::days{3660};

template <class T, std::size_t N>
std::optional<T> from_text(const std::array<T, N>& values, std::string_view text) {
  for (const T value : values) {
    if (to_text(value) == text) return value;
  }
  return std::nullopt;
}

}  // namespace

Duration retention_by_lifetime(WallTime first_seen, WallTime failed, Duration longest) {
  // In numbers of this size nothing overflows, whatever a clock said.
  const auto lived = std::clamp<std::int64_t>(to_ms(failed) / 2 - to_ms(first_seen) / 2, 0,
                                              kLifetimeMax.count() / 2) *
                     2;
  const Duration wanted = std::chrono::milliseconds{lived} * kLifetimes;
  return std::min(std::max(wanted, kRetentionAtLeast), longest);
}

std::string_view to_text(MemberState state) {
  switch (state) {
    case MemberState::alive:
      return "alive";
    case MemberState::suspect:
      return "suspect";
    case MemberState::failed:
      return "failed";
    case MemberState::left:
      return "left";
    case MemberState::gone:
      return "gone";
  }
  return "";
}

std::string_view to_text(Standing standing) {
  switch (standing) {
    case Standing::configured:
      return "configured";
    case Standing::seed:
      return "seed";
    case Standing::refused:
      return "refused";
  }
  return "";
}

std::string_view to_text(MetaFormat format) {
  switch (format) {
    case MetaFormat::f1:
      return "F1";
    case MetaFormat::f2:
      return "F2";
    case MetaFormat::f3:
      return "F3";
  }
  return "";
}

std::optional<MemberState> member_state_from(std::string_view text) {
  return from_text(kStates, text);
}

std::optional<Standing> standing_from(std::string_view text) {
  return from_text(kStandings, text);
}

std::optional<MetaFormat> meta_format_from(std::string_view text) {
  return from_text(kFormats, text);
}

}  // namespace wesher
