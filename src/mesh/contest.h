// Who owns a thing that several members claim: an overlay address, a public key. Pure; O(log n) per
// change.
//
// The whole rule, from top to bottom, "live" meaning alive or suspect:
//
//   the owner is live                             -> stays owner
//   the owner is not live, a claimant is live     -> the live claimant with the smallest name
//   nobody is live, the owner still claims        -> stays owner
//   the owner withdrew, a claimant is live        -> the live claimant with the smallest name
//   the owner withdrew, nobody is live            -> the claimant with the smallest name
//   nobody claims                                 -> no owner
//
// So a member that comes back does not take anything away from one that got it meanwhile, and what
// nobody live asks for never changes hands.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <absl/container/btree_map.h>

namespace wesher::mesh {

template <class Thing>
class Contest {
 public:
  /// Before and after a change; an empty name is nobody (no member has an empty name).
  struct Owners {
    std::string before;
    std::string after;

    [[nodiscard]] bool changed() const { return before != after; }
  };

  /// `name` claims `thing`, being live or not; again with another `live` to change that.
  Owners claim(const Thing& thing, const std::string& name, bool live) {
    Claims& claims = things_[thing];
    if (claims.owner.empty()) {
      claims.owner = name;
      claims.owner_live = live;
      return {{}, name};
    }
    if (claims.owner == name) {
      claims.owner_live = live;
    } else {
      claims.put_other(name, live);
    }
    return decide(claims);
  }

  /// `name` claims `thing` no longer.
  Owners withdraw(const Thing& thing, const std::string& name) {
    const auto found = things_.find(thing);
    if (found == things_.end()) return {};
    Claims& claims = found->second;
    if (claims.owner != name) {
      claims.take_other(name);
      return decide(claims);
    }
    if (claims.others == nullptr) {
      things_.erase(found);
      return {name, {}};
    }
    const bool live = !claims.others->live.empty();
    const std::string next = *(live ? claims.others->live : claims.others->waiting).begin();
    claims.take_other(next);
    claims.owner = next;
    claims.owner_live = live;
    return {name, next};
  }

  /// Makes a present claimant the owner against the rule, once; from there on the rule goes on.
  Owners give(const Thing& thing, const std::string& name) {
    const auto found = things_.find(thing);
    if (found == things_.end()) return {};
    Claims& claims = found->second;
    if (claims.owner == name) return {name, name};
    if (!claims.has_other(name)) return {};
    return hand_over(claims, name);
  }

  [[nodiscard]] std::string_view owner(const Thing& thing) const {
    const auto found = things_.find(thing);
    return found == things_.end() ? std::string_view{} : std::string_view(found->second.owner);
  }

  /// Calls `visit(name)` for every claimant of `thing`, the owner included.
  template <class Visit>
  void each_claimant(const Thing& thing, Visit visit) const {
    const auto found = things_.find(thing);
    if (found == things_.end()) return;
    const Claims& claims = found->second;
    visit(claims.owner);
    if (claims.others == nullptr) return;
    for (const std::string& name : claims.others->live)
      visit(name);
    for (const std::string& name : claims.others->waiting)
      visit(name);
  }

  [[nodiscard]] std::size_t size() const { return things_.size(); }

 private:
  /// Claimants beside the owner; there seldom are any.
  struct Others {
    std::set<std::string> live;
    std::set<std::string> waiting;
  };

  /// What is claimed has an owner, who is a claimant.
  struct Claims {
    std::string owner;
    bool owner_live = false;
    std::unique_ptr<Others> others;  ///< null: none

    [[nodiscard]] bool has_other(const std::string& name) const {
      return others != nullptr && (others->live.contains(name) || others->waiting.contains(name));
    }

    void put_other(const std::string& name, bool live) {
      if (others == nullptr) others = std::make_unique<Others>();
      (live ? others->waiting : others->live).erase(name);
      (live ? others->live : others->waiting).insert(name);
    }

    void take_other(const std::string& name) {
      if (others == nullptr) return;
      others->live.erase(name);
      others->waiting.erase(name);
      if (others->live.empty() && others->waiting.empty()) others.reset();
    }
  };

  /// The owner becomes one of the others, and one of them the owner.
  static Owners hand_over(Claims& claims, const std::string& to) {
    const bool live = claims.others->live.contains(to);
    Owners owners{claims.owner, to};
    claims.put_other(owners.before, claims.owner_live);
    claims.take_other(owners.after);
    claims.owner = owners.after;
    claims.owner_live = live;
    return owners;
  }

  static Owners decide(Claims& claims) {
    const bool yields =
        !claims.owner_live && claims.others != nullptr && !claims.others->live.empty();
    if (!yields) return {claims.owner, claims.owner};
    return hand_over(claims, std::string(*claims.others->live.begin()));
  }

  absl::btree_map<Thing, Claims> things_;
};

}  // namespace wesher::mesh
