// What members said of others, signed, and is still to be told: per subject the latest. It is kept
// and passed on for three days, so that halves of a cluster that come together again hear of it,
// and then it is done: whoever comes later keeps what it knows. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "wire/statement.h"

namespace wesher::mesh {

class Statements {
 public:
  static constexpr std::chrono::hours kKept{72};
  /// A statement from further ahead is refused: it would outlive what follows it.
  static constexpr std::chrono::minutes kAhead{5};
  /// A member that failed so much later than it was said to be gone is meant all the same: clocks
  /// differ, and so do the moments in which its failure is noticed.
  static constexpr std::chrono::minutes kLate{5};

  /// Whether it is later than what is known of its subject, and of a believable time.
  [[nodiscard]] bool is_news(const wire::Statement& statement, WallTime now) const;
  /// Takes it if it is news. Its signature is the caller's business. When there are too many the
  /// oldest goes.
  bool hear(const wire::Statement& statement, WallTime now);

  /// Whether that member, which is not there since `since`, is said to be gone.
  [[nodiscard]] bool forgotten(std::string_view name, WallTime since) const;

  /// All that are to be told.
  [[nodiscard]] std::vector<wire::Statement> all() const;

  [[nodiscard]] bool empty() const { return statements_.empty(); }

  /// What stands for the whole set in a comparison; 0 for none.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

  /// Drops those whose time is over.
  void expire(WallTime now);

 private:
  void toggle(const wire::Statement& statement);

  std::map<std::string, wire::Statement, std::less<>> statements_;  ///< by subject
  std::uint64_t digest_ = 0;  ///< exclusive or of a part of each signature
};

}  // namespace wesher::mesh
