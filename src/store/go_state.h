// The state of the Go program: a JSON file with the cluster key and the nodes that it saw last.
// v0.2.6 keeps it in state.json, for its one interface, its head in INTERFACE.json. It is read
// where there is no state of ours and never written or removed; `wesher state export` writes one
// for the way back.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ip.h"
#include "base/key.h"
#include "model/member.h"
#include "store/paths.h"

namespace wesher::store {

/// A larger file is not read: 16,384 nodes take less.
inline constexpr std::size_t kGoStateMax = std::size_t{4} << 20;
/// Nodes that are kept; what is behind them counts as left out.
inline constexpr std::size_t kGoNodesMax = 16384;
/// Nesting of a file of the Go program is 4; what is deeper is no such file.
inline constexpr std::size_t kGoDepthMax = 16;

struct GoNode {
  std::string name;  ///< as in the file, not checked
  IpAddress address;

  friend bool operator==(const GoNode&, const GoNode&) = default;
};

struct GoState {
  std::optional<SecretKey> cluster_key;  ///< nothing: there is none, or it is not 32 bytes
  std::vector<GoNode> nodes;             ///< in the order of the file
  std::size_t left_out = 0;              ///< nodes without an address that a host can have
  /// The metadata that a program which writes nodes like these speaks; nothing: there are none.
  std::optional<MetaFormat> format;
};

/// Reads a file of either generation; fields that are missing or unknown don't matter.
/// Errc::malformed, with a clause, when it is no JSON object. No part of the text is repeated.
[[nodiscard]] Result<GoState> parse_go_state(std::string_view text);

/// A file that both generations start from. Of a node it holds what both can read: how they write
/// the overlay address, each takes as damage of the whole file.
[[nodiscard]] std::string format_go_state(const SecretKey& cluster_key,
                                          const std::vector<GoNode>& nodes);

struct FoundGoState {
  std::string path;
  GoState state;
};

/// The Go program's state for this interface: of its head, else of v0.2.6 where that is to be
/// inherited (`inherits_from_go`); nothing if there is none. `state.format` is set.
/// Errc::state_unusable: it is damaged, too large, or others could have written it;
/// Errc::not_permitted, Errc::system: it can't be read. The detail names the file.
[[nodiscard]] Result<std::optional<FoundGoState>> find_go_state(const Paths& paths);

}  // namespace wesher::store
