// Keys as types of their own, so that a private one can't be printed or copied by accident.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace wesher {

inline constexpr std::size_t kKeyBytes = 32;  ///< X25519, Ed25519 seed and AES-256 alike

/// Standard base64 with padding, the form `wg` prints.
[[nodiscard]] std::string to_base64(ByteView bytes);

/// Bytes of a standard base64 text with padding and nothing behind it; constant time in the
/// content. Errc::malformed otherwise. The caller checks the length.
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);

/// A WireGuard (X25519) public key.
class PublicKey {
 public:
  PublicKey() = default;

  explicit PublicKey(const std::array<std::uint8_t, kKeyBytes>& bytes) : bytes_(bytes) {}

  /// Parses the 44-character base64 form. Errc::malformed when it is not 32 bytes, or all zero
  /// (the kernel takes an all-zero peer key, and nobody can own it).
  [[nodiscard]] static Result<PublicKey> parse(std::string_view base64);
  /// Takes exactly 32 bytes.
  [[nodiscard]] static Result<PublicKey> from_bytes(ByteView bytes);

  [[nodiscard]] const std::array<std::uint8_t, kKeyBytes>& bytes() const { return bytes_; }

  [[nodiscard]] std::string base64() const { return to_base64(bytes_); }

  /// The first four characters and an ellipsis, for tables and reasons: "k3Vd…".
  [[nodiscard]] std::string abbreviated() const;

  [[nodiscard]] bool is_zero() const { return bytes_ == std::array<std::uint8_t, kKeyBytes>{}; }

  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;

 private:
  std::array<std::uint8_t, kKeyBytes> bytes_{};
};

/// 32 secret bytes: move-only, wiped when they go, not printable. Equality in constant time.
class SecretKey {
 public:
  SecretKey() = default;

  explicit SecretKey(const std::array<std::uint8_t, kKeyBytes>& bytes) : bytes_(bytes) {}

  ~SecretKey() { wipe(); }

  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;

  SecretKey(SecretKey&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }

  SecretKey& operator=(SecretKey&& other) noexcept;

  [[nodiscard]] static Result<SecretKey> from_bytes(ByteView bytes);
  /// Parses base64 of exactly 32 bytes. The message says which of the two was wrong.
  [[nodiscard]] static Result<SecretKey> parse(std::string_view base64);

  [[nodiscard]] SecretKey copy() const { return SecretKey(bytes_); }

  [[nodiscard]] const std::array<std::uint8_t, kKeyBytes>& bytes() const { return bytes_; }

  /// The secret as text. Only for the key file, `wesher key show` and a terminal that just made it.
  [[nodiscard]] std::string reveal_base64() const { return to_base64(bytes_); }

  [[nodiscard]] bool is_zero() const;
  [[nodiscard]] bool same_as(const SecretKey& other) const;

 private:
  void wipe() noexcept;
  std::array<std::uint8_t, kKeyBytes> bytes_{};
};

/// Turns 32 random bytes into an X25519 private key (RFC 7748 clamping).
[[nodiscard]] SecretKey clamp_x25519(const SecretKey& random);

/// The public key of an X25519 private key.
[[nodiscard]] PublicKey x25519_public(const SecretKey& private_key);

/// Short name of a cluster for people, from its newest key: two groups of four hex digits of a
/// keyed hash, e.g. "3f9a-c2e1". Says nothing about the key.
[[nodiscard]] std::string cluster_fingerprint(const SecretKey& cluster_key);

}  // namespace wesher
