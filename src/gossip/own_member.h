// What we say about ourselves: announcing, refuting, new metadata, moving, leaving. Every change
// takes a new incarnation; while none is reserved, it is held back and made up for later.
#pragma once

#include <optional>

#include "base/budget.h"
#include "gossip/core.h"
#include "gossip/incarnations.h"
#include "gossip/spreader.h"
#include "wire/limits.h"

namespace wesher::gossip {

class OwnMember {
 public:
  OwnMember(Core& core, Spreader& spreader);

  /// False if it was done before, or we left.
  bool announce(Instant now);
  /// Answers a wrong claim about us that bears the incarnation `accused`. Whoever accuses us all
  /// the time is answered at a bounded rate: one answer overrules all claims before it.
  void refute(std::uint32_t accused, Instant now);
  void update_meta(Bytes meta, Instant now);
  void move_to(Move move, Instant now);
  void leave(Instant now);
  void extend(std::uint32_t end, Instant now);
  /// Tells these of us directly. Of two that join at the same moment neither hears the announcement
  /// of the other: the one that asks last learns of both, and is the only one to know.
  void greet(const std::vector<Endpoint>& strangers, Instant now);
  /// Completes a leave or a move once its goodbye is spread. To be called after every input. True
  /// if there is something new to gossip.
  bool settle(Instant now);

  /// Gives the answer that was held back.
  void timeout(Instant now);
  [[nodiscard]] std::optional<Wakeup> next() const;

  /// Whether a refutation went out since the last call.
  [[nodiscard]] bool take_refuted();

  /// Our alive message as of now.
  [[nodiscard]] Bytes alive_message() const;
  /// What we say of ourselves once we left.
  [[nodiscard]] Bytes goodbye_message() const;

 private:
  struct Address {
    Bytes bytes;
    std::uint16_t port = 0;
  };

  struct Held {
    std::uint32_t at_least = 0;
    bool refutation = false;
  };

  void renew(std::uint32_t at_least, bool refutation, Instant now);
  void ask(std::uint32_t at_least);
  void say_goodbye(Phase phase, Instant now);
  [[nodiscard]] bool goodbye_spread() const;

  Core& core_;
  Spreader& spreader_;
  Incarnations numbers_;
  std::optional<Held> held_;
  std::optional<Bytes> next_meta_;
  std::optional<Address> next_address_;
  std::size_t told_ = 0;
  bool over_ = false;         ///< leave was asked for
  bool spread_told_ = false;  ///< LeaveSpread was said
  bool refuted_ = false;
  Budget refutations_{limits::kRefutations};
  std::optional<std::uint32_t> unanswered_;  ///< the highest claim that waits for its answer
};

}  // namespace wesher::gossip
