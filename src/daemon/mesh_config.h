// What the mesh is told at its start, from options, identity and host; and how what it says is put
// for people.
#pragma once

#include <string>
#include <vector>

#include "daemon/identity.h"
#include "daemon/options.h"
#include "mesh/mesh.h"
#include "store/repository.h"

namespace wesher::daemon {

/// Everything but the announced underlay address.
[[nodiscard]] mesh::Config mesh_config(const Options& options,
                                       const Identity& identity,
                                       const store::SelfRow& self);

/// Why the notice keeps a node out of the mesh, in a few words: "10.9.0.0/29 is full (6 of 6)".
/// Empty if it does not.
[[nodiscard]] std::string kept_out_text(const mesh::Notice& notice,
                                        const Options& options,
                                        const std::string& own_name);

/// The answer to `wesher forget --failed-older`.
[[nodiscard]] std::string forgotten_text(const std::vector<std::string>& names, Duration older);

}  // namespace wesher::daemon
