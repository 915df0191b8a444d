// Reconciling: this host's own overlay address, its reserved numbers, and what keeps it out of the
// mesh.
#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "daemon/reconcile_core.h"

namespace wesher::daemon {

namespace {

std::string address_text(const std::optional<IpAddress>& address) {
  return address ? address->text() : "none";
}

}  // namespace

/// Told to the mesh only when it is on disk; while it can't be written it is tried again, and the
/// mesh lives on the numbers that it has.
void ReconcileCore::reserve_incarnations(std::uint32_t end) {
  auto& keys = parts_.identity.keys;
  keys.incarnation_end = std::max(keys.incarnation_end, end);
  unsaved_incarnations_ = !save_keys();
  if (!unsaved_incarnations_ && callbacks_.incarnations_reserved) {
    callbacks_.incarnations_reserved(keys.incarnation_end);
  }
}

void ReconcileCore::reserve_epochs(std::uint64_t end) {
  auto& keys = parts_.identity.keys;
  keys.epoch_end = std::max(keys.epoch_end, end);
  unsaved_epochs_ = !save_keys();
  if (!unsaved_epochs_ && callbacks_.epochs_reserved) callbacks_.epochs_reserved(keys.epoch_end);
}

/// Whatever could not be written into the key file before.
void ReconcileCore::save_what_waits() {
  if (unsaved_incarnations_) reserve_incarnations(0);
  if (unsaved_epochs_) reserve_epochs(0);
  if (unsaved_claim_) take_claim(mesh::OwnClaim(*unsaved_claim_));
  if (unsaved_format_) take_format(mesh::SpeakFormat(*unsaved_format_));
}

/// The claim into the key file, then onto the interface, then to be announced. What can't be
/// written is neither configured nor announced.
void ReconcileCore::take_claim(const mesh::OwnClaim& claim) {
  if (frozen_) return;
  auto& keys = parts_.identity.keys;
  auto& self = parts_.self;
  const auto kept = std::tuple(keys.overlay, keys.overlay_net, keys.claim_time, keys.newest_claim);
  keys.overlay = claim.overlay;
  keys.overlay_net = claim.overlay ? std::optional(self.overlay_net) : std::nullopt;
  keys.claim_time = claim.overlay ? claim.claimed : WallTime{};
  keys.newest_claim = std::max(keys.newest_claim, claim.claimed);
  if (!save_keys()) {
    std::tie(keys.overlay, keys.overlay_net, keys.claim_time, keys.newest_claim) = kept;
    unsaved_claim_ = claim;
    return;
  }
  unsaved_claim_.reset();
  const std::optional<IpAddress> before = self.overlay;
  self.overlay = claim.overlay;
  self.claimed = claim.overlay ? std::optional(claim.claimed) : std::nullopt;
  journal_.batch().self = self;
  if (before != claim.overlay) {
    move_address(before, claim);
  } else {
    due_for_change(clock_().at);
  }
  if (callbacks_.claim_stored) callbacks_.claim_stored(claim.overlay);
}

/// The new address is there before the old one goes; nothing else on the device is touched.
void ReconcileCore::move_address(const std::optional<IpAddress>& before,
                                 const mesh::OwnClaim& claim) {
  const Moment moment = clock_();
  journal_.batch().history.push_back({0, moment.wall, "overlay address",
                                      address_text(before) + " -> " + address_text(claim.overlay),
                                      claim.why});
  plan::OwnNode own = table_.own();
  own.interface.overlay = claim.overlay.value_or(IpAddress{});
  table_.set_own(std::move(own));
  journal_.desired_unknown();
  store_changes();
  std::vector<plan::Action> actions;
  if (claim.overlay) {
    actions.push_back({plan::AddAddress{Prefix::host(*claim.overlay)}, claim.why});
  }
  if (before) {
    const std::string reason =
        claim.overlay ? "our address is " + claim.overlay->text() : "we have no address";
    actions.push_back({plan::RemoveAddress{Prefix::host(*before)}, reason});
  }
  const auto results =
      parts_.data_plane->apply_all(actions, parts_.identity.keys.wireguard_private);
  const bool has_address = claim.overlay && !results.empty() && results.front();
  // With the last address the kernel takes the routes away; and an interface that had none before
  // was not in order.
  if (!has_address || !before) {
    expect_all_ = true;
    due_for_all(moment.at + kBurstWindow);
  }
  settle_own(actions, results);
  // Rows of members that claim the address that was ours, or is now.
  if (!pending_.empty() || !leaving_.empty()) due_for_change(moment.at);
}

/// Into the key file, then to be announced: a restart says the same.
void ReconcileCore::take_format(const mesh::SpeakFormat& wanted) {
  if (frozen_) return;
  MetaFormat& stored = parts_.identity.keys.meta_format;
  const MetaFormat before = std::exchange(stored, wanted.format);
  if (!save_keys()) {
    stored = before;
    unsaved_format_ = wanted;
    return;
  }
  unsaved_format_.reset();
  parts_.self.meta_format = wanted.format;
  auto& batch = journal_.batch();
  batch.self = parts_.self;
  batch.history.push_back({0, clock_().wall, "metadata format",
                           fmt::format("{} -> {}", to_text(before), to_text(wanted.format)),
                           wanted.why});
  due_for_change(clock_().at);
  if (callbacks_.format_stored) callbacks_.format_stored(wanted.format);
}

void ReconcileCore::kept_out(std::string why) {
  if (parts_.self.kept_out == why) return;
  const Moment moment = clock_();
  parts_.self.kept_out = std::move(why);
  auto& batch = journal_.batch();
  batch.self = parts_.self;
  if (!parts_.self.kept_out.empty()) {
    batch.history.push_back({0, moment.wall, "daemon", "not in the mesh", parts_.self.kept_out});
  }
  notifier_.status(status_line());
  due_for_change(moment.at);
}

void ReconcileCore::answer(std::int64_t request, bool done, const std::string& text) {
  (void)journal_.repository().finish_request(request, done ? "done" : "refused", text);
}

}  // namespace wesher::daemon
