#include "store/key_file_format.h"

#include <array>
#include <charconv>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <sodium.h>

#include "base/wipe.h"

namespace wesher::store {

namespace {

constexpr std::string_view kHeaderStart = "wesher keys ";
constexpr std::string_view kChecksumName = "checksum ";
constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kNameMax = 253;                 // Member::name
constexpr std::size_t kBootIdMax = 64;                // a UUID has 36

/// Bytes outside printable ASCII, blanks and '%' as %XX, so that any name is one word.
std::string escaped(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '%') {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02x}", byte);
    }
  }
  return out;
}

std::optional<std::string> unescaped(std::string_view text, std::size_t max) {
  std::string out;
  for (std::size_t i = 0; i < text.size() && out.size() <= max; ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const auto byte = from_hex(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    out.push_back(static_cast<char>(byte->front()));
    i += 2;
  }
  if (out.size() > max || escaped(out) != text) return std::nullopt;
  return out;
}

/// A decimal number in its only form: no sign, no leading zero.
template <class T>
std::optional<T> number(std::string_view text, T max = std::numeric_limits<T>::max()) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  if (std::to_string(value) != text) return std::nullopt;
  return value;
}

bool set_name(std::string& to, std::string_view text, std::size_t max) {
  auto value = unescaped(text, max);
  if (!value || value->empty()) return false;
  to = std::move(*value);
  return true;
}

template <class T>
bool set_number(T& to, std::string_view text) {
  const auto value = number<T>(text);
  if (value) to = *value;
  return value.has_value();
}

bool set_time(WallTime& to, std::string_view text) {
  const auto value = number<std::int64_t>(text, kLatestMs);
  if (!value || *value < 0) return false;
  to = wall_from_ms(*value);
  return true;
}

bool set_secret(SecretKey& to, std::string_view text) {
  auto key = SecretKey::parse(text);
  if (!key || key->is_zero()) return false;
  to = std::move(*key);
  return true;
}

/// An address or a network, in the form that it prints.
template <class T>
bool set_text(std::optional<T>& to, std::string_view text) {
  const auto value = T::parse(text);
  if (!value || value->text() != text) return false;
  to = *value;
  return true;
}

bool add_cluster_key(KeyFile& keys, std::string_view text) {
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos || keys.ring.size() >= kRingKeysMax) return false;
  ClusterKey key;
  if (!set_number(key.generation, text.substr(0, blank))) return false;
  if (!set_secret(key.key, text.substr(blank + 1))) return false;
  keys.ring.push_back(std::move(key));
  return true;
}

bool is_id(std::string_view text) {
  return text.size() == kIdDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// One line of the file, from format `since` on. `get` gives an empty text for a field without a
/// value.
struct Field {
  std::string_view name;
  unsigned since;
  bool required;
  std::string (*get)(const KeyFile&);
  bool (*set)(KeyFile&, std::string_view);
};

using Text = std::string_view;

constexpr std::array kFields = {
    Field{"id", 1, true, [](const KeyFile& k) { return k.id; },
          [](KeyFile& k, Text v) { return is_id(v) && !(k.id = v).empty(); }},
    Field{"wireguard_private", 1, true,
          [](const KeyFile& k) { return k.wireguard_private.reveal_base64(); },
          [](KeyFile& k, Text v) { return set_secret(k.wireguard_private, v); }},
    Field{"identity_seed", 1, true,
          [](const KeyFile& k) { return k.identity_seed.reveal_base64(); },
          [](KeyFile& k, Text v) { return set_secret(k.identity_seed, v); }},
    Field{"node_name", 1, false, [](const KeyFile& k) { return escaped(k.node_name); },
          [](KeyFile& k, Text v) { return set_name(k.node_name, v, kNameMax); }},
    Field{"overlay", 1, false,
          [](const KeyFile& k) { return k.overlay ? k.overlay->text() : std::string(); },
          [](KeyFile& k, Text v) { return set_text(k.overlay, v); }},
    Field{"overlay_net", 1, false,
          [](const KeyFile& k) { return k.overlay_net ? k.overlay_net->text() : std::string(); },
          [](KeyFile& k, Text v) { return set_text(k.overlay_net, v); }},
    Field{"claim_time", 1, true,
          [](const KeyFile& k) { return std::to_string(to_ms(k.claim_time)); },
          [](KeyFile& k, Text v) { return set_time(k.claim_time, v); }},
    Field{"newest_claim", 2, true,
          [](const KeyFile& k) { return std::to_string(to_ms(k.newest_claim)); },
          [](KeyFile& k, Text v) { return set_time(k.newest_claim, v); }},
    Field{"meta_format", 1, true,
          [](const KeyFile& k) { return std::string(to_text(k.meta_format)); },
          [](KeyFile& k, Text v) {
            const auto format = meta_format_from(v);
            if (format) k.meta_format = *format;
            return format.has_value();
          }},
    Field{"announce_mapped", 1, true,
          [](const KeyFile& k) { return std::string(k.announce_mapped ? "yes" : "no"); },
          [](KeyFile& k, Text v) {
            k.announce_mapped = v == "yes";
            return v == "yes" || v == "no";
          }},
    Field{"epoch_end", 1, true, [](const KeyFile& k) { return std::to_string(k.epoch_end); },
          [](KeyFile& k, Text v) { return set_number(k.epoch_end, v); }},
    Field{"incarnation_end", 1, true,
          [](const KeyFile& k) { return std::to_string(k.incarnation_end); },
          [](KeyFile& k, Text v) { return set_number(k.incarnation_end, v); }},
    Field{"highest_time", 1, true,
          [](const KeyFile& k) { return std::to_string(to_ms(k.highest_time)); },
          [](KeyFile& k, Text v) { return set_time(k.highest_time, v); }},
    Field{"init_boot_id", 1, false, [](const KeyFile& k) { return escaped(k.init_boot_id); },
          [](KeyFile& k, Text v) { return set_name(k.init_boot_id, v, kBootIdMax); }},
    Field{"machine", 2, false, [](const KeyFile& k) { return k.machine; },
          [](KeyFile& k, Text v) { return is_id(v) && !(k.machine = v).empty(); }},
};

constexpr std::string_view kClusterKeyName = "cluster_key";

/// The lines between header and checksum, of that format.
Result<KeyFile> parse_fields(std::string_view lines, unsigned version) {
  KeyFile keys;
  std::set<std::string_view> seen;
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) return fail(Errc::malformed, "a line has no value");
    const std::string_view name = line.substr(0, blank);
    const std::string_view value = line.substr(blank + 1);
    bool good = false;
    if (name == kClusterKeyName) {
      good = add_cluster_key(keys, value);
    } else {
      const auto* const field = std::find_if(kFields.begin(), kFields.end(), [&](const Field& f) {
        return f.name == name && f.since <= version;
      });
      if (field == kFields.end()) return fail(Errc::malformed, "it has a field that is unknown");
      if (!seen.insert(field->name).second) {
        return fail(Errc::malformed, fmt::format("it has {} twice", field->name));
      }
      good = field->set(keys, value);
    }
    if (!good) return fail(Errc::malformed, fmt::format("{} is not valid", name));
  }
  for (const Field& field : kFields) {
    if (field.required && field.since <= version && !seen.contains(field.name)) {
      return fail(Errc::malformed, fmt::format("it has no {}", field.name));
    }
  }
  if (version == 1) keys.newest_claim = keys.claim_time;
  return keys;
}

Result<void> check_ring(const KeyFile& keys) {
  if (keys.ring.empty()) return fail(Errc::malformed, "it has no cluster_key");
  if (keys.ring.size() > kRingKeysMax) return fail(Errc::malformed, "it has too many cluster keys");
  std::set<std::uint32_t> generations;
  for (const ClusterKey& key : keys.ring) {
    if (!generations.insert(key.generation).second) {
      return fail(Errc::malformed, "two cluster keys have one generation");
    }
  }
  return {};
}

/// Everything but the checksum line; secret.
std::string format_body(const KeyFile& keys) {
  std::string out;
  out.reserve(kKeyFileBytesMax);  // never moved, so no copy of a secret is left behind
  out += fmt::format("{}{}\n", kHeaderStart, kKeyFileVersion);
  for (const ClusterKey& key : keys.ring) {
    std::string secret = key.key.reveal_base64();
    out += kClusterKeyName;
    out += fmt::format(" {} ", key.generation);
    out += secret;
    out += '\n';
    wipe(secret);
  }
  for (const Field& field : kFields) {
    std::string value = field.get(keys);
    if (value.empty()) continue;
    out += field.name;
    out += ' ';
    out += value;
    out += '\n';
    wipe(value);
  }
  return out;
}

}  // namespace

std::string checksum_line(std::string_view body) {
  std::array<std::uint8_t, crypto_generichash_BYTES> hash{};
  crypto_generichash(hash.data(), hash.size(), as_bytes(body).data(), body.size(), nullptr, 0);
  return std::string(kChecksumName) + to_hex(hash) + "\n";
}

Result<KeyFile> parse_key_file(std::string_view bytes) {
  if (bytes.size() > kKeyFileBytesMax) return fail(Errc::malformed, "it is too large");
  const auto header_end = bytes.find('\n');
  if (!bytes.starts_with(kHeaderStart) || header_end == std::string_view::npos) {
    return fail(Errc::malformed, "it does not begin as a key file");
  }
  const auto version =
      number<unsigned>(bytes.substr(kHeaderStart.size(), header_end - kHeaderStart.size()));
  if (!version) return fail(Errc::malformed, "it does not begin as a key file");
  if (*version < kKeyFileVersionOldest || *version > kKeyFileVersion)
    return fail(Errc::unsupported, std::to_string(*version));
  if (bytes.back() != '\n') return fail(Errc::malformed, "its end is missing");
  const auto last_line = bytes.rfind('\n', bytes.size() - 2) + 1;
  if (!bytes.substr(last_line).starts_with(kChecksumName)) {
    return fail(Errc::malformed, "its end is missing");
  }
  const std::string_view body = bytes.substr(0, last_line);
  if (bytes.substr(last_line) != checksum_line(body)) {
    return fail(Errc::malformed, "its checksum does not match");
  }
  auto keys = parse_fields(body.substr(header_end + 1), *version);
  if (!keys) return keys;
  if (const auto ring = check_ring(*keys); !ring) return tl::unexpected(ring.error());
  return keys;
}

Result<std::string> format_key_file(const KeyFile& keys) {
  if (const auto ring = check_ring(keys); !ring) return tl::unexpected(ring.error());
  std::string out = format_body(keys);
  out += checksum_line(out);
  // What this program could not read back is never written.
  if (const auto parsed = parse_key_file(out); !parsed) {
    wipe(out);
    return tl::unexpected(parsed.error());
  }
  return out;
}

}  // namespace wesher::store
