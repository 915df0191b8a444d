// Everything that the gossip port of one host of the rig says and hears, from outside: a packet
// socket on the host's end of the bridge.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "netns/support/host.h"

namespace wesher::interop {

struct CapturedPacket {
  std::string from;  ///< address
  std::string to;
  std::uint16_t from_port = 0;
  std::uint16_t to_port = 0;
  Bytes payload;
};

/// One direction of a TCP connection, put together.
struct CapturedStream {
  std::string from;
  std::string to;
  bool initiator = false;  ///< `from` opened the connection
  bool ended = false;      ///< `from` said that it is done
  Bytes bytes;
};

class Capture {
 public:
  /// From now on. `port`: the gossip port, UDP and TCP.
  explicit Capture(const netns::Host& host, std::uint16_t port = 7946);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// All so far. Fails the scenario if the kernel had no room for a packet.
  [[nodiscard]] const std::vector<CapturedPacket>& packets();
  /// Directions with at least one byte.
  [[nodiscard]] std::vector<CapturedStream> streams();

 private:
  struct Direction {
    CapturedStream stream;
    std::uint32_t first = 0;  ///< sequence number of the first byte
    bool known_first = false;
    std::map<std::uint32_t, Bytes> pieces;  ///< by offset
  };

  void drain();
  void take(ByteView frame);
  void take_udp(const std::string& from, const std::string& to, ByteView datagram);
  void take_tcp(const std::string& from, const std::string& to, ByteView segment);

  int socket_ = -1;
  std::uint16_t port_;
  std::vector<CapturedPacket> packets_;
  std::map<std::string, Direction> directions_;
  std::vector<std::string> order_;
};

/// What wire_dump says about these; fails the scenario unless it could read everything.
[[nodiscard]] std::vector<nlohmann::json> dump_packets(const std::string& cluster_key,
                                                       const std::vector<Bytes>& datagrams);
[[nodiscard]] std::vector<nlohmann::json> dump_streams(const std::string& cluster_key,
                                                       const std::vector<Bytes>& streams);

}  // namespace wesher::interop
