#include "mesh/foreign.h"

#include <algorithm>

namespace wesher::mesh {

void Foreign::count(const IpAddress& source, Instant now) {
  auto found = sources_.find(source);
  if (found == sources_.end()) {
    if (sources_.size() >= kSources) make_room(now);
    if (sources_.size() >= kSources) return;
    found = sources_.emplace(source, Source{}).first;
    found->second.last_fact = now;
  }
  Source& entry = found->second;
  if (entry.fresh == 0) due_.emplace(std::max(now, entry.last_fact + kCountEvery), source);
  ++entry.fresh;
  ++entry.unsaid;
}

std::vector<Fact> Foreign::take_due(Instant now) {
  std::vector<Fact> facts;
  while (!due_.empty() && due_.begin()->first <= now) {
    const IpAddress address = due_.begin()->second;
    due_.erase(due_.begin());
    Source& source = sources_[address];
    facts.emplace_back(ForeignPackets{address, source.fresh});
    source.fresh = 0;
    source.last_fact = now;
    if (source.last_line && now < *source.last_line + kLineEvery) continue;
    source.last_line = now;
    const std::string packets =
        source.unsaid == 1 ? "1 packet" : std::to_string(source.unsaid) + " packets";
    facts.emplace_back(Notice{Severity::warning, "undecryptable",
                              packets + " from " + address.text() +
                                  " cannot be decrypted: another cluster's key, or junk"});
    source.unsaid = 0;
  }
  return facts;
}

std::optional<Instant> Foreign::poll_timeout() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

/// Drops sources that were silent for as long as their line holds; looks at the table at most every
/// 10 s, so that a flood from ever new sources costs nothing.
void Foreign::make_room(Instant now) {
  if (now < next_purge_) return;
  next_purge_ = now + kCountEvery;
  std::erase_if(sources_, [now](const auto& item) {
    return item.second.fresh == 0 && now >= item.second.last_fact + kLineEvery;
  });
}

}  // namespace wesher::mesh
