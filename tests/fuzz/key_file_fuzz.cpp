// Key files: whatever parses has exactly one form. The input is tried as it is, and as the lines
// of a file of each format whose checksum fits, which reaches the fields.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "store/key_file_format.h"

namespace {

void check(const std::string& text) {
  const auto keys = wesher::store::parse_key_file(text);
  if (!keys) return;
  const auto again = wesher::store::format_key_file(*keys);
  if (!again) std::abort();
  const auto back = wesher::store::parse_key_file(*again);
  if (!back || wesher::store::format_key_file(*back).value() != *again) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(text);
  if (text.empty()) return 0;
  for (const char* header : {"wesher keys 1\n", "wesher keys 2\n"}) {
    const std::string body = header + text + (text.back() == '\n' ? "" : "\n");
    check(body + wesher::store::checksum_line(body));
  }
  return 0;
}
