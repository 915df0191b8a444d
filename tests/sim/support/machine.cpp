#include "tests/sim/support/machine.h"

#include <algorithm>

namespace wesher::sim {

using namespace std::chrono_literals;
using mesh::test::RuleBroken;

namespace {

/// From a fact to the device; time passes in slices here.
constexpr Duration kFollows = 250ms + 2 * kSlice;
/// A change of a member explains operations on its peer for so long.
constexpr Duration kExplains = 1s;
/// Somebody else's route in our network.
const Prefix kForeign{IpAddress::v4(10, 42, 200, 0), 24};

std::string text_of(const std::map<PublicKey, std::vector<Prefix>>& peers) {
  std::string text;
  for (const auto& [key, allowed] : peers) {
    text += (text.empty() ? "" : ", ") + key.abbreviated() + " for";
    for (const Prefix& prefix : allowed)
      text += " " + prefix.text();
  }
  return text.empty() ? "nobody" : text;
}

std::string name_of_peer(const std::string& object) {
  return object.rfind("peer ", 0) == 0 ? object.substr(5) : std::string{};
}

}  // namespace

Machine::Machine(mesh::test::Network& net, mesh::test::Host& host) : net_(net), host_(host) {}

void Machine::start(bool wiped, const std::vector<std::string>& seeds) {
  if (wiped) {
    for (const char* end : {"", "-wal", "-shm"})
      std::filesystem::remove(paths_.database() + end);
    const std::lock_guard lock(world_->mutex);
    world_->observed = {};
  }
  core_ = std::make_unique<daemon::ReconcileCore>(
      daemon::test::make_parts(paths_, world_, net_.now(host_).wall), log_, notifier_,
      [this] { return net_.now(host_); }, Rng::from_number(host_.life));
  if (!core_->first_pass()) throw RuleBroken("I-F2: " + host_.name + " can't start");
  {
    const std::lock_guard lock(world_->mutex);
    world_->observed.unmarked_routes = {kForeign};
    world_->performed.clear();
  }
  host_.rows.clear();
  for (const auto& [name, member] : core_->members())
    host_.rows.emplace(name, member);
  started_at_ = heard_at_ = net_.now().at;
  net_.start(host_, seeds);
}

void Machine::kill() {
  net_.kill(host_);
  core_.reset();
}

void Machine::leave() {
  const auto told = net_.leave(host_);
  core_->finish(daemon::StopKind::leave, told.value_or(0));
  core_.reset();
}

void Machine::hear(const mesh::Fact& fact) {
  if (!core_) return;
  heard_at_ = net_.now().at;
  if (const auto* changed = std::get_if<mesh::MemberChanged>(&fact))
    changed_[changed->member.name] = heard_at_;
  if (const auto* forgotten = std::get_if<mesh::MemberForgotten>(&fact))
    changed_[forgotten->name] = heard_at_;
  core_->take(fact, net_.now(host_).wall);
}

void Machine::advance() {
  if (!core_ || !host_.up()) return;
  const Instant now = net_.now().at;
  if (now - advanced_at_ > kSlice) forgive(now);
  advanced_at_ = now;
  while (core_->next_due() <= now)
    core_->advance();
  check_untouched();
  if (now - std::max(heard_at_, started_at_) >= kFollows) check_device();
}

/// Time went by in which it could do nothing, as when another host left: its bounds begin now.
void Machine::forgive(Instant now) {
  for (auto& [name, at] : changed_) {
    if (at >= advanced_at_ - kExplains) at = now;
  }
  if (heard_at_ >= advanced_at_) heard_at_ = now;
}

/// I-F1: nothing is done to the peer of a member of which nothing changed. I-F4: what is not ours
/// stays.
void Machine::check_untouched() {
  const std::lock_guard lock(world_->mutex);
  const Instant now = net_.now().at;
  for (const std::string& object : world_->performed) {
    const std::string name = name_of_peer(object);
    if (name.empty()) continue;
    // A peer that is nobody's any more has its key for a name: some change of a key explains it.
    const bool nobodys = PublicKey::parse(name).has_value();
    const bool explained = std::any_of(changed_.begin(), changed_.end(), [&](const auto& change) {
      return (nobodys || change.first == name) && now - change.second <= kExplains;
    });
    if (!explained)
      throw RuleBroken("I-F1: " + host_.name + " changes the peer of " + name +
                       ", of which nothing changed");
  }
  world_->performed.clear();
  if (world_->observed.link.kind != LinkKind::absent &&
      world_->observed.unmarked_routes != std::vector{kForeign})
    throw RuleBroken("I-F4: a route that is not ours is touched at " + host_.name);
}

/// I-F2: the device is what the mesh believes. I-F3: an address has one peer, its owner.
void Machine::check_device() const {
  const Observed device = world_->now();
  std::map<PublicKey, std::vector<Prefix>> wanted;
  std::vector<Prefix> routes;
  for (const Member& member : host_.mesh->members()) {
    if (member.standing != Standing::configured) continue;
    const Prefix address = Prefix::host(member.meta->overlay);
    wanted[member.meta->key].push_back(address);
    routes.push_back(address);
  }
  std::map<PublicKey, std::vector<Prefix>> there;
  for (const ObservedPeer& peer : device.peers)
    there[peer.key] = peer.allowed_ips;
  std::sort(routes.begin(), routes.end());
  if (there != wanted)
    throw RuleBroken("I-F2: " + host_.name + " has " + text_of(there) +
                     " in its device, and believes in " + text_of(wanted));
  if (device.routes != routes) throw RuleBroken("I-F2: routes of " + host_.name);
}

std::optional<PublicKey> Machine::key_at(const IpAddress& address) const {
  std::optional<PublicKey> key;
  for (const ObservedPeer& peer : world_->now().peers) {
    const auto& allowed = peer.allowed_ips;
    if (std::find(allowed.begin(), allowed.end(), Prefix::host(address)) != allowed.end())
      key = peer.key;
  }
  return key;
}

}  // namespace wesher::sim
