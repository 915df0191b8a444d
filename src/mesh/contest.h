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

#include <map>
#include <set>
#include <string>
#include <string_view>

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
    (live ? claims.waiting : claims.live).erase(name);
    (live ? claims.live : claims.waiting).insert(name);
    return decide(claims);
  }

  /// `name` claims `thing` no longer.
  Owners withdraw(const Thing& thing, const std::string& name) {
    const auto found = things_.find(thing);
    if (found == things_.end()) return {};
    Claims& claims = found->second;
    claims.live.erase(name);
    claims.waiting.erase(name);
    Owners owners = decide(claims);
    if (claims.live.empty() && claims.waiting.empty()) things_.erase(found);
    return owners;
  }

  /// Makes a present claimant the owner against the rule, once; from there on the rule goes on.
  Owners give(const Thing& thing, const std::string& name) {
    const auto found = things_.find(thing);
    if (found == things_.end() || !found->second.has(name)) return {};
    Owners owners{found->second.owner, name};
    found->second.owner = name;
    return owners;
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
    for (const std::string& name : found->second.live)
      visit(name);
    for (const std::string& name : found->second.waiting)
      visit(name);
  }

  [[nodiscard]] std::size_t size() const { return things_.size(); }

 private:
  struct Claims {
    std::set<std::string> live;
    std::set<std::string> waiting;
    std::string owner;

    [[nodiscard]] bool has(const std::string& name) const {
      return live.contains(name) || waiting.contains(name);
    }
  };

  static Owners decide(Claims& claims) {
    Owners owners{claims.owner, claims.owner};
    if (!claims.live.contains(claims.owner)) {
      if (!claims.live.empty()) {
        owners.after = *claims.live.begin();
      } else if (!claims.waiting.contains(claims.owner)) {
        owners.after = claims.waiting.empty() ? std::string{} : *claims.waiting.begin();
      }
    }
    claims.owner = owners.after;
    return owners;
  }

  std::map<Thing, Claims> things_;
};

}  // namespace wesher::mesh
