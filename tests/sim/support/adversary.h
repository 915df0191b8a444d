// Two adversaries for a virtual network. They see what passes (as far as the network shows it to
// them) and put datagrams and stream frames of their own under way. Everything they do follows from
// their Rng and from what they saw.
//
// Drive one like this: `observe` whatever passes; when `next` is due, `act` and deliver what it
// gives, each item with the latency of the network.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/random.h"
#include "wire/keyring.h"
#include "wire/messages.h"

namespace wesher::sim {

/// How bytes travel: a datagram, or the frame of a request on a stream, or of the reply to one.
enum class Carrier : std::uint8_t { datagram, request, reply };

/// Bytes that an adversary wants delivered.
struct Injection {
  Endpoint from;  ///< the source address that the receiver sees
  Endpoint to;
  Bytes bytes;
  Carrier carrier = Carrier::datagram;  ///< never `reply`: it opens streams of its own
};

/// When an adversary acts: at random, on average once in `pause`, from `first` to `last`.
struct Schedule {
  Instant first{};
  Instant last = Instant::max();
  Duration pause = std::chrono::seconds{1};
};

class Adversary {
 public:
  Adversary(Schedule schedule, Rng rng);
  virtual ~Adversary() = default;
  Adversary(const Adversary&) = delete;
  Adversary& operator=(const Adversary&) = delete;

  /// Bytes passed from one address to another.
  virtual void observe(const Endpoint& from,
                       const Endpoint& to,
                       ByteView bytes,
                       Carrier carrier) = 0;
  /// When it wants to act; nothing: never again.
  [[nodiscard]] std::optional<Instant> next() const;
  /// Does what is due at `now`; nothing when `next` has not come.
  [[nodiscard]] std::vector<Injection> act(Instant now);

 protected:
  [[nodiscard]] virtual std::optional<Injection> injection() = 0;

  [[nodiscard]] Rng& rng() { return rng_; }

 private:
  Schedule schedule_;
  Rng rng_;
  Instant next_;
};

/// Holds no key. Records datagrams and frames and sends them again, in any order and any number of
/// times; now and then to another host, or from another address.
class Replayer final : public Adversary {
 public:
  /// Keeps at most `capacity` recordings; further ones replace random ones, so that old and new are
  /// kept alike.
  Replayer(Schedule schedule, Rng rng, std::size_t capacity = 4096);

  void observe(const Endpoint& from, const Endpoint& to, ByteView bytes, Carrier carrier) override;

  [[nodiscard]] std::size_t recorded() const { return tape_.size(); }

 protected:
  [[nodiscard]] std::optional<Injection> injection() override;

 private:
  std::size_t capacity_;
  std::uint64_t seen_ = 0;
  std::vector<Injection> tape_;
};

/// What a Liar says.
enum class Lie : std::uint8_t {
  suspect,           ///< a member is suspected, by another member or by nobody known
  dead,              ///< a member is dead, somebody says
  left,              ///< a member said goodbye, it says itself
  alive,             ///< a member is alive at the incarnation it has, or one more
  jump,              ///< ... far above
  last_incarnation,  ///< ... at 2^32-1; ends a stock member's hope to refute for ever
  moved,             ///< a member is alive at another address
  meta,              ///< a member is alive with other metadata
  ghost,             ///< somebody who does not exist is alive
  no_versions,       ///< alive without protocol versions; ends all merges of stock nodes
  table,             ///< a push/pull full of the above but the two that can't be cured
};

/// Holds the cluster's key and lies. It learns names, addresses and incarnations from what it sees.
class Liar final : public Adversary {
 public:
  struct Target {
    Endpoint endpoint;
    bool stock = false;  ///< `no_versions` is told to stock nodes alone
  };

  /// `lies`: the kinds that it tells, each as often as the others.
  Liar(Schedule schedule,
       Rng rng,
       wire::Keyring keyring,
       std::vector<Target> targets,
       std::vector<Lie> lies);

  void observe(const Endpoint& from, const Endpoint& to, ByteView bytes, Carrier carrier) override;

  /// Where the lies come from; otherwise from addresses of members.
  void set_address(const Endpoint& own) { own_ = own; }

  /// Members it knows of.
  [[nodiscard]] std::size_t known() const { return known_.size(); }

  /// Says something in particular: a lie of this kind about `name` to `to`. Nothing when it does
  /// not know that member.
  [[nodiscard]] std::optional<Injection> lie(Lie kind, const std::string& name, const Target& to);

 protected:
  [[nodiscard]] std::optional<Injection> injection() override;

 private:
  void learn(const wire::Alive& alive);
  [[nodiscard]] Bytes message(Lie kind, const wire::Alive& about);
  [[nodiscard]] wire::Alive ghost();
  [[nodiscard]] Bytes table();
  [[nodiscard]] std::string any_name();

  wire::Keyring keyring_;
  std::vector<Target> targets_;
  std::vector<Lie> lies_;
  std::optional<Endpoint> own_;
  std::map<std::string, wire::Alive> known_;
  std::uint64_t ghosts_ = 0;
};

}  // namespace wesher::sim
