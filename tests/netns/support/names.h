// Names that want certain overlay addresses.
#pragma once

#include <string>
#include <vector>

namespace wesher::netns {

/// The address that this name asks for first in a network ("10.42.7.0/24"): that of the Go program.
[[nodiscard]] std::string wanted_address(const std::string& name, const std::string& net);

/// The first `count` of PREFIX1, PREFIX2, ... that want this address.
[[nodiscard]] std::vector<std::string> names_wanting(const std::string& address,
                                                     const std::string& net,
                                                     const std::string& prefix,
                                                     std::size_t count);

}  // namespace wesher::netns
