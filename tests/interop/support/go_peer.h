// A node of Go's memberlist on a host of the rig: ../gopeer, driven over its stdin and stdout.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "netns/support/rig.h"

namespace wesher::interop {

using Json = nlohmann::json;

struct GoPeerSettings {
  std::string format = "F2";  ///< metadata: F1, F2 or F3
  std::string name;           ///< member name; empty: the hostname
  std::string key;            ///< WireGuard public key that it announces; empty: drawn
  std::chrono::seconds gossip_to_the_dead{60};  ///< GossipToTheDeadTime: then it forgets the dead
  /// It also does on its host all that the Go wesher does there, with the back end of this run; its
  /// key is drawn by itself then, and without a cluster key it has that of its state file.
  bool acts_on_host = false;
  std::vector<std::string> join{};  ///< where it joins when it acts on its host; else its state's
  std::string overlay = "10.0.0.0/8";  ///< network from which its name has its overlay address
};

class GoPeer {
 public:
  /// Starts it; skips the scenario where gopeer could not be built. It listens on all addresses, so
  /// it announces its private one in the mapped form, as the Go wesher does on most hosts.
  GoPeer(netns::Host& host, const std::string& cluster_key, GoPeerSettings settings = {});
  ~GoPeer();
  GoPeer(const GoPeer&) = delete;
  GoPeer& operator=(const GoPeer&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  /// The WireGuard key that it announces now.
  [[nodiscard]] const std::string& key() const { return key_; }

  /// One command, and its answer. Fails the scenario on an error or after `bound`.
  Json ask(const std::string& command, std::chrono::milliseconds bound = std::chrono::seconds(40));
  /// Sends a command and does not wait.
  void tell(const std::string& command);

  /// Joins the node at this address; fails unless it was reached.
  void join(const std::string& address);
  /// Announces another WireGuard key.
  void change_key();
  /// Leaves as the Go wesher does at SIGTERM, and ends.
  void leave();
  /// Stops one that acts on its host as a service manager does: SIGTERM, and it has a clean host.
  void terminate();
  /// Ends at once, without a word.
  void crash();

  /// Its record of a member, those of the dead included; null if it has none.
  [[nodiscard]] Json record(const std::string& member);
  /// The state in that record: "alive", "suspect", "dead", "left", or "".
  [[nodiscard]] std::string state(const std::string& member);
  /// What it would configure in WireGuard for a member; null if it does not list the member.
  [[nodiscard]] Json peer(const std::string& member);
  /// Members alive or suspect, itself included.
  [[nodiscard]] std::size_t members();
  /// Warnings and errors of the library so far, one a line.
  [[nodiscard]] std::vector<std::string> complaints();
  /// Everything the library logged, one a line.
  [[nodiscard]] std::vector<std::string> log();
  /// How many lines of its log have this text.
  [[nodiscard]] std::size_t logged(const std::string& text);

  /// What it said of steps on its host that failed, without what its wireguard-go said. A join that
  /// fails is tried again.
  [[nodiscard]] std::string errors() const;

  [[nodiscard]] Json stats() { return ask("stats"); }

  /// Times at which it heard of a member, on the wall clock in nanoseconds: `kind` is "join",
  /// "update" or "leave".
  [[nodiscard]] std::vector<long> heard(const std::string& kind, const std::string& member) const;

  [[nodiscard]] bool running() { return process_.running(); }

 private:
  [[nodiscard]] std::vector<std::string> lines() const;
  [[nodiscard]] std::vector<Json> events() const;
  std::string send(const std::string& command);

  std::string name_;
  std::string key_;
  std::string out_;
  std::string err_;
  int commands_ = -1;
  int next_ = 1;
  netns::Process process_;
};

/// Skips the scenario where there is no gopeer.
void need_gopeer();

/// What gopeer reads in these frames: `kind` is "packets", "streams" or "metas". One object a
/// frame, with `result` or `error`.
[[nodiscard]] std::vector<Json> decode_with_go(const std::string& kind,
                                               const std::string& cluster_key,
                                               const std::vector<Bytes>& frames);

/// Frames that the library makes: `kind` packet or stream, `frame`, `layers`, `types`.
[[nodiscard]] std::vector<Json> frames_of_go(const std::string& cluster_key);

}  // namespace wesher::interop
