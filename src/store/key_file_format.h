// The bytes of a key file, without any file. Pure functions, so that they can be fuzzed.
//
// Format 2: text, lines ended by one newline each. First "wesher keys 2", then one "name value" a
// line, last "checksum" with the hex of the 32-byte BLAKE2b of all bytes before that line. Names
// that this version does not know are an error: a field we would drop at the next save may be one
// that must not get lost. A field without a value has no line. Format 1, which is read too, has no
// newest_claim (it is the claim_time then) and no machine.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "store/key_file.h"

namespace wesher::store {

inline constexpr unsigned kKeyFileVersion = 2;        ///< written
inline constexpr unsigned kKeyFileVersionOldest = 1;  ///< still read
/// Far above the largest valid file (64 keys of 60 bytes, an escaped name of 759).
inline constexpr std::size_t kKeyFileBytesMax = 16384;
/// More cluster keys than anybody keeps for old members; a bound, not a rule.
inline constexpr std::size_t kRingKeysMax = 64;

/// Errc::unsupported: of a version that is not read; the detail is its number. Errc::malformed:
/// anything else wrong; the detail is a clause that says what, without any content of the file.
[[nodiscard]] Result<KeyFile> parse_key_file(std::string_view bytes);

/// The one form of these keys in this version; holds secrets, so the caller wipes it.
/// Errc::malformed when they are not what a key file may hold (no cluster key, a zero key, …).
[[nodiscard]] Result<std::string> format_key_file(const KeyFile& keys);

/// The last line for a text that has all the others.
[[nodiscard]] std::string checksum_line(std::string_view body);

}  // namespace wesher::store
