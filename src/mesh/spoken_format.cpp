#include "mesh/spoken_format.h"

#include <algorithm>

namespace wesher::mesh {

void SpokenFormat::observe(const FormatCounts& counts, Instant now) {
  counts_ = counts;
  settle(now);
}

void SpokenFormat::set(MetaFormat format, Instant now) {
  format_ = format;
  unread_since_.reset();
  settle(now);
}

void SpokenFormat::settle(Instant now) {
  const bool any = std::any_of(counts_.begin(), counts_.end(), [](std::size_t n) { return n > 0; });
  if (fixed_ || !any || speakers(format_) > 0) {
    unread_since_.reset();
  } else if (!unread_since_) {
    unread_since_ = now;
  }
}

MetaFormat SpokenFormat::most_spoken() const {
  const auto newest_first = std::max_element(counts_.rbegin(), counts_.rend());
  return static_cast<MetaFormat>(std::distance(newest_first, counts_.rend()) - 1);
}

std::optional<MetaFormat> SpokenFormat::agreed() const {
  const auto spoken = std::count_if(counts_.begin(), counts_.end(), [](auto n) { return n > 0; });
  if (fixed_ || spoken != 1 || most_spoken() == format_) return std::nullopt;
  return most_spoken();
}

std::optional<MetaFormat> SpokenFormat::due(Instant now) const {
  const auto at = poll_timeout();
  return at && *at <= now ? std::optional(most_spoken()) : std::nullopt;
}

std::optional<Instant> SpokenFormat::poll_timeout() const {
  if (!unread_since_) return std::nullopt;
  return *unread_since_ + patience_;
}

}  // namespace wesher::mesh
