// What a node does all day takes no memory from the heap: a ping that comes in and the ack that
// goes out, and claims that are known already. Every operator new of this program is counted.
#include <cstdlib>
#include <new>

#include <catch2/catch.hpp>

#include "tests/gossip/support/rig.h"

namespace {

std::size_t allocations = 0;

void* allocate(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t whole =
      (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* made = std::aligned_alloc(alignment, whole);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size, alignof(std::max_align_t));
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}

void operator delete(void* made) noexcept {
  std::free(made);  // NOLINT(cppcoreguidelines-no-malloc): what `allocate` took
}

void operator delete(void* made, std::size_t /*size*/) noexcept {
  std::free(made);  // NOLINT(cppcoreguidelines-no-malloc)
}

void operator delete(void* made, std::align_val_t /*alignment*/) noexcept {
  std::free(made);  // NOLINT(cppcoreguidelines-no-malloc)
}

void operator delete(void* made, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  std::free(made);  // NOLINT(cppcoreguidelines-no-malloc)
}

namespace wesher::gossip::testing {

using namespace std::chrono_literals;

namespace {

/// Names that no string holds in place.
const std::string kLongName = "me, under a name that is longer than what a string has in itself";

/// Fingerprints of datagrams are kept in a table that doubles with the 65th, 129th, 257th …: the
/// datagrams that are counted are between two of these.
constexpr std::size_t kBefore = 140;
constexpr std::size_t kCounted = 100;

/// Allocations while a node that knows the sender takes the last of these datagrams and sends what
/// it has to say to them; one answer each.
std::size_t allocations_of(const std::vector<wire::PacketMessage>& claims) {
  Config config = own_config();
  config.name = kLongName;
  Rig rig(config);
  rig.announced().with_members({1, 2, 3, 4});
  while (!rig.sent.empty())  // what was learned is gossiped first, until it was told often enough
    rig.clear(), rig.advance(500ms);
  std::vector<Bytes> datagrams;
  for (std::uint32_t i = 0; i < kBefore + kCounted; ++i) {
    std::vector<wire::PacketMessage> messages{wire::Ping{i + 1, kLongName, {}}};
    messages.insert(messages.end(), claims.begin(), claims.end());
    datagrams.push_back(rig.seal(messages));
  }
  std::size_t answers = 0;
  std::size_t before = 0;
  for (std::size_t i = 0; i < datagrams.size(); ++i) {
    if (i == kBefore) before = allocations;
    rig.now += 20ms;  // a fresh digest of the table now and then
    rig.node.handle_packet(peer(1), datagrams[i], rig.now);
    while (auto transmit = rig.node.poll_transmit()) {
      rig.node.reuse(std::move(transmit->datagram));
      ++answers;
    }
    while (rig.node.poll_event()) {
    }
  }
  const std::size_t counted = allocations - before;
  CHECK(answers == datagrams.size());
  return counted;
}

}  // namespace

TEST_CASE("a ping that comes in and the ack that goes out take nothing from the heap") {
  CHECK(allocations_of({}) == 0);
}

TEST_CASE("claims that are known take nothing from the heap") {
  CHECK(allocations_of({alive(2, 1), alive(3, 1), alive(4, 1)}) == 0);
}

}  // namespace wesher::gossip::testing
