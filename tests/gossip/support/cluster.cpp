#include "tests/gossip/support/cluster.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/gossip/support/rig.h"

namespace wesher::gossip::testing {

namespace {
constexpr Duration kLatency = std::chrono::milliseconds{20};  ///< one way; up to twice that
}

Cluster::Cluster(std::size_t nodes, std::uint64_t seed, double loss)
    : seed_(seed), loss_(loss), rng_(Rng::from_number(seed)), hosts_(nodes) {
  for (std::size_t i = 0; i < nodes; ++i)
    create(i);
}

Cluster::~Cluster() = default;

Endpoint Cluster::endpoint(std::size_t i) const {
  return {IpAddress::v4(10, 1, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)),
          7946};
}

void Cluster::create(std::size_t i) {
  Config config;
  config.name = name(i);
  const Endpoint own = endpoint(i);
  config.address.assign(own.address.bytes().begin(), own.address.bytes().end());
  Host& host = hosts_[i];
  config.meta = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(host.lives)};
  const std::uint64_t seed = seed_ * 100000 + i * 100 + host.lives++;
  host.node = std::make_unique<Node>(std::move(config), test_keyring(), Rng::from_number(seed),
                                     nullptr, now_);
  host.events.clear();
  host.up = true;
}

void Cluster::restart(std::size_t i) {
  create(i);
}

void Cluster::start(std::size_t i, std::size_t seed) {
  act(i, [&](Node& node, Instant now) {
    node.announce(now);
    if (i != seed) node.join(endpoint(seed), now);
  });
}

bool Cluster::converge(Duration max) {
  for (std::size_t i = 0; i < size(); ++i)
    start(i, 0);
  const auto done = [this] {
    for (std::size_t j = 0; j < size(); ++j) {
      if (!all_hold(j, RecordState::alive)) return false;
    }
    return true;
  };
  return run_until(done, max) >= Duration::zero();
}

std::size_t Cluster::at(const Endpoint& to) const {
  for (std::size_t i = 0; i < size(); ++i) {
    if (endpoint(i) == to) return i;
  }
  return size();
}

bool Cluster::connected(std::size_t a, std::size_t b) const {
  return b < size() && hosts_[a].up && hosts_[b].up && hosts_[a].group == hosts_[b].group;
}

void Cluster::later(Duration delay, std::function<void()> action) {
  agenda_.emplace(std::pair(now_ + delay, next_action_++), std::move(action));
}

void Cluster::send(std::size_t from, Transmit transmit) {
  ++datagrams_;
  const std::size_t to = at(transmit.to);
  if (!connected(from, to) || rng_.unit() < loss_) return;
  if (std::find(mute_.begin(), mute_.end(), std::pair(from, to)) != mute_.end()) return;
  const Duration delay = kLatency + rng_.below(kLatency);
  later(delay, [this, from, to, datagram = std::move(transmit.datagram)] {
    if (!connected(from, to)) return;
    node(to).handle_packet(endpoint(from), datagram, now_);
    collect(to);
  });
}

void Cluster::open(std::size_t from, StreamRequest request) {
  const std::size_t to = at(request.to);
  if (!connected(from, to)) {
    later(request.deadline - now_, [this, from, id = request.id] {
      if (!hosts_[from].up) return;
      node(from).handle_stream_failed(id, "timed out", now_);
      collect(from);
    });
    return;
  }
  later(2 * kLatency, [this, from, to, asked = std::move(request)] { serve(from, to, asked); });
}

void Cluster::serve(std::size_t from, std::size_t to, const StreamRequest& request) {
  if (!connected(from, to)) return;
  auto reply = node(to).handle_request(endpoint(from), request.frame, now_);
  collect(to);
  later(kLatency, [this, from, id = request.id, answer = std::move(reply)] {
    if (!hosts_[from].up) return;
    if (answer) {
      node(from).handle_reply(id, *answer, now_);
    } else {
      node(from).handle_stream_failed(id, "closed", now_);
    }
    collect(from);
  });
}

void Cluster::collect(std::size_t i) {
  while (auto transmit = node(i).poll_transmit())
    send(i, std::move(*transmit));
  while (auto request = node(i).poll_stream())
    open(i, std::move(*request));
  while (auto event = node(i).poll_event()) {
    if (const auto* need = std::get_if<NeedIncarnations>(&*event))
      node(i).extend_incarnations(need->end, now_);
    hosts_[i].events.push_back(std::move(*event));
  }
}

void Cluster::step(Instant until) {
  Instant next = until;
  std::size_t who = size();
  for (std::size_t i = 0; i < size(); ++i) {
    if (!hosts_[i].up) continue;
    const auto wakeup = node(i).poll_timeout();
    if (wakeup && wakeup->at < next) {
      next = wakeup->at;
      who = i;
    }
  }
  if (!agenda_.empty() && agenda_.begin()->first.first <= next) {
    now_ = std::max(now_, agenda_.begin()->first.first);
    const auto action = std::move(agenda_.begin()->second);
    agenda_.erase(agenda_.begin());
    action();
    return;
  }
  now_ = std::max(now_, next);
  if (who == size()) return;
  node(who).handle_timeout(now_);
  collect(who);
}

Duration Cluster::run_until(const std::function<bool()>& done, Duration max) {
  const Instant start = now_;
  while (now_ < start + max) {
    if (done()) return now_ - start;
    step(start + max);
  }
  return done() ? now_ - start : Duration{-1};
}

void Cluster::run(Duration duration) {
  run_until([] { return false; }, duration);
}

bool Cluster::knows(std::size_t i, std::size_t j) {
  return node(i).find(name(j)) != nullptr;
}

RecordState Cluster::view(std::size_t i, std::size_t j) {
  const Record* record = node(i).find(name(j));
  return record == nullptr ? RecordState::dead : record->state;
}

bool Cluster::all_hold(std::size_t j, RecordState state) {
  for (std::size_t i = 0; i < size(); ++i) {
    if (hosts_[i].up && i != j && view(i, j) != state) return false;
  }
  return true;
}

}  // namespace wesher::gossip::testing
