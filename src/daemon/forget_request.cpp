#include "daemon/forget_request.h"

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/text.h"

namespace wesher::daemon {

namespace {

using Json = nlohmann::json;

constexpr const char* kName = "name_hex";
constexpr const char* kOlder = "failed_older_ms";

/// Far longer than members are remembered; and nothing that overflows.
constexpr std::chrono::milliseconds kOlderMax = kSpanMax;

}  // namespace

std::string format_forget(const ForgetRequest& request) {
  Json out = Json::object();
  if (request.older) {
    out[kOlder] = std::chrono::duration_cast<std::chrono::milliseconds>(*request.older).count();
  } else {
    out[kName] = to_hex(as_bytes(request.name));
  }
  return out.dump();
}

Result<ForgetRequest> parse_forget(const std::string& arguments) {
  const auto refused = fail(Errc::malformed, "the arguments are not those of 'wesher forget'");
  const Json in = Json::parse(arguments, nullptr, false);
  if (!in.is_object() || in.size() != 1) return refused;
  ForgetRequest request;
  if (const auto older = in.find(kOlder); older != in.end()) {
    if (!older->is_number_unsigned()) return refused;
    const auto ms = older->get<std::uint64_t>();
    if (ms > static_cast<std::uint64_t>(kOlderMax.count())) return refused;
    request.older = std::chrono::milliseconds{ms};
    return request;
  }
  const auto name = in.find(kName);
  if (name == in.end() || !name->is_string()) return refused;
  const auto bytes = from_hex(name->get<std::string>());
  if (!bytes || bytes->empty()) return refused;
  request.name = as_text(*bytes);
  return request;
}

}  // namespace wesher::daemon
