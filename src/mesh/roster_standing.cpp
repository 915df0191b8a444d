// Who gets what: claims of keys and addresses, and the standing that follows. Two steps that don't
// depend on each other in a circle: keys first, and only the owner of its key claims an address.
#include "base/text.h"
#include "mesh/roster.h"
#include "mesh/words.h"

namespace wesher::mesh {

namespace {

/// Whether `newer` is the same host as `older` under another name, as far as anybody can see:
/// key, overlay address and gossip endpoint are the same, so nothing but the name changes hands.
bool is_renamed(const Member& older, const Member& newer) {
  return older.meta && newer.meta && older.meta->overlay == newer.meta->overlay &&
         older.underlay == newer.underlay && older.gossip_port == newer.gossip_port;
}

std::string endpoint_text(const Member& member) {
  return Endpoint{member.underlay, member.gossip_port}.text();
}

void add_clause(std::string& why, const std::string& clause) {
  if (!why.empty()) why += "; ";
  why += clause;
}

/// The clauses of history for what is different between two rows of a member, `why` first.
std::string describe(const std::optional<Member>& before, const Member& after, std::string why) {
  if (before) {
    if (before->meta && after.meta) {
      if (before->meta->overlay != after.meta->overlay) {
        add_clause(why, "overlay address " + before->meta->overlay.text() + " -> " +
                            after.meta->overlay.text());
      }
      if (before->meta->key != after.meta->key) {
        add_clause(
            why, "key " + before->meta->key.abbreviated() + " -> " + after.meta->key.abbreviated());
      }
    }
    const bool moved =
        before->underlay != after.underlay || before->gossip_port != after.gossip_port;
    if (moved) {
      add_clause(why, "endpoint " + endpoint_text(*before) + " -> " + endpoint_text(after));
    }
  }
  if (before && before->standing == after.standing) return why;
  if (after.standing == Standing::refused) add_clause(why, "refused: " + after.reason);
  if (after.standing == Standing::seed && !is_departed(after.state)) {
    add_clause(why, after.reason);
  }
  if (before && after.standing == Standing::configured) add_clause(why, "configured");
  return why;
}

bool same_but_incarnation(const Member& a, Member b) {
  b.incarnation = a.incarnation;
  return a == b;
}

}  // namespace

void Roster::touch(const Entry& entry) {
  touched_.try_emplace(entry.member.name, entry.member);
}

void Roster::settle_key(Entry& entry) {
  const std::string& name = entry.member.name;
  const bool live = is_live_state(entry.member.state);
  std::optional<PublicKey> wanted;
  const bool claims = entry.judged == Standing::configured && entry.member.meta &&
                      !is_departed(entry.member.state) && !entry.overdue;
  if (claims) wanted = entry.member.meta->key;
  if (entry.key_claim && entry.key_claim != wanted) {
    const PublicKey old = *entry.key_claim;
    entry.key_claim.reset();
    entry.replaced = false;
    key_changed(old, keys_.withdraw(old, name));
  }
  if (wanted) {
    const bool is_new = !entry.key_claim;
    entry.key_claim = wanted;
    const std::string owner(keys_.owner(*wanted));
    key_changed(*wanted, keys_.claim(*wanted, name, live));
    if (is_new && live && entry.seen && !owner.empty() && keys_.owner(*wanted) == owner) {
      const Entry* const other = this->entry(owner);
      if (is_renamed(other->member, entry.member)) {
        key_changed(*wanted, keys_.give(*wanted, name));
      }
    }
  }
  settle_address(entry);
}

void Roster::key_changed(const PublicKey& key, const Contest<PublicKey>::Owners& owners) {
  if (!owners.changed()) return;
  for (const std::string& name : {owners.before, owners.after}) {
    Entry* const found = entry(name);
    if (found == nullptr) continue;
    touch(*found);
    found->replaced = name == owners.before && found->key_claim == key;
    settle_address(*found);
  }
  keys_.each_claimant(key, [this](const std::string& name) { touch(*entry(name)); });
}

void Roster::settle_address(Entry& entry) {
  const std::string& name = entry.member.name;
  std::optional<IpAddress> wanted;
  if (entry.key_claim && keys_.owner(*entry.key_claim) == name) {
    wanted = entry.member.meta->overlay;
  }
  if (entry.address_claim && entry.address_claim != wanted) {
    const IpAddress old = *entry.address_claim;
    entry.address_claim.reset();
    address_changed(old, addresses_.withdraw(old, name));
  }
  if (wanted) {
    entry.address_claim = wanted;
    address_changed(*wanted, addresses_.claim(*wanted, name, is_live_state(entry.member.state)));
  }
}

void Roster::address_changed(const IpAddress& address, const Contest<IpAddress>::Owners& owners) {
  if (!owners.changed()) return;
  addresses_.each_claimant(address, [this](const std::string& name) { touch(*entry(name)); });
}

void Roster::stand(Entry& entry) const {
  Member& member = entry.member;
  const auto set = [&member](Standing standing, std::string reason) {
    member.standing = standing;
    member.reason = std::move(reason);
  };
  if (is_departed(member.state)) return set(Standing::seed, std::string(to_text(member.state)));
  if (entry.overdue) {
    return set(Standing::seed, "silent for " + span_text(retention_of(member)) +
                                   "; kept to call while nobody is alive");
  }
  if (!entry.key_claim) return set(entry.judged, std::string(as_text(entry.objection)));
  const std::string_view holder = keys_.owner(*entry.key_claim);
  if (holder != member.name) {
    const std::string verb =
        entry.replaced ? "its key is now announced by " : "its key is that of ";
    return set(is_replaced(member.name) ? Standing::seed : Standing::refused,
               verb + printable(holder));
  }
  const std::string_view owner = addresses_.owner(*entry.address_claim);
  if (owner != member.name) {
    return set(Standing::refused, entry.address_claim->text() + " is held by " + printable(owner));
  }
  if (member.state == MemberState::failed) {
    const bool kept = limits_.kept.contains(member.name);
    return set(Standing::configured,
               kept ? "silent; stays configured (--static)"
                    : "silent; stays configured for " + span_text(retention_of(member)));
  }
  set(Standing::configured, entry.tcp_only ? "answers over TCP only: is its UDP port open?" : "");
}

void Roster::finish(std::string_view subject, const std::string& why) {
  for (const auto& [name, before] : touched_) {
    Entry* const found = entry(name);
    if (found == nullptr) continue;
    Member& member = found->member;
    stand(*found);
    if (before && same_but_incarnation(*before, member)) continue;
    facts_.emplace_back(
        MemberChanged{member, describe(before, member, name == subject ? why : std::string{})});
  }
  touched_.clear();
}

std::string_view Roster::owner_of(const IpAddress& address) const {
  return addresses_.owner(address);
}

std::string_view Roster::owner_of(const PublicKey& key) const {
  return keys_.owner(key);
}

}  // namespace wesher::mesh
