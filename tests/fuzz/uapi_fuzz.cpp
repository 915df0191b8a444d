// Replies of any bytes from a userspace WireGuard socket.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "system/uapi_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wesher;
  using namespace wesher::system;
  const std::string_view reply(reinterpret_cast<const char*>(data), size);
  const auto device = decode_uapi_device(reply);
  if (device && !uapi_errno(reply)) std::abort();
  if (device && !is_whole_uapi_reply(reply)) std::abort();
  return 0;
}
