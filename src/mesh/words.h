// Spans of time and lists of names in sentences for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"

namespace wesher::mesh {

/// A configured span in the unit that its option is given in: "30s", "10m", "72h", "30d" (days only
/// from 10 on, so that 72h stays 72h).
[[nodiscard]] std::string span_text(Duration span);

/// A measured span with its two largest units: "12s", "4m12s", "3h5m", "2d4h".
[[nodiscard]] std::string elapsed_text(Duration span);

/// "app1, app2, web1, web2, … 4 more": at most `shown` names, made printable.
[[nodiscard]] std::string list_text(const std::vector<std::string>& names, std::size_t shown);

/// "1 member", "8 members".
[[nodiscard]] std::string members_text(std::size_t count);

}  // namespace wesher::mesh
