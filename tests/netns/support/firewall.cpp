#include "netns/support/firewall.h"

#include <catch2/catch.hpp>

namespace wesher::netns {

namespace {

void nft(const Host& host, const std::string& words) {
  const Output output = host.exec({"nft", words});
  INFO(output.text());
  REQUIRE(output.exit_code == 0);
}

}  // namespace

void block(const Host& host, const std::string& protocol, const std::string& from) {
  nft(host, "add table inet block");
  nft(host, "add chain inet block input { type filter hook input priority 0; }");
  nft(host, "add rule inet block input ip saddr " + from + " " + protocol + " dport 7946 drop");
  // Answers on a connection that this host opened come from that port.
  nft(host, "add rule inet block input ip saddr " + from + " " + protocol + " sport 7946 drop");
}

void cut(const Host& host, const std::string& from) {
  nft(host, "add table inet block");
  nft(host, "add chain inet block input { type filter hook input priority 0; }");
  nft(host, "add rule inet block input ip saddr " + from + " drop");
}

void unblock(const Host& host) {
  nft(host, "delete table inet block");
}

}  // namespace wesher::netns
