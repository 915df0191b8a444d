// Hosts files of any bytes: reading and editing never fail, foreign lines survive, and a second
// edit changes nothing.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "system/hosts_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wesher;
  using namespace wesher::system;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool old : {false, true}) {
    const HostsRules rules{"wg0", old};
    const ObservedHosts seen = read_hosts(text, rules);
    const std::string cleared = edit_hosts(text, rules, {});
    const ObservedHosts rest = read_hosts(cleared, rules);
    if (!rest.managed.empty() || rest.outdated) std::abort();
    if (rest.foreign_names != seen.foreign_names) std::abort();
    if (edit_hosts(cleared, rules, {}) != cleared) std::abort();

    const std::vector<ObservedHostsLine> lines{{IpAddress::v4(10, 1, 1, 1), {"a"}},
                                               {IpAddress::v4(10, 1, 1, 2), {"b", "c"}}};
    const std::string edited = edit_hosts(text, rules, lines);
    if (read_hosts(edited, rules).outdated) std::abort();
    if (read_hosts(edited, rules).managed.size() != lines.size()) std::abort();
    if (edit_hosts(edited, rules, lines) != edited) std::abort();
    const std::string again = edit_hosts(edited, rules, {});
    if (again != cleared && again != cleared + "\n") std::abort();
  }
  return 0;
}
