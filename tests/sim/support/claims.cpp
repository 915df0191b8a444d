#include "tests/sim/support/claims.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include "tests/mesh/support/samples.h"
#include "tests/mesh/support/station.h"

namespace wesher::sim::claims {

using namespace std::chrono_literals;

namespace {

/// Who was not reached for this long has failed.
constexpr Duration kSuspicion = 30s;
constexpr std::size_t kHistory = 6;
/// Members that a node asks which is out of the mesh, as in src/mesh/contact.cpp.
constexpr std::size_t kAsked = 8;

Said said_of(const Member& member) {
  const NodeMeta none{IpAddress{}, PublicKey{}, MetaFormat::f2};
  return {member.name, member.underlay.bytes()[3], member.incarnation, member.meta.value_or(none),
          member.meta ? member.signed_claim : std::nullopt};
}

Member member_of(const Said& said) {
  Member member;
  member.name = said.name;
  member.underlay = underlay_of(said.place);
  if (said.has_address()) member.meta = said.meta;
  member.signed_claim = said.claim;
  return member;
}

}  // namespace

Outcome run(std::uint64_t seed, bool log, Course course) {
  Outcome outcome;
  World world(seed, log, course);
  try {
    world.go(outcome);
  } catch (const std::exception& broken) {
    outcome.broken = broken.what();
  }
  return outcome;
}

World::World(std::uint64_t seed, bool log, Course course)
    : rng_(Rng::from_number(seed * 5 + 1)), log_(log), hunted_(course == Course::hunt) {
  build();
}

void World::log(const std::string& line) const {
  if (log_) std::cerr << clock_ / 1s << " " << line << "\n";
}

Moment World::now(const Station& at) const {
  Moment moment = mesh::test::at(clock_);
  moment.wall += at.wall_step;
  return moment;
}

bool World::open(const Station& a, const Station& b) const {
  if (a.group != b.group) return false;
  return std::none_of(one_way_.begin(), one_way_.end(), [&](const auto& way) {
    return way == std::pair{&a, &b} || way == std::pair{&b, &a};
  });
}

/// By itself, or through a third one: who is asked indirectly is not taken for dead.
bool World::reaches(const Station& a, const Station& b) const {
  if (a.group != b.group) return false;
  if (open(a, b)) return true;
  return std::any_of(stations_.begin(), stations_.end(), [&](const auto& third) {
    return third->up && third.get() != &a && third.get() != &b && open(a, *third) &&
           open(*third, b);
  });
}

World::Station* World::at_place(std::uint8_t place) {
  const auto found = std::find_if(stations_.begin(), stations_.end(), [&](const auto& station) {
    return station->up && station->setup.place == place;
  });
  return found == stations_.end() ? nullptr : found->get();
}

std::size_t World::name_index(const std::string& name) const {
  return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
}

void World::round(Duration span) {
  clock_ += span;
  const std::size_t first = pick(stations_.size());
  for (std::size_t i = 0; i < stations_.size(); ++i) {
    Station& station = *stations_[(first + i) % stations_.size()];
    if (station.node == nullptr) continue;
    if (station.node->announced()) {
      listen(station);
      relay(station);
      notice_silence(station);
    }
    tick(station);
    remind();
  }
}

void World::listen(Station& to) {
  const std::size_t first = pick(stations_.size());
  for (std::size_t i = 0; i < stations_.size(); ++i) {
    Station& from = *stations_[(first + i) % stations_.size()];
    if (&from == &to || !from.said || !reaches(to, from)) continue;
    View& view = to.views[from.name];
    const bool here = view.place == from.setup.place;
    if (here) view.seen = mesh::test::at(clock_).at;
    if (view.state == View::State::live && here && view.incarnation >= from.said->incarnation) {
      // It refutes what others say of it.
      if (view.incarnation > from.said->incarnation)
        from.said->incarnation = ++incarnations_[from.name];
      if (calm_ || one_in(4)) {
        to.node->acked(names_[from.name], now(to));
        flush(to);
      }
      if (!one_in(16)) continue;
    }
    if (open(to, from) && pick(100) >= lost_) deliver(to, from);
  }
}

void World::deliver(Station& to, Station& from) {
  if (!from.history.empty() && pick(100) < late_)
    hear(to, from.history[pick(from.history.size())], gossip::Proof::none);
  const bool asked = to.views[from.name].state != View::State::live && one_in(2);
  hear(to, *from.said, asked ? gossip::Proof::confirmed : gossip::Proof::none);
}

void World::hear(Station& to, const Said& said, gossip::Proof proof) {
  const Moment moment = now(to);
  const Said copy = said;  // what is heard may make its owner say something else
  if (to.node->hear(copy, proof, moment)) {
    const Station* there = at_place(copy.place);
    if (there != nullptr && there->said && open(to, *there))
      (void)to.node->hear(Said(*there->said), gossip::Proof::confirmed, moment);
  }
  look_at(to, name_index(copy.name));
  flush(to);
}

/// What another one has that is newer.
void World::relay(Station& to) {
  const Station& of = any();
  if (&of == &to || of.node == nullptr || !of.node->announced() || !open(to, of)) return;
  for (std::size_t name = 0; name < names_.size(); ++name) {
    const View& theirs = of.views[name];
    const View& ours = to.views[name];
    if (name == to.name || theirs.incarnation < ours.incarnation) continue;
    if (theirs.state == View::State::live && theirs.incarnation > ours.incarnation) {
      hear(to, said_of(*of.node->roster().find(names_[name])), gossip::Proof::none);
    } else if (theirs.state == View::State::left && ours.state == View::State::live) {
      const Station* there = at_place(ours.place);
      if (there != nullptr && there->name == name && reaches(to, *there)) continue;
      to.node->goodbye(names_[name], now(to));
      look_at(to, name);
    }
  }
}

void World::notice_silence(Station& to) {
  const Instant at = mesh::test::at(clock_).at;
  for (std::size_t name = 0; name < names_.size(); ++name) {
    View& view = to.views[name];
    if (view.state != View::State::live || at - view.seen <= kSuspicion) continue;
    to.node->lost(names_[name], now(to));
    look_at(to, name);
    flush(to);
  }
}

void World::look_at(Station& at, std::size_t name) {
  View& view = at.views[name];
  const Member* member = at.node->roster().find(names_[name]);
  const View::State before = view.state;
  view.state = View::State::none;
  if (member == nullptr) return;
  view.incarnation = member->incarnation;
  const std::uint8_t place = member->underlay.bytes()[3];
  if (member->state == MemberState::failed) {
    view.state = View::State::failed;
  } else if (is_departed(member->state)) {
    view.state = View::State::left;
  } else if (at.node->roster().is_live(names_[name])) {
    view.state = View::State::live;
  }
  if (view.state == View::State::live && (before != View::State::live || view.place != place))
    view.seen = mesh::test::at(clock_).at;
  view.place = place;
}

/// The read-only questions of a node that is not announced. The first answer decides; who has to
/// wait reads those of all that it asked, as far as they arrive.
void World::ask_around(Station& to) {
  std::vector<const Station*> all;
  for (const auto& station : stations_) {
    const bool answers = station->said && station.get() != &to && open(to, *station);
    if (answers) all.push_back(station.get());
  }
  rng_.shuffle(all);
  const bool unheard = !calm_ && one_in(8);  // its seeds are somewhere else
  if (!all.empty() && !unheard) {
    const bool second = all.size() > 1 && one_in(4);
    std::size_t answers = second ? 2 : 1;
    if (calm_ && to.node->asks_again()) answers = std::min(all.size(), kAsked);
    for (std::size_t i = 0; i < answers; ++i)
      read_table(to, *all[i]);
  }
  to.node->answered(now(to));
}

void World::read_table(Station& to, const Station& of) {
  const auto take = [&](const Said& said) {
    if (said.name == to.setup.name) return to.node->own_name_heard(member_of(said));
    hear(to, said, gossip::Proof::none);
  };
  take(*of.said);
  if (of.node == nullptr) {  // its table is what it can see
    for (const auto& each : stations_) {
      if (each.get() != &to && each->said && open(of, *each)) take(*each->said);
    }
    return;
  }
  for (const Member& member : of.node->roster().all()) {
    const bool live = of.node->roster().is_live(member.name);
    if (member.name == to.setup.name) {
      to.node->own_name_heard(member);
    } else if (live) {
      take(said_of(member));
    } else if (is_departed(member.state)) {
      to.node->goodbye(member.name, now(to));
      look_at(to, name_index(member.name));
    }
  }
  for (const wire::Reservation& each : of.node->rules().away())
    to.node->reserved(each);
}

void World::tick(Station& of) {
  if (of.node->phase() == Node::Phase::probing) ask_around(of);
  of.node->tick(now(of));
  if (of.node->storing() && (calm_ || !one_in(4))) of.node->store(now(of));
  if (std::exchange(of.changes, of.node->changes()) != of.node->changes()) {
    for (std::size_t name = 0; name < names_.size(); ++name) {
      if (name != of.name && of.views[name].state != View::State::none) look_at(of, name);
    }
    Watch::owners(*of.node);
  }
  flush(of);
}

void World::flush(Station& of) {
  if (of.node->storing() && (calm_ || one_in(2))) of.node->store(now(of));
  if (of.node->take_news()) announce(of, of.node->record());
  for (std::string& name : of.node->take_reminders())
    reminders_.emplace_back(&of, std::move(name));
}

void World::announce(Station& of, Said said) {
  said.incarnation = ++incarnations_[of.name];
  log(said.name + " at " + std::to_string(said.place) + " announces " + said.meta.overlay.text() +
      (said.claim ? " of " + std::to_string(to_ms(said.claim->claimed)) + " epoch " +
                        std::to_string(said.claim->epoch) + " identity " +
                        said.claim->identity.fingerprint()
                  : " unsigned") +
      " number " + std::to_string(said.incarnation));
  of.said = said;
  if (of.history.size() >= kHistory) of.history.erase(of.history.begin());
  of.history.push_back(std::move(said));
}

/// Those that are to hear of somebody's claim at once.
void World::remind() {
  for (std::size_t i = 0; i < reminders_.size() && i < 4 * kStationsMax; ++i) {
    const auto [from, name] = reminders_[i];
    for (const auto& to : stations_) {
      const bool meant = to->node != nullptr && to->setup.name == name && to->node->announced();
      if (meant && from->said && open(*to, *from)) hear(*to, *from->said, gossip::Proof::none);
    }
  }
  reminders_.clear();
}

}  // namespace wesher::sim::claims
