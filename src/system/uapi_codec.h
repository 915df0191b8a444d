// The text that userspace WireGuard programs speak on their socket ⇄ values (WireGuard's
// cross-platform interface: key=value lines, keys in lower-case hex, a reply ends in errno=N and an
// empty line). Bytes only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "system/wg_value.h"

namespace wesher::system {

/// The request for everything about the device. The reply contains its private key.
inline constexpr std::string_view kUapiGet = "get=1\n\n";

/// A change as one request. With a private key in it the text is secret.
[[nodiscard]] std::string encode_uapi_set(const WgChange& change);

/// Whether `text` holds a whole reply: it ends in an empty line.
[[nodiscard]] bool is_whole_uapi_reply(std::string_view text);

/// The errno=N of a reply as a positive number, 0 for success; nothing if there is none.
[[nodiscard]] std::optional<int> uapi_errno(std::string_view reply);

/// A device from the reply to get. The private key is turned into the public one and not kept.
/// Errc::malformed for text that is no such reply; values of unknown names are skipped.
[[nodiscard]] Result<WgDevice> decode_uapi_device(std::string_view reply);

/// The private key in that reply; nothing if there is none.
[[nodiscard]] std::optional<SecretKey> decode_uapi_private_key(std::string_view reply);

}  // namespace wesher::system
