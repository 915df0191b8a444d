// The data plane of a Linux host: rtnetlink, one of two WireGuard back ends, the hosts file, the
// watch. Private to system/ and to tests that bring a model of the kernel; everybody else sees
// data_plane.h. Not thread safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "system/data_plane.h"
#include "system/hosts_file.h"
#include "system/knock.h"
#include "system/link_control.h"
#include "system/userspace_wg.h"
#include "system/watch.h"
#include "system/wg_control.h"

namespace wesher::system {

class LinuxDataPlane final : public DataPlane {
 public:
  /// Without `kernel`, the running kernel is asked for its WireGuard when it is needed.
  LinuxDataPlane(DataPlaneConfig config,
                 std::unique_ptr<LinkControl> links,
                 std::unique_ptr<WgControl> kernel = nullptr);

  /// Finds the back end.
  [[nodiscard]] Result<void> start();
  /// Without a watch there is no descriptor (-1), and changes by others are seen by `observe` only.
  [[nodiscard]] Result<void> open_watch();

  [[nodiscard]] std::string_view backend_text() const override;
  [[nodiscard]] Result<Observed> observe() override;
  [[nodiscard]] Result<std::vector<ObservedPeer>> observe_peers() override;
  [[nodiscard]] Result<SecretKey> private_key() override;

  [[nodiscard]] ObservedHosts observe_hosts() override { return hosts_.observe(); }

  [[nodiscard]] Result<void> apply(const plan::Action& action,
                                   const SecretKey& private_key) override;
  [[nodiscard]] std::vector<Result<void>> apply_all(const std::vector<plan::Action>& actions,
                                                    const SecretKey& private_key) override;

  void tidy() override { hosts_.tidy(); }

  void knock(const std::vector<IpAddress>& addresses) override {
    system::knock(config_.interface, addresses);
  }

  [[nodiscard]] Result<void> remove_link() override;

  [[nodiscard]] int watch_fd() const override { return watch_ ? watch_->fd() : -1; }

  [[nodiscard]] bool drain_watch() override;

 private:
  /// Looks at the link under our name and takes the back end that it belongs to.
  [[nodiscard]] Result<ObservedLink> look();
  [[nodiscard]] Result<std::vector<Prefix>> unmarked_routes();
  [[nodiscard]] Result<void> choose_backend_without_link();
  [[nodiscard]] Result<void> use_kernel();
  void use_userspace();
  /// The link's index, looked up if unknown. Errc::not_found if there is no link of a WireGuard.
  [[nodiscard]] Result<std::uint32_t> link_index();

  [[nodiscard]] Result<void> perform(const plan::CreateLink& what);
  [[nodiscard]] Result<void> perform(const plan::SetAlias& what);
  [[nodiscard]] Result<void> perform(const plan::SetMtu& what);
  [[nodiscard]] Result<void> perform(const plan::ConfigureDevice& what, const SecretKey& key);
  [[nodiscard]] Result<void> perform(const plan::SetLinkUp& what);
  [[nodiscard]] Result<void> perform(const plan::AddAddress& what);
  [[nodiscard]] Result<void> perform(const plan::RemoveAddress& what);
  [[nodiscard]] Result<void> perform(const plan::WriteHosts& what);
  [[nodiscard]] Result<bool> take_back_renamed();
  [[nodiscard]] Result<void> change(std::string_view doing, const RtLinkChange& change);
  [[nodiscard]] std::vector<Result<void>> perform_peers(std::span<const plan::Action> actions);
  [[nodiscard]] std::vector<Result<void>> perform_routes(std::span<const plan::Action> actions);
  [[nodiscard]] Result<void> perform_single(const plan::Action& action, const SecretKey& key);
  [[nodiscard]] tl::unexpected<Error> port_in_use(std::uint16_t port) const;

  DataPlaneConfig config_;
  std::unique_ptr<LinkControl> links_;
  std::unique_ptr<WgControl> kernel_;  ///< open once the kernel was found to have WireGuard
  std::unique_ptr<UserspaceWg> userspace_;
  WgControl* wg_ = nullptr;  ///< the one in use
  std::uint32_t index_ = 0;  ///< of the link as last seen, 0 = unknown
  HostsFile hosts_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace wesher::system
