// What all `--json` outputs have in common: keys in the order written, two spaces of indentation, a
// newline at the end, times in RFC 3339 UTC, ages in whole seconds, null for what is not known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"

namespace wesher::cli {

using Json = nlohmann::ordered_json;

/// Bytes that are no UTF-8 become U+FFFD, so that the output is always valid JSON.
[[nodiscard]] inline std::string json_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

[[nodiscard]] inline std::int64_t json_seconds(Duration age) {
  return std::chrono::duration_cast<std::chrono::seconds>(age).count();
}

[[nodiscard]] inline Json json_time(const std::optional<WallTime>& time) {
  return time ? Json(rfc3339(*time)) : Json();
}

}  // namespace wesher::cli
