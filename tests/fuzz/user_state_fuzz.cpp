// What is told beside tables: what is read is within its bounds and writes to the same again.
#include "wire/limits.h"
#include "wire/user_state.h"
#include "wire_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wesher;
  namespace fuzz = wire::fuzz;
  const auto state = wire::decode_user_state(ByteView(data, size));
  if (!state) return 0;
  fuzz::require(state->reservations.size() <= limits::kMembers);
  fuzz::require(state->statements.size() <= wire::kStatementsMax);
  for (const wire::Statement& statement : state->statements) {
    fuzz::require(!statement.subject.empty() && statement.subject.size() <= limits::kNameBytes);
    (void)wire::verify(statement);
  }
  const auto again = wire::decode_user_state(wire::encode_user_state(*state));
  const bool nothing = state->reservations.empty() && state->statements.empty();
  fuzz::require(nothing || (again.has_value() && *again == *state));
  return 0;
}
