// What people read: undecryptable packets, members that come and go, and how often.
#include <catch2/catch.hpp>

#include "mesh/foreign.h"
#include "mesh/herald.h"
#include "mesh/seldom.h"
#include "mesh/words.h"
#include "tests/mesh/support/samples.h"

namespace wesher::mesh {

namespace {

using namespace test;

Member named(const std::string& name) {
  Member member;
  member.name = name;
  member.underlay = ip("192.0.2.7");
  member.standing = Standing::configured;
  member.meta = meta("10.42.0.7", 7);
  return member;
}

std::vector<std::string> said(Herald& herald) {
  std::vector<std::string> lines;
  while (const auto notice = herald.poll())
    lines.push_back(notice->text);
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("Undecryptable packets are counted per source and told every ten seconds") {
  Foreign foreign;
  for (int i = 0; i < 31; ++i)
    foreign.count(ip("198.51.100.22"), at(std::chrono::milliseconds{i * 100}).at);
  foreign.count(ip("198.51.100.23"), at(4s).at);
  CHECK(foreign.poll_timeout() == at(10s).at);
  CHECK(foreign.take_due(at(9s).at).empty());
  const auto facts = foreign.take_due(at(10s).at);
  REQUIRE(facts.size() == 2);
  CHECK(std::get<ForeignPackets>(facts[0]).count == 31);
  CHECK(texts(facts) == Lines{"31 packets from 198.51.100.22 cannot be decrypted: another "
                              "cluster's key, or junk"});
  CHECK(foreign.poll_timeout() == at(14s).at);
}

TEST_CASE("A source gets one line in ten minutes whatever it sends and its counts go on") {
  Foreign foreign;
  std::size_t lines = 0;
  std::size_t told = 0;
  std::uint64_t sum = 0;
  for (int second = 0; second < 1200; ++second) {
    foreign.count(ip("198.51.100.22"), at(std::chrono::seconds{second}).at);
    for (const Fact& fact : foreign.take_due(at(std::chrono::seconds{second}).at)) {
      if (const auto* packets = std::get_if<ForeignPackets>(&fact)) {
        ++told;
        sum += packets->count;
      } else {
        ++lines;
      }
    }
  }
  CHECK(lines == 2);
  CHECK(told <= 120);
  CHECK(sum >= 1190);
}

TEST_CASE("A flood from ever new sources does not grow the table and old sources make room") {
  Foreign foreign;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    foreign.count(IpAddress::v4(10, static_cast<std::uint8_t>(i >> 16U),
                                static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)),
                  at(0s).at);
  }
  CHECK(foreign.size() == Foreign::kSources);
  (void)foreign.take_due(at(10s).at);
  foreign.count(ip("198.51.100.22"), at(11min).at);
  CHECK(foreign.size() == 1);
}

TEST_CASE("In a mesh of three a failure is told at once") {
  Herald herald;
  herald.failed(named("web1"), "no answer for 30s", 72h, 1, at(0s));
  CHECK(said(herald) == Lines{"web1 failed: no answer for 30s; it stays configured for 72h"});
  herald.back(named("web1"), 252s, at(300s));
  CHECK(said(herald) == Lines{"web1 is back after 4m12s"});
}

TEST_CASE("A single failure in a larger mesh is told after fifteen seconds") {
  Herald herald;
  herald.failed(named("web1"), "no answer for 30s", 72h, 5, at(0s));
  CHECK(said(herald).empty());
  CHECK(herald.poll_timeout() == at(15s).at);
  herald.handle_timeout(at(15s));
  CHECK(said(herald) == Lines{"web1 failed: no answer for 30s; it stays configured for 72h"});
  CHECK_FALSE(herald.poll_timeout());
}

TEST_CASE("A member that is back before its failure was told gives both lines") {
  Herald herald;
  herald.failed(named("web1"), "no answer for 30s", 72h, 5, at(0s));
  herald.back(named("web1"), 3s, at(3s));
  CHECK(said(herald) == Lines{"web1 failed: no answer for 30s; it stays configured for 72h",
                              "web1 is back after 3s"});
  CHECK_FALSE(herald.poll_timeout());
}

TEST_CASE("Half of the members failing within fifteen seconds is one line and so is their return") {
  Herald herald;
  const Lines names = {"app1", "app2", "web1", "web2", "web3", "web4", "web5", "web6"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto when = std::chrono::seconds{i * 12 / 7};
    herald.failed(named(names[i]), "no answer for 30s", 72h, 14 - i, at(when));
  }
  herald.handle_timeout(at(15s));
  CHECK(said(herald) == Lines{"8 members failed within 12s (app1, app2, web1, web2, … 4 more): a "
                              "partition? All stay configured; 'wesher status' shows who still "
                              "has a tunnel"});
  SECTION("all are back") {
    for (const std::string& name : names)
      herald.back(named(name), 4min, at(252s));
    CHECK(said(herald) == Lines{"8 of 8 members are back after 4m12s"});
    CHECK_FALSE(herald.poll_timeout());
  }
  SECTION("some are still missing after fifteen seconds") {
    for (std::size_t i = 0; i < 7; ++i)
      herald.back(named(names[i]), 4min, at(252s));
    CHECK(said(herald).empty());
    herald.handle_timeout(at(267s));
    CHECK(said(herald) == Lines{"7 of 8 members are back after 4m27s; still missing: web6"});
    herald.gone("web6", at(300s));
    CHECK(said(herald) == Lines{"7 of 8 members are back after 5m0s"});
  }
}

TEST_CASE("Less than half of the members failing together is a line each") {
  Herald herald;
  herald.failed(named("a"), "x", 72h, 15, at(0s));
  herald.failed(named("b"), "x", 72h, 14, at(1s));
  herald.handle_timeout(at(15s));
  CHECK(said(herald).size() == 2);
}

TEST_CASE("Foreign names are made printable in every line") {
  Herald herald;
  herald.joined(named("a\n\x1b[31m"));
  herald.failed(named("a\n"), "x", 72h, 1, at(0s));
  herald.left(named("a\n"));
  for (const std::string& line : said(herald)) {
    CHECK(line.find('\n') == std::string::npos);
    CHECK(line.find('\x1b') == std::string::npos);
    CHECK(line.find("a\\x0a") == 0);
  }
}

TEST_CASE("The same thing passes once per pause and the memory of it is bounded") {
  Seldom seldom(10min, 3);
  CHECK(seldom.pass("a", at(0s).at));
  CHECK_FALSE(seldom.pass("a", at(9min).at));
  CHECK(seldom.pass("a", at(10min).at));
  CHECK(seldom.pass("b", at(10min).at));
  CHECK(seldom.pass("c", at(10min).at));
  CHECK_FALSE(seldom.pass("d", at(11min).at));
  CHECK(seldom.pass("d", at(21min).at));
}

TEST_CASE("Spans read as people write them") {
  CHECK(span_text(30s) == "30s");
  CHECK(span_text(60s) == "60s");
  CHECK(span_text(10min) == "10m");
  CHECK(span_text(72h) == "72h");
  CHECK(span_text(std::chrono::days{30}) == "30d");
  CHECK(elapsed_text(12s) == "12s");
  CHECK(elapsed_text(252s) == "4m12s");
  CHECK(elapsed_text(3h + 5min) == "3h5m");
  CHECK(elapsed_text(52h) == "2d4h");
  CHECK(elapsed_text(-5s) == "0s");
  CHECK(list_text({"a", "b"}, 4) == "a, b");
}

}  // namespace wesher::mesh
