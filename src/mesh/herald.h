// The lines for people about members that come and go. When half of the mesh fails together it says
// so in one line instead of one per member. Pure.
//
// A failure is held back for kTogether in a mesh of at least kPartitionOf members; the failures of
// that time become one line if they are at least half of the members, else a line each. A member
// that is back before that is spoken of at once, so no line is lost.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "mesh/fact.h"
#include "model/member.h"

namespace wesher::mesh {

class Herald {
 public:
  static constexpr Duration kTogether = std::chrono::seconds{15};
  static constexpr std::size_t kPartitionOf = 4;
  static constexpr std::size_t kNamesShown = 4;

  void say(Severity severity, std::string group, std::string text);

  void joined(const Member& member);
  /// `why` as in history: "no answer for 30s". `kept`: how long it stays configured. `others_live`:
  /// live members after this failure.
  void failed(const Member& member,
              const std::string& why,
              Duration kept,
              std::size_t others_live,
              const Moment& now);
  /// `after`: how long it was away.
  void back(const Member& member, Duration after, const Moment& now);
  void left(const Member& member);
  /// It will not come back by itself: forgotten, or left while it was missing.
  void gone(const std::string& name, const Moment& now);
  /// It is refused, or configured again, for the reason in its row.
  void refused(const Member& member);

  void handle_timeout(const Moment& now);
  [[nodiscard]] std::optional<Notice> poll();
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

 private:
  struct Failure {
    std::string name;
    std::string line;
    Instant at{};
  };

  void flush_failures();
  void end_partition_if_over(const Moment& now);

  std::deque<Notice> notices_;
  std::vector<Failure> failures_;               ///< held back
  std::size_t of_members_ = 0;                  ///< live ones before the first of them
  std::set<std::string, std::less<>> missing_;  ///< of the last partition, not back yet
  std::size_t partition_size_ = 0;
  std::size_t returned_ = 0;
  Instant partition_since_{};
  std::optional<Instant> returns_due_;  ///< when to say how many are back
};

}  // namespace wesher::mesh
