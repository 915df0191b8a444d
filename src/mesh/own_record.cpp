#include "mesh/own_record.h"

#include <utility>

#include "wire/node_meta.h"
#include "wire/signed_record.h"

namespace wesher::mesh {

OwnRecord::OwnRecord(Start start, const SecretKey& seed)
    : start_(std::move(start)), epochs_(start_.epoch_first, start_.epoch_end) {
  if (seed.is_zero()) return;
  key_.emplace(seed);
  identity_ = key_->identity();
}

void OwnRecord::set_address(const std::optional<IpAddress>& overlay, WallTime claimed) {
  start_.meta.overlay = overlay.value_or(IpAddress{});
  start_.claimed = claimed;
}

std::optional<wire::Statement> OwnRecord::state(wire::StatementKind kind,
                                                WallTime at,
                                                std::string_view subject) const {
  if (!key_) return std::nullopt;
  return wire::make_statement(kind, at, subject, *key_);
}

std::optional<std::uint64_t> OwnRecord::take_wanted(WallTime now) {
  if (!is_signed()) return std::nullopt;
  return epochs_.ask(now);
}

std::optional<Bytes> OwnRecord::renew() {
  if (!has_address()) return Bytes{};
  if (!key_) return wire::encode_node_meta(start_.meta);
  // What is reserved is ahead of the clock at the start, and that is enough: `take` of a later time
  // would have to wait for the disk.
  const auto epoch = epochs_.take_reserved();
  if (!epoch) return std::nullopt;
  wire::SignedRecord record;
  record.identity = *identity_;
  record.epoch = *epoch;
  record.claim_time = start_.claimed;
  record.instance = start_.instance;
  if (for_good_) record.flags = wire::record_flag::kLeaving | wire::record_flag::kForGood;
  const wire::RecordContext context{start_.name, start_.underlay, start_.port};
  return wire::encode_signed(start_.meta, record, context, *key_).value_or(Bytes{});
}

}  // namespace wesher::mesh
