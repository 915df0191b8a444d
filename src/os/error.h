// Refusals of the operating system as Error values: errno → code and sentence.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace wesher::os {

/// The system's own words for an errno: "Device or resource busy".
[[nodiscard]] std::string errno_text(int os_errno);

/// Which kind of failure an errno is: EPERM, EACCES and EROFS are not_permitted, ENODEV and ENOENT
/// not_found, EEXIST exists, EADDRINUSE and EBUSY busy, the rest system.
[[nodiscard]] Errc errc_of(int os_errno);

/// "<what>: <the system's words>".
[[nodiscard]] tl::unexpected<Error> refused(std::string_view what, int os_errno);

/// The same error with what was tried in front: "<what>: <detail>".
[[nodiscard]] tl::unexpected<Error> with_context(std::string_view what, const Error& error);

}  // namespace wesher::os
