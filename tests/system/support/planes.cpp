// Data planes for tests. See planes.h.
#include "tests/system/support/planes.h"

#include <array>

#include "system/kernel_wg.h"
#include "system/rt_control.h"

namespace wesher::test {

using system::BackendChoice;

SecretKey secret(std::uint8_t n) {
  std::array<std::uint8_t, kKeyBytes> raw{};
  raw.fill(n);
  return clamp_x25519(SecretKey(raw));
}

PublicKey key_of(std::uint8_t n) {
  return x25519_public(secret(n));
}

Prefix prefix(const std::string& text) {
  return must(Prefix::parse(text));
}

Endpoint endpoint(const std::string& text) {
  return must(Endpoint::parse(text));
}

plan::AddPeer peer(std::uint8_t n) {
  const std::string number = std::to_string(n);
  return {"node" + number, key_of(n), endpoint("192.0.2." + number + ":51820"),
          prefix("10.9.0." + number + "/32")};
}

std::vector<BackendChoice> backends() {
  std::vector<BackendChoice> out{BackendChoice::userspace};
  auto rt = must(system::RtControl::open());
  if (system::KernelWg::open("wgtest", rt)) out.push_back(BackendChoice::kernel);
  return out;
}

std::unique_ptr<system::DataPlane> open_plane(BackendChoice backend) {
  system::DataPlaneConfig config;
  config.interface = "wgtest";
  config.backend = backend;
  return must(system::DataPlane::open(config));
}

void apply(system::DataPlane& plane, plan::What what) {
  must(plane.apply({std::move(what), "test"}, secret(1)));
}

void bring_up(system::DataPlane& plane) {
  apply(plane, plan::CreateLink{"wgtest", 1380});
  apply(plane, plan::ConfigureDevice{key_of(1), 51820});
  apply(plane, plan::AddAddress{prefix("10.9.0.1/32")});
  apply(plane, plan::SetLinkUp{});
}

}  // namespace wesher::test
