#include "base/wipe.h"

#include <sodium.h>

namespace wesher {

void wipe(std::string& text) noexcept {
  sodium_memzero(text.data(), text.size());
}

}  // namespace wesher
