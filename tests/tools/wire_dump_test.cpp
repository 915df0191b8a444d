// wire_dump on bytes recorded from both generations of the Go program, and on damaged ones.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "base/key.h"
#include "tests/wire/support/samples.h"
#include "tools/support/dump.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::tools {

namespace {

using wire::test::hex;
using wire::test::recorded_key;
using wire::test::recorded_ring;

// Vectors of the recorded key whose layer starts so.
std::vector<Json> recorded(const std::string& file, const std::string& layer) {
  std::ifstream in(std::string(TEST_DATA) + "/vectors/" + file);
  const Json all = Json::parse(in);
  std::vector<Json> out;
  for (const Json& vector : all.at("vectors"))
    if (vector.at("layer").get<std::string>().starts_with(layer)) out.push_back(vector);
  return out;
}

std::string hex_of(const Json& vector) {
  return vector.at("expected_hex").get<std::string>();
}

bool sealed(const Json& vector) {
  return vector.at("inputs").at("encrypted").get<bool>();
}

wire::Keyring ring_of(const Json& vector) {
  return wire::test::ring_of(hex(vector.at("inputs").at("key").get<std::string>()));
}

std::size_t count(const Dump& dump, const char* key) {
  return static_cast<std::size_t>(
      std::count_if(dump.objects.begin(), dump.objects.end(),
                    [&](const Json& object) { return object.contains(key); }));
}

Json layer(const Dump& dump, const std::string& name) {
  for (const Json& object : dump.objects)
    if (object.value("layer", "") == name) return object;
  return nullptr;
}

std::string error(const Dump& dump) {
  for (const Json& object : dump.objects)
    if (object.contains("error")) return object.at("error").get<std::string>();
  return "";
}

// The program, with a folder of its own for its input and output.
struct Ran {
  int exit_code = -1;
  std::vector<Json> lines;
  std::string err;
};

class Program {
 public:
  Program() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wire-dump-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    folder_ = pattern;
  }

  ~Program() { std::filesystem::remove_all(folder_); }

  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  // `arguments` as for a shell.
  Ran run(const std::string& arguments,
          const std::string& input,
          const std::string& variables = "") const {
    const std::string in = file("in", input);
    const std::string command = "env -u WESHER_CLUSTER_KEY " + variables + " " + WIRE_DUMP + " " +
                                arguments + " <" + in + " >" + path("out") + " 2>" + path("err");
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): words of the tests
    Ran ran;
    ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    std::ifstream out(path("out"));
    for (std::string line; std::getline(out, line);)
      ran.lines.push_back(Json::parse(line));
    std::ifstream err(path("err"));
    ran.err.assign(std::istreambuf_iterator<char>(err), {});
    return ran;
  }

 private:
  [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

std::string key_text() {
  return to_base64(recorded_key());
}

const char* const kPing =
    "01a0a1a2a3a4a5a6a7a8a9aaabe69ad8632aaf671e00c0d4b67634afdf72cebe33329d47f06b9bd9fbbb096643";
const char* const kTcpPing =
    "0a0000002d01a0a1a2a3a4a5a6a7a8a9aaabe69ad8632aaf671e00c0d4b67634afdf62592be85f8303d2cc9dd999c9"
    "1ec738";

}  // namespace

TEST_CASE("every recorded datagram is taken apart into the layers and messages it was made of") {
  for (const char* file : {"gossip-v0.2.6.json", "gossip-head.json"}) {
    std::size_t seen = 0;
    for (const Json& vector : recorded(file, "UDP datagram")) {
      INFO(file << ": " << vector.at("name"));
      const Bytes datagram = hex(hex_of(vector));
      if (!sealed(vector)) {
        CHECK_FALSE(dump_packet(recorded_ring(), datagram).readable);
        continue;
      }
      ++seen;
      const Json& in = vector.at("inputs");
      const Dump dump = dump_packet(ring_of(vector), datagram);
      CHECK(dump.readable);
      CHECK(count(dump, "message") == wire::open_packet(ring_of(vector), datagram).messages.size());
      CHECK(layer(dump, "encryption").at("version") == in.at("encryption_version"));
      CHECK(layer(dump, "crc").is_object() == in.at("receiver_pmax5_known").get<bool>());
      const std::string plain = in.at("plain").get<std::string>();
      if (!in.at("compression_enabled").get<bool>()) {
        CHECK(layer(dump, "compress").is_null());
        CHECK(layer(dump, "compound").is_object() == plain.starts_with("07"));
      }
    }
    CHECK(seen == 52);
  }
}

TEST_CASE("every recorded stream gives its one message") {
  for (const char* file : {"gossip-v0.2.6.json", "gossip-head.json"}) {
    std::size_t seen = 0;
    for (const Json& vector : recorded(file, "TCP")) {
      INFO(file << ": " << vector.at("name"));
      const Bytes stream = hex(hex_of(vector));
      if (!sealed(vector)) {
        CHECK_FALSE(dump_stream(recorded_ring(), stream).readable);
        continue;
      }
      ++seen;
      const Dump dump = dump_stream(ring_of(vector), stream);
      CHECK(dump.readable);
      CHECK(count(dump, "message") == 1);
      CHECK(dump.objects.back().at("canonical") == true);
      CHECK(layer(dump, "compress").is_object() ==
            vector.at("inputs").at("compression_enabled").get<bool>());
    }
    CHECK(seen == 24);
  }
}

TEST_CASE("a message shows all its fields") {
  const Dump dump = dump_packet(
      recorded_ring(), wire::test::seal_version_1(
                           recorded_ring(), hex("0486a441646472a40a000001ab496e6361726e6174696f6e05"
                                                "a44d657461a3abababa44e6f6465a66e6f6465"
                                                "2d62a4506f7274cd1f0aa356736ea6010502000000")));
  REQUIRE(dump.objects.size() == 2);
  Json message = dump.objects.back();
  CHECK(message.at("message") == "alive");
  CHECK(message.at("node") == "node-b");
  CHECK(message.at("incarnation") == 5);
  CHECK(message.at("address") == "10.0.0.1");
  CHECK(message.at("address_bytes") == "0a000001");
  CHECK(message.at("port") == 7946);
  CHECK(message.at("versions") == Json::parse("[1,5,2,0,0,0]"));
  CHECK(message.at("meta") == "ababab");
  CHECK_FALSE(message.contains("node_meta"));
  CHECK(message.at("canonical") == true);
  CHECK(message.at("depth") == 1);
}

TEST_CASE("metadata is shown as what it says") {
  wire::Alive alive;
  alive.incarnation = 1;
  alive.node = "a";
  alive.address = {10, 0, 0, 1};
  alive.versions.assign(wire::kOwnVersions.begin(), wire::kOwnVersions.end());
  alive.meta = hex(
      "32ff81030101086e6f64654d65746101ff82000102010b4f7665726c61794164647201ff840001065075624b6579"
      "010c00000010ff83060101044164647201ff8400000037ff8201040a010203012c41414543417751464267634943"
      "516f4c4441304f4478415245684d554652595847426b61477877644868383d00");
  alive.meta.push_back(7);
  const Dump dump = dump_packet(recorded_ring(),
                                wire::test::seal_version_1(recorded_ring(), wire::encode(alive)));
  const Json meta = dump.objects.back().at("node_meta");
  CHECK(meta.at("format") == "F3");
  CHECK(meta.at("overlay") == "10.1.2.3");
  CHECK(meta.at("public_key") == key_text());
  CHECK(meta.at("valid") == true);
  CHECK(meta.at("trailer_bytes") == 1);
}

TEST_CASE("a message that we would write otherwise is not canonical") {
  // SeqNo 1 as uint16.
  const Bytes wide = hex("0082a44e6f6465a162a55365714e6fcd0001");
  const Dump dump = dump_packet(recorded_ring(), wire::test::seal_version_1(recorded_ring(), wide));
  CHECK(dump.readable);
  CHECK(dump.objects.back().at("sequence") == 1);
  CHECK(dump.objects.back().at("canonical") == false);
}

TEST_CASE("each damaged layer is an error that says which") {
  const wire::Keyring ring = recorded_ring();
  const auto plain = [&](std::string_view text) {
    return error(dump_packet(ring, wire::test::seal_version_1(ring, hex(text))));
  };
  CHECK(plain("0082a44e6f6465a162a55365714e6f01").empty());
  CHECK(plain("0c04c039bc0082a44e6f6465a162a55365714e6f01") == "the CRC is that of other bytes");
  CHECK(plain("0c00000000") == "a CRC with nothing behind it");
  CHECK(plain("07020010") == "a compound whose table of lengths is cut off");
  CHECK(plain("070100200082") == "a compound that ends before part 1");
  CHECK(plain("07010000") == "an empty part");
  CHECK(plain("0701001"
              "00082a44e6f6465a162a55365714e6f01ff") == "1 bytes behind the last part");
  CHECK_FALSE(plain("0982a4416c676f00a3427566a2ffff").empty());
  CHECK_FALSE(plain("0083a4").empty());
  CHECK_FALSE(plain("06").empty());
  CHECK(error(dump_packet(ring, {})) == "no datagram has 0 bytes");
  CHECK(error(dump_packet(ring, hex("f400"))) ==
        "a label that is empty or longer than what is there");
  CHECK_FALSE(error(dump_packet(ring, hex("01a0a1"))).empty());
}

TEST_CASE("a labelled datagram is read with its label") {
  const Dump dump =
      dump_packet(recorded_ring(),
                  hex("f4036c616201a0a1a2a3a4a5a6a7a8a9aaabe69ad8632aaf671e00c0d4b67634afdf5b7a61"
                      "f6a4379df1e0098bb25fb589ed"));
  CHECK(dump.readable);
  CHECK(layer(dump, "label").at("label") == "lab");
  CHECK(dump.objects.back().at("message") == "ping");
}

TEST_CASE("the program reads datagrams a line each and numbers them") {
  const Program program;
  const Ran ran = program.run("--key " + key_text(), std::string(kPing) + "\n" + kPing + "\n");
  CHECK(ran.exit_code == 0);
  REQUIRE(ran.lines.size() == 4);
  CHECK(ran.lines[0].at("layer") == "encryption");
  CHECK(ran.lines[1].at("message") == "ping");
  CHECK(ran.lines[1].at("line") == 1);
  CHECK(ran.lines[3].at("line") == 2);
}

TEST_CASE("the program reads streams in pieces with an empty line between two") {
  const Program program;
  std::string pieces;
  for (std::size_t at = 0; at < std::string(kTcpPing).size(); at += 14)
    pieces += std::string(kTcpPing).substr(at, 14) + "\n";
  const Ran ran = program.run("--stream --key " + key_text(), pieces + "\n" + kTcpPing + "\n");
  CHECK(ran.exit_code == 0);
  REQUIRE(ran.lines.size() == 4);
  CHECK(ran.lines[1].at("message") == "ping");
  CHECK(ran.lines[3].at("message") == "ping");
  CHECK(ran.lines[3].at("line") == ran.lines[1].at("line").get<int>() + 2);
}

TEST_CASE("one line that cannot be read makes the exit code and costs no other line") {
  const Program program;
  const std::string key = "--key " + key_text();
  const std::vector<std::string> unreadable{"zz", "00", "", std::string(kPing).replace(40, 1, "0")};
  for (const std::string& bad : unreadable) {
    INFO(bad);
    const Ran ran = program.run(key, bad + "\n" + kPing + "\n");
    CHECK(ran.exit_code == 1);
    REQUIRE(ran.lines.size() == 3);
    CHECK(ran.lines[0].contains("error"));
    CHECK(ran.lines[0].at("line") == 1);
    CHECK(ran.lines[2].at("message") == "ping");
  }
  const std::string frame = kTcpPing;
  CHECK(program.run("--stream " + key, frame.substr(0, frame.size() - 2) + "\n").exit_code == 1);
  CHECK(program.run("--stream " + key, frame + "00\n").exit_code == 1);
  CHECK(program.run("--stream " + key, "06\n").exit_code == 1);
  CHECK(program.run("--stream " + key, "zz\n").exit_code == 1);
}

TEST_CASE("the key comes from the command line or a file or the environment and is never told") {
  const Program program;
  const std::string ping = std::string(kPing) + "\n";
  const std::string file = program.file("key", key_text() + "\n");
  CHECK(program.run("--key-file " + file, ping).exit_code == 0);
  CHECK(program.run("", ping, "WESHER_CLUSTER_KEY=" + key_text()).exit_code == 0);
  const std::string other = to_base64(Bytes(32, 9));
  CHECK(program.run("--key " + other, ping).exit_code == 1);
  CHECK(program.run("--key " + other + " --key " + key_text(), ping).exit_code == 0);
  for (const char* wrong : {"", "--key-file /nowhere", "--key c2hvcnQ=", "--key", "--what"}) {
    INFO(wrong);
    const Ran ran = program.run(wrong, ping);
    CHECK(ran.exit_code == 2);
    CHECK(ran.lines.empty());
    CHECK_FALSE(ran.err.empty());
    CHECK(ran.err.find("c2hvcnQ=") == std::string::npos);
  }
}

}  // namespace wesher::tools
