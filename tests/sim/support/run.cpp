#include "tests/sim/support/run.h"

#include <algorithm>
#include <set>
#include <utility>

#include "mesh/overlay_address.h"
#include "wire/messages.h"
#include "wire/node_meta.h"
#include "wire/packet.h"

namespace wesher::sim {

using namespace std::chrono_literals;
using mesh::test::RuleBroken;

namespace {

/// How long a cluster may take to be whole after the last fault. The slowest parts: a suspicion
/// that began just before (two minutes), and members that failed are called every 30 s. A stock
/// node learns by its own push/pull, every 60 s, and forgets the dead after as long.
constexpr Duration kCalm = 4min;
constexpr Duration kCalmStock = 10min;
/// Where push/pulls are rare, or members that nobody ever was fill the probe rounds: each of these
/// costs a whole probe interval, and eight where local health is at its worst.
constexpr Duration kCalmSlow = 40min;
/// How long somebody who died may count as alive.
constexpr Duration kBurial = 4min;
/// A goodbye that nobody can confirm any more is proven by three pings without an answer.
constexpr Duration kGoodbye = 1min;
constexpr Duration kOldNews = 20s;
/// Datagrams a second that a host may send on average when nothing happens any more.
constexpr std::uint64_t kIdle = 10;
constexpr std::size_t kCaptured = 500;

std::string seconds(Duration span) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(span).count()) + " s";
}

std::string about(const Member& member) {
  return std::string(to_text(member.state)) + " since " +
         seconds(member.state_since.time_since_epoch()) + ", " +
         std::string(to_text(member.standing)) + ", port " + std::to_string(member.gossip_port) +
         ", " + member.reason;
}

}  // namespace

Outcome run(const Plan& plan, const Rule& rule) {
  Outcome outcome;
  Run all(plan);
  try {
    all.go(rule, outcome);
  } catch (const std::exception& broken) {
    outcome.broken = broken.what();
  }
  outcome.trace = all.network().trace;
  outcome.peaks = all.peaks();
  return outcome;
}

Run::Run(const Plan& plan)
    : plan_(plan),
      net_(plan.seed),
      rng_(Rng::from_number(plan.seed * 3 + 2)),
      ring_([] {
        wire::Keyring ring;
        if (!ring.add(Bytes(32, 1))) throw std::logic_error("no key");
        return ring;
      }()),
      watch_(net_, ring_) {
  net_.on_datagram = [this](const Station& sender, const gossip::Transmit& sent) {
    if (captured_.size() < kCaptured) captured_.push_back(sent);
    watch_.sent(sender, sent);
  };
  for (unsigned i = 1; i <= plan_.hosts; ++i)
    add_host(static_cast<std::uint8_t>(i));
  for (unsigned i = 1; i <= plan_.stock; ++i) {
    const auto number = static_cast<std::uint8_t>(100 + i);
    const NodeMeta meta{stock_overlay(i), {}, stock_format()};
    stock_.push_back(std::make_unique<StockHost>(
        "s" + std::to_string(i), Endpoint{IpAddress::v4(192, 0, 2, number), 7946}, meta,
        i % 2 == 0 ? StockVersion::v0_1_4 : StockVersion::v0_5_1));
    net_.attach(*stock_.back());
  }
  all_.insert(all_.end(), hosts_.begin(), hosts_.end());
  for (const auto& stock : stock_)
    all_.push_back(stock.get());
  // Hosts of ours that sign nothing have addresses of their own choice.
  net_.adjust = [all_sign = plan_.seed % 4 != 0](mesh::Config& config) {
    config.checks_unsigned = all_sign;
  };
  if (plan_.kinds.contains(Kind::settings)) odd_settings();
}

/// All stock members are of one generation, F1 to F3; among hosts that sign nothing it is theirs,
/// since nobody can tell the two apart there.
MetaFormat Run::stock_format() const {
  if (plan_.seed % 4 == 0) return MetaFormat::f2;
  return static_cast<MetaFormat>(plan_.seed / 4 % 3);
}

IpAddress Run::stock_overlay(unsigned i) {
  return mesh::overlay_address("s" + std::to_string(i), mesh::test::kOverlayNet).value();
}

/// In three of four seeds hosts sign; in one of them several want the same address, that of a stock
/// member included.
void Run::add_host(std::uint8_t number) {
  Host& host = net_.add("h" + std::to_string(number), number);
  hosts_.push_back(&host);
  if (plan_.seed % 4 == 0) return;
  host.identity = number;
  host.claimed = net_.now().wall;
  if (plan_.seed % 4 == 1) {
    host.own.overlay = number % 3 == 0 && plan_.stock > 0
                           ? stock_overlay(1)
                           : IpAddress::v4(10, 42, 0, static_cast<std::uint8_t>(1 + number % 2));
  }
  first_overlay_[host.name] = host.own.overlay;
}

/// Its disk is gone: whoever starts there is somebody else of that name.
void Run::wipe(Host& host) {
  host.incarnation = 1;
  host.own.key = mesh::test::key(static_cast<std::uint8_t>(100 + ++keys_ % 100));
  if (host.identity == 0) return;
  host.identity = static_cast<std::uint8_t>(100 + keys_ % 100);
  host.epoch = 1;
  host.claimed = {};
  host.claim_is_new = true;
  host.own.overlay = first_overlay_.at(host.name);
}

void Run::go(const Rule& rule, Outcome& outcome) {
  const std::vector<Endpoint> seeds{hosts_[0]->endpoint, hosts_[1]->endpoint};
  for (Host* host : hosts_)
    host->seeds = seeds;
  for (const auto& stock : stock_)
    stock->seeds = seeds;
  for (Station* station : all_) {
    watch_.expect(station->name);
    start(*station, true);
    net_.run(std::chrono::milliseconds(pick(3000)));
  }
  for (const Step& each : plan_.steps) {
    step(each);
    net_.run(each.wait);
    const auto broken = rule ? rule(net_) : std::nullopt;
    if (broken) throw RuleBroken(*broken);
  }
  rng_ = Rng::from_number(plan_.seed * 3 + 1);
  calm();
  outcome.stranded = rescue_stranded();
  outcome.whole = wait_until_whole();
  check_quiet();
  check_old_news();
  check_goodbye();
  check_burial();
}

void Run::start(Station& station, bool wiped) {
  if (auto* host = dynamic_cast<Host*>(&station)) {
    watch_.start(host->name, wiped);
    host->reservation_takes = reservation_takes_;
    net_.start(*host);
    return;
  }
  auto& stock = static_cast<StockHost&>(station);
  watch_.start(stock.name, true);
  ++keys_;
  stock.start(ring_, Rng::from_number(plan_.seed * 1000 + keys_),
              mesh::test::key(static_cast<std::uint8_t>(100 + keys_ % 100)), net_.now().at);
  net_.started(stock);
}

void Run::kill(Station& station) {
  if (auto* host = dynamic_cast<Host*>(&station)) return net_.kill(*host);
  static_cast<StockHost&>(station).kill();
}

void Run::leave(Station& station) {
  if (!station.up()) return;
  watch_.goodbye(station.name);
  if (auto* host = dynamic_cast<Host*>(&station)) {
    (void)net_.leave(*host, 3s);
    return;
  }
  auto& stock = static_cast<StockHost&>(station);
  stock.node->leave(net_.now().at);
  net_.drain(stock);
  for (Duration passed{}; passed < 10s && !stock.node->goodbye_spread(); passed += 1s)
    net_.run(1s);
  stock.kill();
}

void Run::calm() {
  net_.weather = {};
  net_.one_way.clear();
  net_.heal();
  while (net_.disturbed())  // some are still stopped
    net_.run(1s);
  for (Station* station : all_) {
    if (!station->up()) start(*station);
  }
}

/// Nobody will call it any more: it knows nobody alive, and none of ours would call it.
bool Run::lost(const StockHost& stock) const {
  if (stock.node->joining()) return false;
  for (const Host* host : hosts_) {
    const Member* row = host->mesh->find(stock.name);
    if (row != nullptr && row->state != MemberState::left) return false;  // the gone are called
  }
  return std::none_of(all_.begin(), all_.end(), [&](const Station* other) {
    const StockRecord* record = stock.node->table().find(other->name);
    return other != &stock && record != nullptr && record->state == wire::EntryState::alive;
  });
}

/// What an operator does about a stock node that was forgotten everywhere.
unsigned Run::rescue_stranded() {
  unsigned found = 0;
  for (const auto& stock : stock_) {
    if (!lost(*stock)) continue;
    ++found;
    stock->kill();
    start(*stock);
  }
  return found;
}

std::string Run::not_whole() const {
  for (const Host* host : hosts_) {
    for (const Station* other : all_) {
      if (other == host || !host->up() || !other->up()) continue;
      const auto* ours = dynamic_cast<const Host*>(other);
      const NodeMeta& meta =
          ours != nullptr ? ours->own : static_cast<const StockHost*>(other)->own;
      const Member* seen = host->mesh->find(other->name);
      if (seen == nullptr) return host->name + " does not know " + other->name;
      if (seen->state != MemberState::alive || seen->standing != Standing::configured)
        return other->name + " at " + host->name + " is " + about(*seen);
      if (seen->meta != meta) return host->name + " has old metadata of " + other->name;
      // Nothing is blocked: whoever answers at all, answers over UDP.
      if (!seen->reason.empty()) return other->name + " at " + host->name + ": " + seen->reason;
    }
  }
  for (const auto& stock : stock_) {
    for (const Station* other : all_) {
      if (other == stock.get() || !stock->up() || !other->up()) continue;
      const auto* ours = dynamic_cast<const Host*>(other);
      const NodeMeta& meta =
          ours != nullptr ? ours->own : static_cast<const StockHost*>(other)->own;
      if (!stock->knows(other->name, meta)) return stock->name + " does not know " + other->name;
      if (meta.format != stock->own.format)
        return other->name + " does not speak what " + stock->name + " reads";
    }
  }
  return {};
}

/// A second, in which somebody tells all of ours what they know already, as if it were news: that
/// `of` is alive, with what it says itself or another port, and an accusation from before.
void Run::old_news(const Station& of) {
  for (Host* to : hosts_) {
    if (!to->up() || to->name == of.name) continue;
    const Member* known = to->mesh->find(of.name);
    if (known == nullptr || !known->meta) continue;
    wire::Alive alive;
    alive.incarnation = known->incarnation;
    alive.node = of.name;
    alive.address = known->underlay_bytes;
    alive.port = known->gossip_port;
    alive.meta = wire::encode_node_meta(*known->meta);
    if (pick(2) == 0) alive.port = static_cast<std::uint16_t>(1 + pick(7000));
    alive.versions = {1, 5, 2, 0, 0, 0};
    std::vector<Bytes> claims{wire::encode(alive)};
    if (known->incarnation > 1)
      claims.push_back(wire::encode(wire::Suspect{known->incarnation - 1, of.name, any().name}));
    tell(*to, claims);
  }
  net_.run(1s);
}

/// What each of ours thinks of each station; incarnations may grow, by refutation. Those whom the
/// liar invented are left out: they are on their way out.
std::map<std::pair<std::string, std::string>, Member> Run::view() const {
  std::map<std::pair<std::string, std::string>, Member> seen;
  for (const Host* host : hosts_) {
    for (const Station* other : all_) {
      const Member* found = host->mesh->find(other->name);
      if (found == nullptr) continue;
      Member member = *found;
      member.incarnation = 0;
      member.reason.clear();  // such as "answers over TCP only", which passes
      seen.emplace(std::pair{host->name, other->name}, std::move(member));
    }
  }
  return seen;
}

/// With what mesh/reconnect.h says of calls to members that failed: ghosts of a flood are some, and
/// the interval is one of the odd settings.
std::uint64_t Run::idle_limit(const Host& host, Duration span) const {
  const auto members = host.mesh->members();
  const auto failed = std::count_if(members.begin(), members.end(), [](const Member& member) {
    return member.state == MemberState::failed;
  });
  const auto sharers = static_cast<Duration::rep>(host.mesh->live() + 1);
  const auto calls = 3 * failed * span / (sharers * reconnect_);
  return kIdle * static_cast<std::uint64_t>(span / 1s) + static_cast<std::uint64_t>(calls);
}

/// Suspicions of the time of faults are refuted after three minutes, and everybody is silent again.
void Run::check_quiet() {
  net_.run(2min);
  std::map<std::string, std::uint64_t> before;
  for (const Host* host : hosts_)
    before[host->name] = watch_.sent_by(host->name);
  constexpr Duration kSpan = 1min;
  net_.run(kSpan);
  for (const Host* host : hosts_) {
    const std::uint64_t sent = watch_.sent_by(host->name) - before[host->name];
    if (sent > idle_limit(*host, kSpan))
      throw RuleBroken("I-R3: " + host->name + " still sends " + std::to_string(sent) +
                       " datagrams a minute when nothing happens");
  }
}

void Run::check_old_news() {
  auto before = view();
  for (Duration passed{}; passed < kOldNews; passed += 1s)
    old_news(any());
  for (auto& [pair, after] : view()) {
    const auto found = before.find(pair);
    if (found == before.end())
      throw RuleBroken("I-M3: " + pair.second + " is new to " + pair.first + " by old news");
    Member& was = found->second;
    if (was.state == MemberState::suspect && after.state == MemberState::alive) {
      was.state = after.state;  // it has refuted an accusation from before, as it would anyway
      was.state_since = after.state_since;
    }
    if (was != after)
      throw RuleBroken("I-M3: old news: " + pair.second + " at " + pair.first + " was " +
                       about(was) + "; is " + about(after));
  }
}

/// How long it takes until everybody knows everybody.
Duration Run::wait_until_whole() {
  const Duration limit = slow() ? kCalmSlow : stock_.empty() ? kCalm : kCalmStock;
  Duration passed{};
  std::string missing = not_whole();
  for (; !missing.empty() && passed < limit; missing = not_whole()) {
    net_.run(1s);
    passed += 1s;
  }
  if (!missing.empty()) throw RuleBroken("I-M1: " + missing + ", " + seconds(limit) + " on");
  return passed;
}

/// One of ours says goodbye and is gone before anybody could ask: the others have it left, not
/// failed, as soon as it has been silent often enough.
void Run::check_goodbye() {
  Host& leaver = *hosts_[pick(hosts_.size())];
  watch_.goodbye(leaver.name);
  net_.leave_at_once(leaver);
  const auto missing = [&]() -> std::string {
    for (const Host* host : hosts_) {
      const Member* seen = host->up() ? host->mesh->find(leaver.name) : nullptr;
      if (seen != nullptr && !is_departed(seen->state))
        return leaver.name + " at " + host->name + " is " + about(*seen);
    }
    return {};
  };
  Duration passed{};
  for (; !missing().empty() && passed < kGoodbye; passed += 1s)
    net_.run(1s);
  if (!missing().empty()) throw RuleBroken("I-M1 of who left: " + missing());
  start(leaver);
  wait_until_whole();
}

/// Each of ours has it failed at some time. Not all at the same time: an old record brings back at
/// one host what its gossip has forgotten, until it is probed again.
void Run::check_burial() {
  Station& victim = any();
  kill(victim);
  const Duration limit = slow() ? kCalmSlow : kBurial;
  std::set<std::string> noticed;
  for (Duration passed{}; passed < limit; passed += 1s) {
    old_news(victim);
    bool all = true;
    for (const Host* host : hosts_) {
      const Member* seen = host->up() ? host->mesh->find(victim.name) : nullptr;
      const bool gone = seen == nullptr || seen->state == MemberState::gone;
      if (gone && host->up() && !plan_.kinds.contains(Kind::settings))
        throw RuleBroken("I-F5: " + victim.name + " was forgotten at once by " + host->name);
      if (gone || seen->state == MemberState::failed) noticed.insert(host->name);
      all = all && noticed.contains(host->name);
    }
    if (all) return;
  }
  throw RuleBroken("I-M1 of the dead: " + victim.name + " is dead for " + seconds(limit) +
                   ", and not everybody has noticed");
}

}  // namespace wesher::sim
