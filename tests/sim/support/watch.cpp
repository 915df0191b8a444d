#include "tests/sim/support/watch.h"

#include <algorithm>

#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/packet.h"

namespace wesher::sim {

using namespace std::chrono_literals;
using mesh::test::Host;
using mesh::test::Output;
using mesh::test::RuleBroken;
using mesh::test::Station;

namespace {

/// For so long nothing may have been wrong before a member that is there may not count as left.
constexpr Duration kQuiet = 60s;
/// A goodbye may arrive late: it was real.
constexpr Duration kGoodbyeEchoes = 5min;
/// Of the datagrams of a host, one in so many is opened to look at the incarnation.
constexpr std::uint64_t kLookAt = 4;

// Caps, about three times the most that 2,000 seeds show. Clusters here have at most ten members
// and what liars invent.
constexpr std::uint64_t kAtOnce = 300;  ///< datagrams or facts that one input may cause
constexpr Duration kWindow = 10s;
constexpr std::uint64_t kDatagrams = 600;  ///< of one host in a window
constexpr std::uint64_t kStreams = 130;
constexpr std::uint64_t kFacts = 400;

}  // namespace

Watch::Watch(mesh::test::Network& net, const wire::Keyring& ring) : net_(net), ring_(ring) {
  net_.on_fact = [this](const Host& host, const mesh::Fact& fact) { this->fact(host, fact); };
  net_.on_output = [this](const Station& station, const Output& output) {
    this->output(station, output);
  };
}

void Watch::start(const std::string& name, bool wiped) {
  starts_[name] = now();
  Numbers& numbers = numbers_[name];
  if (wiped) numbers = {};
}

std::uint64_t Watch::sent_by(const std::string& name) const {
  const auto found = traffic_.find(name);
  return found == traffic_.end() ? 0 : found->second.all;
}

void Watch::sent(const Station& sender, const gossip::Transmit& transmit) {
  if (dynamic_cast<const Host*>(&sender) == nullptr) return;
  if (++traffic_[sender.name].looked_at % kLookAt != 0) return;
  for (const wire::PacketMessage& message : wire::open_packet(ring_, transmit.datagram).messages) {
    const auto* alive = std::get_if<wire::Alive>(&message);
    if (alive != nullptr && alive->node == sender.name) own_incarnation(sender, alive->incarnation);
  }
}

void Watch::own_incarnation(const Station& sender, std::uint32_t incarnation) {
  Numbers& numbers = numbers_[sender.name];
  if (numbers.life != sender.life) numbers = {sender.life, 0, numbers.last};
  if (incarnation <= numbers.below || incarnation < numbers.last)
    throw RuleBroken("I-M4: " + sender.name + " says incarnation " + std::to_string(incarnation) +
                     " of itself after " + std::to_string(std::max(numbers.below, numbers.last)));
  numbers.last = incarnation;
}

void Watch::fact(const Host& host, const mesh::Fact& fact) {
  const auto* changed = std::get_if<mesh::MemberChanged>(&fact);
  if (changed == nullptr) return;
  const Member& member = changed->member;
  if (!names_.contains(member.name))
    throw RuleBroken("I-M5: " + host.name + " has a member that nobody ever was: " + member.name);
  if (host.rows.size() > std::min(names_.size(), limits::kMembers))
    throw RuleBroken("I-M5: " + host.name + " has more members than there are names");
  const auto row = host.rows.find(member.name);
  const bool was_left = row != host.rows.end() && row->second.state == MemberState::left;
  if (member.state == MemberState::left && !was_left) told_left(host, member);
  const bool live = member.state == MemberState::alive || member.state == MemberState::suspect;
  // With an older number it is back only by its own answer.
  if (live && was_left && member.incarnation <= row->second.incarnation && !net_.is_up(member.name))
    throw RuleBroken("I-M3: " + member.name + ", which left at incarnation " +
                     std::to_string(row->second.incarnation) + ", is back at " + host.name +
                     " with " + std::to_string(member.incarnation));
}

void Watch::told_left(const Host& host, const Member& member) const {
  const auto start = starts_.find(member.name);
  const auto here = starts_.find(host.name);
  if (start == starts_.end() || here == starts_.end()) return;  // invented
  const auto goodbye = goodbyes_.find(member.name);
  if (goodbye != goodbyes_.end() && now() - goodbye->second < kGoodbyeEchoes) return;
  if (!net_.is_up(member.name) || net_.quiet() < kQuiet) return;
  if (now() - start->second < kQuiet || now() - here->second < kQuiet) return;
  throw RuleBroken("I-M2: " + member.name + " is up and reachable, and left at " + host.name);
}

void Watch::output(const Station& station, const Output& output) {
  if (dynamic_cast<const Host*>(&station) == nullptr) return;
  Traffic& traffic = traffic_[station.name];
  traffic.all += output.datagrams;
  if (now() - traffic.since >= kWindow) {
    traffic.since = now();
    traffic.in_window = {};
  }
  Output& window = traffic.in_window;
  window.datagrams += output.datagrams;
  window.streams += output.streams;
  window.facts += output.facts;
  peaks_.datagrams_at_once = std::max(peaks_.datagrams_at_once, output.datagrams);
  peaks_.facts_at_once = std::max(peaks_.facts_at_once, output.facts);
  peaks_.datagrams = std::max(peaks_.datagrams, window.datagrams);
  peaks_.streams = std::max(peaks_.streams, window.streams);
  peaks_.facts = std::max(peaks_.facts, window.facts);
  if (output.datagrams > kAtOnce || output.facts > kAtOnce)
    throw RuleBroken("I-R2: one input makes " + station.name + " say " +
                     std::to_string(output.datagrams) + " datagrams and " +
                     std::to_string(output.facts) + " facts");
  if (window.datagrams > kDatagrams || window.streams > kStreams || window.facts > kFacts)
    throw RuleBroken("I-R3: in ten seconds " + station.name + " sends " +
                     std::to_string(window.datagrams) + " datagrams, opens " +
                     std::to_string(window.streams) + " streams, tells " +
                     std::to_string(window.facts) + " facts");
}

}  // namespace wesher::sim
