// Which of the three metadata formats we speak, so that the live nodes of the Go program can read
// us. Pure.
//
// Each of them reads one format, we read all. So ours changes when it helps and hurts nobody: some
// live Go member speaks another one and none speaks ours, all through `patience`. Then it is the
// one that most of them speak; of equally many, the newest. A node that nobody has heard of takes
// what they speak at once, if that is one. What a node of ours speaks counts for nothing.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

#include "base/time.h"
#include "model/member.h"

namespace wesher::mesh {

inline constexpr std::size_t kMetaFormats = 3;

/// How many live members of the Go program speak each format: F1, F2, F3.
using FormatCounts = std::array<std::size_t, kMetaFormats>;

class SpokenFormat {
 public:
  /// `fixed`: whatever others speak, it stays `format`.
  SpokenFormat(MetaFormat format, bool fixed, Duration patience)
      : format_(format), fixed_(fixed), patience_(patience) {}

  [[nodiscard]] MetaFormat format() const { return format_; }

  /// Live members of the Go program are these from now on. O(1), as all the others.
  void observe(const FormatCounts& counts, Instant now);
  /// We speak this one from now on.
  void set(MetaFormat format, Instant now);

  /// What we should speak before anybody has heard of us: what all Go members speak. Nothing: as we
  /// do, or there are none, or they don't agree.
  [[nodiscard]] std::optional<MetaFormat> agreed() const;
  /// What we should speak because nobody has needed ours for `patience`.
  [[nodiscard]] std::optional<MetaFormat> due(Instant now) const;
  /// When `due` gives something, unless others come or go before.
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

  /// Of the last `observe`.
  [[nodiscard]] std::size_t speakers(MetaFormat format) const {
    return counts_.at(static_cast<std::size_t>(format));
  }

 private:
  [[nodiscard]] MetaFormat most_spoken() const;
  void settle(Instant now);

  MetaFormat format_;
  bool fixed_;
  Duration patience_;
  FormatCounts counts_{};
  std::optional<Instant> unread_since_;  ///< since when those who are there can't read us
};

}  // namespace wesher::mesh
