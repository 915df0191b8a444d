// `wesher state dump`: the whole database of one interface, readable. No secret is in it. Pure.
#pragma once

#include <string>

#include "cli/facts.h"

namespace wesher::cli {

[[nodiscard]] std::string dump_text(const Facts& facts, WallTime now);
/// Schema wesher.state/1.
[[nodiscard]] std::string dump_json(const Facts& facts, WallTime now);

}  // namespace wesher::cli
