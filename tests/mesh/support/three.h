// A settled mesh of three, and questions about lines, for the tests between whole meshes.
#pragma once

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/mesh/support/network.h"

namespace wesher::mesh::test {

inline bool any_contains(const std::vector<std::string>& lines, const std::string& part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

inline std::size_t count_containing(const std::vector<std::string>& lines,
                                    const std::string& part) {
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(),
                    [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

/// db1, db2 and web, joined through db1 and settled.
struct Three {
  Network net;
  Host& db1 = net.add("db1", 1);
  Host& db2 = net.add("db2", 2);
  Host& web = net.add("web", 3);

  Three() {
    net.start(db1);
    net.start(db2, {"db1"});
    net.start(web, {"db1"});
    net.run(10s);
    REQUIRE(net.converged());
  }

  void restart(Host& host) {
    net.kill(host);
    host.seeds.clear();
    net.start(host);
  }
};

using Lines = std::vector<std::string>;

}  // namespace wesher::mesh::test
