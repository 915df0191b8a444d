// Members that are gone for good because somebody says so: `wesher forget` here, or on another
// host, which tells everybody under its signature. It never concerns a member that is there:
// whoever is alive survives by being alive.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mesh/impl.h"
#include "mesh/words.h"
#include "wire/user_state.h"

namespace wesher::mesh {

namespace {

/// How many members are told directly of what is said of another; these tell others in turn.
constexpr std::size_t kTellDirectly = 4;
/// Statements of one input that are not what they seem, after which the rest is not looked at.
constexpr std::size_t kForgedMax = 16;

}  // namespace

Result<std::string> Mesh::Impl::forget(std::string_view name, const Moment& now) {
  const Member* member = roster_.find(name);
  const std::string shown = printable(name);
  if (member == nullptr) return fail(Errc::not_found, "no member is called " + shown);
  if (member->state == MemberState::gone) {
    return fail(Errc::not_found, shown + " is gone already; its name and address are free");
  }
  if (roster_.is_live(name)) {
    return fail(Errc::busy, shown + " is " + std::string(to_text(member->state)) +
                                ": only members that failed or left can be forgotten");
  }
  const std::string what = shown + " is forgotten; it was " + std::string(to_text(member->state)) +
                           " for " + elapsed_text(roster_.state_age(name, now.at));
  const auto statement = own_.state(wire::StatementKind::forget, now.wall, name);
  if (statement && statements_.hear(*statement, now.wall)) statements_to_tell_ = true;
  roster_.retire(name, "forgotten by request", now);
  collect(now);
  return what;
}

std::vector<std::string> Mesh::Impl::forget_failed_older(Duration age, const Moment& now) {
  std::vector<std::string> names;
  for (const Member& member : roster_.all()) {
    const bool old =
        member.state == MemberState::failed && roster_.state_age(member.name, now.at) >= age;
    if (old && forget(member.name, now)) names.push_back(member.name);
  }
  return names;
}

/// Of all that we know, ourselves included: anybody could make up another one and sign.
std::set<IdentityKey> Mesh::Impl::identities() const {
  std::set<IdentityKey> known;
  if (own_.identity()) known.insert(*own_.identity());
  roster_.each([&](const Member& member) {
    if (member.signed_claim) known.insert(member.signed_claim->identity);
  });
  return known;
}

void Mesh::Impl::hear_statements(const std::vector<wire::Statement>& statements) {
  for (const wire::Statement& statement : statements) {
    if (heard_statements_.size() < wire::kStatementsMax) heard_statements_.push_back(statement);
  }
}

/// After the table that came with them, which says who their signers are. Whether there was
/// anything to do.
bool Mesh::Impl::take_statements(const Moment& now) {
  std::vector<wire::Statement> heard = std::exchange(heard_statements_, {});
  std::erase_if(heard, [&](const auto& each) { return !statements_.is_news(each, now.wall); });
  const std::set<IdentityKey> known = heard.empty() ? std::set<IdentityKey>{} : identities();
  std::size_t forged = 0;
  for (const wire::Statement& statement : heard) {
    if (forged == kForgedMax) break;
    if (!known.contains(statement.signer) || !wire::verify(statement)) {
      ++forged;
    } else if (statements_.hear(statement, now.wall)) {
      statements_to_tell_ = true;
      forget_if_said(statement.subject, now);
    }
  }
  const bool telling = phase_ == Phase::announced && std::exchange(statements_to_tell_, false);
  if (telling) tell_statements(now);
  return telling || !heard.empty();
}

void Mesh::Impl::forget_if_said(const std::string& name, const Moment& now) {
  const Member* member = roster_.find(name);
  if (member == nullptr || is_live_state(member->state) || member->state == MemberState::gone)
    return;
  if (!statements_.forgotten(name, member->state_since)) return;
  herald_.say(Severity::info, "forgotten",
              printable(name) + " is forgotten: an operator said so on some member");
  roster_.retire(name, "forgotten by request on another host", now);
  collect(now);
}

void Mesh::Impl::tell_statements(const Moment& now) {
  std::vector<std::string> names;
  roster_.each([&](const Member& member) {
    if (member.signed_claim && roster_.is_live(member.name)) names.push_back(member.name);
  });
  rng_.shuffle(names);
  names.resize(std::min(names.size(), kTellDirectly));
  for (const std::string& name : names)
    push_pull(name, Call::urgent_join, now.at);
}

}  // namespace wesher::mesh
