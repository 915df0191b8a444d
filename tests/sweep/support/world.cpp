#include "tests/sweep/support/world.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "store/reset.h"
#include "system/data_plane_linux.h"

namespace wesher::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// 2026-01-01T00:00:00Z, where every run begins.
constexpr WallTime kEpoch{milliseconds{1767225600000}};
/// How long a delayed call takes.
constexpr seconds kDelay{40};

std::string ring_text(const store::KeyFile& keys) {
  std::string text;
  for (const auto& entry : keys.ring)
    text += cluster_fingerprint(entry.key) + " ";
  return text;
}

}  // namespace

Member member(std::uint8_t n) {
  Member m;
  m.name = fmt::format("node{}", n);
  m.underlay = IpAddress::v4(192, 0, 2, n);
  m.underlay_bytes = {192, 0, 2, n};
  m.gossip_port = 7946;
  m.incarnation = 1;
  std::array<std::uint8_t, kKeyBytes> key{};
  key.fill(n);
  m.meta = NodeMeta{IpAddress::v4(10, 0, 0, n), PublicKey(key), MetaFormat::f2};
  m.standing = Standing::configured;
  m.state = MemberState::alive;
  m.state_since = kEpoch;
  m.first_seen = kEpoch;
  return m;
}

World::World(const std::string& root, KernelState state, Faults& all_faults)
    : faults(all_faults), disk(root, all_faults), kernel(all_faults), root_(root) {
  kernel.state = std::move(state);
  kernel.now = kEpoch;
  options.interface = kInterface;
  options.node_name = "self";
  options.adopt_for = Duration(seconds(20));
  faults.on_delay = [this] { at_ += kDelay; };
  ::setenv("STATE_DIRECTORY", (root_ + "/state").c_str(), 1);
}

Moment World::now() const {
  const auto wall = std::chrono::duration_cast<milliseconds>(at_.time_since_epoch() + wall_step_);
  return {at_, kEpoch + wall};
}

bool World::start() {
  if (core_) return running();
  kernel.now = now().wall;
  const daemon::StartHost host{
      [this] { return now(); },
      [this](system::DataPlaneConfig config) -> Result<std::unique_ptr<system::DataPlane>> {
        config.hosts_path = hosts_path();
        auto plane = std::make_unique<system::LinuxDataPlane>(std::move(config), kernel.links(),
                                                              kernel.wireguard(kInterface));
        if (auto started = plane->start(); !started) return tl::unexpected(started.error());
        return plane;
      },
      [](const Observed&, const IpAddress&) -> Result<std::optional<daemon::Network>> {
        return std::nullopt;
      }};
  auto startup = daemon::start_up(options, host, log_);
  if (!startup) {
    if (refusal_.empty()) refusal_ = startup.error().detail;
    return false;
  }
  const bool first_start = startup->first_start && !startup->adopts_device;
  const store::Paths paths = startup->parts.paths;
  lock_.emplace(std::move(startup->lock));
  const Witnessed exposed = witnessed_by_others(startup->parts.identity);
  core_ = std::make_unique<daemon::ReconcileCore>(
      std::move(startup->parts), log_, notifier_, [this] { return now(); },
      Rng::from_number(rng_number_++));
  daemon::ReconcilerCallbacks callbacks;
  callbacks.incarnations_reserved = [this](std::uint32_t end) {
    if (running() && witnessed_) witnessed_->incarnation_end = end;
  };
  callbacks.epochs_reserved = [this](std::uint64_t end) {
    if (running() && witnessed_) witnessed_->epoch_end = end;
  };
  core_->set_callbacks(std::move(callbacks));
  const auto passed = core_->first_pass();
  if (!passed && first_start) {  // as daemon/agent.cpp
    if (refusal_.empty()) refusal_ = passed.error().detail;
    core_->abandon();
    (void)store::reset_state(paths);
    core_.reset();
    lock_.reset();
    return false;
  }
  if (!passed && !core_->loaded() && !faults.dead()) {
    if (refusal_.empty()) refusal_ = passed.error().detail;
    core_.reset();
    lock_.reset();
    return false;
  }
  if (running()) witness(exposed);
  return running();
}

World::Witnessed World::witnessed_by_others(const daemon::Identity& identity) {
  return {identity.keys.id,
          ring_text(identity.keys),
          x25519_public(identity.keys.wireguard_private),
          identity.overlay,
          identity.incarnation_first,
          identity.keys.incarnation_end,
          identity.epoch_first,
          identity.keys.epoch_end};
}

void World::witness(const Witnessed& is) {
  if (witnessed_) {
    const Witnessed& was = *witnessed_;
    if (is.id != was.id) lost_.push_back("the identity is another one");
    if (is.ring != was.ring) lost_.push_back("the cluster keys are others");
    if (is.key != was.key && !own_key_may_change) {
      lost_.push_back("the WireGuard key is another one");
    }
    if (is.overlay != was.overlay && !own_address_may_change) {
      lost_.push_back("the overlay address is another one");
    }
    if (is.incarnation_first < was.incarnation_end) {
      lost_.push_back(fmt::format("incarnations begin at {}, but all below {} may be used",
                                  is.incarnation_first, was.incarnation_end));
    }
    if (is.epoch_first < was.epoch_end) {
      lost_.push_back(fmt::format("epochs begin at {}, but all below {} may be used",
                                  is.epoch_first, was.epoch_end));
    }
  }
  witnessed_ = is;
}

void World::tell(const mesh::Fact& fact) {
  if (running()) core_->take(fact, now().wall);
}

void World::say(const Member& said, const std::string& why) {
  mesh[said.name] = said;
  tell(mesh::MemberChanged{said, why});
}

void World::forget(const std::string& name) {
  mesh.erase(name);
  tell(mesh::MemberForgotten{name, "not seen for 72h"});
}

void World::synced() {
  tell(mesh::Synced{"somebody"});
}

void World::reserve_incarnations(std::uint32_t end) {
  tell(mesh::ReserveIncarnations{end});
}

void World::notice() {
  if (running()) core_->noticed();
}

void World::say_all() {
  if (!running()) return;
  const auto known = core_->members();
  for (const auto& [name, ours] : known) {
    if (!mesh.contains(name)) tell(mesh::MemberForgotten{name, "not seen for 72h"});
  }
  for (const auto& [name, said] : mesh)
    tell(mesh::MemberChanged{said, "heard of"});
  synced();
}

void World::ask(const std::string& request) {
  if (!running()) return;
  auto database = store::Database::open_for_command(state_path(std::string(kInterface) + ".db"),
                                                    store::Database::Access::write);
  if (database) (void)store::Repository(*database).add_request(request, "{}", 0, now().wall);
}

void World::run(Duration duration) {
  const Instant end = at_ + duration;
  while (running()) {
    const Instant next = std::max(at_, core_->next_due());
    if (next > end) break;
    at_ = next;
    kernel.now = now().wall;
    core_->advance();
    // What is due at once again would be due for ever.
    if (running() && core_->next_due() <= at_) at_ += milliseconds(1);
  }
  at_ = std::max(at_, end);
}

void World::stop(daemon::StopKind kind) {
  if (!running()) return;
  if (kind != daemon::StopKind::keep) core_->freeze();
  core_->finish(kind, mesh.size());
  if (!running()) return;
  core_.reset();
  lock_.reset();
}

void World::crash(const Fault& fault, std::uint64_t seed) {
  faults.die();
  core_.reset();
  lock_.reset();
  if (fault.is_power_cut()) {
    Rng rng = Rng::from_number(seed);
    disk.cut_power(fault, rng);
    kernel.state = {};
    kernel.protect_nothing();
  }
  faults.disarm();
}

std::string World::database_text() const {
  auto opened = store::Database::open_for_command(state_path(std::string(kInterface) + ".db"),
                                                  store::Database::Access::read);
  if (!opened) return "database: " + opened.error().detail + "\n";
  store::Repository repository(*opened);
  std::string text;
  const auto desired = repository.desired();
  if (!desired || !*desired) return "no desired state\n";
  for (const DesiredPeer& peer : (*desired)->peers) {
    text += fmt::format("desired {} {} {} {}\n", peer.name, peer.key.base64(), peer.overlay.text(),
                        peer.endpoint.text());
  }
  text += fmt::format("desired interface {} port {}\n", (*desired)->interface.overlay.text(),
                      (*desired)->interface.listen_port);
  const auto members = repository.members();
  if (!members) return "members: " + members.error().detail;
  for (const Member& m : *members) {
    text += fmt::format("member {} {} {}\n", m.name, to_text(m.state), to_text(m.standing));
  }
  const auto applied = repository.applied();
  if (!applied) return "applied: " + applied.error().detail;
  for (const auto& object : applied->failed) {
    text += fmt::format("failing {}: {}\n", object.object, object.detail);
  }
  if (applied->generation != (*desired)->generation) text += "not all is applied\n";
  const auto adopting = repository.adopting();
  text += adopting && !*adopting ? "" : "adopt mode\n";
  const auto options_there = repository.options();
  text += fmt::format("{} options\n", options_there ? options_there->size() : 0);
  return text;
}

std::string World::summary() {
  std::string text = kernel.state.text();
  if (witnessed_) {
    // A first start that was interrupted before anybody heard of it may draw other keys.
    const auto keys = store::load_key_file(state_path(std::string(kInterface) + ".keys"));
    text += keys ? "" : "key file: " + keys.error().detail + "\n";
    const std::string own = keys ? x25519_public(keys->wireguard_private).base64() : "";
    const auto at = text.find(own);
    if (keys && at != std::string::npos) text.replace(at, own.size(), "OF THE KEY FILE");
  }
  text += "--- hosts\n" + content_of(hosts_path()) + "---\n" + database_text();
  for (const auto& [path, content] : disk.files()) {
    if (!path.ends_with("-wal")) text += "file " + path + "\n";
  }
  return text;
}

}  // namespace wesher::test
