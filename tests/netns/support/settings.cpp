#include "netns/support/settings.h"

#include <iostream>
#include <sstream>

#include <unistd.h>

#include "netns/support/process.h"

namespace wesher::netns {

Settings& settings() {
  static Settings the_settings;
  return the_settings;
}

bool kernel_has_wireguard() {
  static const bool has = [] {
    if (run({"ip", "link", "add", "wgprobe", "type", "wireguard"}).exit_code != 0) return false;
    return run({"ip", "link", "del", "wgprobe"}).exit_code == 0;
  }();
  return has;
}

bool uses_kernel() {
  if (settings().backend == "auto") return kernel_has_wireguard();
  return settings().backend == "kernel";
}

void skip(const std::string& reason) {
  std::cout << "skipped: " << reason << std::endl;
  ::_exit(kSkipCode);
}

void need_program(const std::string& name) {
  std::istringstream folders(kToolPath);
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access(folder.append("/").append(name).c_str(), X_OK) == 0) return;
  skip("no " + name + " here; contrib/setup --tests installs it");
}

}  // namespace wesher::netns
