// Data planes for tests, with keys and peers made from small numbers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "system/data_plane.h"
#include "tests/system/support/sandbox.h"

namespace wesher::test {

/// The private key number n.
[[nodiscard]] SecretKey secret(std::uint8_t n);
[[nodiscard]] PublicKey key_of(std::uint8_t n);
[[nodiscard]] Prefix prefix(const std::string& text);
[[nodiscard]] Endpoint endpoint(const std::string& text);

/// Node n: key n, 192.0.2.n:51820, 10.9.0.n/32.
[[nodiscard]] plan::AddPeer peer(std::uint8_t n);

/// Which back ends this machine has: always wireguard-go, and the kernel where it has WireGuard.
[[nodiscard]] std::vector<system::BackendChoice> backends();

/// On interface wgtest.
[[nodiscard]] std::unique_ptr<system::DataPlane> open_plane(system::BackendChoice backend);

/// Applies one action with private key 1; throws if it is refused.
void apply(system::DataPlane& plane, plan::What what);

/// wgtest as after the first reconcile, without peers: key 1, port 51820, 10.9.0.1/32, up.
void bring_up(system::DataPlane& plane);

}  // namespace wesher::test

/// A test body that takes a BackendChoice, run in a fresh sandbox for each back end.
#define ON_EACH_BACKEND(...)                                                       \
  do {                                                                             \
    const std::function<void(::wesher::system::BackendChoice)> each = __VA_ARGS__; \
    for (const auto backend_choice : ::wesher::test::backends()) {                 \
      INFO("backend " << static_cast<int>(backend_choice));                        \
      IN_SANDBOX([&] { each(backend_choice); });                                   \
    }                                                                              \
  } while (false)
