// The identity of a node: an Ed25519 key that signs what the node says of itself. It never encrypts
// and never agrees on a key; the WireGuard key (base/key.h) is another one.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/key.h"

namespace wesher {

inline constexpr std::size_t kSignatureBytes = 64;  ///< RFC 8032: R, then S

using Signature = std::array<std::uint8_t, kSignatureBytes>;

/// Who a node is: an Ed25519 public key. Ordered by its bytes. Any 32 bytes can be held; whether
/// somebody can sign under them, `verify` tells.
class IdentityKey {
 public:
  IdentityKey() = default;

  explicit IdentityKey(const std::array<std::uint8_t, kKeyBytes>& bytes) : bytes_(bytes) {}

  /// Takes exactly 32 bytes, Errc::malformed otherwise.
  [[nodiscard]] static Result<IdentityKey> from_bytes(ByteView bytes);
  /// Parses the form that `text` gives, in either case of letters. Errc::malformed otherwise.
  [[nodiscard]] static Result<IdentityKey> parse(std::string_view hex);

  [[nodiscard]] const std::array<std::uint8_t, kKeyBytes>& bytes() const { return bytes_; }

  /// 64 hex digits: nobody takes it for a WireGuard key, which is base64 everywhere.
  [[nodiscard]] std::string text() const { return to_hex(bytes_); }

  /// A short name for people: two groups of four hex digits, "9c1e-77ab".
  [[nodiscard]] std::string fingerprint() const {
    return to_hex(ByteView(bytes_).first(2)) + "-" + to_hex(ByteView(bytes_).subspan(2, 2));
  }

  [[nodiscard]] bool is_zero() const { return bytes_ == std::array<std::uint8_t, kKeyBytes>{}; }

  friend auto operator<=>(const IdentityKey&, const IdentityKey&) = default;

 private:
  std::array<std::uint8_t, kKeyBytes> bytes_{};
};

/// The secret of an identity, ready to sign: move-only, wiped when it goes, not printable. What is
/// stored is the seed that it is made from.
class SigningKey {
 public:
  /// The key pair of RFC 8032 for that seed; 32 random bytes make a new identity.
  explicit SigningKey(const SecretKey& seed);

  ~SigningKey() { wipe(); }

  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  SigningKey(SigningKey&& other) noexcept;
  SigningKey& operator=(SigningKey&& other) noexcept;

  [[nodiscard]] const IdentityKey& identity() const { return identity_; }

  /// The signature of `message`, always the same for the same message.
  [[nodiscard]] Signature sign(ByteView message) const;

 private:
  void wipe() noexcept;

  std::array<std::uint8_t, 64> secret_{};  ///< as libsodium keeps it: seed, then public key
  IdentityKey identity_;
};

/// Whether `signature` is that of `message` under `signer`. Strict: a key or an R of small order, a
/// key that is not in its only form, and an S that is not below the group's order are refused, so
/// that no signature has a second form and no key signs everything.
[[nodiscard]] bool verify(const IdentityKey& signer, ByteView message, const Signature& signature);

}  // namespace wesher
