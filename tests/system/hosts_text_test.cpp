// Our lines in a hosts file, as text.
#include "system/hosts_text.h"

#include <catch2/catch.hpp>

using namespace wesher;
using namespace wesher::system;

namespace {

const HostsRules kRules{"wg0", false};
const std::string kBanner = "# ! managed automatically by wesher interface wg0";

ObservedHostsLine line(const std::string& address, std::vector<std::string> names) {
  return {IpAddress::parse(address).value(), std::move(names)};
}

}  // namespace

TEST_CASE("lines of an interface whose name begins like ours are foreign") {
  const std::string text = "10.1.1.1\ta\t" + kBanner + "1\n10.1.1.2\tb\t" + kBanner + "\n";
  const ObservedHosts seen = read_hosts(text, kRules);
  REQUIRE(seen.managed.size() == 1);
  CHECK(seen.managed[0] == line("10.1.1.2", {"b"}));
  CHECK(seen.foreign_names == std::vector<std::string>{"a"});
  CHECK_FALSE(seen.outdated);
  CHECK(edit_hosts(text, kRules, {}) == "10.1.1.1\ta\t" + kBanner + "1\n");
}

TEST_CASE("the old banner is ours only when we may take it over") {
  const std::string text = "10.1.1.1\told\t# ! MANAGED AUTOMATICALLY !\n";
  CHECK(read_hosts(text, kRules).managed.empty());
  CHECK(edit_hosts(text, kRules, {}) == text);
  const HostsRules taking{"wg0", true};
  const ObservedHosts seen = read_hosts(text, taking);
  CHECK(seen.managed == std::vector{line("10.1.1.1", {"old"})});
  CHECK(seen.outdated);
  CHECK(seen.foreign_names.empty());
  CHECK(edit_hosts(text, taking, seen.managed) == "10.1.1.1\told\t" + kBanner + "\n");
}

TEST_CASE("a line of ours that is not canonical is reported and rewritten once") {
  const auto text = GENERATE_COPY("10.1.1.1  a  " + kBanner + "\n", "10.1.1.1\ta\t" + kBanner,
                                  "10.1.1.1\ta\t" + kBanner + "\r\n",
                                  "10.1.1.1\ta\t" + kBanner + "\n10.1.1.1\ta\t" + kBanner + "\n",
                                  "10.1.1.1\ta\t" + kBanner + "\nnonsense a " + kBanner + "\n");
  CAPTURE(text);
  const ObservedHosts seen = read_hosts(text, kRules);
  CHECK(seen.outdated);
  CHECK(seen.managed.front() == line("10.1.1.1", {"a"}));
  const std::string after = edit_hosts(text, kRules, {line("10.1.1.1", {"a"})});
  CHECK(after == "10.1.1.1\ta\t" + kBanner + "\n");
  CHECK_FALSE(read_hosts(after, kRules).outdated);
}

TEST_CASE("foreign bytes stay as they are whatever they are") {
  const std::string foreign =
      std::string("# caf\xe9 \x01\r\n\n  192.0.2.1\tx.example y # z\n#10.1.1.1 q ") + kBanner +
      "\n::1 \0 nul\nno newline";
  const std::string text = foreign;
  CHECK(edit_hosts(text, kRules, {}) == text);
  CHECK(edit_hosts(text, kRules, {line("10.1.1.1", {"a"})}) ==
        text + "\n10.1.1.1\ta\t" + kBanner + "\n");
  const ObservedHosts seen = read_hosts(text, kRules);
  CHECK(seen.managed.empty());
  CHECK(std::find(seen.foreign_names.begin(), seen.foreign_names.end(), "x.example") !=
        seen.foreign_names.end());
  CHECK(std::find(seen.foreign_names.begin(), seen.foreign_names.end(), "z") ==
        seen.foreign_names.end());
}

TEST_CASE("managed lines keep their place and new ones come last in the order given") {
  const std::string text = "192.0.2.1 a\n10.1.1.3\tthree\t" + kBanner +
                           "\n192.0.2.2 b\n10.1.1.1\tone\t" + kBanner + "\n192.0.2.3 c\n";
  const std::string after = edit_hosts(text, kRules,
                                       {line("10.1.1.9", {"nine"}), line("10.1.1.1", {"uno"}),
                                        line("10.1.1.3", {"three"}), line("10.1.1.2", {"two"})});
  CHECK(after == "192.0.2.1 a\n10.1.1.3\tthree\t" + kBanner + "\n192.0.2.2 b\n10.1.1.1\tuno\t" +
                     kBanner + "\n192.0.2.3 c\n10.1.1.9\tnine\t" + kBanner + "\n10.1.1.2\ttwo\t" +
                     kBanner + "\n");
}

TEST_CASE("two members on one address share a line") {
  CHECK(edit_hosts("", kRules, {line("10.1.1.1", {"a"}), line("10.1.1.1", {"b"})}) ==
        "10.1.1.1\ta b\t" + kBanner + "\n");
}
