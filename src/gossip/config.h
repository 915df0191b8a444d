// Every setting of the gossip state machine, with memberlist's DefaultWANConfig as defaults.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/time.h"

namespace wesher::gossip {

struct Config {
  std::string name;           ///< our member name, unique in the cluster
  Bytes address;              ///< what we announce: 4 bytes, or 16 (mapped IPv4 included)
  std::uint16_t port = 7946;  ///< gossip port, UDP and TCP
  Bytes meta;                 ///< our metadata, valid from the first alive on; at most 512 bytes

  /// Our first alive bears this number; numbers up to but not including `incarnation_end` may be
  /// used, they are reserved on disk. Never 0.
  std::uint32_t incarnation_first = 1;
  std::uint32_t incarnation_end = 1001;

  // DefaultWANConfig, memberlist config.go; unchanged since v0.1.0.
  Duration probe_interval = std::chrono::seconds{5};
  Duration probe_timeout = std::chrono::seconds{3};
  Duration gossip_interval = std::chrono::milliseconds{500};
  Duration push_pull_interval = std::chrono::seconds{60};
  Duration gossip_to_the_dead = std::chrono::seconds{60};
  Duration tcp_timeout = std::chrono::seconds{30};
  unsigned indirect_checks = 3;
  unsigned retransmit_mult = 4;
  unsigned suspicion_mult = 6;
  unsigned suspicion_max_timeout_mult = 6;
  unsigned awareness_max_multiplier = 8;
  unsigned gossip_nodes = 4;

  /// Ours: a relay sends its nack this long after the request, so that it arrives inside the
  /// requester's probe interval (with WAN defaults Go's arrives after it).
  Duration relay_nack_after = std::chrono::milliseconds{1500};

  bool allow_loopback = false;  ///< members on 127.0.0.0/8 and ::1: tests only
};

}  // namespace wesher::gossip
