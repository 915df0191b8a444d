// The version of this program, as the build gives it.
#pragma once

#include <string_view>

namespace wesher::cli {

extern const std::string_view kVersion;  ///< "2.0.0"

}  // namespace wesher::cli
