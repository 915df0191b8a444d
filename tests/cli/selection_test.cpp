#include "cli/selection.h"

#include <catch2/catch.hpp>

#include "tests/cli/support/fixture.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;

namespace {

using Strings = std::vector<std::string>;

/// The names that a word selects; the sentence if it selects none.
std::string selected(const Snapshot& snapshot, const std::string& word) {
  const auto selection = select_nodes(snapshot, word);
  if (!selection) return selection.error().detail;
  std::string out = selection->own ? "this host " : "";
  for (const Member* member : selection->members)
    out += member->name + " ";
  return out;
}

}  // namespace

TEST_CASE("a node is selected by its name or one of its addresses", "[cli][selection]") {
  Snapshot snapshot = in_order();
  CHECK(selected(snapshot, "db1") == "this host ");
  CHECK(selected(snapshot, "web1") == "web1 ");
  CHECK(selected(snapshot, "10.42.215.254") == "this host ");
  CHECK(selected(snapshot, "203.0.113.5") == "this host ");
  CHECK(selected(snapshot, "10.42.149.56") == "web1 ");
  CHECK(selected(snapshot, "198.51.100.21") == "web1 ");
  CHECK(selected(snapshot, "192.0.2.99") ==
        "no member has the address 192.0.2.99; 'wesher members' lists all");
  peer_of(snapshot, "pi1").endpoint = Endpoint{ip("192.0.2.99"), 7};
  CHECK(selected(snapshot, "192.0.2.99") == "pi1 ");
  member_of(snapshot, "pi1").name = "10.42.149.56";
  CHECK(selected(snapshot, "10.42.149.56") == "10.42.149.56 ");
}

TEST_CASE("a prefix selects all nodes with an address in it", "[cli][selection]") {
  const Snapshot snapshot = in_order();
  CHECK(selected(snapshot, "10.42.0.0/16") == "this host db2 pi1 web1 web2 ");
  CHECK(selected(snapshot, "198.51.100.77/24") == "web1 web2 ");
  CHECK(selected(snapshot, "203.0.113.6/31") == "db2 ");
  CHECK(selected(snapshot, "0.0.0.0/0") == "this host db2 pi1 web1 web2 ");
  CHECK(selected(snapshot, "fd00::/8") ==
        "no member has an address in fd00::/8; 'wesher members' lists all");
  CHECK(select_nodes(snapshot, "fd00::/8").error().code == Errc::not_found);
  CHECK(selected(snapshot, "10.42.0.0/33") == "'10.42.0.0/33' needs a prefix length from 0 to 32");
  CHECK(select_nodes(snapshot, "10.42.0.0/33").error().code == Errc::malformed);
}

TEST_CASE("a name that nobody has is answered with the nearest ones", "[cli][selection]") {
  Snapshot snapshot = in_order();
  CHECK(selected(snapshot, "web9") ==
        "no member is named 'web9'; did you mean web1 or web2? 'wesher members' lists all");
  CHECK(select_nodes(snapshot, "web9").error().code == Errc::not_found);
  CHECK(selected(snapshot, "mail") == "no member is named 'mail'; 'wesher members' lists all");
  CHECK(nearest_names(snapshot.facts, "WEB1") == Strings{"web1", "web2"});
  CHECK(nearest_names(snapshot.facts, "p1i") == Strings{});
  CHECK(nearest_names(snapshot.facts, "pi11") == Strings{"pi1"});
  CHECK(nearest_names(snapshot.facts, "bd2") == Strings{});
  CHECK(nearest_names(snapshot.facts, "w") == Strings{});
  CHECK(nearest_names(snapshot.facts, "").empty());
  member_of(snapshot, "web1").name = "web1.example.org";
  CHECK(nearest_names(snapshot.facts, "web1.ex") == Strings{"web1.example.org"});
}

TEST_CASE("a name that is not printable is selected as it is shown", "[cli][selection]") {
  Snapshot snapshot = in_order();
  member_of(snapshot, "web1").name = "a\x1b";
  CHECK(selected(snapshot, "a\\x1b") == "a\x1b ");
}
