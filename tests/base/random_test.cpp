// Rng and Backoff: the same seed, the same stream; bounds that hold.
#include "base/random.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include <catch2/catch.hpp>

#include "base/backoff.h"
#include "base/bytes.h"

namespace wesher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("a stream is the ChaCha20 keystream of its seed") {
  // RFC 8439, appendix A.1, test vector 1: key, nonce and counter zero.
  Rng rng(std::array<std::uint8_t, 32>{});
  Bytes bytes(64);
  rng.fill(bytes);
  CHECK(to_hex(bytes) ==
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
}

TEST_CASE("one seed gives one stream however it is cut and another seed another") {
  Rng one = Rng::from_number(7);
  Rng two = Rng::from_number(7);
  Bytes whole(3000);
  one.fill(whole);
  Bytes pieces;
  for (std::size_t n = 1; pieces.size() < whole.size(); n = n * 2 % 701) {
    Bytes piece(std::min(n, whole.size() - pieces.size()));
    two.fill(piece);
    pieces.insert(pieces.end(), piece.begin(), piece.end());
  }
  CHECK(pieces == whole);
  Rng other = Rng::from_number(8);
  Bytes different(3000);
  other.fill(different);
  CHECK(different != whole);
}

TEST_CASE("no block of a stream comes again") {
  Rng rng = Rng::from_number(1);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 10000; ++i)
    seen.insert(rng.u64());
  CHECK(seen.size() == 10000);
}

TEST_CASE("draws below a bound reach all values and no other") {
  Rng rng = Rng::from_number(2);
  std::array<int, 6> counts{};
  for (int i = 0; i < 6000; ++i)
    ++counts.at(rng.below(std::uint64_t{6}));
  for (const int count : counts) {
    CHECK(count > 800);
    CHECK(count < 1200);
  }
  CHECK(rng.below(std::uint64_t{1}) == 0);
  const std::uint64_t large = (std::uint64_t{1} << 63U) + 1;
  for (int i = 0; i < 100; ++i)
    CHECK(rng.below(large) < large);
}

TEST_CASE("unit draws are at least zero and less than one") {
  Rng rng = Rng::from_number(3);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const double draw = rng.unit();
    REQUIRE(draw >= 0);
    REQUIRE(draw < 1);
    sum += draw;
  }
  CHECK(sum / 10000 == Approx(0.5).margin(0.02));
}

TEST_CASE("a random duration is below its bound and zero for none") {
  Rng rng = Rng::from_number(4);
  for (int i = 0; i < 1000; ++i) {
    const Duration draw = rng.below(Duration{10});
    REQUIRE(draw >= Duration::zero());
    REQUIRE(draw < Duration{10});
  }
  CHECK(rng.below(Duration::zero()) == Duration::zero());
  CHECK(rng.below(Duration{-5}) == Duration::zero());
}

TEST_CASE("shuffling keeps the items and reaches every order") {
  Rng rng = Rng::from_number(5);
  std::set<std::vector<int>> orders;
  for (int i = 0; i < 500; ++i) {
    std::vector<int> items = {1, 2, 3, 4};
    rng.shuffle(items);
    orders.insert(items);
  }
  CHECK(orders.size() == 24);
  std::vector<int> none;
  rng.shuffle(none);
  CHECK(none.empty());
}

TEST_CASE("a backoff doubles up to its maximum with at most a tenth taken off") {
  Rng rng = Rng::from_number(6);
  Backoff backoff(seconds{1}, seconds{10});
  for (const int full : {1, 2, 4, 8, 10, 10, 10}) {
    const Duration delay = backoff.next(rng);
    CHECK(delay <= seconds{full});
    CHECK(delay > milliseconds{full * 900 - 1});
  }
  backoff.reset();
  CHECK(backoff.next(rng) <= seconds{1});
}

TEST_CASE("two hosts that failed together do not retry together") {
  Rng one = Rng::from_number(1);
  Rng two = Rng::from_number(2);
  Backoff a(seconds{1}, seconds{1});
  Backoff b(seconds{1}, seconds{1});
  CHECK(a.next(one) != b.next(two));
}

}  // namespace
}  // namespace wesher
