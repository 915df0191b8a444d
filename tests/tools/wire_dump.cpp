// wire_dump shows what gossip datagrams and streams say.
//
//   wire_dump [--key BASE64]... [--key-file PATH]... [--stream]
//
// Reads from stdin: each line is a datagram as hex. With --stream each line is a piece of one
// direction of a TCP stream, in order; an empty line ends a stream and begins the next one. Writes
// every layer and every message, outermost first, as one JSON object a line; `line` is the line of
// the input where the datagram is or the stream ends. Exits 0, 1 if anything could not be read (its
// `error` says why), 2 on wrong usage.
//
// Keys are those of the cluster, 16, 24 or 32 bytes as base64; WESHER_CLUSTER_KEY counts too. On a
// command line everybody on the machine can see a key: --key is for keys of tests.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include <sodium.h>

#include "base/key.h"
#include "tools/support/dump.h"

namespace {

using namespace wesher;

constexpr int kUsage = 2;
constexpr const char* kSpace = " \t\r\n";

int usage(const std::string& what) {
  std::cerr << "wire_dump: " << what
            << "\nwire_dump [--key BASE64]... [--key-file PATH]... [--stream] < HEX\n";
  return kUsage;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool add_key(wire::Keyring& keyring, const std::string& text) {
  const auto bytes = from_base64(trimmed(text));
  return bytes && keyring.add(*bytes);
}

struct Options {
  wire::Keyring keyring;
  bool stream = false;
  std::string wrong;  ///< what is wrong with the arguments; never a key
};

void read_key_file(Options& options, const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    options.wrong = "cannot read " + path;
  } else if (!add_key(options.keyring, text.str())) {
    options.wrong = path + " holds no key";
  }
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc && options.wrong.empty(); ++i) {
    const std::string option = argv[i];
    if (option == "--stream") {
      options.stream = true;
    } else if (i + 1 == argc) {
      options.wrong = "what is " + option + "?";
    } else if (option == "--key") {
      if (!add_key(options.keyring, argv[++i])) options.wrong = "that is no key";
    } else if (option == "--key-file") {
      read_key_file(options, argv[++i]);
    } else {
      options.wrong = "what is " + option + "?";
    }
  }
  const char* variable = std::getenv("WESHER_CLUSTER_KEY");
  if (variable != nullptr && *variable != '\0' && !add_key(options.keyring, variable))
    options.wrong = "WESHER_CLUSTER_KEY holds no key";
  if (options.wrong.empty() && options.keyring.size() == 0) options.wrong = "there is no key";
  return options;
}

/// Prints one datagram or stream; whether all of it could be read.
bool print(const tools::Dump& dump, std::size_t line) {
  for (const tools::Json& object : dump.objects) {
    tools::Json numbered = {{"line", line}};
    numbered.update(object);
    std::cout << tools::to_line(numbered) << '\n';
  }
  return dump.readable;
}

bool not_hex(std::size_t line) {
  std::cout << tools::to_line({{"line", line}, {"error", "not hex"}, {"depth", 0}}) << '\n';
  return false;
}

bool dump_packets(const wire::Keyring& keyring) {
  bool good = true;
  std::string text;
  for (std::size_t line = 1; std::getline(std::cin, text); ++line) {
    const auto datagram = from_hex(trimmed(text));
    good &= datagram ? print(tools::dump_packet(keyring, *datagram), line) : not_hex(line);
  }
  return good;
}

bool dump_streams(const wire::Keyring& keyring) {
  bool good = true;
  Bytes stream;
  std::string text;
  std::size_t line = 0;
  const auto end = [&] {
    if (!stream.empty()) good &= print(tools::dump_stream(keyring, stream), line);
    stream.clear();
  };
  while (std::getline(std::cin, text)) {
    text = trimmed(text);
    if (text.empty()) end();
    ++line;
    const auto piece = from_hex(text);
    if (piece)
      stream.insert(stream.end(), piece->begin(), piece->end());
    else
      good &= not_hex(line);
  }
  end();
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  if (sodium_init() < 0) return kUsage;
  const Options options = read_options(argc, argv);
  if (!options.wrong.empty()) return usage(options.wrong);
  const bool good = options.stream ? dump_streams(options.keyring) : dump_packets(options.keyring);
  return good && std::cout.flush() ? 0 : 1;
}
