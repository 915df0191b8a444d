// A data plane that is a value: counts what changes it, can refuse single objects, can be changed
// by others. And members to put on it.
#pragma once

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

#include "model/member.h"
#include "system/data_plane.h"
#include "tests/plan/support/simulated_host.h"

namespace wesher::daemon::test {

/// A host in memory: counts what changes it, can refuse single objects, can be changed by others.
class FakeDataPlane final : public system::DataPlane {
 public:
  struct World {
    std::mutex mutex;
    Observed observed;
    std::optional<std::array<std::uint8_t, kKeyBytes>> private_key;
    std::vector<std::string> performed;
    std::vector<IpAddress> knocked;
    int looks = 0;        ///< at the whole host
    std::string refuses;  ///< object that is refused
    bool link_removed = false;
    int watch = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    ~World() { ::close(watch); }

    bool did(const std::string& object) {
      const std::lock_guard lock(mutex);
      return std::find(performed.begin(), performed.end(), object) != performed.end();
    }

    Observed now() {
      const std::lock_guard lock(mutex);
      return observed;
    }
  };

  explicit FakeDataPlane(std::shared_ptr<World> world) : world_(std::move(world)) {}

  [[nodiscard]] std::string_view backend_text() const override { return "memory"; }

  [[nodiscard]] Result<Observed> observe() override {
    {
      const std::lock_guard lock(world_->mutex);
      ++world_->looks;
    }
    return world_->now();
  }

  [[nodiscard]] Result<std::vector<ObservedPeer>> observe_peers() override {
    return world_->now().peers;
  }

  [[nodiscard]] Result<SecretKey> private_key() override {
    const std::lock_guard lock(world_->mutex);
    if (!world_->private_key) return fail(Errc::not_found, "it has none");
    return SecretKey(*world_->private_key);
  }

  [[nodiscard]] ObservedHosts observe_hosts() override { return world_->now().hosts; }

  [[nodiscard]] Result<void> apply(const plan::Action& action, const SecretKey&) override {
    const std::lock_guard lock(world_->mutex);
    const std::string object = plan::object_of(action);
    if (object == world_->refuses) return fail(Errc::system, object + " is refused");
    try {
      plan::test::perform(world_->observed, action);
    } catch (const std::exception& refused) {
      return fail(Errc::system, refused.what());
    }
    world_->performed.push_back(object);
    return {};
  }

  [[nodiscard]] std::vector<Result<void>> apply_all(const std::vector<plan::Action>& actions,
                                                    const SecretKey& key) override {
    std::vector<Result<void>> results;
    for (const auto& action : actions)
      results.push_back(apply(action, key));
    return results;
  }

  void knock(const std::vector<IpAddress>& addresses) override {
    const std::lock_guard lock(world_->mutex);
    world_->knocked.insert(world_->knocked.end(), addresses.begin(), addresses.end());
  }

  [[nodiscard]] Result<void> remove_link() override {
    const std::lock_guard lock(world_->mutex);
    world_->observed = {};
    world_->link_removed = true;
    return {};
  }

  [[nodiscard]] int watch_fd() const override { return world_->watch; }

  [[nodiscard]] bool drain_watch() override {
    eventfd_t count = 0;
    return ::eventfd_read(world_->watch, &count) == 0;
  }

 private:
  std::shared_ptr<World> world_;
};

inline Member member(const std::string& name,
                     std::uint8_t n,
                     Standing standing = Standing::configured) {
  Member m;
  m.name = name;
  m.underlay = IpAddress::v4(192, 0, 2, n);
  m.underlay_bytes = {192, 0, 2, n};
  m.gossip_port = 7946;
  m.incarnation = 1;
  std::array<std::uint8_t, kKeyBytes> key{};
  key.fill(n);
  m.meta = NodeMeta{IpAddress::v4(10, 0, 0, n), PublicKey(key), MetaFormat::f2};
  m.standing = standing;
  m.state = standing == Standing::seed ? MemberState::left : MemberState::alive;
  return m;
}

}  // namespace wesher::daemon::test
