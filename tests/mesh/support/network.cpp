#include "tests/mesh/support/network.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/mesh/support/invariants.h"

namespace wesher::mesh::test {

std::vector<std::string> Host::standings() const {
  std::vector<std::string> out;
  for (const Member& m : mesh->members())
    out.push_back(m.name + ": " + std::string(to_text(m.standing)));
  return out;
}

const Member& Host::member(const std::string& other) const {
  const Member* found = mesh->find(other);
  REQUIRE(found != nullptr);
  return *found;
}

Host& Network::add(const std::string& name, std::uint8_t number) {
  auto host = std::make_unique<Host>();
  host->name = name;
  host->endpoint = {IpAddress::v4(192, 0, 2, number), 7946};
  host->own = {IpAddress::v4(10, 42, 0, number), key(number), MetaFormat::f2};
  return *hosts_.emplace(name, std::move(host)).first->second;
}

void Network::start(Host& host, const std::vector<std::string>& seeds) {
  Config config;
  config.gossip.name = host.name;
  const ByteView address = host.endpoint.address.bytes();
  config.gossip.address.assign(address.begin(), address.end());
  config.gossip.port = host.endpoint.port;
  config.gossip.incarnation_first = host.incarnation;
  config.gossip.incarnation_end = host.incarnation + 1000;
  config.own = host.own;
  config.overlay_net = Prefix::parse("10.42.0.0/16").value();
  config.cluster = "3f9a-c2e1";
  if (adjust) adjust(config);
  host.config = config;
  wire::Keyring keyring;
  REQUIRE(keyring.add(Bytes(32, host.cluster_key)));
  std::vector<Member> restored;
  for (const auto& [name, member] : host.rows)
    restored.push_back(member);
  ++host.life;
  host.mesh = std::make_unique<Mesh>(std::move(config), std::move(keyring),
                                     Rng::from_number(++seed_), std::move(restored), moment());
  if (!seeds.empty()) {
    host.seeds.clear();
    for (const std::string& seed : seeds)
      host.seeds.push_back(hosts_.at(seed)->endpoint);
  }
  host.mesh->set_seeds(host.seeds, moment());
  host.mesh->start(2s, moment());
  drain(host);
}

void Network::kill(Host& host) {
  REQUIRE(host.up());
  host.mesh.reset();
  host.timer.reset();
  host.incarnation += 1000;
}

void Network::change_key(Host& host, const PublicKey& key) {
  host.own.key = key;
  host.mesh->own_key_changed(key, moment());
  drain(host);
}

std::optional<std::size_t> Network::leave(Host& host, Duration max_wait) {
  const std::size_t before = host.facts.size();
  host.mesh->leave(max_wait, moment());
  drain(host);
  run(max_wait + 1s);
  std::optional<std::size_t> told;
  for (std::size_t i = before; i < host.facts.size(); ++i) {
    if (const auto* done = std::get_if<LeaveDone>(&host.facts[i])) told = done->told;
  }
  kill(host);
  return told;
}

void Network::run(Duration span) {
  const Duration end = clock_ + span;
  for (;;) {
    Duration next = queue_.empty() ? end + 1us : queue_.begin()->first;
    Host* due = nullptr;
    for (const auto& [name, host] : hosts_) {
      if (!host->up() || !host->timer) continue;
      const Duration when = std::max(*host->timer - at(0us).at, clock_);
      if (when < next) {
        next = when;
        due = host.get();
      }
    }
    if (next > end) break;
    clock_ = next;
    if (due != nullptr) {
      due->mesh->handle_timeout(moment());
      drain(*due);
      REQUIRE((!due->timer || *due->timer > moment().at));  // else a real loop would spin
    } else {
      const auto what = std::move(queue_.begin()->second);
      queue_.erase(queue_.begin());
      what();
    }
  }
  clock_ = end;
}

void Network::cut(const std::set<std::string>& group) {
  cut_ = group;
}

void Network::inject(Host& to, const Endpoint& from, ByteView datagram) {
  to.mesh->handle_packet(from, datagram, moment());
  drain(to);
}

bool Network::converged() const {
  for (const auto& [name, host] : hosts_) {
    if (!host->up()) continue;
    for (const auto& [other_name, other] : hosts_) {
      if (!other->up() || other == host) continue;
      const Member* seen = host->mesh->find(other_name);
      if (seen == nullptr || seen->state != MemberState::alive) return false;
      if (seen->standing != Standing::configured || seen->meta != other->own) return false;
    }
  }
  return true;
}

Moment Network::moment() const {
  Moment m = at(clock_);
  m.wall += std::chrono::duration_cast<std::chrono::milliseconds>(wall_shift);
  return m;
}

bool Network::happens(std::uint64_t of_1000) {
  return of_1000 != 0 && chance_.u64() % 1000 < of_1000;
}

/// FNV-1a.
void Network::note(const Host& to, ByteView bytes) {
  const auto mix = [this](std::uint64_t value) { trace = (trace ^ value) * 0x100000001b3U; };
  mix(static_cast<std::uint64_t>(clock_.count()));
  for (const char c : to.name)
    mix(static_cast<std::uint8_t>(c));
  for (const std::uint8_t byte : bytes)
    mix(byte);
}

bool Network::passes(const Host& a, const Host& b) const {
  if (one_way.contains({a.name, b.name})) return false;
  return cut_.contains(a.name) == cut_.contains(b.name);
}

Host* Network::at_endpoint(const Endpoint& endpoint) {
  for (const auto& [name, host] : hosts_) {
    if (host->up() && host->endpoint == endpoint) return host.get();
  }
  return nullptr;
}

void Network::later(Duration delay, std::function<void()> what) {
  queue_.emplace(clock_ + delay, std::move(what));
}

void Network::drain(Host& host) {
  for (bool more = true; more;) {
    more = false;
    while (auto transmit = host.mesh->poll_transmit()) {
      more = true;
      send(host, std::move(*transmit));
    }
    while (auto request = host.mesh->poll_stream()) {
      more = true;
      open(host, std::move(*request));
    }
    while (auto fact = host.mesh->poll_fact()) {
      more = true;
      take(host, *fact);
    }
  }
  host.timer = host.mesh->poll_timeout();
  const auto broken = broken_rule(*host.mesh, host.config, host.rows);
  INFO(broken.value_or(""));
  REQUIRE_FALSE(broken);
}

void Network::send(Host& host, gossip::Transmit transmit) {
  ++datagrams;
  if (const auto hook = on_datagram) {
    later(0us, [hook, sender = &host, transmit] { hook(*sender, transmit); });
  }
  if (happens(weather.lost)) return;
  for (int copies = happens(weather.doubled) ? 2 : 1; copies > 0; --copies) {
    const Duration longer = weather.jitter == 0us ? 0us : chance_.below(weather.jitter);
    later(kLatency + longer, [this, from = host.endpoint, sender = &host, t = transmit] {
      Host* to = at_endpoint(t.to);
      if (to == nullptr || !passes(*sender, *to)) return;
      note(*to, t.datagram);
      to->mesh->handle_packet(from, t.datagram, moment());
      drain(*to);
    });
  }
}

/// What a daemon does with facts: keeps rows, reserves numbers.
void Network::take(Host& host, const Fact& fact) {
  host.facts.push_back(fact);
  if (const auto* changed = std::get_if<MemberChanged>(&fact)) {
    host.rows[changed->member.name] = changed->member;
  } else if (const auto* forgotten = std::get_if<MemberForgotten>(&fact)) {
    host.rows.erase(forgotten->name);
  } else if (const auto* reserve = std::get_if<ReserveIncarnations>(&fact)) {
    host.mesh->incarnations_reserved(reserve->end, moment());
  }
}

void Network::open(Host& host, gossip::StreamRequest request) {
  ++streams;
  calls[request.to].push_back(clock_);
  later(2 * kLatency, [this, caller = &host, life = host.life, r = std::move(request)] {
    const auto gone = [caller, life] { return !caller->up() || caller->life != life; };
    const auto fail = [this, caller, gone, id = r.id](Duration after, const std::string& reason) {
      later(after, [this, caller, gone, id, reason] {
        if (gone()) return;
        caller->mesh->handle_stream_failed(id, reason, moment());
        drain(*caller);
      });
    };
    Host* to = at_endpoint(r.to);
    const bool through = to != nullptr && passes(*caller, *to) && passes(*to, *caller);
    if (!through || happens(weather.lost)) return fail(kConnectTimeout, "no answer");
    note(*to, r.frame);
    auto reply = to->mesh->handle_request(caller->endpoint, r.frame, moment());
    drain(*to);
    if (!r.wants_reply) {
      later(kLatency, [this, caller, gone, id = r.id] {
        if (gone()) return;
        caller->mesh->handle_stream_done(id, moment());
        drain(*caller);
      });
      return;
    }
    if (!reply) return fail(kLatency, "it closed the connection without an answer");
    later(kLatency, [this, caller, gone, id = r.id, frame = std::move(*reply)] {
      if (gone()) return;
      caller->mesh->handle_reply(id, frame, moment());
      drain(*caller);
    });
  });
}

}  // namespace wesher::mesh::test
