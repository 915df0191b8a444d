// Who this node is: its keys, name, overlay address and reserved numbers, from the key file and the
// options. Everything that is decided here is on disk before anybody hears of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "daemon/go_takeover.h"
#include "daemon/options.h"
#include "store/key_file.h"
#include "store/paths.h"

namespace wesher::daemon {

/// How many incarnations are reserved in the key file at a time. One is used per announced change
/// and per refutation.
inline constexpr std::uint32_t kIncarnationBlock = 1000;

/// A clock that stands this far before the highest time ever seen makes peers refuse our handshakes
/// for so long (WireGuard's timestamps only go up), so a new WireGuard key is made. Smaller steps
/// are waited out.
inline constexpr std::chrono::seconds kClockStepTolerated{30};

struct Identity {
  store::KeyFile keys;
  bool first_start = false;             ///< there was no key file
  bool new_cluster = false;             ///< the cluster key was generated now
  std::optional<GoHeritage> go;         ///< a first start that took over the Go program's state
  std::optional<IpAddress> overlay;     ///< chosen or kept; nothing: the mesh is to choose
  std::uint32_t incarnation_first = 1;  ///< of the block reserved for this run
  std::uint64_t epoch_first = 1;        ///< of the block of epochs, likewise
  std::uint64_t instance = 0;           ///< drawn now, to tell two runs of a copied state apart
  /// Of `overlay`, or, while that is `claim_is_new`, the earliest that it can be.
  WallTime claimed{};
  /// Nobody has heard of our claim, or not for so long that it is forgotten.
  bool claim_is_new = false;
  std::vector<std::string> lifecycle;  ///< lines for the log, always shown
  std::vector<std::string> warnings;   ///< lines for the log
};

/// The member name for these options: --node-name, else the hostname. Errc::malformed when it is
/// empty, localhost or no hostname, with the remedy.
[[nodiscard]] Result<std::string> choose_name(const Options& options, const std::string& hostname);

/// Whether a key file that is there is to be used; `fresh` is for --init.
enum class StoredState : bool { use, fresh };

/// What of the host it runs on concerns a node's identity.
struct IdentityHost {
  std::string machine_id;            ///< empty: this host has none
  std::vector<IpAddress> addresses;  ///< own ones, gateways, resolvers: not to be chosen
};

/// Loads or makes the identity; saves nothing. `name` is the member name of this run. With
/// `Options::renew_identity` keys and claim are new.
/// Without state of ours, that of the Go program is taken over unless `stored` is fresh.
/// Errc::state_unusable: keys unreadable, or a database without its key file, or the Go program's
/// state damaged and no key given. Errc::malformed: --join with no key given or stored.
[[nodiscard]] Result<Identity> load_identity(const store::Paths& paths,
                                             const Options& options,
                                             const std::string& name,
                                             StoredState stored,
                                             WallTime now,
                                             const IdentityHost& host = {});

}  // namespace wesher::daemon
