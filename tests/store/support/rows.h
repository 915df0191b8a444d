// Rows for the tests of the repository, and a database to put them in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/repository.h"
#include "tests/store/support/place.h"

namespace wesher::store::test {

[[nodiscard]] PublicKey key_of(unsigned number);
/// The claim of a member with an identity that follows from the number.
[[nodiscard]] SignedClaim claim_of(unsigned number);
[[nodiscard]] SelfRow self_row();
/// A member whose addresses and key follow from the number.
[[nodiscard]] Member member_of(const std::string& name, unsigned number);
[[nodiscard]] DesiredPeer peer_of(const std::string& name, unsigned number);
[[nodiscard]] Desired desired_of(std::vector<DesiredPeer> peers);

/// A new database as the daemon opens it, with its repository.
class Store {
 public:
  Store();

  Repository* operator->() { return repository_.get(); }

  [[nodiscard]] const Place& place() const { return place_; }

  [[nodiscard]] SQLite::Database& sqlite() { return database_->sqlite(); }

  /// Another connection, as a command that writes.
  [[nodiscard]] Database connect() const;
  /// Closes and opens it again, as a restart of the daemon.
  void restart();

 private:
  Place place_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Repository> repository_;
};

/// Stores the results of one pass, as a batch of its own.
[[nodiscard]] Result<void> put_applied(Store& store,
                                       std::uint64_t generation,
                                       const std::vector<AppliedObject>& objects,
                                       WallTime at);

}  // namespace wesher::store::test
