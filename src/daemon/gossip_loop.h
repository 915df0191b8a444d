// The gossip loop: sockets and one timer around the mesh, on the main thread. It hands every input
// to the mesh, drains it, and passes facts on; it never waits for disk or kernel configuration.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "daemon/log.h"
#include "daemon/seed_resolver.h"
#include "daemon/sockets.h"
#include "daemon/streams.h"
#include "mesh/mesh.h"

namespace wesher::daemon {

struct GossipLoopHandlers {
  /// Facts for the reconcile loop: everything but notices, LeaveDone, CopyFound.
  std::function<void(mesh::Fact fact, WallTime at)> fact;
  std::function<void(std::size_t told)> left;
  /// Another host runs on a copy of our state: this one is to become somebody else.
  std::function<void(const mesh::CopyFound& copy)> copied;
  /// The mesh can't announce us at present: its notice, whose group says why.
  std::function<void(const mesh::Notice& notice)> kept_out;
  /// We are in the mesh from now on.
  std::function<void()> announced;
};

class GossipLoop {
 public:
  /// `log` outlives it. The mesh is made by the caller, with everything it is to know at the start.
  /// `found_seeds` are tried beside those of --join.
  GossipLoop(asio::io_context& io,
             GossipSockets sockets,
             mesh::Mesh mesh,
             std::vector<JoinEntry> join,
             std::vector<Endpoint> found_seeds,
             Log& log,
             GossipLoopHandlers handlers);

  /// Listens; contacts seeds and members for at most `probe_max`, then announces. Names of --join
  /// get as long to be resolved first.
  void start(Duration probe_max);
  /// `for_good`: our name and address are free at once.
  void leave(Duration max_wait, bool for_good);
  void incarnations_reserved(std::uint32_t end);
  void epochs_reserved(std::uint64_t end);
  /// Our claim is on disk: announces it.
  void claim_stored(std::optional<IpAddress> overlay);
  /// The format is on disk: announces ourselves in it.
  void format_stored(MetaFormat format);
  /// Our underlay address is this one from now on, in the bytes to announce.
  void address_changed(Bytes underlay);
  /// mesh::Mesh::forget and forget_failed_older.
  [[nodiscard]] Result<std::string> forget(const std::string& name);
  [[nodiscard]] std::vector<std::string> forget_failed_older(Duration age);
  /// Our WireGuard key is another from now on: announces it.
  void key_changed(const PublicKey& key);
  /// Resolves --join again now.
  void refresh_seeds();
  /// Closes everything; the io_context can run out.
  void stop();

 private:
  void begin(Duration probe_max);
  void set_seeds(std::vector<Endpoint> resolved);
  void receive();
  void read_datagrams();
  void send(const gossip::Transmit& transmit);
  void drain();
  void arm();
  void take_fact(mesh::Fact fact);
  [[nodiscard]] StreamHandlers stream_handlers();
  /// Gives memory back to the system soon, if a frame of that size took much.
  void give_back_after(std::size_t frame);

  asio::io_context& io_;
  asio::ip::udp::socket udp_;
  bool dual_stack_;
  mesh::Mesh mesh_;
  std::vector<Endpoint> found_seeds_;
  Log& log_;
  GossipLoopHandlers handlers_;
  Streams streams_;
  SeedResolver resolver_;
  asio::steady_timer timer_;
  asio::steady_timer begin_timer_;
  asio::steady_timer trim_timer_;
  bool trimming_ = false;  ///< `trim_timer_` runs
  std::optional<Instant> armed_for_;
  bool begun_ = false;
  bool announced_ = false;
  bool stopped_ = false;
  bool draining_ = false;
  std::array<std::uint8_t, 65536> buffer_{};
};

}  // namespace wesher::daemon
