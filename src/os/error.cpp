// Refusals of the operating system as Error values. Thread safe.
#include "os/error.h"

#include <cerrno>
#include <system_error>

namespace wesher::os {

std::string errno_text(int os_errno) {
  return std::generic_category().message(os_errno);
}

Errc errc_of(int os_errno) {
  switch (os_errno) {
    case EPERM:
    case EACCES:
    case EROFS:
      return Errc::not_permitted;
    case ENODEV:
    case ENOENT:
      return Errc::not_found;
    case EEXIST:
      return Errc::exists;
    case EADDRINUSE:
    case EBUSY:
      return Errc::busy;
    default:
      return Errc::system;
  }
}

tl::unexpected<Error> refused(std::string_view what, int os_errno) {
  return fail(errc_of(os_errno), std::string(what) + ": " + errno_text(os_errno), os_errno);
}

tl::unexpected<Error> with_context(std::string_view what, const Error& error) {
  return fail(error.code, std::string(what) + ": " + error.detail, error.os_errno);
}

}  // namespace wesher::os
