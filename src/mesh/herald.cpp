#include "mesh/herald.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mesh/words.h"

namespace wesher::mesh {

namespace {

std::string who(const Member& member) {
  return printable(member.name) + " (" + member.underlay.text() + ")";
}

}  // namespace

void Herald::say(Severity severity, std::string group, std::string text) {
  notices_.push_back({severity, std::move(group), std::move(text)});
}

void Herald::joined(const Member& member) {
  std::string text = who(member) + " joined";
  if (member.standing == Standing::configured && member.meta) {
    text += " as " + member.meta->overlay.text();
  }
  say(Severity::info, "member", std::move(text));
}

void Herald::failed(const Member& member,
                    const std::string& why,
                    Duration kept,
                    std::size_t others_live,
                    const Moment& now) {
  std::string line = printable(member.name) + " failed: " + why;
  if (member.standing == Standing::configured) {
    line += "; it stays configured for " + span_text(kept);
  }
  if (failures_.empty()) of_members_ = others_live + 1;
  failures_.push_back({member.name, std::move(line), now.at});
  if (of_members_ < kPartitionOf) flush_failures();
}

void Herald::back(const Member& member, Duration after, const Moment& now) {
  if (missing_.erase(member.name) > 0) {
    ++returned_;
    if (!returns_due_) returns_due_ = now.at + kTogether;
    end_partition_if_over(now);
    return;
  }
  const auto held = std::find_if(failures_.begin(), failures_.end(),
                                 [&](const Failure& f) { return f.name == member.name; });
  if (held != failures_.end()) {
    say(Severity::info, "member", held->line);
    failures_.erase(held);
  }
  say(Severity::info, "member", printable(member.name) + " is back after " + elapsed_text(after));
}

void Herald::left(const Member& member) {
  say(Severity::info, "member", who(member) + " left");
}

void Herald::gone(const std::string& name, const Moment& now) {
  if (missing_.erase(name) > 0) end_partition_if_over(now);
}

void Herald::refused(const Member& member) {
  say(Severity::warning, "refused", who(member) + " is not configured: " + member.reason);
}

void Herald::handle_timeout(const Moment& now) {
  if (!failures_.empty() && failures_.front().at + kTogether <= now.at) flush_failures();
  if (!returns_due_ || *returns_due_ > now.at) return;
  returns_due_.reset();
  say(Severity::info, "partition",
      std::to_string(returned_) + " of " + members_text(partition_size_) + " are back after " +
          elapsed_text(now.at - partition_since_) +
          "; still missing: " + list_text({missing_.begin(), missing_.end()}, kNamesShown));
}

std::optional<Notice> Herald::poll() {
  if (notices_.empty()) return std::nullopt;
  Notice next = std::move(notices_.front());
  notices_.pop_front();
  return next;
}

std::optional<Instant> Herald::poll_timeout() const {
  std::optional<Instant> due = returns_due_;
  if (!failures_.empty()) {
    const Instant flush = failures_.front().at + kTogether;
    due = due ? std::min(*due, flush) : flush;
  }
  return due;
}

void Herald::flush_failures() {
  const std::vector<Failure> failures = std::exchange(failures_, {});
  const bool partition = of_members_ >= kPartitionOf && failures.size() * 2 >= of_members_;
  if (!partition) {
    for (const Failure& failure : failures)
      say(Severity::info, "member", failure.line);
    return;
  }
  if (missing_.empty()) {
    partition_since_ = failures.front().at;
    partition_size_ = 0;
    returned_ = 0;
  }
  std::vector<std::string> names;
  for (const Failure& failure : failures) {
    names.push_back(failure.name);
    if (missing_.insert(failure.name).second) ++partition_size_;
  }
  std::sort(names.begin(), names.end());
  say(Severity::warning, "partition",
      members_text(names.size()) + " failed within " +
          elapsed_text(failures.back().at - failures.front().at) + " (" +
          list_text(names, kNamesShown) +
          "): a partition? All stay configured; 'wesher status' shows who still has a tunnel");
}

void Herald::end_partition_if_over(const Moment& now) {
  if (!missing_.empty()) return;
  returns_due_.reset();
  if (returned_ == 0) return;
  say(Severity::info, "partition",
      std::to_string(returned_) + " of " + members_text(partition_size_) + " are back after " +
          elapsed_text(now.at - partition_since_));
}

}  // namespace wesher::mesh
