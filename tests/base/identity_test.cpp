#include "base/identity.h"

#include <algorithm>
#include <utility>

#include <catch2/catch.hpp>

namespace wesher {
namespace {

std::array<std::uint8_t, kKeyBytes> hex32(std::string_view text) {
  std::array<std::uint8_t, kKeyBytes> out{};
  const Bytes bytes = from_hex(text).value();
  REQUIRE(bytes.size() == out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

IdentityKey identity(std::string_view hex) {
  return IdentityKey(hex32(hex));
}

Signature signature(std::string_view hex) {
  Signature out{};
  const Bytes bytes = from_hex(hex).value();
  REQUIRE(bytes.size() == out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

std::string repeated(std::string_view digits, int times) {
  std::string out;
  for (int i = 0; i < times; ++i)
    out += digits;
  return out;
}

SigningKey signer_of(std::uint8_t n) {
  std::array<std::uint8_t, kKeyBytes> seed{};
  seed.fill(n);
  return SigningKey(SecretKey(seed));
}

/// `bytes` as a little-endian number, plus the order of the group: the second form of an S.
void add_group_order(std::span<std::uint8_t> bytes) {
  const auto order = hex32("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    carry += unsigned{bytes[i]} + order.at(i);
    bytes[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8U;
  }
  REQUIRE(carry == 0);
}

struct Vector {
  std::string_view seed;
  std::string_view identity;
  std::string_view message;
  std::string_view signature;
};

// RFC 8032, section 7.1, tests 1 to 3.
constexpr std::array kVectors = {
    Vector{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
           "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
           "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e397"
           "01cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    Vector{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
           "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
           "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f361"
           "3d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    Vector{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
           "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
           "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76"
           "0984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

}  // namespace

TEST_CASE("identities and signatures are those of RFC 8032") {
  for (const Vector& vector : kVectors) {
    const SigningKey key{SecretKey(hex32(vector.seed))};
    const Bytes message = from_hex(vector.message).value();
    CHECK(key.identity().text() == vector.identity);
    CHECK(to_hex(key.sign(message)) == vector.signature);
    CHECK(verify(identity(vector.identity), message, signature(vector.signature)));
  }
}

TEST_CASE("the text of an identity is 64 hex digits and reads back") {
  const IdentityKey key = signer_of(5).identity();
  CHECK(key.text().size() == 64);
  CHECK(IdentityKey::parse(key.text()) == key);
  CHECK(IdentityKey::from_bytes(key.bytes()) == key);
  std::string upper = key.text();
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
  CHECK(IdentityKey::parse(upper) == key);
  CHECK(IdentityKey::parse(key.text().substr(2)).error().detail ==
        "an identity is 32 bytes, not 31");
  CHECK(IdentityKey::parse(key.text() + "00").error().detail == "an identity is 32 bytes, not 33");
  CHECK(IdentityKey::parse("k").error().detail == "an identity is hex digits");
  CHECK_FALSE(IdentityKey::parse(""));
  CHECK(IdentityKey().is_zero());
  CHECK_FALSE(key.is_zero());
}

TEST_CASE("identities are ordered by their bytes") {
  std::array<std::uint8_t, kKeyBytes> low{};
  std::array<std::uint8_t, kKeyBytes> high{};
  low.back() = 0xff;
  high.front() = 1;
  CHECK(IdentityKey(low) < IdentityKey(high));
}

TEST_CASE("a signature holds for its message and its signer alone and for no other bits") {
  const SigningKey key = signer_of(1);
  const Bytes message = {1, 2, 3};
  const Signature good = key.sign(message);
  REQUIRE(verify(key.identity(), message, good));
  CHECK_FALSE(verify(signer_of(2).identity(), message, good));
  CHECK_FALSE(verify(key.identity(), Bytes{1, 2, 3, 0}, good));
  CHECK_FALSE(verify(key.identity(), Bytes{1, 2}, good));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Signature bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    CHECK_FALSE(verify(key.identity(), message, bad));
  }
  for (std::size_t bit = 0; bit < kKeyBytes * 8; ++bit) {
    auto other = key.identity().bytes();
    other[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    CHECK_FALSE(verify(IdentityKey(other), message, good));
  }
}

TEST_CASE("the second form of a signature is refused") {
  const SigningKey key = signer_of(3);
  const Bytes message = {7};
  Signature doubled = key.sign(message);
  REQUIRE(verify(key.identity(), message, doubled));
  add_group_order(std::span(doubled).subspan(32));
  CHECK_FALSE(verify(key.identity(), message, doubled));
}

TEST_CASE("keys of small order and keys that are not in their only form sign nothing") {
  // R = B and S = 1 satisfy S·B = R + h·A for every message when A is the neutral element, for one
  // in two, four or eight when A has that order. The encodings of the eight points, then those with
  // y + p or with the sign of a zero.
  const std::array<std::string_view, 14> keys = {
      "0100000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000080",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      "0100000000000000000000000000000000000000000000000000000000000080",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  };
  const std::string base = "58" + repeated("66", 31);
  const Signature forged = signature(base + "01" + repeated("00", 31));
  for (const std::string_view key : keys) {
    for (std::uint8_t message = 0; message < 64; ++message) {
      CHECK_FALSE(verify(identity(key), Bytes{message}, forged));
    }
  }
}

TEST_CASE("a signature whose R has a small order is refused even from the holder of the key") {
  // Made from the first seed of RFC 8032 for the message 09 with r = 0: R is the neutral element
  // and S = h·a, which satisfies the equation.
  const Signature forged =
      signature("01" + repeated("00", 31) +
                "17e3d95383eb036c92fa380d84142ddca03b600bad039d0217ec6497531b5c0b");
  CHECK_FALSE(verify(identity(kVectors.at(0).identity), Bytes{9}, forged));
}

TEST_CASE("a signing key that was moved away signs for nobody") {
  SigningKey from = signer_of(6);
  const IdentityKey who = from.identity();
  const SigningKey to(std::move(from));
  CHECK(to.identity() == who);
  CHECK(verify(who, Bytes{1}, to.sign(Bytes{1})));
  CHECK(
      from.identity().is_zero());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK_FALSE(verify(who, Bytes{1}, from.sign(Bytes{1})));
  SigningKey assigned = signer_of(7);
  SigningKey again = signer_of(6);
  assigned = std::move(again);
  CHECK(assigned.identity() == who);
  CHECK(
      again.identity().is_zero());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
}

}  // namespace wesher
