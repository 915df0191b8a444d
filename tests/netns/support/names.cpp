#include "netns/support/names.h"

#include "mesh/overlay_address.h"

namespace wesher::netns {

std::string wanted_address(const std::string& name, const std::string& net) {
  return mesh::overlay_address(name, Prefix::parse(net).value()).value().text();
}

std::vector<std::string> names_wanting(const std::string& address,
                                       const std::string& net,
                                       const std::string& prefix,
                                       std::size_t count) {
  std::vector<std::string> names;
  for (int number = 1; names.size() < count; ++number) {
    std::string name = prefix + std::to_string(number);
    if (wanted_address(name, net) == address) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace wesher::netns
