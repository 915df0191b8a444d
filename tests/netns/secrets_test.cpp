// Keys are in the key file and nowhere else, and what the reading commands tell is whole.
#include <filesystem>
#include <map>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "base/key.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

// The forms in which a 32-byte key could show up: base64, hex, and its bytes.
std::vector<std::string> forms_of(const std::string& base64) {
  const auto bytes = from_base64(base64);
  REQUIRE(bytes.has_value());
  std::string raw;
  std::string hex;
  for (const std::uint8_t byte : *bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    raw += static_cast<char>(byte);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return {base64, hex, raw};
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  return text;
}

// Everything that a host's daemon wrote and its commands say, but for the key file and `key show`.
std::map<std::string, std::string> public_texts(Host& host) {
  std::map<std::string, std::string> texts;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(host.path("/var/lib/wesher")))
    if (entry.is_regular_file() && entry.path().extension() != ".keys")
      texts[entry.path().string()] = read_file(entry.path().string());
  texts["log"] = host.daemon_err();
  texts["stdout"] = host.daemon_out();
  texts["hosts file"] = host.hosts_file();
  for (const char* command : {"status", "members", "ip", "plan", "state dump"})
    for (const bool json : {false, true}) {
      std::vector<std::string> arguments;
      const std::string words = command;
      const std::size_t space = words.find(' ');
      arguments.push_back(words.substr(0, space));
      if (space != std::string::npos) arguments.push_back(words.substr(space + 1));
      if (json) arguments.emplace_back("--json");
      const Output output = host.wesher(arguments);
      INFO(words << (json ? " --json" : "") << "\n" << output.text());
      REQUIRE(output.exit_code == 0);
      REQUIRE_FALSE(output.out.empty());
      if (json) {
        const auto value = nlohmann::json::parse(output.out, nullptr, false);
        REQUIRE(value.is_object());
        REQUIRE(value.contains("schema"));
      }
      texts[words + (json ? " --json" : "")] = output.out + output.err;
    }
  return texts;
}

}  // namespace

TEST_CASE("no secret is anywhere but in the key file", "[input]") {
  Rig rig(2);
  Host& host = rig.host(1);
  // The most careless way to give the key: on the command line.
  host.start_daemon({"--cluster-key", rig.key(), "--log-level", "debug"});
  rig.start(2);
  rig.require_mesh();
  const std::string private_key =
      trimmed(host.exec({"wg", "show", "wgoverlay", "private-key"}).out);
  REQUIRE(private_key.size() == 44);
  std::map<std::string, std::string> texts = public_texts(host);
  texts["process title"] = read_file("/proc/" + std::to_string(host.daemon().pid()) + "/cmdline");
  REQUIRE(texts["process title"].find("wesher") != std::string::npos);
  // The search finds what is there: the other host's name is in the database and the dump.
  REQUIRE(texts["state dump"].find("n2") != std::string::npos);
  for (const std::string& secret : {rig.key(), private_key})
    for (const std::string& form : forms_of(secret))
      for (const auto& [where, text] : texts) {
        INFO("searched in: " << where);
        REQUIRE((text.find(form) == std::string::npos));
      }
  REQUIRE(trimmed(host.wesher({"key", "show"}).out) == rig.key());
}

TEST_CASE("state and keys can be read by root alone", "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  host.start_daemon({});
  rig.require_soon("the database is there", 20s, [&] {
    return std::filesystem::exists(host.path("/var/lib/wesher/wgoverlay.db"));
  });
  const auto mode = [&](const std::string& inside) {
    struct stat status {};
    REQUIRE(::stat(host.path(inside).c_str(), &status) == 0);
    return status.st_mode & 07777U;
  };
  REQUIRE(mode("/var/lib/wesher") == 0700);
  for (const auto& entry : std::filesystem::directory_iterator(host.path("/var/lib/wesher"))) {
    INFO(entry.path());
    REQUIRE(mode("/var/lib/wesher/" + entry.path().filename().string()) == 0600);
  }
}

TEST_CASE("a first host on a terminal shows the key and one elsewhere does not", "[input]") {
  need_program("script");
  Rig rig(1);
  Host& host = rig.host(1);
  Process daemon = host.start(
      "terminal",
      {"script", "-qfec", settings().wesher + " --backend " + settings().backend, "/dev/null"});
  const auto shown = [&] { return read_file(host.path("/run/terminal.out")); };
  rig.require_soon("the key is shown", 30s, [&] {
    return shown().find("new cluster key generated: ") != std::string::npos &&
           host.addresses().size() == 1;
  });
  const std::string text = shown();
  const std::size_t at = text.find("new cluster key generated: ") + 27;
  REQUIRE(text.substr(at, 44) == trimmed(host.wesher({"key", "show"}).out));
  REQUIRE(daemon.running());
}

}  // namespace wesher::netns
