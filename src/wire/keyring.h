// The cluster keys and the encryption layer of packets and stream frames: AES-GCM as memberlist
// uses it (security.go), with libcrypto. The first key encrypts, all decrypt. Pure: nonces come in.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"

namespace wesher::wire {

inline constexpr std::size_t kNonceBytes = 12;
inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::size_t kHeadBytes = 1 + kNonceBytes;  ///< in front of the ciphertext
inline constexpr std::size_t kSealOverhead = kHeadBytes + kTagBytes;  ///< version 1

/// Why sealed bytes gave no plaintext. One byte: hostile datagrams must not make us build strings.
enum class OpenFault : std::uint8_t {
  none,
  no_key,   ///< too short, another version, or no key's tag matches: not authenticated
  padding,  ///< authenticated, but version 0 with an impossible last byte
  empty,    ///< authenticated, but around nothing
};

/// An ordered list of AES keys (16, 24 or 32 bytes); position 0 is the primary. Move-only; keys are
/// wiped when it goes. Not thread safe, reading included: each key has one context.
class Keyring {
 public:
  Keyring();
  ~Keyring();
  Keyring(Keyring&&) noexcept;
  Keyring& operator=(Keyring&&) noexcept;

  /// Adds a key at the end, or as primary if it is the first; idempotent. Errc::malformed for
  /// another length.
  Result<void> add(ByteView key);
  /// Moves an installed key to position 0. Errc::not_found when it isn't installed.
  Result<void> use(ByteView key);
  /// Removes a key; unknown ones silently. Errc::busy for the primary.
  Result<void> remove(ByteView key);
  [[nodiscard]] std::size_t size() const;

  /// version byte 1 ‖ nonce ‖ ciphertext ‖ tag under the primary key. Empty when `plain`
  /// is (a Go node would crash on it) or the ring is. `additional` is authenticated, not sent.
  [[nodiscard]] Bytes seal(ByteView plain, ByteView additional, Rng& rng) const;
  /// The same with a given nonce: for tests against recorded bytes.
  [[nodiscard]] Bytes seal_with_nonce(ByteView plain,
                                      ByteView additional,
                                      const std::array<std::uint8_t, kNonceBytes>& nonce) const;
  /// The same appended to `out`, for a header in front; false, and `out` as it was, where `seal` is
  /// empty.
  [[nodiscard]] bool seal_to(Bytes& out, ByteView plain, ByteView additional, Rng& rng) const;
  /// Seals what stands in `out` from `start` on: room of kHeadBytes, the plaintext, which is not
  /// empty, and room of kTagBytes. False, and nothing to send, where `seal` is empty.
  [[nodiscard]] bool seal_in_place(Bytes& out,
                                   std::size_t start,
                                   ByteView additional,
                                   Rng& rng) const;
  /// Opens encryption version 0 (padded) or 1 with whichever key fits. Nothing is handed out before
  /// the tag was checked; an empty plaintext and a bad padding are Errc::malformed, bytes that no
  /// key opens Errc::not_permitted.
  [[nodiscard]] Result<Bytes> open(ByteView sealed, ByteView additional) const;
  /// The same without an error value: the plaintext to `out`, which keeps its room and
  /// is empty unless `none`.
  [[nodiscard]] OpenFault open_to(Bytes& out, ByteView sealed, ByteView additional) const;

 private:
  struct Key;
  /// Place of a key on the ring; size() when it is not there.
  [[nodiscard]] std::size_t position(ByteView key) const;
  [[nodiscard]] bool seal_to(Bytes& out,
                             ByteView plain,
                             ByteView additional,
                             const std::array<std::uint8_t, kNonceBytes>& nonce) const;
  [[nodiscard]] bool seal_in_place(Bytes& out,
                                   std::size_t start,
                                   ByteView additional,
                                   const std::array<std::uint8_t, kNonceBytes>& nonce) const;
  std::vector<std::unique_ptr<Key>> keys_;
};

}  // namespace wesher::wire
