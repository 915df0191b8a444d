// What reconciling starts from, as the daemon's start-up makes it: key file, database, own row.
#pragma once

#include <memory>
#include <utility>

#include <catch2/catch.hpp>

#include "daemon/reconcile_core.h"
#include "tests/daemon/support/fake_data_plane.h"

namespace wesher::daemon::test {

/// Loads the state below `paths`, or makes it; this host is "self" on "wgtest".
inline ReconcilerParts make_parts(const store::Paths& paths,
                                  std::shared_ptr<FakeDataPlane::World> world,
                                  WallTime now) {
  Options options;
  options.interface = "wgtest";
  auto identity = load_identity(paths, options, "self", StoredState::use, now);
  REQUIRE(identity);
  REQUIRE(store::save_key_file(paths.key_file(), identity->keys));
  auto opened = store::Database::open_for_daemon(paths.database(), identity->keys.id);
  REQUIRE(opened);
  store::SelfRow self;
  self.name = "self";
  self.interface = "wgtest";
  self.overlay = identity->overlay;
  self.overlay_net = options.overlay_net;
  self.key = x25519_public(identity->keys.wireguard_private);
  self.started = now;
  self.pid = 1;
  plan::OwnNode own{"self", {"wgtest", self.key, 51820, *self.overlay, std::nullopt}, true};
  return {paths,
          std::move(*identity),
          std::move(own),
          std::move(self),
          std::move(opened->database),
          std::make_unique<FakeDataPlane>(std::move(world)),
          options.effective()};
}

}  // namespace wesher::daemon::test
