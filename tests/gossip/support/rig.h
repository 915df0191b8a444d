// One node under test against peers that the test plays: sealed messages in, opened messages out,
// time moved by hand. Every datagram that the node says is checked against what Go nodes can bear.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "gossip/node.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::gossip::testing {

/// A ring with the one test key.
[[nodiscard]] wire::Keyring test_keyring(std::uint8_t fill = 7);

/// 10.0.0.`host`:7946.
[[nodiscard]] Endpoint peer(std::uint8_t host, std::uint16_t port = 7946);

/// Names "n<host>" at `peer(host)`.
[[nodiscard]] std::string name_of(std::uint8_t host);

[[nodiscard]] wire::Alive alive(std::uint8_t host, std::uint32_t incarnation, Bytes meta = {1, 2});
[[nodiscard]] wire::PushPullEntry entry(std::uint8_t host,
                                        std::uint32_t incarnation,
                                        wire::EntryState state = wire::EntryState::alive);

/// Our own configuration: "me" at 10.0.0.200.
[[nodiscard]] Config own_config();
inline const std::string own_name = "me";

struct Sent {
  Instant at;
  Endpoint to;
  wire::PacketMessage message;
};

class Rig {
 public:
  explicit Rig(Config config = own_config(),
               Admission* admission = nullptr,
               std::uint64_t seed = 1);

  /// Announces and forgets what was said about it.
  Rig& announced();
  /// Makes members known by one datagram of alive messages at incarnation 1 each.
  Rig& with_members(std::vector<std::uint8_t> hosts);

  /// Lets the node hear these messages in one datagram.
  void hear(const Endpoint& from, const std::vector<wire::PacketMessage>& messages);
  /// The datagram of these messages, sealed.
  [[nodiscard]] Bytes seal(const std::vector<wire::PacketMessage>& messages);
  [[nodiscard]] Bytes seal_stream(const wire::StreamMessage& message);
  [[nodiscard]] wire::StreamMessage open_stream(ByteView frame) const;

  /// Moves time, waking the node exactly when it asks for it.
  void advance(Duration duration);
  /// The push/pulls that the node begins while that time passes; what it said before is forgotten.
  [[nodiscard]] std::vector<StreamRequest> push_pulls_within(Duration span);
  /// Collects what the node has to say.
  void drain();
  void clear();

  template <class T>
  [[nodiscard]] std::vector<T> events_of() const {
    std::vector<T> found;
    for (const Event& event : events) {
      if (const T* wanted = std::get_if<T>(&event)) found.push_back(*wanted);
    }
    return found;
  }

  struct SentAs {
    Instant at;
    Endpoint to;
  };

  template <class T>
  [[nodiscard]] std::vector<std::pair<SentAs, T>> sent_of() const {
    std::vector<std::pair<SentAs, T>> found;
    for (const Sent& one : sent) {
      if (const T* wanted = std::get_if<T>(&one.message))
        found.push_back({{one.at, one.to}, *wanted});
    }
    return found;
  }

  wire::Keyring keyring;
  Rng rng;
  Instant now{std::chrono::hours{1}};
  Node node;
  std::vector<Sent> sent;     ///< messages, datagrams taken apart
  std::size_t datagrams = 0;  ///< how many datagrams they came in
  std::vector<StreamRequest> streams;
  std::vector<Event> events;
};

}  // namespace wesher::gossip::testing
