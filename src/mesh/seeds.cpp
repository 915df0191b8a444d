#include "mesh/seeds.h"

#include <algorithm>

#include "mesh/mesh.h"
#include "mesh/words.h"

namespace wesher::mesh {

void Seeds::set(const std::vector<Endpoint>& seeds, Instant now) {
  std::map<Endpoint, Seed> next;
  for (const Endpoint& seed : seeds) {
    if (next.size() >= kSeedsMax || next.contains(seed)) continue;
    auto known = seeds_.extract(seed);
    if (known) {
      next.insert(std::move(known));
    } else {
      next.emplace(seed, Seed(Backoff(retry_first_, retry_max_), now));
    }
  }
  seeds_ = std::move(next);
}

std::vector<Endpoint> Seeds::all() const {
  std::vector<Endpoint> endpoints;
  for (const auto& [endpoint, seed] : seeds_)
    endpoints.push_back(endpoint);
  return endpoints;
}

bool Seeds::contains(const Endpoint& seed) const {
  return seeds_.contains(seed);
}

std::vector<Endpoint> Seeds::take_due(Instant now) {
  std::vector<Endpoint> due;
  for (auto& [endpoint, seed] : seeds_) {
    if (seed.in_flight || seed.due > now) continue;
    seed.in_flight = true;
    due.push_back(endpoint);
  }
  return due;
}

void Seeds::tried(const Endpoint& seed) {
  if (const auto found = seeds_.find(seed); found != seeds_.end()) found->second.in_flight = true;
}

std::vector<Fact> Seeds::result(
    const Endpoint& endpoint, bool ok, const std::string& reason, const Moment& now, Rng& rng) {
  const auto found = seeds_.find(endpoint);
  if (found == seeds_.end()) return {};
  Seed& seed = found->second;
  seed.in_flight = false;
  std::vector<Fact> facts;
  if (ok) {
    if (seed.ok != true) facts.emplace_back(SeedHealth{endpoint, true, "answered", 0, now.wall});
    seed.ok = true;
    seed.tries = 0;
    seed.said.clear();
    seed.backoff.reset();
    seed.due = now.at + retry_max_;
    return facts;
  }
  if (seed.tries++ == 0) seed.since = now.wall;
  seed.ok = false;
  const Duration pause = seed.backoff.next(rng);
  seed.due = now.at + pause;
  const bool silent = reason.find(kClosedWithoutAnswer) != std::string::npos;
  facts.emplace_back(SeedHealth{endpoint, false,
                                silent ? "connected, no answer (another cluster key?)" : reason,
                                seed.tries, seed.since});
  if (seed.said.size() < kSaidMax && seed.said.insert(reason).second) {
    facts.emplace_back(Notice{Severity::warning, "seed", line(endpoint, reason, pause)});
  }
  return facts;
}

std::string Seeds::line(const Endpoint& seed, const std::string& reason, Duration pause) const {
  std::string text = "cannot join through " + seed.text() + ": ";
  if (reason.find(kClosedWithoutAnswer) != std::string::npos) {
    text += "it closed the connection without an answer; most likely its cluster key is not ours";
    if (!cluster_.empty()) text += " (" + cluster_ + ")";
    text += ". Compare 'wesher status' there";
  } else {
    text += reason;
  }
  const auto whole = std::chrono::ceil<std::chrono::seconds>(pause);
  text += ". Trying again in " + span_text(whole);
  if (whole < retry_max_) text += ", then up to every " + span_text(retry_max_);
  return text;
}

std::optional<Instant> Seeds::poll_timeout() const {
  std::optional<Instant> next;
  for (const auto& [endpoint, seed] : seeds_) {
    if (!seed.in_flight && (!next || seed.due < *next)) next = seed.due;
  }
  return next;
}

}  // namespace wesher::mesh
