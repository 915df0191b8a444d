// parse_options(): names, variables, defaults, precedence, and one exact line for every bad input.
#include "daemon/options.h"

#include <fstream>

#include <catch2/catch.hpp>

#include "tests/daemon/temporary_directory.h"

namespace wesher::daemon {
namespace {

using Arguments = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

const std::string key_text = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const std::string other_key_text = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

Result<Options> parse(const Arguments& arguments, const Variables& variables = {}) {
  return parse_options(arguments, [&](const char* name) -> std::optional<std::string> {
    const auto it = variables.find(name);
    if (it == variables.end()) return std::nullopt;
    return it->second;
  });
}

Options good(const Arguments& arguments, const Variables& variables = {}) {
  auto options = parse(arguments, variables);
  INFO((options ? "" : options.error().detail));
  REQUIRE(options.has_value());
  return std::move(*options);
}

std::string bad(const Arguments& arguments, const Variables& variables = {}) {
  const auto options = parse(arguments, variables);
  if (options) return "accepted";
  CHECK(options.error().code == Errc::malformed);
  return options.error().detail;
}

std::string key_of(const Options& options) {
  return options.cluster_key ? options.cluster_key->reveal_base64() : "none";
}

/// A directory in which tests put key files.
class Directory : public TemporaryDirectory {
 public:
  [[nodiscard]] std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(path() + "/" + name, std::ios::binary) << content;
    return path() + "/" + name;
  }
};

TEST_CASE("without arguments and variables the defaults are those of the Go program") {
  const Options o = good({});
  CHECK(key_of(o) == "none");
  CHECK(o.join.empty());
  CHECK(o.init == InitRequest::none);
  CHECK_FALSE(o.bind_addr);
  CHECK(o.bind_iface.empty());
  CHECK(o.cluster_port == 7946);
  CHECK(o.wireguard_port == 51820);
  CHECK(o.overlay_net.text() == "10.0.0.0/8");
  CHECK(o.interface == "wgoverlay");
  CHECK_FALSE(o.interface_given);
  CHECK_FALSE(o.no_etc_hosts);
  CHECK(o.log_level == LogLevel::warn);
  CHECK(o.on_stop == OnStop::leave);
  CHECK(o.backend == system::BackendChoice::automatic);
  CHECK_FALSE(o.mtu);
  CHECK_FALSE(o.keepalive_s);
  CHECK_FALSE(o.overlay_ip);
  CHECK_FALSE(o.allow_overlap);
  CHECK(o.pool_wait);
  CHECK(o.takeover_after == std::chrono::minutes{5});
  CHECK_FALSE(o.failed_retention);  // by lifetime
  CHECK(o.static_members.empty());
  CHECK(o.timers_divided_by == 1);
  CHECK_FALSE(o.under_service_manager);
}

/// Checks values that are all unlike the defaults.
void check_all(const Options& o) {
  CHECK(key_of(o) == key_text);
  CHECK(o.join == Arguments{"a.example", "192.0.2.1:7000", "[2001:db8::1]:7000", "2001:db8::2"});
  CHECK(o.init != InitRequest::none);
  CHECK(o.bind_addr->text() == "192.0.2.9");
  CHECK(o.advertise_addr->text() == "198.51.100.9");
  CHECK(o.advertise_port == 7002);
  CHECK(o.cluster_port == 7000);
  CHECK(o.wireguard_port == 7001);
  CHECK(o.overlay_net.text() == "10.32.0.0/12");
  CHECK(o.older_nets == std::vector{Prefix{IpAddress::v4(10, 64, 0, 0), 16}});
  CHECK(o.accepted_nets().size() == 2);
  CHECK(o.overlay_ip->text() == "10.33.0.9");
  CHECK(o.allow_overlap);
  CHECK_FALSE(o.pool_wait);
  CHECK(o.keepalive_s == 25);
  CHECK(o.takeover_after == std::chrono::seconds{90});
  CHECK(o.failed_retention == std::chrono::days{7});
  CHECK(o.static_members == Arguments{"db1", "gw.example"});
  CHECK(o.interface == "wg-mesh");
  CHECK(o.interface_given);
  CHECK(o.mtu == 1380U);
  CHECK(o.backend == system::BackendChoice::userspace);
  CHECK(o.node_name == "web1.example");
  CHECK(o.no_etc_hosts);
  CHECK(o.on_stop == OnStop::keep);
  CHECK(o.meta_format == MetaFormat::f3);
  CHECK(o.log_level == LogLevel::debug);
}

const Variables all_variables = {
    {"WESHER_CLUSTER_KEY", key_text},
    {"WESHER_JOIN", "a.example,192.0.2.1:7000,[2001:db8::1]:7000, 2001:db8::2,"},
    {"WESHER_INIT", "1"},
    {"WESHER_BIND_ADDR", "192.0.2.9"},
    {"WESHER_ADVERTISE_ADDR", "198.51.100.9:7002"},
    {"WESHER_CLUSTER_PORT", "7000"},
    {"WESHER_WIREGUARD_PORT", "7001"},
    {"WESHER_OVERLAY_NET", "10.42.1.2/12, 10.64.0.0/16"},
    {"WESHER_OVERLAY_IP", "10.33.0.9"},
    {"WESHER_ALLOW_OVERLAP", "1"},
    {"WESHER_POOL_WAIT", "0"},
    {"WESHER_KEEPALIVE_INTERVAL", "25s"},
    {"WESHER_TAKEOVER_AFTER", "1m30s"},
    {"WESHER_FAILED_RETENTION", "7d"},
    {"WESHER_STATIC", "db1,gw.example,"},
    {"WESHER_INTERFACE", "wg-mesh"},
    {"WESHER_MTU", "1380"},
    {"WESHER_BACKEND", "userspace"},
    {"WESHER_NODE_NAME", "web1.example"},
    {"WESHER_NO_ETC_HOSTS", "T"},
    {"WESHER_ON_STOP", "keep"},
    {"WESHER_META_FORMAT", "f3"},
    {"WESHER_LOG_LEVEL", "DEBUG"}};

/// "WESHER_CLUSTER_PORT" → "--cluster-port".
std::string option_name(const std::string& variable) {
  std::string name = "--";
  for (const char c : variable.substr(std::string("WESHER_").size()))
    name.push_back(c == '_' ? '-' : static_cast<char>(c | 0x20));
  return name;
}

TEST_CASE("every option can be given by its variable") {
  const Options o = good({}, all_variables);
  check_all(o);
  CHECK(o.init == InitRequest::automatic);
}

TEST_CASE("every option can be given behind its name or behind an equals sign") {
  Arguments equals;
  Arguments separate;
  for (const auto& [variable, value] : all_variables) {
    const std::string name = option_name(variable);
    equals.push_back(name + "=" + value);
    separate.push_back(name);
    if (name == "--init" || name == "--no-etc-hosts" || name == "--allow-overlap") continue;
    separate.push_back(value);
  }
  check_all(good(equals));
  check_all(good(separate));
}

TEST_CASE("the command line goes before the environment") {
  CHECK(good({"--cluster-port", "7000"}, {{"WESHER_CLUSTER_PORT", "7100"}}).cluster_port == 7000);
  CHECK(good({"--init=false"}, {{"WESHER_INIT", "true"}}).init == InitRequest::none);
  CHECK(good({"--join", "a"}, {{"WESHER_JOIN", "b"}}).join == Arguments{"a"});
  CHECK(good({"--log-level", "error"}, {{"WESHER_LOG_LEVEL", "nonsense"}}).log_level ==
        LogLevel::error);
}

TEST_CASE("an empty variable is unset and an empty argument is the default") {
  CHECK(good({}, {{"WESHER_INTERFACE", ""}, {"WESHER_INIT", ""}}).interface == "wgoverlay");
  CHECK(good({"--join", ""}, {{"WESHER_JOIN", "b"}}).join.empty());
  CHECK(good({"--cluster-key="}, {{"WESHER_CLUSTER_KEY", key_text}}).cluster_key == std::nullopt);
}

TEST_CASE("join adds up over repetitions and other options take the last one") {
  CHECK(good({"--join", "a,b", "--join=c"}).join == Arguments{"a", "b", "c"});
  CHECK(good({"--cluster-port=1", "--cluster-port=2"}).cluster_port == 2);
}

TEST_CASE("seeds may be host names and addresses with and without ports") {
  CHECK(good({"--join", "db_1.svc.,10.0.0.1,::1,[::1],[::1]:1,h:65535"}).join.size() == 6);
  for (const char* seed : {"a b", "a:0", "a:65536", "a:", "[::1", "[::1]x", "[10.0.0.1]:1", ":7946",
                           "http://a", "-a", "a/b", "fe80::1%eth0", "[a]:1"}) {
    CHECK(bad({"--join", std::string("ok,") + seed}) ==
          "--join " + std::string(seed) + " is not HOST, HOST:PORT or [IPV6]:PORT");
  }
}

TEST_CASE("booleans are read as Go reads them") {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    CHECK(good({}, {{"WESHER_NO_ETC_HOSTS", yes}}).no_etc_hosts);
    CHECK(good({std::string("--no-etc-hosts=") + yes}).no_etc_hosts);
  }
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    CHECK_FALSE(good({}, {{"WESHER_NO_ETC_HOSTS", no}}).no_etc_hosts);
  }
  for (const char* neither : {"yes", "on", "tRUE", "2", " 1"}) {
    CHECK(bad({}, {{"WESHER_NO_ETC_HOSTS", neither}}) ==
          "WESHER_NO_ETC_HOSTS " + std::string(neither) + ": must be true or false");
  }
  CHECK(bad({"--init=maybe"}) == "--init maybe: must be true or false");
}

TEST_CASE("init is typed only on a command line without a service manager") {
  CHECK(good({"--init"}).init == InitRequest::typed);
  CHECK(good({"--init"}, {{"INVOCATION_ID", "x"}}).init == InitRequest::automatic);
  CHECK(good({}, {{"WESHER_INIT", "true"}}).init == InitRequest::automatic);
  CHECK(good({}, {{"WESHER_INIT", "0"}, {"INVOCATION_ID", "x"}}).init == InitRequest::none);
}

TEST_CASE("a service manager is known by either of its variables") {
  CHECK(good({}, {{"INVOCATION_ID", "x"}}).under_service_manager);
  CHECK(good({}, {{"NOTIFY_SOCKET", "/run/x"}}).under_service_manager);
  CHECK_FALSE(good({}, {{"NOTIFY_SOCKET", ""}}).under_service_manager);
}

TEST_CASE("a bad cluster key is described and never repeated") {
  const std::string not_base64 = " is not base64: it must be 32 bytes in base64 (44 characters)";
  CHECK(bad({"--cluster-key", "sec.ret"}) == "--cluster-key" + not_base64);
  CHECK(bad({}, {{"WESHER_CLUSTER_KEY", "sec.ret"}}) == "WESHER_CLUSTER_KEY" + not_base64);
  CHECK(bad({"--cluster-key", key_text.substr(0, 43)}) == "--cluster-key" + not_base64);
  CHECK(bad({"--cluster-key", "AAAAAAAAAAAAAAAAAAAAAA=="}) ==
        "--cluster-key is 16 bytes, must be 32");
}

TEST_CASE("a key that went to another option is not repeated") {
  for (const char* option : {"--join", "--bind-addr", "--cluster-port", "--overlay-net",
                             "--interface", "--mtu", "--backend", "--node-name", "--log-level",
                             "--init", "--on-stop", "--advertise-addr", "--bind-iface"}) {
    const std::string message = bad({std::string(option) + "=" + key_text});
    INFO(message);
    CHECK(message.starts_with(std::string(option) + " (a key, not shown)"));
  }
  CHECK(bad({"--cluster-ky=" + key_text}) == "unknown option --cluster-ky; see wesher --help");
  CHECK(bad({"--" + key_text}) == "unknown option; see wesher --help");
  CHECK(bad({"--cluster-key=", key_text}) == "argument 2 is no option; see wesher --help");
  CHECK(bad({"--init", key_text}) ==
        "--init takes no value of its own; write --init or --init=false");
}

TEST_CASE("the cluster key is read from a file") {
  const Directory directory;
  CHECK(key_of(good({"--cluster-key-file", directory.file("a", key_text)})) == key_text);
  CHECK(key_of(good({}, {{"WESHER_CLUSTER_KEY_FILE", directory.file("b", key_text + "\r\n\n")}})) ==
        key_text);
  CHECK(key_of(good({"--cluster-key-file", directory.file("c", " \n" + key_text + "\n")})) ==
        key_text);
}

TEST_CASE("a key file that holds no key is named with what is wrong") {
  const Directory directory;
  const auto message = [&](const std::string& content) {
    const std::string path = directory.file("k", content);
    const std::string text = bad({"--cluster-key-file=" + path});
    const std::string head = "--cluster-key-file " + path + " ";
    REQUIRE(text.starts_with(head));
    return text.substr(head.size());
  };
  CHECK(message("") == "is empty");
  CHECK(message("\n \t\r\n") == "is empty");
  CHECK(message("hunter-2\n") == "is not base64: it must be 32 bytes in base64 (44 characters)");
  CHECK(message(key_text + "\n" + key_text) ==
        "is not base64: it must be 32 bytes in base64 (44 characters)");
  CHECK(message("AAAA") == "is 3 bytes, must be 32");
  CHECK(message(key_text + std::string(5000, '\n')) ==
        "is larger than 4096 bytes; it must hold the key alone");
  CHECK(good({"--cluster-key-file=" + directory.file("k", key_text + std::string(4096 - 44, '\n'))})
            .cluster_key.has_value());
}

TEST_CASE("a key file that cannot be read is named with the reason") {
  const Directory directory;
  CHECK(bad({"--cluster-key-file", directory.path() + "/none"}) ==
        "--cluster-key-file " + directory.path() +
            "/none cannot be read: No such file or directory");
  CHECK(bad({"--cluster-key-file", directory.path()}) ==
        "--cluster-key-file " + directory.path() + " cannot be read: Is a directory");
}

TEST_CASE("the service manager's credential counts when no key is given otherwise") {
  const Directory directory;
  const Variables credential = {{"CREDENTIALS_DIRECTORY", directory.path()}};
  CHECK(key_of(good({}, credential)) == "none");
  (void)directory.file("cluster-key", key_text + "\n");
  CHECK(key_of(good({}, credential)) == key_text);
  CHECK(key_of(good({"--cluster-key", other_key_text}, credential)) == other_key_text);
  (void)directory.file("cluster-key", "x y");
  CHECK(bad({}, credential) ==
        "credential " + directory.path() +
            "/cluster-key is not base64: it must be 32 bytes in base64 (44 characters)");
}

TEST_CASE("key and key file exclude each other unless one is on the command line alone") {
  const Directory directory;
  const std::string file = directory.file("k", other_key_text);
  CHECK(bad({"--cluster-key", key_text, "--cluster-key-file", file}) ==
        "--cluster-key and --cluster-key-file exclude each other; give one");
  CHECK(bad({}, {{"WESHER_CLUSTER_KEY", key_text}, {"WESHER_CLUSTER_KEY_FILE", file}}) ==
        "WESHER_CLUSTER_KEY and WESHER_CLUSTER_KEY_FILE exclude each other; give one");
  CHECK(key_of(good({"--cluster-key-file", file}, {{"WESHER_CLUSTER_KEY", key_text}})) ==
        other_key_text);
  CHECK(key_of(good({"--cluster-key", key_text}, {{"WESHER_CLUSTER_KEY_FILE", "/none"}})) ==
        key_text);
}

struct BadCase {
  Arguments arguments;
  std::string message;
};

TEST_CASE("every bad value ends with one line that names the option and the remedy") {
  const std::string interface =
      " is not an interface name: 1 to 15 ASCII characters without blanks, '/', ':' or '%'";
  const std::string name =
      " is not a hostname: letters, digits and inner hyphens, parts of 1 to 63 characters joined "
      "by dots, at most 253 in all";
  const std::vector<BadCase> cases = {
      {{"--overlay-net", "10.0.0.0"},
       "--overlay-net 10.0.0.0 has no /LENGTH; give it in CIDR form, e.g. 10.0.0.0/8"},
      {{"--overlay-net", "net/8"},
       "--overlay-net net/8 does not start with an IP address; give it in CIDR form, e.g. "
       "10.0.0.0/8"},
      {{"--overlay-net", "10.0.0.0/7"},
       "--overlay-net 10.0.0.0/7 has a bad /LENGTH: 8 to 32 for IPv4"},
      {{"--overlay-net", "10.0.0.0/33"},
       "--overlay-net 10.0.0.0/33 has a bad /LENGTH: 8 to 32 for IPv4"},
      {{"--overlay-net", "fd00::/129"},
       "--overlay-net fd00::/129 has a bad /LENGTH: 8 to 128 for IPv6"},
      {{"--overlay-net", "fd00::/"}, "--overlay-net fd00::/ has a bad /LENGTH: 8 to 128 for IPv6"},
      {{"--overlay-net", "127.0.0.0/8"},
       "--overlay-net 127.0.0.0/8 has no addresses for hosts; take a private one, e.g. 10.0.0.0/8"},
      {{"--overlay-net", "0.1.2.3/8"},
       "--overlay-net 0.1.2.3/8 has no addresses for hosts; take a private one, e.g. 10.0.0.0/8"},
      {{"--bind-addr", "192.0.2.1", "--bind-iface", "eth0"},
       "--bind-addr and --bind-iface exclude each other; give one"},
      {{"--bind-addr", "1.2.3"}, "--bind-addr 1.2.3 is not an IP address"},
      {{"--bind-addr", "224.0.0.1"}, "--bind-addr 224.0.0.1 is not the address of one host"},
      {{"--bind-addr", "127.0.0.1"},
       "--bind-addr 127.0.0.1 is a loopback address; other hosts can't reach it"},
      {{"--advertise-addr", "::1"},
       "--advertise-addr ::1 is a loopback address; other hosts can't reach it"},
      {{"--advertise-addr", "[192.0.2.1]:1"},
       "--advertise-addr [192.0.2.1]:1 is not ADDR, ADDR:PORT or [IPV6]:PORT"},
      {{"--advertise-addr", "192.0.2.1:0"},
       "--advertise-addr 192.0.2.1:0 is not ADDR, ADDR:PORT or [IPV6]:PORT"},
      {{"--advertise-addr", "[2001:db8::1]x"},
       "--advertise-addr [2001:db8::1]x is not ADDR, ADDR:PORT or [IPV6]:PORT"},
      {{"--advertise-addr", "host:1"}, "--advertise-addr host is not an IP address"},
      {{"--overlay-net", "10.0.0.0/8,10.1.2.3/8"}, "--overlay-net 10.1.2.3/8 is given twice"},
      {{"--overlay-net", ","}, "--overlay-net ,: must be 1 to 8 networks"},
      {{"--overlay-ip", "192.0.2.1"}, "--overlay-ip 192.0.2.1 is not in --overlay-net 10.0.0.0/8"},
      {{"--overlay-ip", "10.9.0.0", "--overlay-net", "10.9.0.0/24"},
       "--overlay-ip 10.9.0.0 is the address of the network 10.9.0.0/24 itself"},
      {{"--pool-wait", "5m"}, "--pool-wait 5m: must be true or false"},
      {{"--pool-wait"}, "--pool-wait needs a value; see wesher --help"},
      {{"--keepalive-interval", "65536s"},
       "--keepalive-interval 65536s is out of range: 0s to 18h"},
      {{"--keepalive-interval", "25"},
       "--keepalive-interval 25 is no span of time: 45s, 15m, 1m30s, 2h or 3d"},
      {{"--takeover-after", "29s"}, "--takeover-after 29s is out of range: 30s to 365d, or never"},
      {{"--takeover-after", "soon"},
       "--takeover-after soon is no span of time: 45s, 15m, 1m30s, 2h or 3d, or never"},
      {{"--failed-retention", "9m"}, "--failed-retention 9m is out of range: 10m to 365d"},
      {{"--failed-retention", "1h5"},
       "--failed-retention 1h5 is no span of time: 45s, 15m, 1m30s, 2h or 3d"},
      {{"--static", "db1,a_b"}, "--static a_b" + name},
      {{"--test-timers", "0"}, "--test-timers 0 is out of range: 1 to 1000"},
      {{"--advertise-addr", "0.0.0.0"}, "--advertise-addr 0.0.0.0 is not the address of one host"},
      {{"--foo"}, "unknown option --foo; see wesher --help"},
      {{"-j", "a"}, "unknown option -j; see wesher --help"},
      {{"status"}, "argument 1 is no option; see wesher --help"},
      {{"--init", "false"}, "--init takes no value of its own; write --init or --init=false"},
      {{"--join"}, "--join needs a value; see wesher --help"},
      {{"--interface", "--init"}, "--interface needs a value; see wesher --help"},
      {{"--meta-format", "f4"}, "--meta-format f4: must be f1, f2 or f3"},
      {{"--meta-format", "f\x11"}, "--meta-format f\\x11: must be f1, f2 or f3"},
      {{"--log-level", "loud"}, "--log-level loud: must be debug, info, warn or error"},
      {{"--log-level", "e\x1b[m"}, "--log-level e\\x1b[m: must be debug, info, warn or error"},
      {{"--cluster-port", "70000"}, "--cluster-port 70000 is out of range: 1 to 65535"},
      {{"--cluster-port", "0"}, "--cluster-port 0 is out of range: 1 to 65535"},
      {{"--cluster-port", "-1"}, "--cluster-port -1 is out of range: 1 to 65535"},
      {{"--cluster-port", "99999999999999999999"},
       "--cluster-port 99999999999999999999 is out of range: 1 to 65535"},
      {{"--wireguard-port", "0x10"}, "--wireguard-port 0x10 is not a number: 1 to 65535"},
      {{"--wireguard-port", "51820 "}, "--wireguard-port 51820  is not a number: 1 to 65535"},
      {{"--wireguard-port", "7946"},
       "--cluster-port and --wireguard-port are both 7946; give two ports"},
      {{"--interface", "sixteen-letters-"}, "--interface sixteen-letters-" + interface},
      {{"--interface", "a/b"}, "--interface a/b" + interface},
      {{"--interface", "a b"}, "--interface a b" + interface},
      {{"--interface", ".."}, "--interface .." + interface},
      {{"--interface", "wg%d"}, "--interface wg%d" + interface},
      {{"--interface", "-x"}, "--interface -x" + interface},
      {{"--bind-iface", "a/b"}, "--bind-iface a/b" + interface},
      {{"--mtu", "575"}, "--mtu 575 is out of range: 576 to 65535"},
      {{"--mtu", "65536"}, "--mtu 65536 is out of range: 576 to 65535"},
      {{"--mtu", "1279", "--overlay-net", "fd00::/64"},
       "--mtu 1279 is too small for an IPv6 overlay: at least 1280"},
      {{"--node-name", "a_b"}, "--node-name a_b" + name},
      {{"--node-name", "a", "--ip-as-name"},
       "--node-name and --ip-as-name exclude each other; give one"},
      {{"--backend", "dpdk"}, "--backend dpdk: must be auto, kernel or userspace"},
      {{"--on-stop", "die"}, "--on-stop die: must be leave or keep"},
      {{"--test-adopt-seconds", "3601"}, "--test-adopt-seconds 3601 is out of range: 0 to 3600"},
  };
  for (const BadCase& c : cases)
    CHECK(bad(c.arguments) == c.message);
}

TEST_CASE("a bad variable is named instead of the option") {
  CHECK(bad({}, {{"WESHER_CLUSTER_PORT", "x"}}) ==
        "WESHER_CLUSTER_PORT x is not a number: 1 to 65535");
  CHECK(bad({"--bind-iface", "eth0"}, {{"WESHER_BIND_ADDR", "192.0.2.1"}}) ==
        "WESHER_BIND_ADDR and --bind-iface exclude each other; give one");
}

TEST_CASE("values at the bounds are taken") {
  CHECK(good({"--cluster-port", "1", "--wireguard-port", "65535"}).cluster_port == 1);
  CHECK(good({"--mtu", "576"}).mtu == 576U);
  CHECK(good({"--mtu", "1280", "--overlay-net", "fd00::1/8"}).overlay_net.text() == "fd00::/8");
  CHECK(good({"--overlay-net", "192.168.7.9/32"}).overlay_net.text() == "192.168.7.9/32");
  CHECK(good({"--interface", "fifteen-letters"}).interface == "fifteen-letters");
  CHECK(good({"--log-level", "Warning"}).log_level == LogLevel::warn);
  CHECK(good({"--meta-format", "F1"}).meta_format == MetaFormat::f1);
  CHECK_FALSE(good({}).meta_format);
  CHECK(good({"--bind-addr", "0.0.0.0"}).bind_addr->is_unspecified());
  CHECK(good({"--keepalive-interval", "0"}).keepalive_s == 0);
  CHECK(good({"--keepalive-interval", "65535s"}).keepalive_s == 65535);
  CHECK_FALSE(good({"--takeover-after", "never"}).takeover_after);
  CHECK(good({"--pool-wait", "true"}).pool_wait);
  CHECK_FALSE(good({"--advertise-addr", "2001:db8::1"}).advertise_port);
  CHECK(good({"--advertise-addr", "[2001:db8::1]:7000"}).advertise_addr->text() == "2001:db8::1");
  CHECK(good({"--advertise-addr", "[2001:db8::1]:7000"}).advertise_port == 7000);
}

TEST_CASE("the hidden options are taken") {
  const Options o = good({"--test-allow-loopback", "--test-adopt-seconds", "3", "--ip-as-name",
                          "--bind-addr=127.0.0.2", "--test-timers", "20"});
  CHECK(o.allow_loopback);
  CHECK(o.adopt_for == std::chrono::seconds{3});
  CHECK(o.ip_as_name);
  CHECK(o.timers_divided_by == 20);
  CHECK(o.bind_addr->text() == "127.0.0.2");
}

TEST_CASE("the effective options name every lasting option and no key") {
  const auto effective = good({}, all_variables).effective();
  const std::map<std::string, std::string> expected = {
      {"advertise-addr", "198.51.100.9:7002"},
      {"allow-overlap", "true"},
      {"backend", "userspace"},
      {"bind-addr", "192.0.2.9"},
      {"bind-iface", ""},
      {"cluster-port", "7000"},
      {"failed-retention", "168h"},
      {"interface", "wg-mesh"},
      {"ip-as-name", "false"},
      {"join", "a.example,192.0.2.1:7000,[2001:db8::1]:7000,2001:db8::2"},
      {"keepalive-interval", "25s"},
      {"log-level", "debug"},
      {"meta-format", "f3"},
      {"mtu", "1380"},
      {"no-etc-hosts", "true"},
      {"node-name", "web1.example"},
      {"on-stop", "keep"},
      {"overlay-ip", "10.33.0.9"},
      {"overlay-net", "10.32.0.0/12,10.64.0.0/16"},
      {"pool-wait", "false"},
      {"static", "db1,gw.example"},
      {"takeover-after", "90s"},
      {"wireguard-port", "7001"},
  };
  CHECK(effective == expected);
}

TEST_CASE("the help text shows every option with variable and default in 80 columns") {
  const std::string help = options_help();
  CHECK(help.find("  --cluster-port PORT     port of the membership protocol, UDP and TCP; the\n"
                  "                          same on all hosts\n"
                  "                          [WESHER_CLUSTER_PORT; default: 7946]\n") !=
        std::string::npos);
  CHECK(help.find("  --init                  start anew: forget key and members of previous runs\n"
                  "                          [WESHER_INIT; default: false]\n") !=
        std::string::npos);
  CHECK(help.find("  --backend auto|kernel|userspace\n"
                  "                          which WireGuard to use\n") != std::string::npos);
  CHECK(help.find("[WESHER_BIND_IFACE]\n") != std::string::npos);
  for (const auto& [variable, value] : all_variables) {
    CHECK(help.find("  " + option_name(variable)) != std::string::npos);
    CHECK(help.find("[" + variable) != std::string::npos);
  }
  for (const char* hidden : {"ip-as-name", "IP_AS_NAME", "test-"}) {
    CHECK(help.find(hidden) == std::string::npos);
  }
  for (std::size_t at = 0; at < help.size(); at = help.find('\n', at) + 1)
    CHECK(help.find('\n', at) - at <= 80);
}

}  // namespace
}  // namespace wesher::daemon
