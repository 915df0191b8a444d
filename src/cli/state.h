// Finding and reading the state of one interface: which database, whether the daemon runs, what the
// kernel has. This is where the commands touch the host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/facts.h"
#include "store/database.h"
#include "store/paths.h"
#include "system/data_plane.h"

namespace wesher::cli {

/// Which interface a command is about: the one asked for, else the only one with a database. "No
/// state" is Errc::not_found with how to start; several without a choice Errc::malformed, listing
/// them; an unreadable directory Errc::not_permitted.
[[nodiscard]] Result<store::Paths> find_state(const std::string& asked_interface);

/// Reads everything that the database says.
[[nodiscard]] Result<Facts> read_facts(store::Database& database, const std::string& interface);

/// Opens the database of a state and reads it.
[[nodiscard]] Result<Facts> load_facts(const store::Paths& paths);

/// Reads database, daemon, kernel and hosts file. Errors are those of the database, and lack of
/// rights.
[[nodiscard]] Result<Snapshot> load_snapshot(const store::Paths& paths);
/// The same with facts that were read already.
[[nodiscard]] Result<Snapshot> load_snapshot(const store::Paths& paths, Facts facts);

/// The process that holds an interface lock right now, zero for nobody. A pid alone lies (it stays
/// after a crash and is used again), so the lock itself is tried, but only where a holder is noted:
/// a daemon that is just starting is not disturbed.
[[nodiscard]] std::uint32_t lock_holder(const std::string& path);

/// Whether the daemon that the database tells of runs.
[[nodiscard]] DaemonState daemon_state(const std::optional<store::SelfRow>& self,
                                       const std::string& lock_path);

/// How the data plane is to be opened for an interface, as the daemon with these effective options
/// opens it.
[[nodiscard]] system::DataPlaneConfig data_plane_config(const Facts& facts,
                                                        const store::Paths& paths);

/// Opens and observes. Lack of rights is an error; any other trouble is an answer (Live::problem).
[[nodiscard]] Result<Live> read_live(const system::DataPlaneConfig& config);

/// The wall clock.
[[nodiscard]] WallTime wall_now();

}  // namespace wesher::cli
