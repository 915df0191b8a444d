// The gossip tick and the paced flood of spreader.h.
#include "gossip/spreader.h"

#include <algorithm>

namespace wesher::gossip {

namespace {

/// Pace of a flood: 12,800 datagrams a second, some 30 Mbit/s of ordinary members' announcements.
constexpr std::size_t kFloodChunk = 128;
constexpr Duration kFloodEvery = std::chrono::milliseconds{10};

}  // namespace

void Spreader::start(Instant now) {
  tick_at_ = now + core_.rng.below(core_.config.gossip_interval);
}

std::size_t Spreader::flood(const Bytes& message, Instant now) {
  flood_message_ = message;
  flood_to_ = core_.table.live_endpoints();
  flood_next_ = 0;
  flood_chunk(now);
  return flood_to_.size();
}

void Spreader::tell(const Bytes& message, const std::vector<Endpoint>& others, Instant now) {
  const bool under_way = flooding();
  if (!under_way) {
    flood_to_.clear();
    flood_next_ = 0;
  }
  flood_message_ = message;
  flood_to_.insert(flood_to_.end(), others.begin(), others.end());
  if (!under_way) flood_chunk(now);
}

void Spreader::flood_chunk(Instant now) {
  const std::size_t end = std::min(flood_to_.size(), flood_next_ + kFloodChunk);
  for (; flood_next_ < end; ++flood_next_)
    core_.outbox.send(flood_to_[flood_next_], {&flood_message_, 1});
  flood_at_ = now + kFloodEvery;
}

void Spreader::tick(Instant now) {
  const auto targets = core_.table.choose_gossip(core_.rng, core_.config.gossip_nodes, now,
                                                 core_.config.gossip_to_the_dead);
  for (const Member* target : targets) {
    const unsigned limit = core_.transmit_limit();
    if (!core_.outbox.send_broadcasts(target->endpoint, core_.queue, limit)) break;
  }
}

void Spreader::timeout(Instant now) {
  if (flooding() && flood_at_ <= now) flood_chunk(now);
  if (!ticking() || *tick_at_ > now) return;
  tick(now);
  *tick_at_ += core_.config.gossip_interval;
  if (*tick_at_ <= now) tick_at_ = now + core_.config.gossip_interval;
}

std::optional<Wakeup> Spreader::next() const {
  std::optional<Instant> at;
  if (ticking()) at = tick_at_;
  if (flooding() && (!at || flood_at_ < *at)) at = flood_at_;
  if (!at) return std::nullopt;
  return Wakeup{*at, Timer::gossip};
}

}  // namespace wesher::gossip
