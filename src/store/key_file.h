// The key file: the secrets of a node and the few numbers that must never go back or get lost. A
// small text file, versioned and checksummed, 0600 in a 0700 directory; replaced as a whole:
// temporary file, fsync, rename, fsync of the directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/key.h"
#include "base/time.h"
#include "model/member.h"

namespace wesher::store {

struct ClusterKey {
  std::uint32_t generation = 1;  ///< rises with every key that is added
  SecretKey key;
};

struct KeyFile {
  std::string id;                ///< 32 hex digits, drawn when the file was made
  std::vector<ClusterKey> ring;  ///< position 0 encrypts; never empty in a saved file
  SecretKey wireguard_private;
  SecretKey identity_seed;            ///< of the SigningKey (base/identity.h)
  std::string node_name;              ///< as last announced
  std::optional<IpAddress> overlay;   ///< our address claim
  std::optional<Prefix> overlay_net;  ///< the network it was chosen from
  WallTime claim_time{};              ///< when it was chosen
  WallTime newest_claim{};            ///< newest claim time ever heard of anybody
  MetaFormat meta_format = MetaFormat::f2;
  /// The byte form of the announced underlay address (spec: 4 bytes, or 16 when mapped): Go
  /// compares bytes, so the form is kept for ever. True = IPv4 is announced in the 16-byte mapped
  /// form.
  bool announce_mapped = false;
  std::uint64_t epoch_end = 0;        ///< signed records: all epochs below may have been used
  std::uint32_t incarnation_end = 1;  ///< all incarnations below may have been used
  WallTime highest_time{};            ///< of any clock reading ever saved
  std::string init_boot_id;           ///< boot in which an automatic --init was last obeyed
  std::string machine;  ///< `machine_mark` of the host that saved it last; empty when it has no id
};

/// Reads and checks a key file, of this version or the one before. Errc::not_found: there is none.
/// Errc::state_unusable: damaged, from a newer version, wrong owner or too open a mode; the detail
/// says which and what to do. Errc::not_permitted: unreadable for this user.
[[nodiscard]] Result<KeyFile> load_key_file(const std::string& path);

/// Writes it durably; on failure the old file is untouched. Creates the directory (0700) if needed.
[[nodiscard]] Result<void> save_key_file(const std::string& path, const KeyFile& keys);

/// A new one with random id, cluster key (unless given), WireGuard key and identity.
[[nodiscard]] KeyFile make_key_file(std::optional<SecretKey> cluster_key, WallTime now);

/// What stands for a host in the key file with that `id`: 32 hex digits of a hash of the host's
/// machine id. It differs from file to file and says nothing about the machine.
[[nodiscard]] std::string machine_mark(std::string_view machine_id, std::string_view id);

}  // namespace wesher::store
