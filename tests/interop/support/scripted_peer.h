// A member that speaks like a release of memberlist that is not packaged here, 0.1.4 (the Go wesher
// 0.2.6) or 0.5.1 (its head). What it says by itself is what any member must: it acks pings and
// hands out a table that holds itself. The rest is said by the scenario.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/key.h"
#include "base/random.h"
#include "netns/support/rig.h"
#include "wire/keyring.h"
#include "wire/messages.h"

namespace wesher::interop {

enum class Release { v0_1_4, v0_5_1 };

class ScriptedPeer {
 public:
  struct Heard {
    std::uint16_t from_port = 0;
    std::string from;
    wire::PacketMessage message;
  };

  /// Whom it plays. It announces its address as the Go wesher does on most hosts, in 16 bytes.
  struct Likeness {
    std::string name;
    std::string overlay;
    std::string key;  ///< base64
  };

  /// On the gossip port of that host. Metadata are F2 or F3, as the Go program of that time has.
  /// Without a likeness it is "old" or "new", at the address that the Go program gives that name.
  ScriptedPeer(const netns::Host& home,
               const std::string& cluster_key,
               Release release,
               const std::optional<Likeness>& likeness = std::nullopt);
  ~ScriptedPeer();
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  /// The WireGuard key that it announces now, base64.
  [[nodiscard]] std::string key() const;
  /// Draws another, for a higher incarnation.
  void change_key();

  /// What it says of itself.
  [[nodiscard]] wire::Alive alive() const;
  /// Its way to leave: accused by nobody in 0.1.4, by itself in 0.5.1.
  [[nodiscard]] wire::Dead goodbye() const;
  /// A ping of a member; 0.5.1 adds where the ack is to go, and this may be a lie.
  [[nodiscard]] wire::Ping ping(std::uint32_t sequence,
                                const netns::Host& target,
                                std::uint16_t source_port = 7946) const;
  [[nodiscard]] wire::IndirectPing indirect_ping(std::uint32_t sequence,
                                                 const netns::Host& target) const;

  /// Joins by push/pull, with `dead` members that nobody knows beside itself; what is answered.
  [[nodiscard]] wire::PushPull join(const netns::Host& to, std::size_t dead = 0);
  /// One datagram of gossip. 0.5.1 compresses it and puts a CRC around it.
  void gossip(const netns::Host& to, const std::vector<wire::PacketMessage>& messages);
  /// One message of the prober, in neither release with a CRC.
  void say(const netns::Host& to, const wire::PacketMessage& message);

  /// From here on it answers nothing.
  void fall_silent() { silent_ = true; }

  [[nodiscard]] std::vector<Heard> heard();

 private:
  void serve();
  void receive();
  void answer_stream();
  void send(const std::string& address, std::uint16_t port, const Bytes& plain);
  [[nodiscard]] wire::PushPull table(bool join, std::size_t dead) const;
  [[nodiscard]] Bytes frame(const wire::PushPull& content);

  const netns::Host& home_;
  Release release_;
  std::string name_;
  std::string overlay_;
  bool mapped_ = false;
  wire::Keyring ring_;
  /// Another one in each of them: ours drop what has a nonce that they have heard before.
  Rng rng_ = Rng::from_number(std::random_device{}());
  std::uint32_t incarnation_ = 2;  // the first alive went without metadata
  std::array<std::uint8_t, kKeyBytes> public_key_{};
  int udp_ = -1;
  int tcp_ = -1;
  mutable std::recursive_mutex lock_;
  std::vector<Heard> heard_;
  std::atomic<bool> silent_ = false;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace wesher::interop
