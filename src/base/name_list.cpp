#include "base/name_list.h"

#include <algorithm>

#include <fmt/format.h>

namespace wesher {

std::string name_list(const std::vector<std::string>& names, std::size_t shown_max) {
  const auto shown = static_cast<std::ptrdiff_t>(std::min(names.size(), shown_max));
  std::string out = fmt::format("{}", fmt::join(names.begin(), names.begin() + shown, ", "));
  if (names.size() > shown_max) out += fmt::format(" and {} more", names.size() - shown_max);
  return out;
}

}  // namespace wesher
