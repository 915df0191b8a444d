// The bytes of a key file.
#include "store/key_file_format.h"

#include <catch2/catch.hpp>

using namespace wesher;
using namespace wesher::store;

namespace {

SecretKey key_of(std::uint8_t byte) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(byte);
  return SecretKey(bytes);
}

KeyFile full() {
  KeyFile keys;
  keys.id = "00112233445566778899aabbccddeeff";
  keys.ring.push_back({3, key_of(3)});
  keys.ring.push_back({1, key_of(1)});
  keys.wireguard_private = key_of(9);
  keys.identity_seed = key_of(8);
  keys.node_name = "db 1%\n\xff";
  keys.overlay = IpAddress::parse("fd00::5").value();
  keys.overlay_net = Prefix::parse("fd00::/64").value();
  keys.claim_time = wall_from_ms(1780000000123);
  keys.newest_claim = wall_from_ms(1780000000456);
  keys.meta_format = MetaFormat::f3;
  keys.announce_mapped = true;
  keys.epoch_end = 18446744073709551615ULL;
  keys.incarnation_end = 4294967295U;
  keys.highest_time = wall_from_ms(1790000000000);
  keys.init_boot_id = "5f7c9e3a-1b2c-4d5e-8f90-a1b2c3d4e5f6";
  keys.machine = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  return keys;
}

constexpr std::string_view kFullText =
    "wesher keys 2\n"
    "cluster_key 3 AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n"
    "cluster_key 1 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
    "id 00112233445566778899aabbccddeeff\n"
    "wireguard_private CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n"
    "identity_seed CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=\n"
    "node_name db%201%25%0a%ff\n"
    "overlay fd00::5\n"
    "overlay_net fd00::/64\n"
    "claim_time 1780000000123\n"
    "newest_claim 1780000000456\n"
    "meta_format F3\n"
    "announce_mapped yes\n"
    "epoch_end 18446744073709551615\n"
    "incarnation_end 4294967295\n"
    "highest_time 1790000000000\n"
    "init_boot_id 5f7c9e3a-1b2c-4d5e-8f90-a1b2c3d4e5f6\n"
    "machine 0f1e2d3c4b5a69788796a5b4c3d2e1f0\n";

/// A file as the version before wrote it, to the last byte.
constexpr std::string_view kFormat1 =
    "wesher keys 1\n"
    "cluster_key 3 AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n"
    "cluster_key 1 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
    "id 00112233445566778899aabbccddeeff\n"
    "wireguard_private CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n"
    "identity_seed CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=\n"
    "node_name db%201%25%0a%ff\n"
    "overlay fd00::5\n"
    "overlay_net fd00::/64\n"
    "claim_time 1780000000123\n"
    "meta_format F3\n"
    "announce_mapped yes\n"
    "epoch_end 18446744073709551615\n"
    "incarnation_end 4294967295\n"
    "highest_time 1790000000000\n"
    "init_boot_id 5f7c9e3a-1b2c-4d5e-8f90-a1b2c3d4e5f6\n"
    "checksum 68728fd6ec6f2c15982d6f0b6ed72022d197c66f0b93261914065f3961bad728\n";

std::string signed_text(std::string_view body) {
  return std::string(body) + checksum_line(body);
}

/// The full text with one line replaced, and a checksum that fits.
std::string with(std::string_view line, std::string_view instead) {
  std::string body(kFullText);
  const auto at = body.find(line);
  REQUIRE(at != std::string::npos);
  body.replace(at, line.size(), instead);
  return signed_text(body);
}

std::string why(const std::string& text) {
  const auto keys = parse_key_file(text);
  if (keys) return "parsed";
  CHECK(keys.error().code == Errc::malformed);
  return keys.error().detail;
}

/// What both formats have.
void check_common_fields(const KeyFile& keys) {
  const KeyFile want = full();
  CHECK(keys.id == want.id);
  REQUIRE(keys.ring.size() == 2);
  CHECK(keys.ring[0].generation == 3);
  CHECK(keys.ring[0].key.same_as(want.ring[0].key));
  CHECK(keys.ring[1].generation == 1);
  CHECK(keys.ring[1].key.same_as(want.ring[1].key));
  CHECK(keys.wireguard_private.same_as(want.wireguard_private));
  CHECK(keys.identity_seed.same_as(want.identity_seed));
  CHECK(keys.node_name == want.node_name);
  CHECK(keys.overlay == want.overlay);
  CHECK(keys.overlay_net == want.overlay_net);
  CHECK(keys.claim_time == want.claim_time);
  CHECK(keys.meta_format == want.meta_format);
  CHECK(keys.announce_mapped);
  CHECK(keys.epoch_end == want.epoch_end);
  CHECK(keys.incarnation_end == want.incarnation_end);
  CHECK(keys.highest_time == want.highest_time);
  CHECK(keys.init_boot_id == want.init_boot_id);
}

}  // namespace

TEST_CASE("a key file of format 2 has these bytes") {
  CHECK(format_key_file(full()).value() == signed_text(kFullText));
  CHECK(checksum_line("wesher keys 1\n") ==
        "checksum ea5a1b4d80fd3f21066e9616eb2199f56d005dd9db9a779647b8f711ac0e0b34\n");
}

TEST_CASE("every field of a key file comes back from its bytes") {
  const auto keys = parse_key_file(signed_text(kFullText));
  REQUIRE(keys);
  check_common_fields(*keys);
  CHECK(keys->newest_claim == full().newest_claim);
  CHECK(keys->machine == full().machine);
}

TEST_CASE("a key file of format 1 is read and saved as format 2") {
  auto keys = parse_key_file(kFormat1);
  REQUIRE(keys);
  check_common_fields(*keys);
  CHECK(keys->newest_claim == full().claim_time);
  CHECK(keys->machine.empty());
  keys->newest_claim = full().newest_claim;
  keys->machine = full().machine;
  CHECK(format_key_file(*keys).value() == signed_text(kFullText));
}

TEST_CASE("fields of a later format are unknown in a file of an earlier one") {
  const std::string body(kFormat1.substr(0, kFormat1.rfind("checksum")));
  CHECK(why(signed_text(body + "newest_claim 5\n")) == "it has a field that is unknown");
  CHECK(why(signed_text(body + "machine 0f1e2d3c4b5a69788796a5b4c3d2e1f0\n")) ==
        "it has a field that is unknown");
}

TEST_CASE("fields without a value have no line and come back so") {
  KeyFile keys = full();
  keys.node_name.clear();
  keys.overlay.reset();
  keys.overlay_net.reset();
  keys.init_boot_id.clear();
  keys.machine.clear();
  const std::string text = format_key_file(keys).value();
  CHECK_THAT(text, !Catch::Contains("overlay") && !Catch::Contains("node_name") &&
                       !Catch::Contains("machine"));
  const auto back = parse_key_file(text);
  REQUIRE(back);
  CHECK(back->node_name.empty());
  CHECK_FALSE(back->overlay);
  CHECK_FALSE(back->overlay_net);
  CHECK(back->init_boot_id.empty());
  CHECK(back->machine.empty());
}

TEST_CASE("a key file with any byte changed or cut off is refused") {
  for (const std::string& good : {signed_text(kFullText), std::string(kFormat1)}) {
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 1);
      CHECK_FALSE(parse_key_file(bad));
      CHECK_FALSE(parse_key_file(good.substr(0, i)));
    }
    CHECK_FALSE(parse_key_file(good + "\n"));
    CHECK_FALSE(parse_key_file(good + good));
  }
}

TEST_CASE("a value that is not in its one form is refused with the name of its field") {
  CHECK(why(with("id 0", "id G")) == "id is not valid");
  CHECK(why(with("id 00", "id 0")) == "id is not valid");
  CHECK(why(with("cluster_key 3", "cluster_key 03")) == "cluster_key is not valid");
  CHECK(why(with("cluster_key 3 AwMD", "cluster_key 3 Aw")) == "cluster_key is not valid");
  CHECK(why(with("wireguard_private CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=",
                 "wireguard_private AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")) ==
        "wireguard_private is not valid");
  CHECK(why(with("overlay fd00::5", "overlay FD00::5")) == "overlay is not valid");
  CHECK(why(with("claim_time 1780000000123", "claim_time -1")) == "claim_time is not valid");
  CHECK(why(with("newest_claim 1780000000456", "newest_claim 01")) == "newest_claim is not valid");
  CHECK(why(with("machine 0f1e", "machine 0F1E")) == "machine is not valid");
  CHECK(why(with("machine 0f1e", "machine 0f1")) == "machine is not valid");
  CHECK(why(with("highest_time 1790000000000", "highest_time 253402300800000")) ==
        "highest_time is not valid");
  CHECK(why(with("meta_format F3", "meta_format F4")) == "meta_format is not valid");
  CHECK(why(with("announce_mapped yes", "announce_mapped 1")) == "announce_mapped is not valid");
  CHECK(why(with("incarnation_end 4294967295", "incarnation_end 4294967296")) ==
        "incarnation_end is not valid");
  CHECK(why(with("epoch_end 18446744073709551615", "epoch_end 18446744073709551616")) ==
        "epoch_end is not valid");
  CHECK(why(with("node_name db%20", "node_name db%2")) == "node_name is not valid");
  CHECK(why(with("node_name db%20", "node_name db%64")) == "node_name is not valid");
  CHECK(why(with("node_name db%201%25%0a%ff", "node_name " + std::string(254, 'a'))) ==
        "node_name is not valid");
}

TEST_CASE("unknown and repeated and missing fields are refused") {
  CHECK(why(with("overlay_net", "overlay_mask")) == "it has a field that is unknown");
  CHECK(why(with("epoch_end 18446744073709551615\n", "epoch_end 1\nepoch_end 1\n")) ==
        "it has epoch_end twice");
  CHECK(why(with("epoch_end 18446744073709551615\n", "")) == "it has no epoch_end");
  CHECK(why(with("newest_claim 1780000000456\n", "")) == "it has no newest_claim");
  CHECK(why(with("epoch_end 18446744073709551615\n", "\n")) == "a line has no value");
  CHECK(why(with("cluster_key 3", "cluster_key 1")) == "two cluster keys have one generation");
}

TEST_CASE("a key file without a cluster key or with too many is neither read nor written") {
  KeyFile keys = full();
  keys.ring.clear();
  CHECK_FALSE(format_key_file(keys));
  for (std::uint32_t i = 1; i <= kRingKeysMax; ++i)
    keys.ring.push_back({i, key_of(1)});
  const auto most = format_key_file(keys);
  REQUIRE(most);
  CHECK(most->size() < kKeyFileBytesMax);
  keys.ring.push_back({1000, key_of(1)});
  CHECK_FALSE(format_key_file(keys));
}

TEST_CASE("another version is unsupported and told by its number") {
  for (const std::string version : {"0", "3", "27"}) {
    const auto keys = parse_key_file(signed_text("wesher keys " + version + "\nnew things\n"));
    REQUIRE_FALSE(keys);
    CHECK(keys.error().code == Errc::unsupported);
    CHECK(keys.error().detail == version);
  }
}

TEST_CASE("no reason for a refusal contains a key") {
  const std::string secret = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
  const auto broken = why(with("wireguard_private " + secret, "wireguard_private x" + secret));
  CHECK_THAT(broken, !Catch::Contains("CQkJ"));
  const auto unknown = why(with("wireguard_private " + secret, secret + " " + secret));
  CHECK_THAT(unknown, !Catch::Contains("CQkJ"));
}
