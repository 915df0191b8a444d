// Asking those that are said to be gone: doubts.h.
#include "gossip/doubts.h"

#include <algorithm>

namespace wesher::gossip {

namespace {

constexpr Duration kAskEvery = std::chrono::seconds{1};
constexpr unsigned kSilent = 3;  ///< pings in a row without an answer
/// Who answers as often without refuting is leaving, or will be suspected as any other.
constexpr std::size_t kAsks = 10;
/// Members asked at a time; a whole rack that is switched off is far below.
constexpr std::size_t kOpen = 4096;

}  // namespace

bool Doubts::begin(const Member& member, const wire::Dead& claim, Instant now) {
  const auto found = open_.find(claim.node);
  if (found != open_.end()) {
    found->second.claim.incarnation = std::max(found->second.claim.incarnation, claim.incarnation);
    return true;
  }
  if (open_.size() >= kOpen) return false;
  const auto made = open_.emplace(claim.node, Doubt{claim, std::nullopt, {}, 0, false, now}).first;
  ask(member, made->second, now);
  due_.emplace(std::pair(made->second.due, made->first), made);
  return true;
}

void Doubts::follow(const wire::AliveView& claim) {
  const auto found = open_.find(claim.node);
  if (found == open_.end()) return;
  auto& successor = found->second.successor;
  if (!successor || successor->incarnation <= claim.incarnation) successor = claim.copy();
}

std::optional<wire::Alive> Doubts::end(std::string_view name) {
  const auto found = open_.find(name);
  if (found == open_.end()) return std::nullopt;
  auto successor = std::move(found->second.successor);
  close(found);
  return successor;
}

void Doubts::ask(const Member& member, Doubt& doubt, Instant now) {
  const std::string& name = member.record.name;
  const std::uint32_t sequence = core_.take_sequence();
  doubt.sequences.push_back(sequence);
  numbers_.emplace(sequence, name);
  doubt.answered = false;
  doubt.due = now + kAskEvery;
  std::vector<Bytes> messages{wire::encode(wire::Ping{sequence, name, {}})};
  if (core_.announced()) {
    const std::uint32_t accused = std::max(doubt.claim.incarnation, member.record.incarnation);
    messages.push_back(wire::encode(wire::Suspect{accused, name, core_.config.name}));
  }
  core_.outbox.send(member.endpoint, messages);
}

void Doubts::close(Open::iterator doubt) {
  for (const std::uint32_t sequence : doubt->second.sequences) {
    numbers_.erase(sequence);
    core_.release_sequence(sequence);
  }
  due_.erase({doubt->second.due, doubt->first});
  open_.erase(doubt);
}

std::string_view Doubts::asked_under(std::uint32_t sequence) const {
  const auto found = numbers_.find(sequence);
  return found == numbers_.end() ? std::string_view{} : found->second;
}

bool Doubts::on_ack(std::uint32_t sequence) {
  const std::string_view name = asked_under(sequence);
  if (name.empty()) return false;
  open_.find(name)->second.answered = true;
  if (Member* member = core_.table.find(name)) core_.table.lift(*member, Standing::verified);
  core_.outbox.event(Acked{std::string(name), false});
  return true;
}

std::vector<wire::Dead> Doubts::timeout(Instant now) {
  std::vector<wire::Dead> proven;
  while (!due_.empty() && due_.begin()->first.first <= now) {
    const Open::iterator at = due_.begin()->second;
    Doubt& doubt = at->second;
    doubt.silent = doubt.answered ? 0 : doubt.silent + 1;
    const Member* member = core_.table.find(at->first);
    if (doubt.silent >= kSilent && member != nullptr) {
      // Stays open until the claim is carried out: what follows it is kept here.
      due_.erase(due_.begin());
      proven.push_back(doubt.claim);
      continue;
    }
    if (member == nullptr || doubt.sequences.size() >= kAsks) {
      close(at);
      continue;
    }
    due_.erase(due_.begin());
    ask(*member, doubt, now);
    due_.emplace(std::pair(doubt.due, at->first), at);
  }
  return proven;
}

std::optional<Wakeup> Doubts::next() const {
  if (due_.empty()) return std::nullopt;
  return Wakeup{due_.begin()->first.first, Timer::doubt};
}

}  // namespace wesher::gossip
