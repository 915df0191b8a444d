// State files of the Go program: what is read can be written, and is the same when read again.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "store/go_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wesher;
  const auto state = store::parse_go_state({reinterpret_cast<const char*>(data), size});
  if (!state) {
    if (state.error().detail.empty() || state.error().detail.size() > 64) std::abort();
    return 0;
  }
  if (state->nodes.size() > store::kGoNodesMax) std::abort();
  const SecretKey key = state->cluster_key
                            ? state->cluster_key->copy()
                            : SecretKey(std::array<std::uint8_t, kKeyBytes>{1, 2, 3});
  const auto again = store::parse_go_state(store::format_go_state(key, state->nodes));
  if (!again || !again->cluster_key || !again->cluster_key->same_as(key)) std::abort();
  if (again->left_out != 0 || again->nodes != state->nodes) std::abort();
  return 0;
}
