// The words under which members are stored and shown.
#include "model/member.h"

#include <set>

#include <catch2/catch.hpp>

#include "model/state.h"

namespace wesher {
namespace {

TEST_CASE("every member state has a word of its own and comes back from it") {
  std::set<std::string_view> words;
  for (const MemberState state :
       {MemberState::alive, MemberState::suspect, MemberState::failed, MemberState::left}) {
    words.insert(to_text(state));
    CHECK(member_state_from(to_text(state)) == state);
  }
  CHECK(words == std::set<std::string_view>{"alive", "suspect", "failed", "left"});
}

TEST_CASE("every standing has a word of its own and comes back from it") {
  std::set<std::string_view> words;
  for (const Standing standing : {Standing::configured, Standing::seed, Standing::refused}) {
    words.insert(to_text(standing));
    CHECK(standing_from(to_text(standing)) == standing);
  }
  CHECK(words == std::set<std::string_view>{"configured", "seed", "refused"});
}

TEST_CASE("every metadata format has a word of its own and comes back from it") {
  std::set<std::string_view> words;
  for (const MetaFormat format : {MetaFormat::f1, MetaFormat::f2, MetaFormat::f3}) {
    words.insert(to_text(format));
    CHECK(meta_format_from(to_text(format)) == format);
  }
  CHECK(words == std::set<std::string_view>{"F1", "F2", "F3"});
}

TEST_CASE("other words are no state and no standing and no format") {
  for (const char* word : {"", "Alive", "alive ", "dead", "f2", "F4"}) {
    CHECK_FALSE(member_state_from(word).has_value());
    CHECK_FALSE(standing_from(word).has_value());
    CHECK_FALSE(meta_format_from(word).has_value());
  }
}

TEST_CASE("the alias of a link names us and the interface") {
  CHECK(link_alias("wg1") == "managed by wesher (wg1)");
  CHECK(link_alias("wg1") != link_alias("wg2"));
}

}  // namespace
}  // namespace wesher
