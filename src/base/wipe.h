// Secrets that were text.
#pragma once

#include <string>

namespace wesher {

/// Overwrites every byte, in a way that compilers keep.
void wipe(std::string& text) noexcept;

}  // namespace wesher
