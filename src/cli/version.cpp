#include "cli/version.h"

namespace wesher::cli {

const std::string_view kVersion = WESHER_VERSION;

}  // namespace wesher::cli
