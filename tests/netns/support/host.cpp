#include "netns/support/host.h"

#include <algorithm>
#include <functional>
#include <sstream>
#include <stdexcept>

#include <net/if.h>
#include <nlohmann/json.hpp>

#include "netns/support/inside.h"
#include "netns/support/settings.h"

namespace wesher::netns {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

std::vector<std::string> fields_of(const std::string& line, char separator) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, separator);)
    fields.push_back(field);
  return fields;
}

std::string last_lines(const std::string& text, std::size_t count) {
  const std::vector<std::string> lines = lines_of(text);
  std::string out;
  for (std::size_t i = lines.size() > count ? lines.size() - count : 0; i < lines.size(); ++i)
    out += "    " + lines[i] + "\n";
  return out;
}

// Name, mode and a hash of the content of every file below a folder. A folder that holds nothing is
// no state.
std::string folder_fingerprint(const std::string& folder) {
  std::string out;
  std::error_code gone;
  if (!fs::exists(folder, gone)) return "";
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() == ".lock") continue;
    std::ostringstream line;
    line << "  " << fs::relative(entry.path(), folder).string() << " " << std::oct
         << static_cast<unsigned>(entry.status().permissions());
    line << " " << std::hex << std::hash<std::string>()(read_file(entry.path()));
    lines.push_back(line.str());
  }
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines)
    out += line + "\n";
  return out;
}

}  // namespace

std::string Host::path(const std::string& inside) const {
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"/etc/", "/etc/"},
                                 {"/run/", "/run/"},
                                 {"/var/run/", "/run/"},
                                 {"/var/lib/", "/lib/"}})
    if (inside.rfind(from, 0) == 0) return folder_ + to + inside.substr(from.size());
  throw std::runtime_error(inside + " is not a folder of the host's own");
}

SpawnOptions Host::inside() const {
  SpawnOptions options;
  options.namespaces = namespaces_;
  options.environment = {std::string("PATH=") + kToolPath, "HOME=/root"};
  return options;
}

namespace {

// The plain environment with these variables instead of those of the same name.
void override_with(std::vector<std::string>& environment,
                   const std::vector<std::string>& variables) {
  for (const std::string& variable : variables) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    std::erase_if(environment, [&](const std::string& old) { return old.rfind(name, 0) == 0; });
    environment.push_back(variable);
  }
}

}  // namespace

Output Host::exec(const std::vector<std::string>& argv,
                  const std::string& input,
                  std::chrono::milliseconds bound) const {
  return run(argv, inside(), input, bound);
}

Output Host::exec_with(const std::vector<std::string>& variables,
                       const std::vector<std::string>& argv) const {
  SpawnOptions options = inside();
  override_with(options.environment, variables);
  return run(argv, options);
}

Output Host::wesher(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv{program_};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return exec(argv);
}

Process Host::start(const std::string& name,
                    const std::vector<std::string>& argv,
                    const std::vector<std::string>& variables) const {
  SpawnOptions options = inside();
  override_with(options.environment, variables);
  options.out = path("/run/" + name + ".out");
  options.err = path("/run/" + name + ".err");
  return spawn(argv, options);
}

void Host::install_program() {
  const std::string installed = "/var/lib/wesher-program";
  const std::string fresh = path(installed + ".new");
  fs::copy_file(settings().wesher, fresh, fs::copy_options::overwrite_existing);
  fs::rename(fresh, path(installed));
  program_ = installed;
}

void Host::start_daemon(const std::vector<std::string>& arguments,
                        const std::vector<std::string>& variables,
                        const std::string& label) {
  if (daemons_[label].running()) throw std::runtime_error(label + " runs already on " + name_);
  std::vector<std::string> argv{program_, "--backend", settings().backend, "--log-level", "info"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  written_before_[label] = daemon_err(label).size();
  daemons_[label] = start(label, argv, variables);
}

Process& Host::daemon(const std::string& label) {
  return daemons_.at(label);
}

int Host::stop_daemon(int signal_number, const std::string& label) {
  Process& process = daemon(label);
  process.signal(signal_number);
  if (!process.wait_for_end(30s))
    throw std::runtime_error(label + " on " + name_ + " did not end within 30s of signal " +
                             std::to_string(signal_number));
  return process.exit_code();
}

bool Host::listens(const std::string& label) const {
  return daemon_err(label).find("listening on", written_before_.at(label)) != std::string::npos;
}

std::string Host::daemon_err(const std::string& label) const {
  return read_file(path("/run/" + label + ".err"));
}

std::string Host::daemon_out(const std::string& label) const {
  return read_file(path("/run/" + label + ".out"));
}

std::string Host::address_in_hosts(const std::string& name) const {
  for (const std::string& line : lines_of(hosts_file())) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string address;
    words >> address;
    for (std::string word; words >> word;)
      if (word == name) return address;
  }
  return "";
}

std::vector<std::string> Host::addresses(const std::string& interface) const {
  std::vector<std::string> found;
  inside_network(namespaces_.net, [&] { found = interface_addresses(interface); });
  return found;
}

bool Host::has_link(const std::string& name) const {
  bool found = false;
  inside_network(namespaces_.net, [&] { found = ::if_nametoindex(name.c_str()) != 0; });
  return found;
}

std::vector<std::string> Host::routes(const std::string& interface) const {
  std::vector<std::string> found;
  for (const char* family : {"-4", "-6"})
    for (const std::string& line :
         lines_of(exec({"ip", family, "route", "show", "dev", interface}).out))
      if (line.find("proto kernel") == std::string::npos) found.push_back(line);
  return found;
}

std::optional<Device> Host::device(const std::string& interface) const {
  const Output dump = exec({"wg", "show", interface, "dump"});
  if (dump.exit_code != 0) return std::nullopt;
  Device device;
  bool first = true;
  for (const std::string& line : lines_of(dump.out)) {
    const std::vector<std::string> fields = fields_of(line, '\t');
    if (first) {
      device.public_key = fields.at(1);
      device.listen_port = std::stoi(fields.at(2));
      first = false;
      continue;
    }
    device.peers.push_back({fields.at(0), fields.at(2), fields.at(3), std::stol(fields.at(4))});
  }
  return device;
}

bool Host::pings(const std::string& target) const {
  return exec({"ping", "-n", "-c", "1", "-W", "2", target}).exit_code == 0;
}

std::string Host::member_state(const std::string& member) const {
  return member_states()[member];
}

std::map<std::string, std::string> Host::member_states() const {
  std::map<std::string, std::string> states;
  const auto told =
      nlohmann::json::parse(wesher({"members", "--json"}).out, nullptr, /*allow_exceptions=*/false);
  if (!told.is_object() || !told.contains("members")) return states;
  for (const auto& row : told["members"])
    states[row.value("name", "")] = row.value("state", "");
  return states;
}

std::string Host::fingerprint(Fingerprint what) const {
  std::string out = "links:\n" + exec({"ip", "-br", "link"}).out;
  out += "addresses:\n" + exec({"ip", "-br", "address"}).out;
  for (const char* family : {"-4", "-6"})
    out += std::string("routes ") + family + ":\n" +
           exec({"ip", family, "route", "show", "table", "all"}).out;
  out += "hosts file:\n" + hosts_file();
  if (what == Fingerprint::with_state) out += "state:\n" + folder_fingerprint(folder_ + "/lib");
  return out;
}

std::string Host::report() const {
  std::string out = "--- " + name_ + " ---\n";
  for (const auto& [label, process] : daemons_)
    out += "  " + label + " said:\n" + last_lines(daemon_out(label), 5) +
           last_lines(daemon_err(label), 60);
  out += "  wg:\n" + last_lines(exec({"wg", "show", "all"}).out, 60);
  out += "  addresses:\n" + last_lines(exec({"ip", "-br", "address"}).out, 20);
  out += "  routes:\n" + last_lines(exec({"ip", "route"}).out, 20);
  out += "  hosts file:\n" + last_lines(hosts_file(), 20);
  return out;
}

}  // namespace wesher::netns
