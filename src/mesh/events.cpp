// What the node's events mean for members, for the database and for people.
#include <utility>

#include "base/text.h"
#include "mesh/impl.h"
#include "mesh/words.h"

namespace wesher::mesh {

namespace {

std::string endpoint_text(ByteView address, std::uint16_t port) {
  const auto ip = IpAddress::from_bytes(address);
  return ip ? Endpoint{*ip, port}.text() : "an unreadable address";
}

/// Why a member enters a state, for history; empty where only the accusation came or went.
std::string reason_of(const std::optional<Member>& before, MemberState state, Duration was_for) {
  switch (state) {
    case MemberState::failed:
      if (before && before->state == MemberState::suspect) {
        return "no answer for " + elapsed_text(was_for);
      }
      return "declared dead by other members";
    case MemberState::left:
    case MemberState::gone:
      return std::string(to_text(state));
    default:
      if (!before) return "joined";
      if (before->state == MemberState::failed) return "answered after " + elapsed_text(was_for);
      if (is_departed(before->state)) return "returned after " + elapsed_text(was_for);
      return {};
  }
}

}  // namespace

void Mesh::Impl::on(const gossip::Joined& event, const Moment& now) {
  see(event.record, MemberState::alive, now);
}

void Mesh::Impl::on(const gossip::Updated& event, const Moment& now) {
  const bool suspect = event.record.state == gossip::RecordState::suspect;
  see(event.record, suspect ? MemberState::suspect : MemberState::alive, now);
}

void Mesh::Impl::on(const gossip::Suspicion& event, const Moment& now) {
  const bool suspect = event.record.state == gossip::RecordState::suspect;
  see(event.record, suspect ? MemberState::suspect : MemberState::alive, now);
}

void Mesh::Impl::on(const gossip::Failed& event, const Moment& now) {
  see(event.record, MemberState::failed, now);
}

void Mesh::Impl::on(const gossip::Left& event, const Moment& now) {
  see(event.record, MemberState::left, now);
}

/// The node may forget; the roster has its own retention.
void Mesh::Impl::on(const gossip::Reaped& event, const Moment& now) {
  static_cast<void>(event);
  static_cast<void>(now);
}

/// A name that nobody vouched for made room for another: nothing of it stays.
void Mesh::Impl::on(const gossip::Evicted& event, const Moment& now) {
  roster_.drop(event.name, "known by hearsay alone, and the table of members is full");
  collect(now);
}

/// Once we are leaving, what others do changes nothing any more: a cluster that is stopped as a
/// whole keeps its members on record and finds itself again.
void Mesh::Impl::see(const gossip::Record& record, MemberState state, const Moment& now) {
  if (record.name == config_.gossip.name) return;
  if (phase_ == Phase::leaving || phase_ == Phase::left) return;
  std::optional<Member> before;
  if (const Member* known = roster_.find(record.name)) before = *known;
  const bool was_unconfirmed = roster_.is_unconfirmed(record.name);
  const Duration was_for = roster_.state_age(record.name, now.at);
  Sighting sighting;
  sighting.name = record.name;
  sighting.underlay_bytes.assign(record.address.begin(), record.address.end());
  sighting.gossip_port = record.port;
  sighting.incarnation = record.incarnation;
  sighting.state = state;
  sighting.signed_claim = signature_of(record);
  sighting.judgement = judge_.metadata(record.name, record.meta,
                                       IpAddress::from_bytes(record.address).value_or(IpAddress{}),
                                       sighting.signed_claim.has_value());
  const std::string why = reason_of(before, state, was_for);
  roster_.see(sighting, why, now);
  if (const Member* after = roster_.find(record.name)) {
    tell(*after, before, was_unconfirmed, why, was_for, now);
    contest(*after, now);
  }
  collect(now);
  look_for(record.name, now.at);
  const bool was_failed = before && before->state == MemberState::failed && !was_unconfirmed;
  const Member* after = was_failed ? roster_.find(record.name) : nullptr;
  if (after != nullptr && is_live_state(after->state)) ask_returned(*after, now.at);
  if (state == MemberState::failed) forget_if_said(record.name, now);
  // Whoever was called by others asks back once, so that it has seen a whole table too.
  if (!joined_ && contacts_.empty() && roster_.is_live(record.name))
    push_pull(record.name, Call::join, now.at);
}

void Mesh::Impl::tell(const Member& after,
                      const std::optional<Member>& before,
                      bool was_unconfirmed,
                      const std::string& why,
                      Duration was_for,
                      const Moment& now) {
  const bool was_live = before && is_live_state(before->state) && !was_unconfirmed;
  if (after.state == MemberState::failed) {
    if (was_live) herald_.failed(after, why, roster_.retention_of(after), roster_.live(), now);
  } else if (after.state == MemberState::left) {
    herald_.gone(after.name, now);
    if (was_live) herald_.left(after);
  } else if (!before || is_departed(before->state)) {
    herald_.joined(after);
  } else if (before->state == MemberState::failed) {
    herald_.back(after, was_for, now);
  }
}

/// Takes the roster's facts over, and what follows from them for calling and for people.
void Mesh::Impl::collect(const Moment& now) {
  for (Fact& fact : roster_.take()) {
    if (const auto* changed = std::get_if<MemberChanged>(&fact)) {
      look_for(changed->member.name, now.at);
      if (changed->member.state == MemberState::gone) herald_.gone(changed->member.name, now);
      const bool news = !changed->why.empty() && changed->member.standing == Standing::refused;
      if (news && phase_ == Phase::announced &&
          refusals_.pass(changed->member.name + changed->member.reason, now.at)) {
        herald_.refused(changed->member);
      }
    } else if (const auto* forgotten = std::get_if<MemberForgotten>(&fact)) {
      reconnect_.remove(forgotten->name);
      herald_.gone(forgotten->name, now);
    }
    facts_.push(std::move(fact));
  }
}

/// Keeps the list of members to call in step with the roster.
void Mesh::Impl::look_for(const std::string& name, Instant now) {
  const Member* member = roster_.find(name);
  const bool missing = member != nullptr && !roster_.is_replaced(name) &&
                       (member->state == MemberState::failed || roster_.is_unconfirmed(name));
  if (!missing) {
    reconnect_.remove(name);
  } else if (!reconnect_.contains(name)) {
    reconnect_.add(name, now);
  }
}

void Mesh::Impl::on(const gossip::NameConflict& event, const Moment& now) {
  // Before we are announced, name_is_taken says it, and what follows.
  if (event.name == config_.gossip.name && own_.is_signed() && phase_ != Phase::announced) return;
  const std::string other = endpoint_text(event.other_address, event.other_port);
  if (!conflicts_.pass(event.name + "\n" + other, now.at)) return;
  const std::string name = printable(event.name);
  if (event.name == config_.gossip.name) {
    herald_.say(Severity::lifecycle, "name-conflict",
                "the name " + name + " is also announced by " + other +
                    "; it was refused. Remedy: start one of the two with --node-name NAME, or "
                    "rename the host");
  } else {
    herald_.say(Severity::info, "name-conflict",
                other + " announces the name " + name + " of the member at " +
                    endpoint_text(event.known_address, event.known_port) + "; it was refused" +
                    when_free(event.name, now.at));
  }
}

/// When a name whose holder is silent is anybody's; empty while it lives.
std::string Mesh::Impl::when_free(const std::string& name, Instant now) const {
  const Member* holder = roster_.find(name);
  if (holder == nullptr || is_live_state(holder->state)) return {};
  const std::string forget = "'wesher forget " + printable(name) + "'";
  if (!config_.takeover_after) return ". That member is silent; its name is free with " + forget;
  const Duration rest = *config_.takeover_after - roster_.state_age(name, now);
  return ". That member is silent; its name is free in " + elapsed_text(rest) + ", or now with " +
         forget;
}

void Mesh::Impl::on(const gossip::Acked& event, const Moment& now) {
  const Member* member = roster_.find(event.name);
  if (member == nullptr || event.name == config_.gossip.name) return;
  if (!roster_.is_live(event.name)) {
    push_pull(event.name, Call::urgent_join, now.at);
    return;
  }
  roster_.set_tcp_only(event.name, event.tcp_only);
  contest(*member, now);
  collect(now);
}

void Mesh::Impl::on(const gossip::Undecryptable& event, const Moment& now) {
  foreign_.count(event.from.address, now.at);
}

void Mesh::Impl::on(const gossip::Refused& event, const Moment& now) {
  if (!refusals_.pass(event.name + event.reason, now.at)) return;
  herald_.say(Severity::debug, "gossip",
              "a record of " + printable(event.name) + " was refused: " + event.reason);
}

void Mesh::Impl::on(const gossip::Refuted& event, const Moment& now) {
  static_cast<void>(now);
  herald_.say(Severity::debug, "gossip",
              "some member took us for dead; answered with incarnation " +
                  std::to_string(event.incarnation));
}

void Mesh::Impl::on(const gossip::NeedIncarnations& event, const Moment& now) {
  static_cast<void>(now);
  facts_.push(ReserveIncarnations{event.end});
}

void Mesh::Impl::on(const gossip::LeaveSpread& event, const Moment& now) {
  static_cast<void>(now);
  leave_done(event.told);
}

}  // namespace wesher::mesh
