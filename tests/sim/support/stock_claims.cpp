// What a stock node does with what it hears of members: memberlist's aliveNode, suspectNode,
// deadNode, refute and mergeState, in their order of questions.
#include <algorithm>
#include <cmath>
#include <utility>

#include "tests/sim/support/stock_node.h"

namespace wesher::sim {

using namespace std::chrono_literals;
using wire::EntryState;

namespace {

constexpr unsigned kSuspicionMult = 6;
constexpr unsigned kSuspicionMaxMult = 6;
constexpr Duration kProbeInterval = 5s;
constexpr unsigned kHealthMax = 7;

Bytes bytes_of(const wire::Versions& versions) {
  return {versions.begin(), versions.end()};
}

wire::Versions versions_of(const Bytes& bytes) {
  wire::Versions versions{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), versions.size()), versions.begin());
  return versions;
}

}  // namespace

Duration stock_suspicion_min(std::size_t members) {
  const double log = std::log10(std::max(1.0, static_cast<double>(members)));
  const auto scale = static_cast<std::int64_t>(std::floor(std::max(1.0, log) * 1000.0));
  return kSuspicionMult * scale * kProbeInterval / 1000;
}

Instant StockNode::Suspicion::end() const {
  if (needed == 0) return start + min;
  const double part = std::log(confirmed + 1.0) / std::log(needed + 1.0);
  const double span = std::chrono::duration<double>(max - min).count();
  const double seconds = std::chrono::duration<double>(max).count() - span * part;
  const auto cut = std::chrono::milliseconds(static_cast<std::int64_t>(std::floor(seconds * 1000)));
  return start + std::max<Duration>(min, cut);
}

wire::Alive StockNode::own_alive() const {
  wire::Alive alive;
  alive.incarnation = incarnation_;
  alive.node = config_.name;
  alive.address = config_.address;
  alive.port = config_.port;
  const StockRecord* self = table_.find(config_.name);
  alive.meta = self == nullptr ? Bytes{} : self->meta;
  alive.nil_meta = alive.meta.empty();
  alive.versions = bytes_of(wire::kOwnVersions);
  return alive;
}

void StockNode::hear(const wire::Alive& claim, bool bootstrap, Instant now) {
  const bool self = is_self(claim.node);
  if (leaving_ && self) return;
  const Bytes& v = claim.versions;
  if (v.size() >= 3 && (v[0] == 0 || v[1] == 0 || v[0] > v[1])) return;
  bool replaced = false;
  const StockRecord* known = table_.find(claim.node);
  if (known == nullptr) {
    StockRecord fresh{claim.node, claim.address,    claim.port, claim.meta, {},
                      0,          EntryState::dead, now};
    if (v.size() == fresh.versions.size()) fresh.versions = versions_of(v);
    table_.insert(std::move(fresh), rng_);
    known = table_.find(claim.node);
  } else if (known->address != claim.address || known->port != claim.port) {
    if (known->state != EntryState::left) return;  // a conflict of names
    replaced = true;
  }
  if (!self && !replaced && claim.incarnation <= known->incarnation) return;
  if (self && claim.incarnation < known->incarnation) return;
  suspicions_.erase(claim.node);
  if (self && !bootstrap) {
    const bool same = claim.incarnation == known->incarnation && claim.meta == known->meta &&
                      v == bytes_of(known->versions);
    if (!same) refute(claim.incarnation);
    return;
  }
  queue_.push(claim.node, wire::encode(claim));
  StockRecord& record = table_.edit(claim.node);
  if (v.size() >= record.versions.size()) record.versions = versions_of(v);
  record.incarnation = claim.incarnation;
  record.meta = claim.meta;
  record.address = claim.address;
  record.port = claim.port;
  if (record.state == EntryState::alive) return;
  record.state = EntryState::alive;
  record.changed = now;
}

void StockNode::hear(const wire::Suspect& claim, Instant now) {
  const StockRecord* known = table_.find(claim.node);
  if (known == nullptr || claim.incarnation < known->incarnation) return;
  if (const auto running = suspicions_.find(claim.node); running != suspicions_.end()) {
    Suspicion& suspicion = running->second;
    if (suspicion.confirmed >= suspicion.needed) return;
    if (!suspicion.accusers.insert(claim.from).second) return;
    ++suspicion.confirmed;
    queue_.push(claim.node, wire::encode(claim));
    return;
  }
  if (known->state != EntryState::alive) return;
  if (is_self(claim.node)) return refute(claim.incarnation);
  queue_.push(claim.node, wire::encode(claim));
  StockRecord& record = table_.edit(claim.node);
  record.incarnation = claim.incarnation;
  record.state = EntryState::suspect;
  record.changed = now;
  Suspicion suspicion;
  suspicion.accusers.insert(claim.from);
  suspicion.start = now;
  suspicion.min = stock_suspicion_min(table_.size());
  suspicion.max = kSuspicionMaxMult * suspicion.min;
  constexpr unsigned kConfirmations = kSuspicionMult - 2;
  suspicion.needed = table_.size() < kConfirmations + 2 ? 0 : kConfirmations;
  suspicions_.emplace(claim.node, std::move(suspicion));
}

void StockNode::hear(const wire::Dead& claim, Instant now) {
  const StockRecord* known = table_.find(claim.node);
  if (known == nullptr || claim.incarnation < known->incarnation) return;
  suspicions_.erase(claim.node);
  if (known->down()) return;
  if (is_self(claim.node) && !leaving_) return refute(claim.incarnation);
  queue_.push(claim.node, wire::encode(claim));
  StockRecord& record = table_.edit(claim.node);
  record.incarnation = claim.incarnation;
  const bool left = claim.node == claim.from && config_.version != StockVersion::v0_1_4;
  record.state = left ? EntryState::left : EntryState::dead;
  record.changed = now;
}

/// The next number wraps to 0 after the last one, and loses for ever.
void StockNode::refute(std::uint32_t accused) {
  ++incarnation_;
  if (accused >= incarnation_) incarnation_ = accused + 1;
  table_.edit(config_.name).incarnation = incarnation_;
  health_ = std::min(health_ + 1, kHealthMax);
  // memberlist files it under the address: what is queued under the name stays.
  queue_.push("address of " + config_.name, wire::encode(own_alive()));
}

/// All are compatible, or nothing is merged.
bool StockNode::versions_agree(const wire::PushPull& theirs) const {
  std::uint8_t max_min = 0;
  std::uint8_t min_max = 255;
  std::uint8_t delegate_max_min = 0;
  std::uint8_t delegate_min_max = 255;
  const auto narrow = [&](const wire::Versions& v) {
    max_min = std::max(max_min, v[0]);
    min_max = std::min(min_max, v[1]);
    delegate_max_min = std::max(delegate_max_min, v[3]);
    delegate_min_max = std::min(delegate_min_max, v[4]);
  };
  const auto fits = [&](const wire::Versions& v) {
    return max_min <= v[2] && v[2] <= min_max && delegate_max_min <= v[5] &&
           v[5] <= delegate_min_max;
  };
  for (const wire::PushPullEntry& entry : theirs.entries) {
    if (entry.state == 0 && !entry.versions.empty()) narrow(versions_of(entry.versions));
  }
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (table_.at(i).state == EntryState::alive) narrow(table_.at(i).versions);
  }
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (!fits(table_.at(i).versions)) return false;
  }
  return std::all_of(theirs.entries.begin(), theirs.entries.end(),
                     [&](const auto& entry) { return fits(versions_of(entry.versions)); });
}

void StockNode::merge(const wire::PushPull& theirs, Instant now) {
  if (!versions_agree(theirs)) return;
  for (const wire::PushPullEntry& entry : theirs.entries) {
    switch (static_cast<EntryState>(entry.state)) {
      case EntryState::alive:
        hear(wire::Alive{entry.incarnation, entry.name, entry.address, entry.port, entry.meta,
                         entry.nil_meta, entry.versions},
             false, now);
        break;
      case EntryState::suspect:
      case EntryState::dead:
        hear(wire::Suspect{entry.incarnation, entry.name, config_.name}, now);
        break;
      case EntryState::left:
        if (config_.version != StockVersion::v0_1_4)
          hear(wire::Dead{entry.incarnation, entry.name, entry.name}, now);
        break;
    }
  }
}

void StockNode::suspicions_end(Instant now) {
  std::vector<wire::Dead> verdicts;
  for (const auto& [name, suspicion] : suspicions_) {
    const StockRecord* record = table_.find(name);
    if (suspicion.end() <= now && record != nullptr)
      verdicts.push_back({record->incarnation, name, config_.name});
  }
  for (const wire::Dead& verdict : verdicts) {
    hear(verdict, now);
    suspicions_.erase(verdict.node);
  }
}

}  // namespace wesher::sim
