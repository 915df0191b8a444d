// What we announce of ourselves: metadata with our signature behind it. Every change takes a new
// epoch, which is reserved on disk before it is used, so that no two records of ours bear the same
// one, whatever crashes. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/identity.h"
#include "base/key.h"
#include "mesh/epochs.h"
#include "model/member.h"
#include "wire/statement.h"

namespace wesher::mesh {

class OwnRecord {
 public:
  struct Start {
    std::string name;
    Bytes underlay;  ///< as announced: 4 or 16 bytes
    std::uint16_t port = 0;
    NodeMeta meta;  ///< an unspecified overlay address: we have none
    WallTime claimed{};
    std::uint64_t epoch_first = 1;
    std::uint64_t epoch_end = 2;
    std::uint64_t instance = 0;
  };

  /// `seed` all zero: nothing is signed, as the Go program announces itself.
  OwnRecord(Start start, const SecretKey& seed);

  [[nodiscard]] const NodeMeta& meta() const { return start_.meta; }

  [[nodiscard]] bool has_address() const { return !start_.meta.overlay.is_unspecified(); }

  [[nodiscard]] bool is_signed() const { return key_.has_value(); }

  [[nodiscard]] const std::optional<IdentityKey>& identity() const { return identity_; }

  [[nodiscard]] WallTime claimed() const { return start_.claimed; }

  void set_key(const PublicKey& key) { start_.meta.key = key; }

  void set_format(MetaFormat format) { start_.meta.format = format; }

  /// Nothing: we have no address from now on.
  void set_address(const std::optional<IpAddress>& overlay, WallTime claimed);

  void set_underlay(Bytes underlay) { start_.underlay = std::move(underlay); }

  void set_leaving_for_good() { for_good_ = true; }

  void epochs_reserved(std::uint64_t end) { epochs_.extend(end); }

  /// What we say of another member; nothing if we sign nothing.
  [[nodiscard]] std::optional<wire::Statement> state(wire::StatementKind kind,
                                                     WallTime at,
                                                     std::string_view subject) const;

  /// Up to where epochs are to be reserved now; asked for once.
  [[nodiscard]] std::optional<std::uint64_t> take_wanted(WallTime now);

  /// The metadata as things stand, under a new epoch. Empty while we have no address. Nothing: no
  /// epoch is reserved; try again after `epochs_reserved`.
  [[nodiscard]] std::optional<Bytes> renew();

 private:
  Start start_;
  std::optional<SigningKey> key_;
  std::optional<IdentityKey> identity_;
  Epochs epochs_;
  bool for_good_ = false;
};

}  // namespace wesher::mesh
