// Datagrams and streams of the gossip protocol taken apart for people and tests: every layer and
// every message as a JSON object, outermost first. Knows what src/wire knows, and reads with it; it
// only shows what wire::open_packet passes over in silence.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "wire/keyring.h"

namespace wesher::tools {

using Json = nlohmann::ordered_json;

/// What one datagram or one direction of a stream holds.
struct Dump {
  /// `{"layer": ...}`, `{"message": ...}` or `{"error": ...}`, each with the number of layers
  /// around it as `depth`.
  std::vector<Json> objects;
  bool readable = true;  ///< false: there is an error among them
};

/// A datagram as it is on the wire. A label is taken from the datagram itself.
[[nodiscard]] Dump dump_packet(const wire::Keyring& keyring, ByteView datagram);

/// All bytes of one direction of a TCP stream, which are one frame and no more.
[[nodiscard]] Dump dump_stream(const wire::Keyring& keyring, ByteView stream);

/// One line of text, whatever bytes a peer chose for its name.
[[nodiscard]] std::string to_line(const Json& object);

}  // namespace wesher::tools
