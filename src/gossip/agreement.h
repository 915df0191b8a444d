// Whether the members that answer our probes hold the same table as we do. While all of them do, a
// periodic push/pull has nothing to tell and is left out: with memberlist's, an idle node's bytes
// grow with the members, and most of what it says are these tables. Our own, compatible: an ack's
// `Payload` is for applications, and memberlist without a ping delegate ignores it.
//
// Members of other programs send none, and what is not equal counts as different, so whoever has
// probed one of them exchanges tables as ever. A key holder who lies in its acks hides its own
// table and nobody else's.
//
// After somebody came, whether all have heard of it is looked at soon: the next probe follows
// within kLook, and a digest that differs is answered by a push/pull at once, with growing pauses,
// until two tables are equal. Of a hundred that start together a few datagrams get lost, and gossip
// needs up to half a minute for what they said.
#pragma once

#include <array>
#include <cstdint>

#include "gossip/core.h"

namespace wesher::gossip {

class Agreement {
 public:
  /// The next probe after somebody came is this far away at most.
  static constexpr Duration kLook = std::chrono::seconds{1};
  /// So many probes are hurried where nobody answers with a digest.
  static constexpr unsigned kLooks = 3;

  explicit Agreement(Core& core) : core_(core) {}

  /// The payload of our acks: 8 bytes made of name, place, incarnation, state and metadata of every
  /// record that a push/pull tells. Until the next call. Costs what changed since then.
  [[nodiscard]] ByteView digest();
  /// Somebody came, or came back.
  void news(Instant now);
  /// A probe of ours was answered by an ack with this payload; whether tables are to be exchanged
  /// with who sent it, now.
  [[nodiscard]] bool heard(ByteView payload, Instant now);

  /// Whether the next probe is to come within kLook.
  [[nodiscard]] bool settling() const { return looks_ > 0; }

  /// Whether there was an answer since the last call, and every one with our own digest.
  [[nodiscard]] bool take();

 private:
  using Digest = std::array<std::uint8_t, 8>;

  [[nodiscard]] Digest compute();

  Core& core_;
  Digest told_{};
  std::uint32_t same_ = 0;
  std::uint32_t different_ = 0;
  unsigned looks_ = 0;  ///< probes that are still hurried
  Duration pause_{};    ///< from one exchange on difference to the next
  Instant exchange_after_{};
};

}  // namespace wesher::gossip
