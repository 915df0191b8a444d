// AES-GCM with libcrypto's EVP interface: one encrypting and one decrypting context per key, keyed
// once, given only the nonce per message. Encryption version 1 is the plain ciphertext; version 0
// pads the plaintext to blocks of 16 as PKCS#7 does, and is only read. Source of the layout:
// memberlist security.go, v0.1.0 to v0.6.0.
#include "wire/keyring.h"

#include <algorithm>
#include <climits>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace wesher::wire {

namespace {

constexpr std::uint8_t kPaddedVersion = 0;
constexpr std::uint8_t kPlainVersion = 1;
constexpr std::size_t kBlockBytes = 16;

struct CipherFree {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};

struct ContextFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

using Cipher = std::unique_ptr<EVP_CIPHER, CipherFree>;
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextFree>;

const char* cipher_name(std::size_t key_bytes) {
  switch (key_bytes) {
    case 16:
      return "AES-128-GCM";
    case 24:
      return "AES-192-GCM";
    case 32:
      return "AES-256-GCM";
    default:
      return nullptr;
  }
}

/// Takes the padding of version 0 off.
OpenFault unpad(Bytes& plain) {
  const std::size_t padding = plain.back();
  if (padding == 0 || padding > kBlockBytes || padding > plain.size()) return OpenFault::padding;
  plain.resize(plain.size() - padding);
  return OpenFault::none;
}

bool fits_int(std::size_t size) {
  return size <= static_cast<std::size_t>(INT_MAX);
}

}  // namespace

struct Keyring::Key {
  Key() = default;
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  Key(Key&&) = delete;
  Key& operator=(Key&&) = delete;

  ~Key() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

  /// Null when libcrypto can't provide the cipher.
  static std::unique_ptr<Key> make(ByteView secret) {
    const Cipher cipher(EVP_CIPHER_fetch(nullptr, cipher_name(secret.size()), nullptr));
    auto key = std::make_unique<Key>();
    key->encrypting.reset(EVP_CIPHER_CTX_new());
    key->decrypting.reset(EVP_CIPHER_CTX_new());
    if (!cipher || !key->encrypting || !key->decrypting) return nullptr;
    EVP_CIPHER_CTX* e = key->encrypting.get();
    EVP_CIPHER_CTX* d = key->decrypting.get();
    if (EVP_EncryptInit_ex2(e, cipher.get(), secret.data(), nullptr, nullptr) != 1 ||
        EVP_DecryptInit_ex2(d, cipher.get(), secret.data(), nullptr, nullptr) != 1)
      return nullptr;
    key->size = secret.size();
    std::copy(secret.begin(), secret.end(), key->bytes.begin());
    return key;
  }

  [[nodiscard]] bool is(ByteView secret) const {
    return secret.size() == size && CRYPTO_memcmp(bytes.data(), secret.data(), size) == 0;
  }

  /// Ciphertext and tag to `out`, which has room for both; `plain` may stand there.
  [[nodiscard]] bool seal(const std::uint8_t* nonce,
                          ByteView plain,
                          ByteView additional,
                          std::uint8_t* out) const {
    EVP_CIPHER_CTX* e = encrypting.get();
    int n = 0;
    const int size_in = static_cast<int>(plain.size());
    const int size_ad = static_cast<int>(additional.size());
    return EVP_EncryptInit_ex2(e, nullptr, nullptr, nonce, nullptr) == 1 &&
           (size_ad == 0 || EVP_EncryptUpdate(e, nullptr, &n, additional.data(), size_ad) == 1) &&
           EVP_EncryptUpdate(e, out, &n, plain.data(), size_in) == 1 &&
           EVP_EncryptFinal_ex(e, out + plain.size(), &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(e, EVP_CTRL_AEAD_GET_TAG, kTagBytes, out + plain.size()) == 1;
  }

  /// Plaintext to `out`, which has room for the ciphertext. False: `out` holds nothing of worth.
  [[nodiscard]] bool open(const std::uint8_t* nonce,
                          ByteView ciphertext,
                          ByteView tag,
                          ByteView additional,
                          std::uint8_t* out) const {
    EVP_CIPHER_CTX* d = decrypting.get();
    int n = 0;
    std::array<std::uint8_t, kTagBytes> expected{};
    std::copy(tag.begin(), tag.end(), expected.begin());
    const int size_in = static_cast<int>(ciphertext.size());
    const int size_ad = static_cast<int>(additional.size());
    return EVP_DecryptInit_ex2(d, nullptr, nullptr, nonce, nullptr) == 1 &&
           (size_ad == 0 || EVP_DecryptUpdate(d, nullptr, &n, additional.data(), size_ad) == 1) &&
           (size_in == 0 || EVP_DecryptUpdate(d, out, &n, ciphertext.data(), size_in) == 1) &&
           EVP_CIPHER_CTX_ctrl(d, EVP_CTRL_AEAD_SET_TAG, kTagBytes, expected.data()) == 1 &&
           EVP_DecryptFinal_ex(d, out + ciphertext.size(), &n) == 1;
  }

  std::array<std::uint8_t, 32> bytes{};
  std::size_t size = 0;
  Context encrypting;
  Context decrypting;
};

Keyring::Keyring() = default;
Keyring::~Keyring() = default;
Keyring::Keyring(Keyring&&) noexcept = default;
Keyring& Keyring::operator=(Keyring&&) noexcept = default;

std::size_t Keyring::size() const {
  return keys_.size();
}

std::size_t Keyring::position(ByteView key) const {
  const auto at =
      std::find_if(keys_.begin(), keys_.end(), [key](const auto& have) { return have->is(key); });
  return static_cast<std::size_t>(at - keys_.begin());
}

Result<void> Keyring::add(ByteView key) {
  if (cipher_name(key.size()) == nullptr)
    return fail(Errc::malformed, "a cluster key must have 16, 24 or 32 bytes");
  if (position(key) < keys_.size()) return {};
  auto made = Key::make(key);
  if (!made) return fail(Errc::system, "libcrypto offers no AES-GCM; check its configuration");
  keys_.push_back(std::move(made));
  return {};
}

Result<void> Keyring::use(ByteView key) {
  const auto at = static_cast<std::ptrdiff_t>(position(key));
  if (at == std::ssize(keys_)) return fail(Errc::not_found, "the key to use is not on the ring");
  std::rotate(keys_.begin(), keys_.begin() + at, keys_.begin() + at + 1);
  return {};
}

Result<void> Keyring::remove(ByteView key) {
  const std::size_t at = position(key);
  if (at == keys_.size()) return {};
  if (at == 0) return fail(Errc::busy, "the key in use can't be removed; use another one first");
  keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(at));
  return {};
}

bool Keyring::seal_in_place(Bytes& out,
                            std::size_t start,
                            ByteView additional,
                            const std::array<std::uint8_t, kNonceBytes>& nonce) const {
  if (keys_.empty() || out.size() <= start + kSealOverhead) return false;
  const std::size_t size = out.size() - start - kSealOverhead;
  if (!fits_int(size) || !fits_int(additional.size())) return false;
  std::uint8_t* head = out.data() + start;
  *head = kPlainVersion;
  std::copy(nonce.begin(), nonce.end(), head + 1);
  std::uint8_t* plain = head + kHeadBytes;
  return keys_.front()->seal(nonce.data(), {plain, size}, additional, plain);
}

bool Keyring::seal_in_place(Bytes& out, std::size_t start, ByteView additional, Rng& rng) const {
  std::array<std::uint8_t, kNonceBytes> nonce{};
  rng.fill(nonce);
  return seal_in_place(out, start, additional, nonce);
}

bool Keyring::seal_to(Bytes& out,
                      ByteView plain,
                      ByteView additional,
                      const std::array<std::uint8_t, kNonceBytes>& nonce) const {
  const std::size_t start = out.size();
  out.resize(start + kSealOverhead + plain.size());
  std::copy(plain.begin(), plain.end(),
            out.begin() + static_cast<std::ptrdiff_t>(start + kHeadBytes));
  const bool sealed = seal_in_place(out, start, additional, nonce);
  if (!sealed) out.resize(start);
  return sealed;
}

bool Keyring::seal_to(Bytes& out, ByteView plain, ByteView additional, Rng& rng) const {
  std::array<std::uint8_t, kNonceBytes> nonce{};
  rng.fill(nonce);
  return seal_to(out, plain, additional, nonce);
}

Bytes Keyring::seal(ByteView plain, ByteView additional, Rng& rng) const {
  Bytes out;
  return seal_to(out, plain, additional, rng) ? out : Bytes{};
}

Bytes Keyring::seal_with_nonce(ByteView plain,
                               ByteView additional,
                               const std::array<std::uint8_t, kNonceBytes>& nonce) const {
  Bytes out;
  return seal_to(out, plain, additional, nonce) ? out : Bytes{};
}

OpenFault Keyring::open_to(Bytes& out, ByteView sealed, ByteView additional) const {
  out.clear();
  if (sealed.size() < kSealOverhead || sealed.front() > kPlainVersion) return OpenFault::no_key;
  if (!fits_int(sealed.size()) || !fits_int(additional.size())) return OpenFault::no_key;
  const bool padded = sealed.front() == kPaddedVersion;
  if (padded && sealed.size() < kSealOverhead + kBlockBytes) return OpenFault::no_key;
  const std::uint8_t* nonce = sealed.data() + 1;
  const ByteView tag = sealed.last(kTagBytes);
  const ByteView ciphertext = sealed.subspan(kHeadBytes, sealed.size() - kHeadBytes - kTagBytes);
  out.resize(ciphertext.size());
  const bool opened = std::any_of(keys_.begin(), keys_.end(), [&](const auto& key) {
    return key->open(nonce, ciphertext, tag, additional, out.data());
  });
  const OpenFault fault = !opened ? OpenFault::no_key : padded ? unpad(out) : OpenFault::none;
  if (fault == OpenFault::none && !out.empty()) return fault;
  OPENSSL_cleanse(out.data(), out.size());
  out.clear();
  return fault == OpenFault::none ? OpenFault::empty : fault;
}

Result<Bytes> Keyring::open(ByteView sealed, ByteView additional) const {
  Bytes plain;
  switch (open_to(plain, sealed, additional)) {
    case OpenFault::none:
      return plain;
    case OpenFault::padding:
      return fail(Errc::malformed, "an encrypted message with an impossible padding");
    case OpenFault::empty:
      return fail(Errc::malformed, "an encrypted message around nothing");
    case OpenFault::no_key:
      break;
  }
  return fail(Errc::not_permitted, "no key of the ring opens an encrypted message");
}

}  // namespace wesher::wire
