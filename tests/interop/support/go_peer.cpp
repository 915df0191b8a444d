#include "interop/support/go_peer.h"

#include <algorithm>
#include <csignal>
#include <sstream>
#include <stdexcept>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Host;
using netns::read_file;

namespace {

std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    out.push_back(Json::parse(line));
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : ",") + word;
  return out;
}

}  // namespace

void need_gopeer() {
  if (::access(GOPEER, X_OK) != 0)
    netns::skip(
        "gopeer was not built: it needs go and memberlist; contrib/setup --tests installs them");
}

GoPeer::GoPeer(Host& host, const std::string& cluster_key, GoPeerSettings settings)
    : name_(settings.name.empty() ? host.name() : settings.name) {
  need_gopeer();
  // One host may have several, one after the other or beside each other.
  static int count = 0;
  const std::string label = "gopeer" + std::to_string(++count);
  const std::string pipe = "/run/" + label + ".in";
  out_ = host.path("/run/" + label + ".out");
  err_ = host.path("/run/" + label + ".err");
  if (::mkfifo(host.path(pipe).c_str(), 0600) != 0) throw std::runtime_error("no pipe for gopeer");
  commands_ = ::open(host.path(pipe).c_str(), O_RDWR | O_CLOEXEC);
  if (commands_ < 0) throw std::runtime_error("cannot open the pipe of gopeer");
  std::vector<std::string> argv = {"sh",
                                   "-c",
                                   "exec \"$@\" <" + pipe,
                                   "sh",
                                   GOPEER,
                                   "-key",
                                   cluster_key,
                                   "-name",
                                   settings.name,
                                   "-format",
                                   settings.format,
                                   "-dead",
                                   std::to_string(settings.gossip_to_the_dead.count()) + "s",
                                   "-overlay",
                                   settings.overlay};
  if (settings.acts_on_host) {
    argv.insert(argv.end(),
                {"-wesher", "-backend", netns::settings().backend, "-join", joined(settings.join)});
  } else {
    if (settings.key.empty()) settings.key = netns::random_key();
    argv.insert(argv.end(), {"-pubkey", settings.key});
  }
  process_ = host.start(label, argv);
  const auto started = [&] {
    for (const Json& event : events())
      if (event.at("kind") == "started") key_ = event.at("key");
    return !key_.empty();
  };
  const bool ended = netns::wait_for([&] { return started() || !process_.running(); },
                                     20s * netns::settings().patience);
  if (!ended || key_.empty() || !process_.running())
    throw std::runtime_error("gopeer on " + host.name() + " did not start: " + errors());
}

GoPeer::~GoPeer() {
  if (commands_ >= 0) ::close(commands_);
}

std::vector<std::string> GoPeer::lines() const {
  std::vector<std::string> out;
  const std::string text = read_file(out_);
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    out.push_back(text.substr(at, end - at));
  return out;
}

std::vector<Json> GoPeer::events() const {
  std::vector<Json> out;
  for (const std::string& line : lines())
    if (line.rfind("event ", 0) == 0) out.push_back(Json::parse(line.substr(6)));
  return out;
}

std::string GoPeer::errors() const {
  std::string out;
  std::istringstream in(read_file(err_));
  for (std::string line; std::getline(in, line);)
    if (line.rfind("gopeer: ", 0) == 0 && line.rfind("gopeer: join: ", 0) != 0) out += line + "\n";
  return out;
}

std::string GoPeer::send(const std::string& command) {
  const std::string id = std::to_string(next_++);
  const std::string line = id + " " + command + "\n";
  if (::write(commands_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    throw std::runtime_error("cannot write to gopeer");
  return id + " ";
}

void GoPeer::tell(const std::string& command) {
  send(command);
}

Json GoPeer::ask(const std::string& command, std::chrono::milliseconds bound) {
  const std::string id = send(command);
  std::string found;
  const auto answered = [&] {
    for (const std::string& line : lines())
      if (line.rfind(id, 0) == 0) found = line.substr(id.size());
    return !found.empty();
  };
  const auto until = std::chrono::steady_clock::now() + bound * netns::settings().patience;
  while (!answered()) {
    if (std::chrono::steady_clock::now() > until) FAIL(name_ + " gave no answer to: " + command);
    ::usleep(2000);
  }
  if (found.rfind("ok ", 0) != 0) FAIL(name_ + " to \"" + command + "\": " + found);
  return Json::parse(found.substr(3));
}

void GoPeer::join(const std::string& address) {
  REQUIRE(ask("join " + address).at("reached") == 1);
}

void GoPeer::change_key() {
  key_ = netns::random_key();
  ask("update " + key_);
}

void GoPeer::leave() {
  ask("leave");
  ask("stop");
  REQUIRE(process_.wait_for_end(10s));
}

void GoPeer::terminate() {
  process_.signal(SIGTERM);
  REQUIRE(process_.wait_for_end(20s * netns::settings().patience));
  REQUIRE(process_.exit_code() == 0);
}

void GoPeer::crash() {
  process_.signal(SIGKILL);
  REQUIRE(process_.wait_for_end(10s));
}

Json GoPeer::record(const std::string& member) {
  for (const Json& record : ask("table"))
    if (record.at("name") == member) return record;
  return nullptr;
}

std::string GoPeer::state(const std::string& member) {
  const Json found = record(member);
  return found.is_null() ? "" : found.at("state").get<std::string>();
}

Json GoPeer::peer(const std::string& member) {
  for (const Json& peer : ask("peers"))
    if (peer.at("name") == member) return peer;
  return nullptr;
}

std::size_t GoPeer::members() {
  return ask("members").size();
}

std::vector<std::string> GoPeer::complaints() {
  return ask("log").get<std::vector<std::string>>();
}

std::vector<std::string> GoPeer::log() {
  return ask("debug").get<std::vector<std::string>>();
}

std::size_t GoPeer::logged(const std::string& text) {
  const std::vector<std::string> all = log();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& line) {
    return line.find(text) != std::string::npos;
  }));
}

std::vector<long> GoPeer::heard(const std::string& kind, const std::string& member) const {
  std::vector<long> times;
  for (const Json& event : events())
    if (event.value("kind", "") == kind && event.value("name", "") == member)
      times.push_back(event.at("at").get<long>());
  return times;
}

std::vector<Json> decode_with_go(const std::string& kind,
                                 const std::string& cluster_key,
                                 const std::vector<Bytes>& frames) {
  need_gopeer();
  std::string input;
  for (const Bytes& frame : frames)
    input += to_hex(frame) + "\n";
  const netns::Output output =
      netns::run({GOPEER, "-decode", kind, "-key", cluster_key}, {}, input);
  INFO(output.err);
  REQUIRE(output.exit_code < 2);
  std::vector<Json> results = json_lines(output.out);
  REQUIRE(results.size() == frames.size());
  return results;
}

std::vector<Json> frames_of_go(const std::string& cluster_key) {
  need_gopeer();
  return json_lines(netns::must_run({GOPEER, "-encode", "-key", cluster_key}));
}

}  // namespace wesher::interop
