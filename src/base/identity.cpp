#include "base/identity.h"

#include <algorithm>

#include <sodium.h>

namespace wesher {

static_assert(crypto_sign_BYTES == kSignatureBytes);
static_assert(crypto_sign_SEEDBYTES == kKeyBytes);
static_assert(crypto_sign_PUBLICKEYBYTES == kKeyBytes);
static_assert(crypto_sign_SECRETKEYBYTES == 64);

Result<IdentityKey> IdentityKey::from_bytes(ByteView bytes) {
  if (bytes.size() != kKeyBytes) {
    return fail(Errc::malformed, "an identity is 32 bytes, not " + std::to_string(bytes.size()));
  }
  IdentityKey key;
  std::copy(bytes.begin(), bytes.end(), key.bytes_.begin());
  return key;
}

Result<IdentityKey> IdentityKey::parse(std::string_view hex) {
  const auto bytes = from_hex(hex);
  if (!bytes) return fail(Errc::malformed, "an identity is hex digits");
  return from_bytes(*bytes);
}

SigningKey::SigningKey(const SecretKey& seed) {
  std::array<std::uint8_t, kKeyBytes> identity{};
  crypto_sign_seed_keypair(identity.data(), secret_.data(), seed.bytes().data());
  identity_ = IdentityKey(identity);
}

SigningKey::SigningKey(SigningKey&& other) noexcept
    : secret_(other.secret_), identity_(other.identity_) {
  other.wipe();
}

SigningKey& SigningKey::operator=(SigningKey&& other) noexcept {
  if (this != &other) {
    secret_ = other.secret_;
    identity_ = other.identity_;
    other.wipe();
  }
  return *this;
}

Signature SigningKey::sign(ByteView message) const {
  Signature out{};
  crypto_sign_detached(out.data(), nullptr, message.data(), message.size(), secret_.data());
  return out;
}

void SigningKey::wipe() noexcept {
  sodium_memzero(secret_.data(), secret_.size());
  identity_ = {};
}

bool verify(const IdentityKey& signer, ByteView message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     signer.bytes().data()) == 0;
}

}  // namespace wesher
