#include "cli/selection.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/text.h"

namespace wesher::cli {

namespace {

constexpr std::size_t kNearestMax = 3;
constexpr std::size_t kTyposMax = 2;
constexpr std::size_t kBeginningMin = 2;  ///< shorter beginnings would fit too many names

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// Levenshtein distance: characters to add, drop or change.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

bool is_named(const std::string& name, const std::string& word) {
  return name == word || shown_name(name) == word;
}

const ObservedPeer* peer_of(const Snapshot& snapshot, const PublicKey& key) {
  if (!snapshot.live.observed) return nullptr;
  const auto& peers = snapshot.live.observed->peers;
  const auto found =
      std::find_if(peers.begin(), peers.end(), [&](const auto& peer) { return peer.key == key; });
  return found == peers.end() ? nullptr : &*found;
}

bool is_in(const Prefix& net, const Member& member, const Snapshot& snapshot) {
  if (net.contains(member.underlay)) return true;
  if (!member.meta) return false;
  if (net.contains(member.meta->overlay)) return true;
  const ObservedPeer* peer = peer_of(snapshot, member.meta->key);
  return peer != nullptr && peer->endpoint && net.contains(peer->endpoint->address);
}

bool is_in(const Prefix& net, const store::SelfRow& self) {
  const auto underlay = IpAddress::parse(self.underlay);
  return (self.overlay && net.contains(*self.overlay)) || (underlay && net.contains(*underlay));
}

Result<Selection> select_in(const Snapshot& snapshot, const Prefix& net, const std::string& word) {
  Selection found;
  found.own = snapshot.facts.self && is_in(net, *snapshot.facts.self);
  for (const Member& member : snapshot.facts.members) {
    if (is_in(net, member, snapshot)) found.members.push_back(&member);
  }
  if (found.size() > 0) return found;
  return fail(Errc::not_found,
              fmt::format("no member has {} {}; 'wesher members' lists all",
                          net.is_host() ? "the address" : "an address in", printable(word)));
}

}  // namespace

Result<Selection> select_nodes(const Snapshot& snapshot, const std::string& word) {
  const Facts& facts = snapshot.facts;
  Selection found;
  found.own = facts.self && is_named(facts.self->name, word);
  for (const Member& member : facts.members) {
    if (is_named(member.name, word)) found.members.push_back(&member);
  }
  if (found.size() > 0) return found;
  if (const auto address = IpAddress::parse(word)) {
    return select_in(snapshot, Prefix::host(*address), word);
  }
  if (word.find('/') == std::string::npos) return tl::unexpected(unknown_node(facts, word));
  const auto net = Prefix::parse(word);
  if (!net) {
    return fail(Errc::malformed, fmt::format("'{}' {}", printable(word), net.error().detail));
  }
  return select_in(snapshot, net->masked(), word);
}

std::vector<std::string> nearest_names(const Facts& facts, const std::string& word) {
  const std::string wanted = lower(word);
  std::vector<std::pair<std::size_t, std::string>> near;
  const auto consider = [&](const std::string& name) {
    const std::string lowered = lower(name);
    const std::size_t typos = distance(lowered, wanted);
    const bool begins = wanted.size() >= kBeginningMin && lowered.starts_with(wanted);
    // Of a short name, two other characters make any name.
    if (begins || typos <= std::min(kTyposMax, wanted.size() / 2)) {
      near.emplace_back(typos, shown_name(name));
    }
  };
  if (facts.self) consider(facts.self->name);
  for (const Member& member : facts.members)
    consider(member.name);
  std::sort(near.begin(), near.end());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(near.size(), kNearestMax); ++i) {
    if (near[i].first <= near.front().first + 1) names.push_back(near[i].second);
  }
  return names;
}

Error unknown_node(const Facts& facts, const std::string& word) {
  const auto names = nearest_names(facts, word);
  std::string hint;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) hint += i + 1 == names.size() ? " or " : ", ";
    hint += names[i];
  }
  if (!hint.empty()) hint = "did you mean " + hint + "? ";
  return {Errc::not_found, fmt::format("no member is named '{}'; {}'wesher members' lists all",
                                       shown_name(word), hint)};
}

}  // namespace wesher::cli
