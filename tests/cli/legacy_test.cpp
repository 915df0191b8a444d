// What the commands say of members of the Go program: generations, the format spoken, what is held
// back.
#include "cli/legacy.h"

#include <catch2/catch.hpp>

#include "cli/members.h"
#include "tests/cli/support/status.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;

namespace {

const std::string kHeldBack =
    "while members of the Go program are here: another underlay address of this host is announced "
    "after a goodbye only; 'wesher leave' keeps name and overlay address reserved; nothing proves "
    "whose their names and addresses are, and they never move";

void make_go(Snapshot& snapshot, const std::string& name, MetaFormat format) {
  Member& member = member_of(snapshot, name);
  member.signed_claim.reset();
  member.meta->format = format;
}

std::vector<std::string> remarks(const Snapshot& snapshot) {
  return build_status(snapshot).remarks;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("members of the Go program are shown with their release", "[cli][legacy]") {
  Snapshot snapshot = in_order();
  make_go(snapshot, "db2", MetaFormat::f1);
  make_go(snapshot, "pi1", MetaFormat::f2);
  make_go(snapshot, "web1", MetaFormat::f3);
  const std::string status = status_of(snapshot);
  CHECK(status.find("890 MiB  go v0.1\n") != std::string::npos);
  CHECK(status.find("12 MiB   go v0.2\n") != std::string::npos);
  CHECK(status.find("38 MiB   go v0.3\n") != std::string::npos);
  CHECK(status.find("9.0 KiB  signed 0505-0505\n") != std::string::npos);
  const std::string members = members_text(snapshot.facts, kNow);
  CHECK(members.find("F1    go v0.1    -\n") != std::string::npos);
  CHECK(members.find("F3    go v0.3    -\n") != std::string::npos);
  CHECK(signature_text(member_of(snapshot, "pi1"), kNow) == "unsigned (Go program v0.2)");
}

TEST_CASE("one generation of the Go program that reads us is told in a line", "[cli][legacy]") {
  Snapshot snapshot = in_order();
  make_go(snapshot, "db2", MetaFormat::f2);
  make_go(snapshot, "web1", MetaFormat::f2);
  CHECK(remarks(snapshot) ==
        Lines{"2 members of the Go program: v0.2 (F2: db2, web1); this host speaks F2 too",
              kHeldBack});
  // Those that are not there read nothing.
  fail_member(snapshot, "web1", hours{2});
  CHECK(remarks(snapshot).front() ==
        "1 member of the Go program: v0.2 (F2: db2); this host speaks F2 too");
  fail_member(snapshot, "db2", hours{2});
  CHECK(look_at_legacy(snapshot.facts).generations.empty());
  CHECK(look_at_legacy(in_order().facts).held_back.empty());
}

TEST_CASE("members that cannot read us are told with what changes that", "[cli][legacy]") {
  Snapshot snapshot = in_order();
  make_go(snapshot, "web1", MetaFormat::f3);
  CHECK(remarks(snapshot).front() ==
        "1 member of the Go program: v0.3 (F3: web1); this host speaks F2, which they cannot read, "
        "and changes to F3 when that is so for 30s");
  snapshot.facts.options["meta-format"] = "f2";
  CHECK(remarks(snapshot).front() ==
        "1 member of the Go program: v0.3 (F3: web1); this host speaks F2 (--meta-format), which "
        "they cannot read, so that they have no tunnel to it. Remedy: start it without "
        "--meta-format");
  snapshot.facts.self->meta_format = MetaFormat::f3;
  CHECK(remarks(snapshot).front() ==
        "1 member of the Go program: v0.3 (F3: web1); this host speaks F3 too");
}

TEST_CASE("two generations that cannot mesh are told in a line with the remedy", "[cli][legacy]") {
  Snapshot snapshot = in_order();
  make_go(snapshot, "db2", MetaFormat::f2);
  make_go(snapshot, "pi1", MetaFormat::f2);
  make_go(snapshot, "web1", MetaFormat::f3);
  CHECK(remarks(snapshot).front() ==
        "generations of the Go program that cannot read each other, so that there are no tunnels "
        "between them: v0.2 (F2: db2, pi1) and v0.3 (F3: web1); this host speaks F2, which v0.3 "
        "cannot read. Remedy: replace the Go nodes of one generation: web1");
  make_go(snapshot, "web2", MetaFormat::f3);
  CHECK(remarks(snapshot).front().ends_with("of one generation: web1, web2"));
  snapshot.facts.self->meta_format = MetaFormat::f3;
  CHECK(remarks(snapshot).front().find("speaks F3, which v0.2 cannot read") != std::string::npos);
  CHECK(remarks(snapshot).front().ends_with("of one generation: db2, pi1"));
  make_go(snapshot, "web2", MetaFormat::f1);
  CHECK(remarks(snapshot).front().ends_with("of one generation: web2, web1"));
  CHECK(remarks(snapshot).size() == 2);
}

TEST_CASE("names of members of the Go program are printed safely", "[cli][legacy]") {
  Snapshot snapshot = in_order();
  make_go(snapshot, "web1", MetaFormat::f2);
  member_of(snapshot, "web1").name = "\x1b[31m";
  CHECK(remarks(snapshot).front().find('\x1b') == std::string::npos);
}

TEST_CASE("JSON has generations and who reads us", "[cli][legacy][json]") {
  Snapshot snapshot = in_order();
  make_go(snapshot, "db2", MetaFormat::f2);
  make_go(snapshot, "web1", MetaFormat::f3);
  const Json status = Json::parse(render_json(build_status(snapshot)));
  const Json& legacy = status.at("legacy");
  CHECK(legacy.at("mixed") == true);
  CHECK(legacy.at("held_back").size() == 3);
  REQUIRE(legacy.at("generations").size() == 2);
  CHECK(
      legacy.at("generations").at(0) ==
      Json({{"release", "v0.2"}, {"meta_format", "F2"}, {"reads_us", true}, {"members", {"db2"}}}));
  CHECK(legacy.at("generations").at(1).at("reads_us") == false);
  CHECK(status.at("members").at(1).at("go_release") == "v0.2");
  CHECK(status.at("members").at(0).at("go_release").is_null());
  CHECK(member_json(member_of(snapshot, "web1"), kNow).at("go_release") == "v0.3");
}
