// The rules of our own overlay address: what we claim, what we keep, when we move. Decides only;
// whoever asks stores it, announces it and says why. Pure.
//
// - Before we announce ourselves, an address that a live member holds is given up: nothing runs
//   over it yet. Afterwards the smaller claim stays (claim_rank.h), the other one moves.
// - An address that a member claims is not taken while there is another: neither that of one that
//   failed, nor that of one that left without giving it up.
// - A claim keeps its time for as long as its address; a new one is behind all that are known.
// - No more than a few moves a day because of one accuser (move_budget.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/identity.h"
#include "base/ip.h"
#include "base/time.h"
#include "mesh/claim_rank.h"
#include "mesh/fact.h"
#include "mesh/move_budget.h"
#include "mesh/overlay_choice.h"
#include "mesh/roster.h"
#include "wire/reservations.h"

namespace wesher::mesh {

class AddressRules {
 public:
  struct Settings {
    std::string name;
    std::optional<IdentityKey> identity;    ///< nothing: we sign nothing
    Prefix net;                             ///< what is chosen from; usable for `name`
    std::optional<IpAddress> fixed;         ///< the only address we want
    std::vector<IpAddress> host_addresses;  ///< of this host, its gateways, resolvers
    WallTime not_before{};                  ///< no claim of ours is dated before
    /// Our claim was never announced, or nobody has heard of it for too long.
    bool claim_is_new = false;
  };

  /// What we have at present.
  struct Holding {
    IpAddress overlay;  ///< unspecified: none
    WallTime claimed{};
    IpAddress underlay;  ///< where we are reached

    [[nodiscard]] bool has_address() const { return !overlay.is_unspecified(); }
  };

  /// What to do about somebody who announces our address.
  enum class Stance : std::uint8_t {
    none,    ///< nothing: it does not hold it
    remind,  ///< it will move when it hears of us
    move,    ///< we do; counted as a move because of it
    stay,    ///< it asked us to move too often
  };

  /// `roster` outlives this.
  AddressRules(Settings settings, const Roster& roster)
      : settings_(std::move(settings)), roster_(roster) {}

  // --- what others told us before we announced ourselves ---

  /// We ask anew who is there.
  void questions_begin();

  /// Another member, or our own name before us, is away and keeps that address.
  void told(const wire::Reservation& reservation);

  /// Our name had that address under another identity.
  void inherit(const IpAddress& overlay) { inherited_ = overlay; }

  void announced() {
    announced_ = true;
    inherited_.reset();
  }

  // --- decisions ---

  /// The claim to make before we announce ourselves; nothing: what we have is kept, or we have none
  /// and there is none.
  [[nodiscard]] std::optional<OwnClaim> before_announcing(const Holding& own, const Moment& now);
  [[nodiscard]] Stance against(const Member& other, const Holding& own, Instant now);
  /// Where we move because of `holder`.
  [[nodiscard]] OwnClaim make_way(const Member& holder, const Holding& own, const Moment& now);
  /// The claim to make when we look from time to time whether we can have an address, or that of
  /// `--overlay-ip`.
  [[nodiscard]] std::optional<OwnClaim> look_again(const Holding& own, const Moment& now);
  /// What we would take now.
  [[nodiscard]] std::variant<IpAddress, PoolFull> choose(const Holding& own,
                                                         const Moment& now) const;

  // --- questions ---

  [[nodiscard]] bool wants_another(const Holding& own) const {
    return settings_.fixed && own.overlay != *settings_.fixed;
  }

  /// The member that claims an address, a live one first; null: nobody.
  [[nodiscard]] const Member* holder_of(const IpAddress& address) const;
  /// Those who are away and keep their address: what one who comes can't know.
  [[nodiscard]] std::vector<wire::Reservation> away() const;

 private:
  [[nodiscard]] bool holds(const Member& member) const;
  [[nodiscard]] bool is_away(const Member& member) const;

  [[nodiscard]] bool is_live(const Member& member) const {
    return roster_.is_live(member.name) && !is_away(member);
  }

  [[nodiscard]] bool is_reserved(const IpAddress& overlay) const;
  [[nodiscard]] std::optional<ClaimRank> rank_of(const Member& member) const;
  [[nodiscard]] std::optional<IpAddress> free_one(const Holding& own, const Moment& now) const;
  [[nodiscard]] WallTime fresh_time(const Moment& now) const;
  [[nodiscard]] OwnClaim claim(const std::optional<IpAddress>& overlay,
                               std::string why,
                               const Moment& now);

  Settings settings_;
  const Roster& roster_;
  std::optional<IpAddress> inherited_;

  /// What we were told of a member that is away.
  struct Told {
    IpAddress overlay;
    unsigned times = 0;
    unsigned silence = 0;  ///< questions since then
  };

  std::map<std::string, Told> told_;  ///< by name
  bool announced_ = false;
  MoveBudget moves_;
};

}  // namespace wesher::mesh
