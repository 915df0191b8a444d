// The end of a run: no faults any more; what must hold then.
#include <algorithm>

#include "tests/sim/support/claims.h"

namespace wesher::sim::claims {

void World::calm() {
  log("calm");
  calm_ = true;
  lost_ = late_ = 0;
  one_way_.clear();
  for (const auto& station : stations_) {
    station->group = 0;
    if (station->kind == Kind::liar && station->up && one_in(2)) {
      stop(*station);
    } else if (station->kind != Kind::liar && !station->up && !one_in(4)) {
      start(*station);
    }
  }
}

bool World::is_held(const IpAddress& address, const Station* except) const {
  return std::any_of(stations_.begin(), stations_.end(), [&](const auto& station) {
    return station.get() != except && station->said && station->said->meta.overlay == address;
  });
}

bool World::conflict(const Station& a, const Station& b) const {
  if (!a.said || !b.said || !a.said->has_address()) return false;
  if (a.said->meta.overlay != b.said->meta.overlay) return false;
  if (a.node == nullptr && b.node == nullptr) return false;
  if (a.node != nullptr && b.node != nullptr)
    return !watch_.has_stayed(*a.node) && !watch_.has_stayed(*b.node);
  const Station& ours = a.node != nullptr ? a : b;
  const Station& other = a.node != nullptr ? b : a;
  if (watch_.has_stayed(*ours.node)) return false;
  if (other.kind == Kind::legacy) {
    // Its name may be another one's, who signs and took it while it was silent.
    const Member* seen = ours.node->roster().find(other.setup.name);
    return seen == nullptr || !seen->signed_claim;
  }
  // A liar never moves; ours does if it must.
  if (other.said->claim->for_good) return false;
  const auto rank = [](const Station& of) {
    return std::pair{of.said->claim->claimed, of.said->claim->identity.bytes()};
  };
  return rank(other) < rank(ours);
}

unsigned World::conflicts() const {
  unsigned count = 0;
  for (std::size_t i = 0; i < stations_.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k)
      count += conflict(*stations_[i], *stations_[k]) ? 1U : 0U;
  }
  return count;
}

void World::count_stays(Outcome& outcome) const {
  for (std::size_t i = 0; i < stations_.size(); ++i) {
    const Station& a = *stations_[i];
    if (a.node != nullptr && !a.node->holding().has_address()) ++outcome.waiting;
    for (std::size_t k = 0; k < i; ++k) {
      const Station& b = *stations_[k];
      if (!a.said || !b.said || a.said->meta.overlay != b.said->meta.overlay) continue;
      const bool stays = (a.node != nullptr && watch_.has_stayed(*a.node)) ||
                         (b.node != nullptr && watch_.has_stayed(*b.node));
      if (!stays || !a.said->has_address()) continue;
      ++outcome.stayed;
      if (a.kind != Kind::liar && b.kind != Kind::liar) ++outcome.stayed_honestly;
    }
  }
}

/// Empty: everybody has everybody as it is, nobody has the address of another one, and whoever has
/// none has a reason.
std::string World::unsettled() const {
  for (std::size_t i = 0; i < stations_.size(); ++i) {
    const Station& of = *stations_[i];
    for (std::size_t k = 0; k < i; ++k) {
      if (conflict(of, *stations_[k]))
        return "I-A1: " + of.setup.name + " and " + stations_[k]->setup.name + " have " +
               of.said->meta.overlay.text();
    }
    if (of.node == nullptr) continue;
    if (std::string missing = unsettled_address(of); !missing.empty()) return missing;
    if (!of.node->announced()) continue;
    for (const auto& other : stations_) {
      if (other.get() == &of || !other->said) continue;
      if (std::string missing = unsettled_view(of, *other); !missing.empty()) return missing;
    }
  }
  return {};
}

/// Whether it has that address as somebody's who is gone, and nobody is left who has it so too: who
/// is not announced is told what is kept, and not what is no longer.
bool World::nobody_tells(const Station& of, const IpAddress& address) const {
  for (const std::string& name : of.node->roster().claimants(address)) {
    const bool known = std::any_of(stations_.begin(), stations_.end(), [&](const auto& other) {
      if (other.get() == &of || other->node == nullptr || !other->node->announced()) return false;
      const Member* row = other->node->roster().find(name);
      return row != nullptr && row->meta && row->meta->overlay == address;
    });
    if (!known && of.node->roster().is_live(name)) return true;
  }
  return false;
}

std::string World::unsettled_address(const Station& of) const {
  const Node& node = *of.node;
  if (node.storing()) return "I-A1: " + of.setup.name + " is about to move";
  const auto& fixed = of.setup.fixed;
  if (fixed && of.disk.overlay != *fixed && !is_held(*fixed, &of) && !nobody_tells(of, *fixed))
    return "I-A1: " + of.setup.name + " has not got " + fixed->text() + ", which is free";
  if (node.announced() && node.holding().has_address()) return {};
  if (node.name_is_taken()) return "I-T2: " + of.setup.name + " has not got its name";
  if (fixed) return {};
  for (const IpAddress& address : usable_addresses(net_)) {
    const auto& host = of.setup.host_addresses;
    const bool kept = std::find(host.begin(), host.end(), address) != host.end();
    if (!kept && !is_held(address, &of) && !nobody_tells(of, address))
      return "I-A3: " + of.setup.name + " has no address, and " + address.text() + " is free";
  }
  return {};
}

/// Whether `at` rightly does not configure what `of` announces: a liar wants the network address,
/// which is nobody's but of the name that has it by rule; it told its key under another name too;
/// or a liar took the name of a Go member, before that one was known or while it was silent, and
/// the name holds the address.
bool World::is_lied_about(const Station& at, const Station& of) const {
  const IpAddress& address = of.said->meta.overlay;
  const bool liar = of.kind == Kind::liar;
  if (liar && !is_acceptable(of.setup.name, address, net_)) return true;
  const std::string_view peer = at.node->roster().owner_of(of.said->meta.key);
  if (liar && !peer.empty() && peer != of.setup.name) return true;
  const std::size_t holder = name_index(std::string(at.node->roster().owner_of(address)));
  if (holder >= stations_.size() || stations_[holder]->kind != Kind::legacy) return false;
  return at.node->roster().find(names_[holder])->signed_claim.has_value();
}

std::string World::unsettled_view(const Station& at, const Station& of) const {
  const std::string whose = of.setup.name + " at " + at.setup.name;
  const Member* seen = at.node->roster().find(of.setup.name);
  // Somebody who signs took its name while it was silent; it signs nothing and does not get it
  // back.
  if (seen != nullptr && of.kind == Kind::legacy && seen->signed_claim) return {};
  const bool live = seen != nullptr && at.node->roster().is_live(of.setup.name);
  // A name that was another one's passes on with a signature only.
  if (!live && !of.said->has_address()) return {};
  if (!live) return "I-M1: " + whose + " is not alive";
  if (seen->incarnation < of.said->incarnation) return "I-M1: " + whose + " is not up to date";
  if (!of.said->has_address()) {
    if (seen->standing == Standing::configured) return "I-F3: " + whose + " still has an address";
    return {};
  }
  if (seen->meta != of.said->meta) return "I-M1: " + whose + " has an old address";
  const bool alone = !is_held(of.said->meta.overlay, &of);
  if (is_lied_about(at, of)) return {};
  if (alone && seen->standing != Standing::configured)
    return "I-F3: " + whose + " is not configured: " + seen->reason;
  return {};
}

}  // namespace wesher::sim::claims
