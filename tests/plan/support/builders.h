// Short ways to write the values that the tests of plan/ compare.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/key.h"
#include "model/member.h"
#include "model/state.h"
#include "plan/diff.h"

namespace wesher::plan::test {

inline constexpr WallTime kNow = wall_from_ms(1'790'000'000'000);

inline WallTime ago(std::chrono::milliseconds age) {
  return kNow - age;
}

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

inline Prefix prefix(std::string_view text) {
  return Prefix::parse(text).value();
}

inline Endpoint endpoint(std::string_view text) {
  return Endpoint::parse(text).value();
}

/// A public key of 32 equal bytes: key(1) is "AQEB…", key(2) "AgIC…", key(9) "CQkJ…".
inline PublicKey key(std::uint8_t n) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bytes.fill(n);
  return PublicKey(bytes);
}

/// The peer of member `name` number n: key(n), 10.0.0.n, 192.0.2.n:51820.
DesiredPeer wanted(std::string name, std::uint8_t n);

/// That peer as it is in the device when nothing is to be done.
ObservedPeer present(std::uint8_t n);

/// An alive, configured member number n, alive since 12 days.
Member member(std::string name, std::uint8_t n);

/// We are "self", 10.0.0.100, key(100), port 51820, with these peers.
Desired desired(std::initializer_list<DesiredPeer> peers);

/// A world in which nothing is to be done for `desired`, endpoints included.
Observed settled(const Desired& desired);

}  // namespace wesher::plan::test
