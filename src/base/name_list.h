// Names in a sentence.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace wesher {

/// "db1, web1, web2 and 7 more": at most `shown_max` of them. The names are safe to print.
[[nodiscard]] std::string name_list(const std::vector<std::string>& names,
                                    std::size_t shown_max = 3);

}  // namespace wesher
