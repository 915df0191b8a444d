// What the scenario's own thread does inside a host's network namespace, without starting a
// program: under emulation that is fifty times as fast.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace wesher::netns {

/// Runs `work` with this thread in the network namespace of that descriptor, and comes back.
/// Sockets that it makes stay there.
void inside_network(int descriptor, const std::function<void()>& work);

/// Addresses of an interface of the current network namespace without prefix length; no link-local
/// ones (wireguard-go's tun gets one by itself, the kernel's device does not).
[[nodiscard]] std::vector<std::string> interface_addresses(const std::string& interface);

/// The wireguard-go that runs in that network namespace, 0 if there is none.
[[nodiscard]] pid_t userspace_program(int descriptor);

}  // namespace wesher::netns
