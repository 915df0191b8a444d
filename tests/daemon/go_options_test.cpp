// Every flag and variable of the Go program, v0.2.6 and its head: same name, same meaning, same
// default, both ways to give it.
#include <catch2/catch.hpp>

#include "daemon/option_table.h"
#include "daemon/options.h"

namespace wesher::daemon {
namespace {

using Arguments = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

const std::string kKey = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

Options parse(const Arguments& arguments, const Variables& variables = {}) {
  auto options = parse_options(arguments, [&](const char* name) -> std::optional<std::string> {
    const auto it = variables.find(name);
    if (it == variables.end()) return std::nullopt;
    return it->second;
  });
  INFO((options ? "" : options.error().detail));
  REQUIRE(options.has_value());
  return std::move(*options);
}

/// One option of the Go program.
struct GoOption {
  const char* flag;
  const char* variable;
  const char* value;     ///< empty: a switch
  const char* fallback;  ///< what the help of the Go program says; empty: nothing
  std::string (*read)(const Options&);
  const char* unset;  ///< what `read` gives without it
  const char* set;    ///< and with it
};

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items)
    out += item + ";";
  return out;
}

std::string text(const std::optional<IpAddress>& address) {
  return address ? address->text() : "";
}

std::string text(bool on) {
  return on ? "true" : "false";
}

const std::vector<GoOption> kOptions = {
    {"cluster-key", "WESHER_CLUSTER_KEY", kKey.c_str(), "",
     [](const Options& o) { return o.cluster_key ? o.cluster_key->reveal_base64() : ""; }, "",
     kKey.c_str()},
    {"join", "WESHER_JOIN", "x.example,192.0.2.7", "",
     [](const Options& o) { return joined(o.join); }, "", "x.example;192.0.2.7;"},
    {"init", "WESHER_INIT", "", "false",
     [](const Options& o) { return text(o.init != InitRequest::none); }, "false", "true"},
    {"bind-addr", "WESHER_BIND_ADDR", "192.0.2.1", "",
     [](const Options& o) { return text(o.bind_addr); }, "", "192.0.2.1"},
    {"bind-iface", "WESHER_BIND_IFACE", "eth7", "", [](const Options& o) { return o.bind_iface; },
     "", "eth7"},
    {"cluster-port", "WESHER_CLUSTER_PORT", "7000", "7946",
     [](const Options& o) { return std::to_string(o.cluster_port); }, "7946", "7000"},
    {"wireguard-port", "WESHER_WIREGUARD_PORT", "7001", "51820",
     [](const Options& o) { return std::to_string(o.wireguard_port); }, "51820", "7001"},
    {"overlay-net", "WESHER_OVERLAY_NET", "172.20.0.0/16", "10.0.0.0/8",
     [](const Options& o) { return o.overlay_net.text(); }, "10.0.0.0/8", "172.20.0.0/16"},
    {"interface", "WESHER_INTERFACE", "wg7", "wgoverlay",
     [](const Options& o) { return o.interface; }, "wgoverlay", "wg7"},
    {"no-etc-hosts", "WESHER_NO_ETC_HOSTS", "", "false",
     [](const Options& o) { return text(o.no_etc_hosts); }, "false", "true"},
    {"log-level", "WESHER_LOG_LEVEL", "debug", "warn",
     [](const Options& o) { return std::to_string(static_cast<int>(o.log_level)); }, "2", "0"},
};

/// Hidden in the Go program, and options of its forks.
const std::vector<GoOption> kMore = {
    {"ip-as-name", "WESHER_IP_AS_NAME", "", "", [](const Options& o) { return text(o.ip_as_name); },
     "false", "true"},
    {"advertise-addr", "WESHER_ADVERTISE_ADDR", "198.51.100.1", "",
     [](const Options& o) { return text(o.advertise_addr); }, "", "198.51.100.1"},
    {"keepalive-interval", "WESHER_KEEPALIVE_INTERVAL", "30s", "",
     [](const Options& o) { return std::to_string(o.keepalive_s.value_or(0)); }, "0", "30"},
    {"routed-net", "WESHER_ROUTED_NET", "192.168.0.0/24,fd07::/48", "",
     [](const Options& o) { return std::to_string(o.warnings.size()); }, "0", "1"},
};

void check_option(const GoOption& option) {
  INFO(option.flag);
  const bool is_switch = std::string(option.value).empty();
  const std::string flag = std::string("--") + option.flag;
  CHECK(option.read(parse({})) == option.unset);
  CHECK(option.read(parse({flag + "=" + (is_switch ? "true" : option.value)})) == option.set);
  CHECK(option.read(is_switch ? parse({flag}) : parse({flag, option.value})) == option.set);
  CHECK(option.read(parse({}, {{option.variable, is_switch ? "true" : option.value}})) ==
        option.set);
}

TEST_CASE("every option of the Go program is taken with its meaning and default") {
  for (const GoOption& option : kOptions)
    check_option(option);
}

TEST_CASE("options that the Go program hides and those of its forks are taken") {
  for (const GoOption& option : kMore)
    check_option(option);
}

TEST_CASE("the help lists the options of the Go program under their names and defaults") {
  const std::string help = options_help();
  for (const GoOption& option : kOptions) {
    INFO(option.flag);
    const std::size_t at = help.find(std::string("\n  --") + option.flag + " ");
    REQUIRE(at != std::string::npos);
    const std::size_t end = help.find("\n  --", at + 1);
    const std::string entry = help.substr(at, end - at);
    CHECK(entry.find(option.variable) != std::string::npos);
    if (*option.fallback != '\0') {
      CHECK(entry.find(std::string("default: ") + option.fallback + "]") != std::string::npos);
    }
  }
}

TEST_CASE("the levels of the Go program's logger are taken") {
  const auto level = [](const char* word) { return parse({"--log-level", word}).log_level; };
  CHECK(level("trace") == LogLevel::debug);
  CHECK(level("info") == LogLevel::info);
  CHECK(level("WARNING") == LogLevel::warn);
  CHECK(level("fatal") == LogLevel::error);
  CHECK(level("panic") == LogLevel::error);
}

TEST_CASE("networks to be routed are checked and answered with one warning") {
  const Options options = parse({"--routed-net", "192.168.0.0/24"});
  CHECK(options.warnings == std::vector<std::string>{
                                "--routed-net (WESHER_ROUTED_NET) is not supported yet: no network "
                                "behind a host is announced or routed"});
  CHECK(parse({"--routed-net="}, {{"WESHER_ROUTED_NET", "192.168.0.0/24"}}).warnings.empty());
  for (const char* bad : {"192.168.0.0", "x/8", "10.0.0.0/8,192.168.0.0/33"}) {
    const auto refused = parse_options({"--routed-net", bad},
                                       [](const char*) { return std::optional<std::string>{}; });
    REQUIRE_FALSE(refused);
    CHECK(refused.error().detail.ends_with(" is not a network in CIDR form, e.g. 192.168.0.0/24"));
  }
}

}  // namespace
}  // namespace wesher::daemon
