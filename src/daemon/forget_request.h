// What `wesher forget` asks of the daemon, as it stands in the request's row. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"

namespace wesher::daemon {

/// One of the two.
struct ForgetRequest {
  std::string name;               ///< of the member, any bytes
  std::optional<Duration> older;  ///< all that failed longer ago than this

  friend bool operator==(const ForgetRequest&, const ForgetRequest&) = default;
};

/// A JSON object of ASCII characters. The name is in hex, because a member may bear any bytes.
[[nodiscard]] std::string format_forget(const ForgetRequest& request);

/// Errc::malformed for what `format_forget` does not give.
[[nodiscard]] Result<ForgetRequest> parse_forget(const std::string& arguments);

}  // namespace wesher::daemon
