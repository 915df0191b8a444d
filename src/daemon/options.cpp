// Command line over environment over default, then the rules that concern more than one option.
// cxxopts (3.1.1) takes the command line apart; all of its messages are replaced by our own.
#include "daemon/options.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>

#include <cxxopts.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "daemon/option_table.h"
#include "daemon/option_values.h"
#include "mesh/overlay_address.h"

namespace wesher::daemon {

namespace {

constexpr std::string_view kSeeHelp = "; see wesher --help";
constexpr std::uint32_t kMtuMinV6 = 1280;  ///< RFC 8200, section 5

/// A value and the name to blame for it: "--join" or "WESHER_JOIN".
struct Given {
  std::string value;
  std::string source;
  bool by_flag = false;
};

using AllGiven = std::map<std::string_view, Given>;

const OptionRow* row_of(std::string_view name) {
  const auto table = option_table();
  const auto it =
      std::find_if(table.begin(), table.end(), [&](const OptionRow& r) { return r.name == name; });
  return it == table.end() ? nullptr : &*it;
}

std::string flag(std::string_view name) {
  return "--" + std::string(name);
}

/// The sentence for the first argument that is no option and no value of one. Only the part before
/// '=' is ever repeated, and no bare word at all: it may be a key that went astray.
tl::unexpected<Error> not_understood(const std::vector<std::string>& arguments,
                                     const std::string& first) {
  if (first.starts_with('-')) {
    static constexpr std::size_t kNameMax = 32;  // every option is shorter, every key longer
    const std::string name = first.substr(0, first.find('='));
    const std::string what = name.size() > kNameMax ? "" : " " + printable(name);
    return fail(Errc::malformed, fmt::format("unknown option{}{}", what, kSeeHelp));
  }
  const auto at = std::find(arguments.begin(), arguments.end(), first);
  const auto number = at - arguments.begin() + 1;
  if (at != arguments.begin() && at != arguments.end() && std::prev(at)->starts_with("--")) {
    const OptionRow* row = row_of(std::string_view(*std::prev(at)).substr(2));
    if (row != nullptr && row->is_switch()) {
      return fail(
          Errc::malformed,
          fmt::format("{0} takes no value of its own; write {0} or {0}=false", *std::prev(at)));
    }
  }
  return fail(Errc::malformed, fmt::format("argument {} is no option{}", number, kSeeHelp));
}

Result<AllGiven> from_arguments(const std::vector<std::string>& arguments) {
  cxxopts::Options parser("wesher");
  parser.allow_unrecognised_options();
  for (const OptionRow& row : option_table()) {
    const auto value = cxxopts::value<std::string>();
    if (row.is_switch()) value->implicit_value("true");
    parser.add_options()(std::string(row.name), "", value);
  }
  std::vector<const char*> argv = {"wesher"};
  for (const std::string& argument : arguments)
    argv.push_back(argument.c_str());
  try {
    const auto result = parser.parse(static_cast<int>(argv.size()), argv.data());
    if (!result.unmatched().empty()) return not_understood(arguments, result.unmatched().front());
    AllGiven given;
    for (const auto& pair : result.arguments()) {
      const OptionRow* row = row_of(pair.key());
      if (row == nullptr) continue;
      if (pair.value().starts_with("--")) {
        return fail(Errc::malformed, fmt::format("{} needs a value{}", flag(row->name), kSeeHelp));
      }
      Given& entry = given[row->name];
      const bool joins = row->name == "join" && !entry.value.empty();
      entry = {joins ? entry.value + "," + pair.value() : pair.value(), flag(row->name), true};
    }
    return given;
  } catch (const cxxopts::exceptions::missing_argument&) {
    // Only the last argument can lack its value: any other takes the one behind it.
    const std::string name = arguments.empty() ? "" : shown(arguments.back());
    return fail(Errc::malformed, fmt::format("{} needs a value{}", name, kSeeHelp));
  } catch (const std::exception&) {
    return fail(Errc::malformed, fmt::format("the options can't be understood{}", kSeeHelp));
  }
}

std::optional<std::string> variable(const Environment& environment, std::string_view name) {
  auto value = environment(std::string(name).c_str());
  if (value && value->empty()) value.reset();
  return value;
}

void add_variables(AllGiven& given, const Environment& environment) {
  for (const OptionRow& row : option_table()) {
    if (row.variable.empty() || given.contains(row.name)) continue;
    if (auto value = variable(environment, row.variable)) {
      given[row.name] = {std::move(*value), std::string(row.variable), false};
    }
  }
}

/// Of key and key file the command line's beats the environment's; both from one place is an error.
/// Without either, the service manager's credential is the key file.
Result<void> choose_key(AllGiven& given, const Environment& environment) {
  const auto key = given.find("cluster-key");
  const auto file = given.find("cluster-key-file");
  if (key != given.end() && file != given.end()) {
    if (key->second.by_flag == file->second.by_flag) {
      return fail(Errc::malformed, key->second.source + " and " + file->second.source +
                                       " exclude each other; give one");
    }
    given.erase(key->second.by_flag ? file : key);
    return {};
  }
  if (key != given.end() || file != given.end()) return {};
  const auto directory = variable(environment, "CREDENTIALS_DIRECTORY");
  if (!directory) return {};
  const std::string path = *directory + "/cluster-key";
  auto parsed = read_cluster_key(path);
  if (!parsed && parsed.error().os_errno == ENOENT) return {};
  given["cluster-key-file"] = {path, "credential", false};
  return {};
}

Result<void> exclude(const AllGiven& given, std::string_view a, std::string_view b) {
  const auto first = given.find(a);
  const auto second = given.find(b);
  if (first == given.end() || second == given.end()) return {};
  return fail(Errc::malformed, first->second.source + " and " + second->second.source +
                                   " exclude each other; give one");
}

/// The name to blame for an option that was given.
std::string source_of(const AllGiven& given, std::string_view name) {
  const auto it = given.find(name);
  return it == given.end() ? flag(name) : it->second.source;
}

Result<void> check_loopback(const Options& options, const AllGiven& given) {
  if (options.allow_loopback) return {};
  const auto check = [&](std::string_view name,
                         const std::optional<IpAddress>& address) -> Result<void> {
    if (!address || !address->is_loopback()) return {};
    return fail(Errc::malformed, source_of(given, name) + " " + address->text() +
                                     " is a loopback address; other hosts can't reach it");
  };
  if (auto ok = check("bind-addr", options.bind_addr); !ok) return ok;
  return check("advertise-addr", options.advertise_addr);
}

Result<void> check_overlay_ip(const Options& options, const AllGiven& given) {
  if (!options.overlay_ip) return {};
  const IpAddress& address = *options.overlay_ip;
  if (!options.overlay_net.contains(address)) {
    return fail(Errc::malformed,
                fmt::format("{} {} is not in {} {}", source_of(given, "overlay-ip"), address.text(),
                            source_of(given, "overlay-net"), options.overlay_net.text()));
  }
  if (mesh::is_network_address(address, options.overlay_net)) {
    return fail(Errc::malformed, fmt::format("{} {} is the address of the network {} itself",
                                             source_of(given, "overlay-ip"), address.text(),
                                             options.overlay_net.text()));
  }
  return {};
}

/// What must hold between options.
Result<void> check_together(const Options& options, const AllGiven& given) {
  if (auto ok = exclude(given, "bind-addr", "bind-iface"); !ok) return ok;
  if (options.ip_as_name && !options.node_name.empty()) {
    if (auto ok = exclude(given, "node-name", "ip-as-name"); !ok) return ok;
  }
  if (options.cluster_port == options.wireguard_port) {
    return fail(
        Errc::malformed,
        fmt::format("{} and {} are both {}; give two ports", source_of(given, "cluster-port"),
                    source_of(given, "wireguard-port"), options.cluster_port));
  }
  const auto nets = options.accepted_nets();
  const bool v6 =
      std::any_of(nets.begin(), nets.end(), [](const Prefix& net) { return net.address.is_v6(); });
  if (options.mtu && *options.mtu < kMtuMinV6 && v6) {
    return fail(Errc::malformed, fmt::format("{} {} is too small for an IPv6 overlay: at least {}",
                                             source_of(given, "mtu"), *options.mtu, kMtuMinV6));
  }
  if (auto ok = check_overlay_ip(options, given); !ok) return ok;
  return check_loopback(options, given);
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const Environment& environment) {
  auto given = from_arguments(arguments);
  if (!given) return tl::unexpected(given.error());
  add_variables(*given, environment);
  // An empty value on the command line hides the variable and leaves the default.
  std::erase_if(*given, [](const auto& entry) { return entry.second.value.empty(); });
  if (auto ok = choose_key(*given, environment); !ok) return tl::unexpected(ok.error());

  Options options;
  for (const OptionRow& row : option_table()) {
    const auto it = given->find(row.name);
    if (it == given->end()) continue;
    if (auto ok = row.set(options, it->second.value); !ok) {
      return fail(ok.error().code, it->second.source + " " + ok.error().detail);
    }
  }
  if (auto ok = check_together(options, *given); !ok) return tl::unexpected(ok.error());

  const bool by_systemd = variable(environment, "INVOCATION_ID").has_value();
  options.under_service_manager = by_systemd || variable(environment, "NOTIFY_SOCKET").has_value();
  if (options.init == InitRequest::typed && (by_systemd || !given->at("init").by_flag)) {
    options.init = InitRequest::automatic;
  }
  return options;
}

std::vector<Prefix> Options::accepted_nets() const {
  std::vector<Prefix> nets{overlay_net};
  nets.insert(nets.end(), older_nets.begin(), older_nets.end());
  return nets;
}

namespace {

/// A whole number of the largest unit that leaves no rest: "5m", "72h", "90s".
std::string span_text(Duration span) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  if (seconds % 3600 == 0 && seconds != 0) return fmt::format("{}h", seconds / 3600);
  if (seconds % 60 == 0 && seconds != 0) return fmt::format("{}m", seconds / 60);
  return fmt::format("{}s", seconds);
}

/// As --advertise-addr takes it.
std::string advertised(const Options& options) {
  if (!options.advertise_addr) return "";
  if (!options.advertise_port) return options.advertise_addr->text();
  return Endpoint{*options.advertise_addr, *options.advertise_port}.text();
}

std::string nets_text(const std::vector<Prefix>& nets) {
  std::string text;
  for (const Prefix& net : nets)
    text += (text.empty() ? "" : ",") + net.text();
  return text;
}

}  // namespace

std::map<std::string, std::string> Options::effective() const {
  static constexpr std::array kLevels = {"debug", "info", "warn", "error"};
  static constexpr std::array kBackends = {"auto", "kernel", "userspace"};
  const auto yes = [](bool on) { return on ? "true" : "false"; };
  const auto address = [](const std::optional<IpAddress>& a) { return a ? a->text() : ""; };
  return {
      {"advertise-addr", advertised(*this)},
      {"allow-overlap", yes(allow_overlap)},
      {"backend", kBackends.at(static_cast<std::size_t>(backend))},
      {"bind-addr", address(bind_addr)},
      {"bind-iface", bind_iface},
      {"cluster-port", std::to_string(cluster_port)},
      {"failed-retention", failed_retention ? span_text(*failed_retention) : ""},
      {"interface", interface},
      {"ip-as-name", yes(ip_as_name)},
      {"join", fmt::format("{}", fmt::join(join, ","))},
      {"keepalive-interval", keepalive_s ? fmt::format("{}s", *keepalive_s) : ""},
      {"log-level", kLevels.at(static_cast<std::size_t>(log_level))},
      {"meta-format",
       meta_format ? fmt::format("f{}", static_cast<unsigned>(*meta_format) + 1) : ""},
      {"mtu", mtu ? std::to_string(*mtu) : ""},
      {"no-etc-hosts", yes(no_etc_hosts)},
      {"node-name", node_name},
      {"on-stop", on_stop == OnStop::keep ? "keep" : "leave"},
      {"overlay-ip", address(overlay_ip)},
      {"overlay-net", nets_text(accepted_nets())},
      {"pool-wait", yes(pool_wait)},
      {"static", fmt::format("{}", fmt::join(static_members, ","))},
      {"takeover-after", takeover_after ? span_text(*takeover_after) : "never"},
      {"wireguard-port", std::to_string(wireguard_port)},
  };
}

namespace {

constexpr std::size_t kHelpColumn = 26;  ///< where descriptions begin
constexpr std::size_t kHelpWidth = 80;

/// "[VARIABLE; default: words]", in two lines if one is too long.
std::string origin(const OptionRow& row) {
  if (row.fallback.empty()) return fmt::format("[{}]", row.variable);
  std::string line = fmt::format("[{}; default: {}]", row.variable, row.fallback);
  if (kHelpColumn + line.size() <= kHelpWidth) return line;
  return fmt::format("[{};\n default: {}]", row.variable, row.fallback);
}

}  // namespace

std::string options_help() {
  std::string text =
      "Options, each with its variable; the command line wins over the environment:\n";
  for (const OptionRow& row : option_table()) {
    if (row.is_hidden()) continue;
    std::string head = "  " + flag(row.name);
    if (!row.is_switch()) head += " " + std::string(row.argument);
    const std::string lines = std::string(row.help) + "\n" + origin(row);
    if (head.size() + 2 > kHelpColumn) {
      text += head + "\n";
      head.clear();
    }
    for (std::size_t at = 0; at <= lines.size();) {
      const std::size_t end = std::min(lines.find('\n', at), lines.size());
      text += fmt::format("{:<{}}{}\n", head, kHelpColumn, lines.substr(at, end - at));
      head.clear();
      at = end + 1;
    }
  }
  return text;
}

}  // namespace wesher::daemon
