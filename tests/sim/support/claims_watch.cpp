#include "tests/sim/support/claims_watch.h"

#include <algorithm>

#include "mesh/overlay_address.h"
#include "tests/mesh/support/station.h"

namespace wesher::sim::claims {

using mesh::test::RuleBroken;

namespace {

constexpr std::size_t kMoves = 3;
constexpr Duration kDay = std::chrono::hours{24};
constexpr std::chrono::hours kAhead{24 * 365 * 20};

bool is_live(const Node& node, const Member& member) {
  const bool looks = member.state == MemberState::alive || member.state == MemberState::suspect;
  return looks && node.roster().is_live(member.name);
}

bool is_ourselves(const Node& node, const Member& member) {
  return member.signed_claim && member.signed_claim->identity == node.disk().identity;
}

bool gave_back(const Member& member) {
  return member.signed_claim && member.signed_claim->for_good;
}

/// Silent for too long, or forgotten: nothing is kept for it.
bool is_gone(const Member& member) {
  return member.state == MemberState::gone;
}

/// Who claims an address, as the node knows it.
struct Claimants {
  bool live = false;         ///< somebody who is there
  bool unconfirmed = false;  ///< somebody from the database that was not seen yet
  bool away = false;         ///< somebody who is to find it again
  bool told = false;         ///< of these, somebody who was there, and is said to be away
};

Claimants claimants(const Node& node, const IpAddress& address) {
  Claimants found;
  node.roster().each([&](const Member& member) {
    if (!member.meta || member.meta->overlay != address) return;
    if (is_ourselves(node, member) || gave_back(member) || is_gone(member)) return;
    // Who waits does not see who goes: it may believe what it is told.
    const bool told = !node.announced() && node.kept().contains(member.name);
    found.told = found.told || told;
    if (told) {
      found.away = true;
    } else if (is_live(node, member)) {
      found.live = true;
    } else if (node.roster().is_unconfirmed(member.name)) {
      found.unconfirmed = true;
    } else {
      found.away = true;
    }
  });
  return found;
}

/// It was told so before it was announced.
bool is_kept(const Node& node, const IpAddress& address) {
  const auto& all = node.kept();
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& kept) { return kept.second == address; });
}

bool of_this_host(const Node& node, const IpAddress& address) {
  const auto& all = node.setup().host_addresses;
  return std::find(all.begin(), all.end(), address) != all.end();
}

/// An address that nobody has and nobody is to find again.
bool is_free(const Node& node, const IpAddress& address) {
  const Claimants who = claimants(node, address);
  return !of_this_host(node, address) && !who.live && !who.unconfirmed && !who.away &&
         !is_kept(node, address);
}

std::vector<IpAddress> wanted(const Node& node) {
  if (node.setup().fixed) return {*node.setup().fixed};
  return usable_addresses(node.setup().net);
}

/// Whether the claim of `other` goes before ours.
bool goes_before(const Member& other, const Node& node) {
  if (!other.signed_claim) return true;  // it can't move
  if (other.signed_claim->claimed != node.disk().claimed)
    return other.signed_claim->claimed < node.disk().claimed;
  return other.signed_claim->identity.bytes() < node.disk().identity.bytes();
}

[[noreturn]] void broken(const std::string& rule, const Node& node, const std::string& what) {
  throw RuleBroken(rule + ": " + node.setup().name + " " + what);
}

/// What was chosen, if it was not what we had.
void check_choice(const Node& node, const IpAddress& address) {
  const Claimants who = claimants(node, address);
  if (who.live || who.unconfirmed)
    broken("I-A2", node, "takes " + address.text() + ", which somebody has");
  if (node.setup().fixed) {
    if (address != *node.setup().fixed)
      broken("I-A4", node, "takes " + address.text() + ", not the one of --overlay-ip");
    return;
  }
  if (node.inherited() == address || (!who.away && !is_kept(node, address))) return;
  for (const IpAddress& other : wanted(node)) {
    if (is_free(node, other))
      broken("I-A3", node,
             "takes " + address.text() + " of one who is away, and " + other.text() + " is free");
  }
}

}  // namespace

bool is_usable(const IpAddress& address, const Prefix& net) {
  if (!net.contains(address)) return false;
  const unsigned host_bits = 32 - net.length;
  const unsigned host = address.bytes()[3] & ((1U << host_bits) - 1);
  return host_bits < 2 || (host != 0 && host != (1U << host_bits) - 1);
}

bool is_acceptable(const std::string& name, const IpAddress& address, const Prefix& net) {
  const bool is_network = net.length < 31 && address == net.address;
  return net.contains(address) && (!is_network || mesh::overlay_address(name, net) == address);
}

std::vector<IpAddress> usable_addresses(const Prefix& net) {
  std::vector<IpAddress> all;
  const auto bytes = net.address.bytes();
  const unsigned first = bytes[3];
  for (unsigned host = 0; host < 1U << (32 - net.length); ++host) {
    const auto address =
        IpAddress::v4(bytes[0], bytes[1], bytes[2], static_cast<std::uint8_t>(first + host));
    if (is_usable(address, net)) all.push_back(address);
  }
  return all;
}

void Watch::claims(
    const Node& node, const mesh::OwnClaim& claim, Cause cause, bool was_new, Moment now) {
  const IpAddress& had = node.disk().overlay;
  if (!claim.overlay) return waits(node);
  const IpAddress& address = *claim.overlay;
  if (!node.setup().net.contains(address) ||
      (address != had && !is_usable(address, node.setup().net)) ||
      (address != had && of_this_host(node, address)))
    broken("I-A4", node, "takes " + address.text());
  if (address == had && !was_new)
    broken("I-A2", node, "dates its claim of " + address.text() + " anew");
  if (address != had || was_new) check_choice(node, address);
  if (claim.claimed < now.wall) broken("I-A2", node, "dates a claim back");
  node.roster().each([&](const Member& member) {
    if (!member.signed_claim || member.signed_claim->claimed > now.wall + kAhead) return;
    if (member.signed_claim->claimed >= claim.claimed)
      broken("I-A2", node, "dates a new claim before that of " + member.name);
  });
  if (cause != Cause::start || address == had || had.is_unspecified() || was_new) return;
  // It had one, and starts with another one.
  if (node.setup().fixed && *node.setup().fixed == address) return;
  const Claimants who = claimants(node, had);
  if (!who.live && !who.told)
    broken("I-A2", node, "gives " + had.text() + " up at a start, and nobody has it");
}

void Watch::keeps(const Node& node) {
  if (claimants(node, node.disk().overlay).live)
    broken("I-A2", node, "announces " + node.disk().overlay.text() + ", which somebody has");
}

void Watch::waits(const Node& node) {
  for (const IpAddress& address : wanted(node)) {
    const Claimants who = claimants(node, address);
    if (!of_this_host(node, address) && !who.live && !who.unconfirmed && !who.told)
      broken("I-A3", node, "has no address, and could have " + address.text());
  }
}

void Watch::moves(const Node& node, const Member& other, Moment now) {
  ++moved_;
  if (!other.meta || other.meta->overlay != node.disk().overlay || !is_live(node, other) ||
      is_ourselves(node, other) || gave_back(other) || !goes_before(other, node)) {
    broken("I-A2", node, "moves because of " + other.name + ", whose claim is not before its own");
  }
  const std::string accuser = other.signed_claim ? other.signed_claim->identity.text() : "legacy";
  std::deque<Instant>& of = lives_[&node].moves[accuser];
  while (!of.empty() && now.at - of.front() >= kDay)
    of.pop_front();
  of.push_back(now.at);
  if (of.size() > kMoves) broken("I-T6", node, "moves a fourth time in a day for " + other.name);
}

void Watch::stays(const Node& node, const Member& other) {
  Life& life = lives_[&node];
  const std::string accuser = other.signed_claim ? other.signed_claim->identity.text() : "legacy";
  if (life.moves[accuser].size() < kMoves)
    broken("I-A1", node, "does not make way for " + other.name);
  life.stayed = true;
}

bool Watch::has_stayed(const Node& node) const {
  const auto found = lives_.find(&node);
  return found != lives_.end() && found->second.stayed;
}

Watch::Before Watch::before(const Node& node, const Said& said) {
  Before before;
  if (const Member* member = node.roster().find(said.name)) {
    before.known = true;
    before.live = is_live(node, *member) || node.roster().is_unconfirmed(said.name);
    before.state = member->state;
    before.underlay = member->underlay;
    before.claim = member->signed_claim;
  }
  const std::string_view owner = node.roster().owner_of(said.meta.overlay);
  if (owner.empty()) return before;
  const Member* member = node.roster().find(owner);
  const bool live = member->state == MemberState::alive || member->state == MemberState::suspect;
  if (live) before.owner = owner;
  return before;
}

void Watch::heard(const Node& node, const Before& before, const Said& said, gossip::Proof proof) {
  const std::string of = "of " + said.name;
  if (before.claim) {
    const bool same = said.claim && said.claim->identity == before.claim->identity;
    if (same && said.claim->epoch < before.claim->epoch)
      broken("I-T1", node, "takes an older record " + of);
    if (same && said.claim->epoch == before.claim->epoch && *said.claim != *before.claim)
      broken("I-T1", node, "takes another record " + of + " under the same epoch");
    if (!same) {
      const bool here = before.underlay == underlay_of(said.place);
      const bool shown = here && proof == gossip::Proof::confirmed;
      const bool withdrawn = shown && !said.has_address();
      if (before.live && !shown)
        broken("I-T2", node, "gives the name of a live member away, " + of);
      if (!said.claim && !is_departed(before.state) && !withdrawn)
        broken("I-T1", node, "takes an unsigned record " + of + ", who signs");
    }
  }
  // The incumbent stays as long as it claims it.
  if (before.owner.empty() || before.owner == node.setup().name) return;
  const Member* owner = node.roster().find(before.owner);
  const bool claims_still =
      owner != nullptr && owner->meta && owner->meta->overlay == said.meta.overlay;
  const bool renamed = claims_still && owner->underlay == underlay_of(said.place);
  if (claims_still && !renamed && node.roster().owner_of(said.meta.overlay) != before.owner &&
      said.meta.overlay != node.disk().overlay)
    broken("I-F3", node,
           "gives " + said.meta.overlay.text() + " of " + before.owner + " to another");
}

void Watch::changed(const Node& node,
                    const Member& before,
                    const Member& after,
                    const std::string& subject) {
  const Member* const cause = node.roster().find(subject);
  if (cause != nullptr && cause->underlay == before.underlay) return;  // the same host, renamed
  const bool live = before.state == MemberState::alive || before.state == MemberState::suspect;
  if (!live || before.standing != Standing::configured || before.meta != after.meta) return;
  if (after.state == before.state && after.standing != Standing::configured)
    broken("I-F1", node, "takes " + before.name + " out because of " + subject);
}

void Watch::forgotten(const Node& node, const Member& row) {
  if (row.state != MemberState::failed && !is_departed(row.state))
    broken("I-F5", node, "forgets " + row.name + ", which is there");
}

void Watch::owners(const Node& node) {
  std::map<IpAddress, std::string> owners;
  for (const auto& [name, row] : node.disk().rows) {
    if (row.standing != Standing::configured) continue;
    const IpAddress& address = row.meta->overlay;
    if (!is_acceptable(name, address, node.setup().net))
      broken("I-A4", node, "gives " + address.text() + " to " + name);
    if (address == node.disk().overlay) broken("I-F3", node, "gives its own address to " + name);
    if (!owners.emplace(address, name).second)
      broken("I-F3", node, "gives " + address.text() + " to " + name + " and " + owners[address]);
    if (node.roster().owner_of(address) != name)
      broken("I-F3", node, "gives " + address.text() + " to " + name + ", not to its owner");
  }
}

}  // namespace wesher::sim::claims
