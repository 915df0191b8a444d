// What the Go program left on this host: its state, and the device of one that was killed. Both are
// taken over at a first start, so that the mesh notices nothing; store/go_state.h reads the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ip.h"
#include "base/key.h"
#include "daemon/options.h"
#include "model/member.h"
#include "model/state.h"
#include "plan/diff.h"
#include "store/key_file.h"
#include "store/paths.h"
#include "system/data_plane.h"

namespace wesher::daemon {

/// What a first start takes over of the Go program's state.
struct GoHeritage {
  std::string path;              ///< of the file; it stays as it is
  std::vector<IpAddress> nodes;  ///< where it saw the others last
  MetaFormat format = MetaFormat::f2;
};

/// Reads that state and sets `key` to its cluster key, unless there is one: one that was given
/// wins. Nothing: there is none, or it is not usable and a key was given. Lines for the log are
/// added. Errc::state_unusable and those of reading: it is damaged or without a key, and no key was
/// given, so that only a new cluster could be made; the detail names the ways on.
[[nodiscard]] Result<std::optional<GoHeritage>> take_over_go_state(
    const store::Paths& paths,
    std::optional<SecretKey>& key,
    std::vector<std::string>& lifecycle,
    std::vector<std::string>& warnings);

/// The nodes of that state, while nothing better is known: of a later start whose database has no
/// member. Empty unless its cluster key is one of ours.
[[nodiscard]] std::vector<IpAddress> go_nodes_of(const store::Paths& paths,
                                                 const store::KeyFile& keys);

/// Seeds at the cluster port.
[[nodiscard]] std::vector<Endpoint> go_seeds(const std::vector<IpAddress>& nodes,
                                             std::uint16_t cluster_port);

/// The device that the Go program makes on this host with these options.
[[nodiscard]] std::optional<plan::GoDevice> go_device(const Options& options,
                                                      const std::string& name);

/// Takes the private key of that device into `keys`; adds the line for the log. Errc::busy: the
/// device changed meanwhile.
[[nodiscard]] Result<void> take_over_go_device(system::DataPlane& data_plane,
                                               const Observed& observed,
                                               store::KeyFile& keys,
                                               std::vector<std::string>& lifecycle);

}  // namespace wesher::daemon
