#include "tests/mesh/support/network.h"

#include <algorithm>
#include <cstring>

#include <catch2/catch.hpp>

#include "tests/mesh/support/invariants.h"

namespace wesher::mesh::test {

namespace {

/// What nobody was told of is looked for after so many inputs, as it stays that way.
constexpr std::uint64_t kFullCheckEvery = 16;

}  // namespace

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
  return add(name, {IpAddress::v4(192, 0, 2, number), 7946},
             {IpAddress::v4(10, 42, 0, number), key(number), MetaFormat::f2});
}

Host& Network::add(const std::string& name, const Endpoint& endpoint, const NodeMeta& own) {
  auto host = std::make_unique<Host>();
  host->name = name;
  host->endpoint = endpoint;
  host->own = own;
  attach(*host);
  return *hosts_.emplace(name, std::move(host)).first->second;
}

void Network::attach(Station& station) {
  stations_.push_back(&station);
  places_[station.endpoint] = &station;
}

Config Network::config_of(const Host& host) const {
  Config config;
  config.gossip.name = host.name;
  const ByteView address = host.endpoint.address.bytes();
  config.gossip.address.assign(address.begin(), address.end());
  config.gossip.port = host.endpoint.port;
  config.gossip.incarnation_first = host.incarnation;
  config.gossip.incarnation_end = host.incarnation + 1000;
  config.own = host.own;
  config.overlay_net = kOverlayNet;
  config.cluster = "3f9a-c2e1";
  std::array<std::uint8_t, kKeyBytes> seed{};
  seed.fill(host.identity);
  config.identity_seed = SecretKey(seed);
  config.epoch_first = host.epoch;
  config.epoch_end = host.epoch + 1000;
  config.instance = host.life + 1;
  config.claimed = host.claimed;
  config.claim_is_new = host.claim_is_new;
  if (adjust) adjust(config);
  return config;
}

void Network::start(Host& host, const std::vector<std::string>& seeds) {
  Config config = config_of(host);
  host.incarnation = config.gossip.incarnation_end;
  host.epoch = config.epoch_end;
  host.config = Config{};  // all but the secret
  host.config.gossip = config.gossip;
  host.config.own = config.own;
  host.config.overlay_net = config.overlay_net;
  wire::Keyring keyring;
  REQUIRE(keyring.add(Bytes(32, host.cluster_key)));
  std::vector<Member> restored;
  for (const auto& [name, member] : host.rows)
    restored.push_back(member);
  host.mesh = std::make_unique<Mesh>(std::move(config), std::move(keyring),
                                     Rng::from_number(++seed_), std::move(restored), now(host));
  if (!seeds.empty()) {
    host.seeds.clear();
    for (const std::string& seed : seeds)
      host.seeds.push_back(hosts_.at(seed)->endpoint);
  }
  host.mesh->set_seeds(host.seeds, now(host));
  host.mesh->start(2s, now(host));
  started(host);
}

void Network::started(Station& station) {
  ++station.life;
  station.stopped_until = {};
  drain(station);
}

void Network::kill(Host& host) {
  REQUIRE(host.up());
  host.mesh.reset();
  host.timer.reset();
}

void Network::place(Host& host, std::uint8_t number) {
  places_.erase(host.endpoint);
  host.endpoint.address = IpAddress::v4(192, 0, 2, number);
  places_[host.endpoint] = &host;
}

void Network::move(Host& host, std::uint8_t number) {
  place(host, number);
  const ByteView address = host.endpoint.address.bytes();
  host.mesh->own_address_changed(Bytes(address.begin(), address.end()), now(host));
  drain(host);
}

void Network::change_key(Host& host, const PublicKey& key) {
  host.own.key = key;
  host.config.own.key = key;
  host.mesh->own_key_changed(key, now(host));
  drain(host);
}

std::optional<std::size_t> Network::leave(Host& host, Duration max_wait, bool for_good) {
  const std::size_t before = host.facts.size();
  host.mesh->leave(max_wait, for_good, now(host));
  drain(host);
  run(max_wait + 1s);
  std::optional<std::size_t> told;
  for (std::size_t i = before; i < host.facts.size(); ++i) {
    if (const auto* done = std::get_if<LeaveDone>(&host.facts[i])) told = done->told;
  }
  kill(host);
  return told;
}

void Network::leave_at_once(Host& host) {
  host.mesh->leave(0us, false, now(host));
  drain(host);
  kill(host);
}

void Network::run(Duration span) {
  const Duration end = clock_ + span;
  if (disturbed()) disturbed_ = clock_;
  while (!queue_.empty() && queue_.front().due <= end) {
    std::pop_heap(queue_.begin(), queue_.end(), std::greater<>{});
    Event event = std::move(queue_.back());
    queue_.pop_back();
    clock_ = event.due;
    if (event.station == nullptr) {
      event.what();
    } else if (event.station->armed == event.due) {
      event.station->armed.reset();
      wake(*event.station);
    }
  }
  clock_ = end;
  if (disturbed()) disturbed_ = clock_;
}

void Network::cut(const std::set<std::string>& group) {
  for (Station* station : stations_)
    station->group = group.contains(station->name) ? 1 : 0;
}

void Network::heal() {
  for (Station* station : stations_) {
    station->group = 0;
    station->isolated = false;
  }
}

void Network::inject(Station& to, const Endpoint& from, ByteView datagram) {
  deliver(to, to.life, [this, &to, from, copy = Bytes(datagram.begin(), datagram.end())] {
    to.packet(from, copy, now(to));
    drain(to);
  });
}

bool Network::is_up(const std::string& name) const {
  return std::any_of(stations_.begin(), stations_.end(), [&](const Station* station) {
    return station->name == name && station->up();
  });
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

bool Network::disturbed() const {
  return weather != Weather{} || !one_way.empty() ||
         std::any_of(stations_.begin(), stations_.end(), [&](const Station* station) {
           return station->isolated || station->stopped_until > clock_ ||
                  station->group != stations_.front()->group;
         });
}

Moment Network::now(const Station& station) const {
  Moment m = at(clock_);
  m.wall += std::chrono::duration_cast<std::chrono::milliseconds>(station.wall_step);
  return m;
}

bool Network::happens(std::uint64_t of_1000) {
  return of_1000 != 0 && chance_.u64() % 1000 < of_1000;
}

/// FNV-1a, eight bytes at a time.
void Network::note(const Station& to, ByteView arrived) {
  const auto mix = [this](std::uint64_t value) { trace = (trace ^ value) * 0x100000001b3U; };
  mix(static_cast<std::uint64_t>(clock_.count()));
  mix(EndpointHash{}(to.endpoint));
  for (std::size_t i = 0; i < arrived.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, &arrived[i], std::min<std::size_t>(8, arrived.size() - i));
    mix(word);
  }
}

bool Network::passes(const Station& a, const Station& b) const {
  if (a.group != b.group || a.isolated || b.isolated) return false;
  return one_way.empty() || !one_way.contains({a.name, b.name});
}

Station* Network::at_endpoint(const Endpoint& endpoint) {
  const auto found = places_.find(endpoint);
  return found != places_.end() && found->second->up() ? found->second : nullptr;
}

void Network::later(Duration delay, std::function<void()> what) {
  push({clock_ + delay, ++order_, nullptr, std::move(what)});
}

void Network::push(Event event) {
  queue_.push_back(std::move(event));
  std::push_heap(queue_.begin(), queue_.end(), std::greater<>{});
}

void Network::arm(Station& station) {
  station.timer = station.poll_timeout();
  if (!station.timer) return;
  const Duration due = std::max({*station.timer - at(0us).at, station.stopped_until, clock_});
  if (station.armed && *station.armed <= due) return;
  station.armed = due;
  push({due, ++order_, &station, {}});
}

void Network::wake(Station& station) {
  if (!station.up() || !station.timer) return;
  if (station.stopped_until > clock_ || *station.timer > now().at) return arm(station);
  station.timeout(now(station));
  drain(station);
  if (station.timer && *station.timer <= now().at)
    throw RuleBroken("I-R1: " + station.name + " wants to be woken at once, again and again");
}

/// Hands an input to a station, when its process runs again; not to another life of it.
void Network::deliver(Station& to, std::uint64_t life, std::function<void()> input) {
  if (!to.up() || to.life != life) return;
  if (to.stopped_until <= clock_) return input();
  later(to.stopped_until - clock_, [this, &to, life, input = std::move(input)]() mutable {
    deliver(to, life, std::move(input));
  });
}

void Network::drain(Station& station) {
  Output output;
  auto* host = dynamic_cast<Host*>(&station);
  for (bool more = true; more;) {
    more = false;
    while (auto transmit = station.poll_transmit()) {
      more = true;
      ++output.datagrams;
      send(station, std::move(*transmit));
    }
    while (auto request = station.poll_stream()) {
      more = true;
      ++output.streams;
      open(station, std::move(*request));
    }
    while (auto fact = host == nullptr ? std::nullopt : host->mesh->poll_fact()) {
      more = true;
      ++output.facts;
      take(*host, *fact);
    }
  }
  arm(station);
  if (on_output) on_output(station, output);
  if (host == nullptr || !watched || !checked) return;
  if (output.facts == 0 && ++host->inputs % kFullCheckEvery != 0) return;
  const auto broken = broken_rule(*host->mesh, host->config, host->rows);
  if (broken) throw RuleBroken(*broken + " (at " + host->name + ")");
}

void Network::send(Station& sender, gossip::Transmit transmit) {
  ++datagrams;
  bytes += transmit.datagram.size();
  if (const auto hook = on_datagram) {
    later(0us, [hook, from = &sender, transmit] { hook(*from, transmit); });
  }
  if (happens(weather.lost)) return;
  for (int copies = happens(weather.doubled) ? 2 : 1; copies > 0; --copies) {
    const Duration longer = weather.jitter == 0us ? 0us : chance_.below(weather.jitter);
    later(kLatency + longer,
          [this, from = &sender, t = copies > 1 ? transmit : std::move(transmit)] {
            Station* to = at_endpoint(t.to);
            if (to == nullptr || !passes(*from, *to)) return;
            if (to->stopped_until > clock_) return inject(*to, from->endpoint, t.datagram);
            note(*to, t.datagram);
            to->packet(from->endpoint, t.datagram, now(*to));
            drain(*to);
          });
  }
}

/// What a daemon does with facts: keeps rows, reserves numbers.
void Network::take(Host& host, const Fact& fact) {
  if (on_fact) on_fact(host, fact);
  if (!watched) return;
  host.facts.push_back(fact);
  if (const auto* changed = std::get_if<MemberChanged>(&fact)) {
    host.rows[changed->member.name] = changed->member;
  } else if (const auto* forgotten = std::get_if<MemberForgotten>(&fact)) {
    host.rows.erase(forgotten->name);
  } else if (const auto* epochs = std::get_if<ReserveEpochs>(&fact)) {
    host.epoch = std::max(host.epoch, epochs->end);
    host.mesh->epochs_reserved(epochs->end, now(host));
  } else if (const auto* claim = std::get_if<OwnClaim>(&fact)) {
    later(kDisk, [this, to = &host, life = host.life, stored = *claim] {
      deliver(*to, life, [this, to, stored] { store_claim(*to, stored); });
    });
  } else if (const auto* wanted = std::get_if<SpeakFormat>(&fact)) {
    later(kDisk, [this, to = &host, life = host.life, format = wanted->format] {
      deliver(*to, life, [this, to, format] { store_format(*to, format); });
    });
  } else if (const auto* reserve = std::get_if<ReserveIncarnations>(&fact)) {
    const auto reserved = [this, to = &host, end = reserve->end] {
      to->incarnation = std::max(to->incarnation, end);
      to->mesh->incarnations_reserved(end, now(*to));
    };
    if (host.reservation_takes == 0us) return reserved();
    later(host.reservation_takes, [this, to = &host, life = host.life, reserved] {
      deliver(*to, life, [this, to, reserved] {
        reserved();
        drain(*to);
      });
    });
  }
}

void Network::store_claim(Host& host, const OwnClaim& claim) {
  host.own.overlay = claim.overlay.value_or(IpAddress{});
  host.config.own.overlay = host.own.overlay;
  host.claimed = claim.claimed;
  host.claim_is_new = false;
  host.mesh->claim_stored(claim.overlay, now(host));
  drain(host);
}

void Network::store_format(Host& host, MetaFormat format) {
  host.own.format = format;
  host.config.own.format = format;
  host.mesh->format_stored(format, now(host));
  drain(host);
}

void Network::tell_failed(Station& caller,
                          gossip::StreamId id,
                          Duration after,
                          std::string reason) {
  later(after, [this, &caller, id, life = caller.life, text = std::move(reason)] {
    deliver(caller, life, [this, &caller, id, text] {
      caller.stream_failed(id, text, now(caller));
      drain(caller);
    });
  });
}

void Network::open(Station& caller, gossip::StreamRequest request) {
  ++streams;
  bytes += request.frame.size();
  calls[request.to].push_back(clock_);
  later(2 * kLatency, [this, &caller, life = caller.life, r = std::move(request)] {
    if (!caller.up() || caller.life != life) return;
    Station* to = at_endpoint(r.to);
    const bool through = to != nullptr && passes(caller, *to) && passes(*to, caller);
    if (!through || happens(weather.lost))
      return tell_failed(caller, r.id, kConnectTimeout, "no answer");
    // A process that is stopped has a kernel that accepts.
    deliver(*to, to->life, [this, &caller, to, r] { connected(caller, *to, r); });
  });
}

void Network::connected(Station& caller, Station& to, const gossip::StreamRequest& request) {
  note(to, request.frame);
  auto answer = to.request(caller.endpoint, request.frame, now(to));
  drain(to);
  if (!answer && request.wants_reply)
    return tell_failed(caller, request.id, kLatency, "it closed the connection without an answer");
  if (answer) bytes += answer->size();
  later(kLatency, [this, &caller, life = caller.life, id = request.id, frame = std::move(answer)] {
    deliver(caller, life, [this, &caller, id, frame] {
      if (frame) {
        caller.reply(id, *frame, now(caller));
      } else {
        caller.stream_done(id, now(caller));
      }
      drain(caller);
    });
  });
}

}  // namespace wesher::mesh::test
