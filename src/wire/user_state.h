// The application's part of a push/pull: sections one behind the other, each of which says itself
// what it is, so that a version leaves out what it does not know. Pure.
//
// Format: "W2U" and version 1, then for each section: length 4, bytes.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "wire/reservations.h"
#include "wire/statement.h"

namespace wesher::wire {

struct UserState {
  std::vector<Reservation> reservations;
  std::vector<Statement> statements;

  friend bool operator==(const UserState&, const UserState&) = default;
};

/// Sections in a user state at most.
inline constexpr std::size_t kUserSectionsMax = 16;

/// Empty if nothing is to be told.
[[nodiscard]] Bytes encode_user_state(const UserState& state);

/// Errc::unsupported: other content than this; Errc::malformed: cut, or a section that is damaged.
[[nodiscard]] Result<UserState> decode_user_state(ByteView bytes);

}  // namespace wesher::wire
