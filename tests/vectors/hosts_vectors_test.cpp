// What the Go program makes of a hosts file, against what we make of it. Where ours differs on
// purpose, the table says why.
#include <fstream>
#include <map>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "system/hosts_text.h"

using namespace wesher;
using namespace wesher::system;

namespace {

constexpr const char* kLocal = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
constexpr const char* kOurLine =
    "10.1.2.3\tnode2\t# ! managed automatically by wesher interface wgoverlay\n";

/// Results that are better than the Go program's, and why.
const std::map<std::string, std::pair<std::string, std::string>> kBetter = {
    {"crlf",
     {"line ends of foreign lines are kept",
      "127.0.0.1 localhost\r\n10.0.0.9 other\r\n" + std::string(kOurLine)}},
    {"line-longer-than-64KiB",
     {"a long line is no obstacle", kLocal + ("# " + std::string(70000, 'x')) + "\n" + kOurLine}},
    {"upgrade-from-v0.2.6-leaves-stale",
     {"lines of v0.2.6 are taken over", kLocal + std::string(kOurLine)}},
};

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace

TEST_CASE("hosts files end up as the Go program leaves them or better") {
  const auto file = GENERATE("hosts-head.json", "hosts-v0.2.6.json");
  std::ifstream in(std::string(TEST_DATA) + "/vectors/" + file);
  const auto document = nlohmann::json::parse(in);
  const HostsRules rules{"wgoverlay", true};
  const std::string banner = hosts_banner("wgoverlay");
  std::size_t checked = 0;
  for (const auto& vector : document.at("vectors")) {
    const std::string name = vector.at("name");
    const std::string old_banner = vector.at("banner");
    INFO(file << ": " << name << " under " << old_banner);
    std::vector<ObservedHostsLine> lines;
    for (const auto& [address, names] : vector.at("entries").items()) {
      lines.push_back({IpAddress::parse(address).value(), names});
    }
    const std::string before =
        replace_all(vector.at("before"), "<70000 x>", std::string(70000, 'x'));
    // Whatever banner a line had, ours has the one that names the interface.
    std::string expected = replace_all(vector.at("expected_after"), old_banner, banner);
    if (const auto better = kBetter.find(name); better != kBetter.end()) {
      INFO(better->second.first);
      CHECK(expected != better->second.second);
      expected = better->second.second;
    } else if (name == "banner-only-line") {
      // A line of only the banner is no line of ours and stays as it is.
      expected = before + kOurLine;
    }
    const std::string after = edit_hosts(before, rules, lines);
    CHECK(after == expected);
    CHECK(edit_hosts(after, rules, lines) == after);
    ++checked;
  }
  CHECK(checked == 31);
}
