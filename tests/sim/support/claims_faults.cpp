// The cluster of a run, and what happens to it.
#include <algorithm>
#include <map>

#include "mesh/overlay_address.h"
#include "tests/mesh/support/samples.h"
#include "tests/mesh/support/station.h"
#include "tests/sim/support/claims.h"

namespace wesher::sim::claims {

using namespace std::chrono_literals;

namespace {

constexpr unsigned kStepsMax = 14;
constexpr unsigned kHunted = 8;
/// Before which no clock is believed.
const WallTime kBuilt = mesh::test::kWall - std::chrono::days{100};

template <class T>
T one_of(Rng& rng, std::initializer_list<T> choices) {
  return *(choices.begin() + rng.u64() % choices.size());
}

/// Names by the last byte of their address in a /24.
const std::vector<std::vector<std::string>>& names_by_address() {
  static const auto all = [] {
    std::vector<std::vector<std::string>> by_byte(256);
    const Prefix net{IpAddress::v4(10, 42, 7, 0), 24};
    for (unsigned i = 0; i < 4096; ++i) {
      std::string name = "n" + std::to_string(i);
      const auto address = mesh::overlay_address(name, net).value();
      by_byte[address.bytes()[3]].push_back(std::move(name));
    }
    return by_byte;
  }();
  return all;
}

}  // namespace

void World::build() {
  const unsigned length = one_of(rng_, {24U, 24U, 24U, 28U, 29U, 29U, 29U, 30U, 31U});
  net_ = Prefix{IpAddress::v4(10, 42, 7, 0), length}.masked();
  const std::size_t most = length == 31 ? 4 : length == 30 ? 5 : length == 29 ? 10 : 12;
  const std::size_t count = 2 + std::min(pick(most - 1), pick(most - 1));
  name_stations(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto station = std::make_unique<Station>();
    station->name = i;
    station->setup.name = names_[i];
    station->setup.net = net_;
    const std::uint64_t dice = pick(10);
    if (dice == 0 && i > 0) station->kind = Kind::liar;
    if ((dice == 1 || dice == 2) && length == 24) station->kind = Kind::legacy;
    const auto usable = usable_addresses(net_);
    if (one_in(12)) station->setup.fixed = usable[pick(std::min<std::size_t>(usable.size(), 4))];
    if (one_in(12) && length < 30) station->setup.host_addresses = {usable[pick(usable.size())]};
    if (station->setup.fixed && !station->setup.host_addresses.empty() &&
        *station->setup.fixed == station->setup.host_addresses[0])
      station->setup.fixed.reset();
    if (one_in(6))
      station->wall_step = one_of<std::chrono::milliseconds>(
          rng_, {-to_ms(mesh::test::kWall) * 1ms, -std::chrono::days{30}, 24h, 24h * 365,
                 24h * 365 * 40});
    stations_.push_back(std::move(station));
    wipe(*stations_.back());
  }
}

/// Where names have addresses by rule, most of them are of two or three that they have in common.
void World::name_stations(std::size_t count) {
  if (net_.length != 24) {
    for (std::size_t i = 0; i < count; ++i)
      names_.push_back("n" + std::to_string(i + 100 * pick(40)));
  } else {
    const std::uint64_t bytes[] = {pick(256), pick(256), pick(256)};
    while (names_.size() < count) {
      const auto& names = names_by_address()[bytes[pick(3)]];
      const std::string& name =
          one_in(5) ? names_by_address()[pick(256)][0] : names[pick(names.size())];
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.push_back(name);
    }
  }
}

/// A new machine of that name, which nothing is known of.
void World::wipe(Station& station) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  rng_.fill(bytes);
  Disk disk;
  disk.identity = IdentityKey(bytes);
  bytes[0] ^= 1U;
  disk.key = PublicKey(bytes);
  const auto by_rule = mesh::overlay_address(station.setup.name, net_).value();
  const auto& host = station.setup.host_addresses;
  const bool free = std::find(host.begin(), host.end(), by_rule) == host.end();
  if (station.kind != Kind::ours || (free && !station.setup.fixed)) disk.overlay = by_rule;
  station.disk = std::move(disk);
  station.setup.place = ++places_;
  station.history.clear();
}

void World::start(Station& station) {
  const Moment moment = now(station);
  Disk& disk = station.disk;
  station.up = true;
  station.left = false;
  station.views = {};
  if (station.kind == Kind::ours) {
    if (moment.wall - disk.in_contact > kRetention) disk.claim_is_new = true;
    if (disk.claim_is_new) disk.claimed = std::max(moment.wall, kBuilt);
    log(station.setup.name + " starts at " + std::to_string(station.setup.place) + " with " +
        disk.overlay.text() + (disk.claim_is_new ? ", a new claim" : ""));
    station.node = std::make_unique<Node>(station.setup, disk, watch_, moment);
    station.changes = 0;
    watch_.start(*station.node);
    for (std::size_t name = 0; name < names_.size(); ++name)
      look_at(station, name);
    return;
  }
  Said said{
      station.setup.name, station.setup.place, 0, {disk.overlay, disk.key, MetaFormat::f2}, {}};
  if (station.kind == Kind::liar)
    said.claim = SignedClaim{disk.identity, ++disk.epoch, moment.wall, 1, false};
  announce(station, std::move(said));
}

void World::stop(Station& station) {
  log(station.setup.name + " stops");
  station.node.reset();
  station.said.reset();
  station.up = false;
}

World::Station* World::any_of(Kind kind) {
  std::vector<Station*> all;
  for (const auto& station : stations_) {
    if (station->kind == kind && station->up) all.push_back(station.get());
  }
  return all.empty() ? nullptr : all[pick(all.size())];
}

void World::go(Outcome& outcome) {
  for (const auto& station : stations_) {
    if (one_in(5)) continue;  // later
    start(*station);
    for (std::uint64_t rounds = pick(4); rounds > 0; --rounds)
      round(5s);
  }
  if (hunted_) hunt();
  for (std::uint64_t steps = hunted_ ? 0 : 2 + pick(kStepsMax - 2); steps > 0; --steps) {
    step();
    for (std::uint64_t rounds = pick(10); rounds > 0; --rounds)
      round(5s);
  }
  calm();
  outcome.conflicts = conflicts();
  const unsigned limit = 60 + 2 * static_cast<unsigned>(stations_.size());
  std::string missing;
  for (unsigned rounds = 1; rounds <= limit; ++rounds) {
    round(5s);
    outcome.moves = watch_.moved();
    if (conflicts() > 0) outcome.address_rounds = rounds;
    missing = unsettled();
    if (missing.empty()) {
      outcome.rounds = rounds;
      return count_stays(outcome);
    }
  }
  throw mesh::test::RuleBroken(missing + ", " + std::to_string(limit) + " rounds on");
}

void World::step() {
  static constexpr Fault kBag[] = {Fault::cut,     Fault::cut,     Fault::cut,      Fault::heal,
                                   Fault::heal,    Fault::one_way, Fault::restart,  Fault::restart,
                                   Fault::restart, Fault::restart, Fault::restart,  Fault::restart,
                                   Fault::leave,   Fault::leave,   Fault::clock,    Fault::lie,
                                   Fault::lie,     Fault::lie,     Fault::impostor, Fault::replay,
                                   Fault::weather, Fault::jump,    Fault::replace};
  switch (kBag[pick(std::size(kBag))]) {
    case Fault::cut: {
      const std::uint64_t groups = 2 + pick(2);
      log("cut");
      for (const auto& station : stations_)
        station->group = static_cast<unsigned>(pick(groups));
      return;
    }
    case Fault::heal:
      log("heal");
      one_way_.clear();
      for (const auto& station : stations_)
        station->group = 0;
      return;
    case Fault::one_way:
      one_way_.emplace_back(&any(), &any());
      return;
    case Fault::restart:
      return restart(any());
    case Fault::leave:
      return leave(any());
    case Fault::clock: {
      const Duration unit = one_of<Duration>(rng_, {1s, 1h, 24h, 24h * 365});
      any().wall_step = std::chrono::duration_cast<std::chrono::milliseconds>(
          unit * (static_cast<std::int64_t>(pick(60)) - 30));
      return;
    }
    case Fault::weather:
      lost_ = static_cast<unsigned>(pick(70));
      late_ = static_cast<unsigned>(pick(70));
      return;
    case Fault::jump:
      return jump();
    case Fault::replace:
      return replace();
    case Fault::lie:
      if (Station* liar = any_of(Kind::liar)) lie(*liar);
      return;
    case Fault::impostor:
      if (Station* liar = any_of(Kind::liar)) impostor(*liar);
      return;
    case Fault::replay:
      if (Station* liar = any_of(Kind::liar)) replay(*liar);
      return;
  }
}

void World::restart(Station& station) {
  if (station.up) return stop(station);
  const std::uint64_t lost = pick(6);
  if (lost <= 1) station.disk.rows.clear();
  if (lost == 0) {
    const std::uint8_t place = station.setup.place;
    wipe(station);
    station.setup.place = place;
  }
  start(station);
}

/// A goodbye that some hear at once; the others by table.
void World::leave(Station& station) {
  if (!station.up || !station.said || station.kind == Kind::liar) return;
  const bool for_good = station.node != nullptr && one_in(3);
  log(station.setup.name + (for_good ? " leaves for good" : " leaves"));
  if (for_good) {
    ++station.disk.epoch;
    station.node->leave_for_good();
    announce(station, station.node->record());
  }
  for (const auto& to : stations_) {
    if (to.get() == &station || to->node == nullptr || !to->node->announced()) continue;
    if (!open(*to, station) || pick(100) < lost_) continue;
    if (for_good) hear(*to, *station.said, gossip::Proof::none);
    if (to->views[station.name].place != station.setup.place) continue;
    to->node->goodbye(station.setup.name, now(*to));
    look_at(*to, station.name);
    flush(*to);
  }
  stop(station);
  station.left = true;
}

/// It wants somebody's address, since whenever is best.
void World::lie(Station& liar) {
  const Station& victim = any();
  if (!victim.said || !victim.said->has_address()) return;
  const WallTime theirs = victim.said->claim ? victim.said->claim->claimed : mesh::test::kWall;
  const WallTime since =
      one_of(rng_, {wall_from_ms(1), theirs - 1ms, theirs, theirs + 1ms, theirs + 24h * 365 * 50});
  want(liar, victim.said->meta.overlay, since, one_in(8));
  if (one_in(4)) wipe(liar);  // and somebody else does the next one
  liar.setup.place = liar.said->place;
  if (!one_in(2)) return;
  for (const auto& to : stations_) {
    if (to->node != nullptr && to->node->announced() && open(*to, liar))
      hear(*to, *liar.said, gossip::Proof::none);
  }
}

void World::want(Station& liar, const IpAddress& address, WallTime since, bool for_good) {
  Said said = *liar.said;
  said.meta = {address, liar.disk.key, MetaFormat::f2};
  said.claim->identity = liar.disk.identity;
  said.claim->claimed = since;
  said.claim->epoch = ++liar.disk.epoch;
  said.claim->for_good = for_good;
  announce(liar, std::move(said));
}

/// One liar wants whatever address one node has, again and again.
void World::hunt() {
  Station* const liar = any_of(Kind::liar);
  Station* const victim = any_of(Kind::ours);
  if (liar == nullptr || victim == nullptr) return;
  for (unsigned i = 0; i < kHunted; ++i) {
    if (victim->said && victim->said->has_address())
      want(*liar, victim->said->meta.overlay, wall_from_ms(1), false);
    for (unsigned rounds = 0; rounds < 4; ++rounds)
      round(5s);
  }
}

/// It says that it is somebody else, signed by itself or not at all.
void World::impostor(Station& liar) {
  const Station& victim = any();
  if (&victim == &liar) return;
  Said said = *liar.said;
  said.name = victim.setup.name;
  said.incarnation = ++incarnations_[victim.name];
  if (one_in(2)) said.place = victim.setup.place;
  if (one_in(2)) said.claim.reset();
  log("impostor of " + said.name + " at " + std::to_string(said.place));
  for (const auto& to : stations_) {
    if (to->node != nullptr && to->node->announced() && open(*to, liar))
      hear(*to, said, gossip::Proof::none);
  }
}

/// What somebody once signed, under a new number.
void World::replay(Station& liar) {
  const Station& victim = any();
  if (victim.history.empty()) return;
  Said said = victim.history[pick(victim.history.size())];
  said.incarnation = ++incarnations_[victim.name];
  log("replay of " + said.name + " " + said.meta.overlay.text());
  for (const auto& to : stations_) {
    if (to->node != nullptr && to->node->announced() && open(*to, liar))
      hear(*to, said, gossip::Proof::none);
  }
}

void World::jump() {
  const Duration span = one_of<Duration>(rng_, {2min, 10min, 1h, 25h, 71h, 80h});
  log("time passes: " + std::to_string(span / 1min) + " min");
  for (int i = 0; i < 8; ++i)
    round(5s);
  round(span);
  round(5s);
}

/// A machine that died is replaced by another one of its name.
void World::replace() {
  for (const auto& station : stations_) {
    if (station->up || station->kind != Kind::ours) continue;
    wipe(*station);
    return start(*station);
  }
}

}  // namespace wesher::sim::claims
