// Lists of reserved addresses: what is read is within its bounds and writes to the same list again.
#include "wire/limits.h"
#include "wire/reservations.h"
#include "wire_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wesher;
  namespace fuzz = wire::fuzz;
  const auto list = wire::decode_reservations(ByteView(data, size));
  if (!list || list->empty()) return 0;
  fuzz::require(list->size() <= limits::kMembers);
  const auto again = wire::decode_reservations(wire::encode_reservations(*list));
  fuzz::require(again.has_value() && *again == *list);
  return 0;
}
