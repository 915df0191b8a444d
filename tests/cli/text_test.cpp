#include "cli/text.h"

#include <catch2/catch.hpp>

using namespace wesher::cli;

TEST_CASE("a table is aligned by code points and has no trailing blanks", "[cli][text]") {
  CHECK(display_width("k3Vd…") == 5);
  CHECK(render_table({{"KEY", "NAME", ""}, {"k3Vd…", "é", "x"}, {"12345678", "b"}}) ==
        "KEY       NAME\n"
        "k3Vd…     é     x\n"
        "12345678  b\n");
}

TEST_CASE("a long hostname is shown in full and other bytes are escaped", "[cli][text]") {
  const std::string label(60, 'a');
  CHECK(shown_name(label + "." + label) == label + "." + label);
  CHECK(shown_name("a\tb") == "a\\x09b");
  CHECK(shown_name(std::string(100, '_')) == std::string(64, '_') + "…");
}

TEST_CASE("a sentence of ours stays one line and keeps its ellipsis", "[cli][text]") {
  CHECK(single_line("k3Vd…\n\x1b[2J\x7f") == "k3Vd…??[2J?");
}

TEST_CASE("an age is never negative", "[cli][text]") {
  using wesher::wall_from_ms;
  CHECK(age_of(wall_from_ms(1000), wall_from_ms(3500)) == std::chrono::milliseconds{2500});
  CHECK(age_of(wall_from_ms(3500), wall_from_ms(1000)) == wesher::Duration::zero());
}
