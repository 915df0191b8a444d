// The faults of a run, one function a kind.
#include <algorithm>
#include <utility>

#include "tests/sim/support/run.h"
#include "wire/messages.h"
#include "wire/packet.h"

namespace wesher::sim {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kGhosts = 5;    ///< names that a liar uses
constexpr std::uint64_t kFlooded = 24;  ///< and one that floods
constexpr std::uint32_t kLast = 0xffffffff;

template <class T>
T one_of(Rng& rng, std::initializer_list<T> choices) {
  return *(choices.begin() + rng.below(std::uint64_t{choices.size()}));
}

}  // namespace

Bytes without_versions(const wire::Alive& alive) {
  static constexpr std::uint8_t kVersions[] = {0xa3, 'V', 's', 'n', 0xa6, 1, 5, 2, 0, 0, 0};
  wire::Alive with = alive;
  with.versions = {1, 5, 2, 0, 0, 0};
  Bytes bytes = wire::encode(with);
  const auto found =
      std::search(bytes.begin(), bytes.end(), std::begin(kVersions), std::end(kVersions));
  bytes.erase(found + 5, found + std::size(kVersions));
  *(found + 4) = 0xc0;  // nil
  return bytes;
}

void Run::step(const Step& step) {
  rng_ = Rng::from_number(step.dice);
  switch (step.kind) {
    case Kind::weather:
      net_.weather = {};
      if (pick(3) > 0) net_.weather = {pick(400), pick(200), std::chrono::milliseconds(pick(800))};
      return;
    case Kind::cut:
      return split(2);
    case Kind::split:
      return split(3);
    case Kind::one_way:
      if (pick(3) == 0) return net_.one_way.clear();
      net_.one_way.insert({any().name, any().name});
      return;
    case Kind::swizzle:
      return swizzle();
    case Kind::heal:
      net_.one_way.clear();
      return net_.heal();
    case Kind::restart:
      return restart(any());
    case Kind::leave:
      return leave(any());
    case Kind::pause:
      any().stopped_until = net_.now().at - mesh::test::at({}).at + 100ms * pick(600);
      return;
    case Kind::clock: {
      const Duration unit = one_of<Duration>(rng_, {1s, 1h, 24h});
      any().wall_step = unit * (static_cast<std::int64_t>(pick(200)) - 100);
      return;
    }
    case Kind::replay:
      return replay();
    case Kind::lie:
      return lie();
    case Kind::poison:
      return poison();
    case Kind::flood:
      return flood();
    case Kind::settings:
      return;
  }
}

/// Settings that are odd from the first start on. Members are forgotten early only where all are
/// ours: a stock node that everybody forgot does not come back by itself.
void Run::odd_settings() {
  Rng rng = Rng::from_number(plan_.seed * 3);
  reservation_takes_ = one_of<Duration>(rng, {0s, 100ms, 5s});
  const auto block = one_of<std::uint32_t>(rng, {2, 3, 10, 1000});
  const auto gossip = one_of<Duration>(rng, {50ms, 200ms, 500ms, 2s});
  const auto push_pull = one_of<Duration>(rng, {10s, 60s, 300s});
  const auto reconnect = one_of<Duration>(rng, {3s, 30s, 60s});
  reconnect_ = reconnect;
  const auto retry = one_of<Duration>(rng, {5s, 60s, 90s});
  const auto failed = one_of<Duration>(rng, {45s, 10min, 72h});
  const auto left = one_of<Duration>(rng, {60s, 24h * 30});
  net_.adjust = [=, before = net_.adjust, mixed = plan_.stock > 0](mesh::Config& config) {
    before(config);
    config.gossip.incarnation_end = config.gossip.incarnation_first + block;
    config.gossip.gossip_interval = gossip;
    config.gossip.push_pull_interval = push_pull;
    config.reconnect_interval = reconnect;
    config.seed_retry_max = retry;
    if (mixed) return;
    config.failed_retention = failed;
    config.left_retention = left;
  };
}

void Run::split(unsigned groups) {
  for (Station* station : all_)
    station->group = static_cast<unsigned>(pick(groups));
}

void Run::swizzle() {
  std::vector<Station*> some;
  for (Station* station : all_) {
    if (pick(2) == 0) some.push_back(station);
  }
  rng_.shuffle(some);
  const auto pauses = [this] { return 100ms * pick(100); };
  for (Station* station : some) {
    station->isolated = true;
    net_.run(pauses());
  }
  rng_.shuffle(some);
  for (Station* station : some) {
    station->isolated = false;
    net_.run(pauses());
  }
}

void Run::restart(Station& station) {
  if (station.up()) return kill(station);
  auto* host = dynamic_cast<Host*>(&station);
  if (host == nullptr) return start(station);
  const std::uint64_t lost = pick(6);
  if (lost <= 1) host->rows.clear();
  if (lost == 0) wipe(*host);
  start(*host, lost == 0);
}

void Run::replay() {
  for (unsigned i = 0; i < 50 && !captured_.empty(); ++i) {
    Station& to = any();
    const Endpoint from = any().endpoint;
    if (to.up()) net_.inject(to, from, captured_[pick(captured_.size())].datagram);
  }
}

void Run::tell(Station& to, const std::vector<Bytes>& claims) {
  net_.inject(to, any().endpoint, wire::seal_packet(ring_, wire::pack(claims), rng_));
}

wire::Alive Run::ghost(std::uint64_t number) {
  wire::Alive ghost;
  ghost.incarnation = 1;
  ghost.node = "ghost" + std::to_string(number);
  ghost.address = {192, 0, 2, 250};
  ghost.port = static_cast<std::uint16_t>(7946 + number);
  ghost.versions = {1, 5, 2, 0, 0, 0};
  watch_.expect(ghost.node);
  return ghost;
}

/// Others are gone or suspect, and there are members that are not.
void Run::lie() {
  const Station& victim = any();
  const std::string accuser = pick(2) == 0 ? victim.name : any().name;
  const auto incarnation = static_cast<std::uint32_t>(pick(1U << (1 + pick(20))));
  const std::vector<Bytes> lies{
      wire::encode(wire::Dead{incarnation, victim.name, accuser}),
      wire::encode(wire::Suspect{incarnation, any().name, accuser}),
      wire::encode(ghost(pick(kGhosts))),
  };
  for (Station* station : all_) {
    if (station->up() && pick(2) == 0) tell(*station, lies);
  }
}

/// Numbers at the end of all numbers, and a record without versions: what one of ours passes on of
/// these, a stock node never recovers from.
void Run::poison() {
  const Station& victim = any();
  wire::Alive last = ghost(pick(kGhosts));
  const Bytes bare = without_versions(last);
  last.node = victim.name;
  const ByteView address = victim.endpoint.address.bytes();
  last.address.assign(address.begin(), address.end());
  last.port = victim.endpoint.port;
  last.incarnation = kLast - static_cast<std::uint32_t>(pick(2));
  const std::vector<Bytes> claims{
      wire::encode(last), bare,
      wire::encode(wire::Suspect{last.incarnation, victim.name, any().name}),
      wire::encode(wire::Dead{last.incarnation, victim.name, any().name})};
  for (Host* host : hosts_) {
    if (host->up() && pick(2) == 0) tell(*host, claims);
  }
}

void Run::flood() {
  std::vector<Bytes> claims;
  const std::uint64_t first = kGhosts + pick(2) * kFlooded;
  for (std::uint64_t i = 0; i < kFlooded; ++i)
    claims.push_back(wire::encode(ghost(first + i)));
  Host& to = *hosts_[pick(hosts_.size())];
  if (to.up()) tell(to, claims);
}

}  // namespace wesher::sim
