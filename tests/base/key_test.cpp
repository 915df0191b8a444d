#include "base/key.h"

#include <catch2/catch.hpp>

namespace wesher {
namespace {

std::array<std::uint8_t, kKeyBytes> filled(std::uint8_t n) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bytes.fill(n);
  return bytes;
}

std::array<std::uint8_t, kKeyBytes> hex32(std::string_view text) {
  std::array<std::uint8_t, kKeyBytes> out{};
  const Bytes bytes = from_hex(text).value();
  REQUIRE(bytes.size() == out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

TEST_CASE("base64 is the standard alphabet with padding") {
  // RFC 4648, section 10.
  const std::vector<std::pair<std::string, std::string>> cases = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : cases) {
    CHECK(to_base64(as_bytes(plain)) == encoded);
    const auto decoded = from_base64(encoded);
    REQUIRE(decoded.has_value());
    CHECK(as_text(*decoded) == plain);
  }
  CHECK(to_base64(Bytes{0xfb, 0xff}) == "+/8=");
}

TEST_CASE("base64 of another form is refused") {
  for (const char* bad : {"Zg", "Zg=", "Zg===", "Zm8", "Zm9v\n", " Zm9v", "Zm 9v",
                          "-_8=", "Zh==", "Zg==Zg==", "=", "Z"}) {
    CHECK_FALSE(from_base64(bad).has_value());
  }
}

TEST_CASE("a public key is 32 bytes that are not all zero") {
  const PublicKey key(filled(7));
  CHECK(PublicKey::parse(key.base64()) == key);
  CHECK(PublicKey::from_bytes(filled(7)) == key);
  CHECK_FALSE(PublicKey::from_bytes(filled(0)).has_value());
  CHECK_FALSE(PublicKey::from_bytes(Bytes(31, 1)).has_value());
  CHECK_FALSE(PublicKey::from_bytes(Bytes(33, 1)).has_value());
  CHECK_FALSE(PublicKey::parse("BwcH").has_value());
  CHECK(PublicKey().is_zero());
}

TEST_CASE("an abbreviated key is its first four characters and an ellipsis") {
  CHECK(PublicKey(filled(1)).abbreviated() == "AQEB…");
}

TEST_CASE("a secret key names its fault and not its value") {
  CHECK(SecretKey::parse("not a key").error().detail == "is not base64");
  CHECK(SecretKey::parse("AAAA").error().detail == "is 3 bytes, must be 32");
  CHECK(SecretKey::parse(to_base64(filled(9)))->same_as(SecretKey(filled(9))));
}

TEST_CASE("a moved secret key is wiped where it was") {
  SecretKey from(filled(3));
  SecretKey to(std::move(from));
  CHECK(to.same_as(SecretKey(filled(3))));
  CHECK(from.is_zero());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  SecretKey assigned(filled(4));
  assigned = std::move(to);
  CHECK(assigned.same_as(SecretKey(filled(3))));
  CHECK(to.is_zero());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK_FALSE(assigned.same_as(SecretKey(filled(4))));
}

TEST_CASE("the public key of a private one is that of RFC 7748") {
  // Section 6.1, Bob.
  CHECK(to_hex(x25519_public(SecretKey(hex32("5dab087e624a8a4b79e17f8b83800ee6"
                                             "6f3bb1292618b6fd1c2f8b27ff88e0eb")))
                   .bytes()) ==
        "de9edb7d7b7dc1b4d35b61c2ece43537"
        "3f8343c85b78674dadfc7e146f882b4f");
}

TEST_CASE("clamping sets and clears the bits that RFC 7748 names") {
  const SecretKey ones = clamp_x25519(SecretKey(filled(0xff)));
  CHECK(ones.bytes()[0] == 0xf8);
  CHECK(ones.bytes()[31] == 0x7f);
  CHECK(ones.bytes()[15] == 0xff);
  const SecretKey zeros = clamp_x25519(SecretKey(filled(0)));
  CHECK(zeros.bytes()[0] == 0);
  CHECK(zeros.bytes()[31] == 0x40);
}

TEST_CASE("a cluster's fingerprint is two groups of hex and differs between keys") {
  const std::string one = cluster_fingerprint(SecretKey(filled(1)));
  CHECK(one == cluster_fingerprint(SecretKey(filled(1))));
  CHECK(one != cluster_fingerprint(SecretKey(filled(2))));
  REQUIRE(one.size() == 9);
  CHECK(one[4] == '-');
  CHECK(from_hex(one.substr(0, 4) + one.substr(5)).has_value());
}

}  // namespace
}  // namespace wesher
