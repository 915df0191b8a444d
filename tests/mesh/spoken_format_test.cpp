// Which metadata format we speak: the table of all situations, and the half minute.
#include "mesh/spoken_format.h"

#include <array>
#include <string>

#include <catch2/catch.hpp>

namespace wesher::mesh {

using namespace std::chrono_literals;

namespace {

const Instant t0 = Instant{} + 1h;
constexpr auto kPatience = 30s;

using F = MetaFormat;

/// What there is of live Go members, and what becomes of a format.
struct Row {
  FormatCounts counts;                     ///< F1, F2, F3
  std::array<std::optional<F>, 3> agreed;  ///< when ours is F1, F2, F3
  std::array<F, 3> later;                  ///< after the patience, likewise
};

constexpr std::nullopt_t kSame = std::nullopt;

// NOLINTBEGIN(modernize-use-designated-initializers)
const std::vector<Row> kTable = {
    {{0, 0, 0}, {kSame, kSame, kSame}, {F::f1, F::f2, F::f3}},  // nobody: no reason
    {{1, 0, 0}, {kSame, F::f1, F::f1}, {F::f1, F::f1, F::f1}},
    {{0, 1, 0}, {F::f2, kSame, F::f2}, {F::f2, F::f2, F::f2}},
    {{0, 0, 1}, {F::f3, F::f3, kSame}, {F::f3, F::f3, F::f3}},
    {{0, 9, 0}, {F::f2, kSame, F::f2}, {F::f2, F::f2, F::f2}},
    {{1, 1, 0}, {kSame, kSame, kSame}, {F::f1, F::f2, F::f2}},  // somebody speaks ours: it stays
    {{1, 0, 1}, {kSame, kSame, kSame}, {F::f1, F::f3, F::f3}},  // of equally many the newest
    {{2, 0, 1}, {kSame, kSame, kSame}, {F::f1, F::f1, F::f3}},  // most of them
    {{0, 1, 1}, {kSame, kSame, kSame}, {F::f3, F::f2, F::f3}},
    {{0, 2, 1}, {kSame, kSame, kSame}, {F::f2, F::f2, F::f3}},
    {{0, 1, 9}, {kSame, kSame, kSame}, {F::f3, F::f2, F::f3}},  // one is enough to keep ours
    {{1, 1, 1}, {kSame, kSame, kSame}, {F::f1, F::f2, F::f3}},
};

// NOLINTEND(modernize-use-designated-initializers)

std::string describe(const Row& row, F ours) {
  std::string text = "ours " + std::string(to_text(ours)) + ", they";
  for (const std::size_t n : row.counts)
    text += " " + std::to_string(n);
  return text;
}

}  // namespace

TEST_CASE("what is spoken follows live members of the Go program as the table says") {
  for (const Row& row : kTable) {
    for (const F ours : {F::f1, F::f2, F::f3}) {
      INFO(describe(row, ours));
      const auto column = static_cast<std::size_t>(ours);
      SpokenFormat spoken(ours, false, kPatience);
      spoken.observe(row.counts, t0);
      CHECK(spoken.agreed() == row.agreed.at(column));
      CHECK_FALSE(spoken.due(t0 + 29s));
      CHECK_FALSE(spoken.due(t0 + kPatience - 1us));
      CHECK(spoken.due(t0 + kPatience).value_or(ours) == row.later.at(column));
      const bool changes = row.later.at(column) != ours;
      CHECK(spoken.poll_timeout() == (changes ? std::optional(t0 + kPatience) : std::nullopt));
    }
  }
}

TEST_CASE("a format that is fixed stays whatever others speak") {
  for (const Row& row : kTable) {
    for (const F ours : {F::f1, F::f2, F::f3}) {
      INFO(describe(row, ours));
      SpokenFormat spoken(ours, true, kPatience);
      spoken.observe(row.counts, t0);
      CHECK_FALSE(spoken.agreed());
      CHECK_FALSE(spoken.due(t0 + 1h));
      CHECK_FALSE(spoken.poll_timeout());
    }
  }
}

TEST_CASE("the half minute begins anew when somebody who speaks ours was there in between") {
  SpokenFormat spoken(F::f2, false, kPatience);
  spoken.observe({0, 0, 1}, t0);
  spoken.observe({0, 1, 1}, t0 + 29s);
  CHECK_FALSE(spoken.due(t0 + 1h));
  spoken.observe({0, 0, 1}, t0 + 40s);
  CHECK_FALSE(spoken.due(t0 + 69s));
  CHECK(spoken.due(t0 + 70s) == F::f3);
}

TEST_CASE("the half minute begins anew when nobody was there in between") {
  SpokenFormat spoken(F::f2, false, kPatience);
  spoken.observe({0, 0, 1}, t0);
  spoken.observe({0, 0, 0}, t0 + 29s);
  CHECK_FALSE(spoken.due(t0 + 1h));
  spoken.observe({0, 0, 1}, t0 + 30s);
  CHECK_FALSE(spoken.due(t0 + 59s));
  CHECK(spoken.due(t0 + 60s) == F::f3);
}

TEST_CASE("who comes and goes meanwhile decides over the format but not over the time") {
  SpokenFormat spoken(F::f2, false, kPatience);
  spoken.observe({0, 0, 1}, t0);
  spoken.observe({2, 0, 1}, t0 + 10s);
  spoken.observe({2, 0, 0}, t0 + 20s);
  CHECK_FALSE(spoken.due(t0 + 29s));
  CHECK(spoken.due(t0 + 30s) == F::f1);
}

TEST_CASE("after a change the new format is the one that is kept") {
  SpokenFormat spoken(F::f2, false, kPatience);
  spoken.observe({0, 0, 1}, t0);
  spoken.set(F::f3, t0 + 30s);
  CHECK(spoken.format() == F::f3);
  CHECK_FALSE(spoken.poll_timeout());
  spoken.observe({0, 5, 1}, t0 + 40s);
  CHECK_FALSE(spoken.due(t0 + 1h));
  spoken.observe({0, 5, 0}, t0 + 2h);
  CHECK(spoken.due(t0 + 2h + 30s) == F::f2);
}

}  // namespace wesher::mesh
