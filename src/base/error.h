// Errors as values. What is a normal outcome (bytes from a peer, text from an operator, a refusal
// of the kernel) is a Result; exceptions are left to the libraries that throw, and caught where
// those libraries are called.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace wesher {

/// What kind of failure it was, for the program. Exit codes follow from it in cli/.
enum class Errc : std::uint8_t {
  malformed,       ///< input that is not what it should be
  unsupported,     ///< well-formed, but not something we do
  too_large,       ///< over a limit of wire/limits.h or of the system
  not_found,       ///< the thing named does not exist
  exists,          ///< the thing named exists already, and is not ours
  not_permitted,   ///< the system refuses for lack of rights
  busy,            ///< held by somebody else right now: a lock, a port
  no_wireguard,    ///< neither kernel module nor userspace program
  state_unusable,  ///< key file or database can't be used as it is
  system,          ///< any other refusal of the operating system
};

/// Why an operation failed: a code for the program, a sentence for people. The sentence names the
/// thing and, where there is one, the remedy; it never contains a secret, and foreign text only
/// through `printable` (base/text.h).
struct Error {
  Errc code;
  std::string detail;
  int os_errno = 0;  ///< errno of the refused system call, 0 if there was none
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string detail, int os_errno = 0) {
  return tl::unexpected<Error>(Error{code, std::move(detail), os_errno});
}

}  // namespace wesher
