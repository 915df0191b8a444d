// The metadata recorded from the Go program's three generations: decoded and compared, and written
// again byte for byte wherever our encoder may write it.
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/wire/support/samples.h"
#include "wire/node_meta.h"

namespace wesher::wire {

namespace {

using nlohmann::json;

json load(const std::string& name) {
  std::ifstream file(std::string(TEST_DATA) + "/vectors/" + name);
  REQUIRE(file);
  return json::parse(file);
}

struct Tally {
  std::size_t written = 0;  ///< valid, and the same bytes from our encoder
  std::size_t refused = 0;  ///< decoded, but not usable
  std::size_t foreign = 0;  ///< usable, but written in a form that we never choose
};

/// Checks one vector; every one lands in exactly one column of the tally.
void check(const json& vector, MetaFormat format, Tally& tally) {
  const std::string name = vector.at("name");
  INFO(name);
  const json& inputs = vector.at("inputs");
  const Bytes recorded = test::hex(vector.at("expected_hex").get<std::string>());
  const auto raw = decode_node_meta(recorded);
  REQUIRE(raw);
  CHECK(raw->format == format);
  CHECK(raw->gob_bytes == recorded.size());
  CHECK(raw->public_key == inputs.at("pubKey").get<std::string>());
  if (inputs.contains("mask_hex"))
    CHECK(to_hex(raw->mask) == inputs.at("mask_hex").get<std::string>());
  if (inputs.contains("ip_bytes"))
    CHECK(raw->address.size() == inputs.at("ip_bytes").get<std::size_t>());
  if (inputs.contains("addr_hex"))
    CHECK(to_hex(raw->address) == inputs.at("addr_hex").get<std::string>());
  const auto meta = validate_node_meta(*raw);
  if (name == "zero-value" || name == "zoned") {
    CHECK_FALSE(meta);
    ++tally.refused;
    return;
  }
  REQUIRE(meta);
  CHECK(meta->overlay.text() == inputs.at("overlayAddr").get<std::string>());
  CHECK(meta->key.base64() == inputs.at("pubKey").get<std::string>());
  CHECK(meta->format == format);
  if (name == "ipv4-as-16-bytes") {
    CHECK(encode_node_meta(*meta) != recorded);
    ++tally.foreign;
    return;
  }
  CHECK(to_hex(encode_node_meta(*meta)) == to_hex(recorded));
  ++tally.written;
}

Tally check_all(const std::string& file, MetaFormat format) {
  Tally tally;
  const json document = load(file);
  for (const json& vector : document.at("vectors"))
    check(vector, format, tally);
  return tally;
}

}  // namespace

TEST_CASE("recorded metadata of v0.1 is read and written as F1") {
  const Tally tally = check_all("nodemeta-v0.1.json", MetaFormat::f1);
  CHECK(tally.written == 4);
  CHECK(tally.refused == 0);
  CHECK(tally.foreign == 0);
}

TEST_CASE("recorded metadata of v0.2.6 is read and written as F2") {
  const Tally tally = check_all("nodemeta-v0.2.6.json", MetaFormat::f2);
  CHECK(tally.written == 5);
  CHECK(tally.refused == 1);
  CHECK(tally.foreign == 1);
}

TEST_CASE("recorded metadata of HEAD is read and written as F3") {
  const Tally tally = check_all("nodemeta-head.json", MetaFormat::f3);
  CHECK(tally.written == 5);
  CHECK(tally.refused == 2);
  CHECK(tally.foreign == 0);
}

}  // namespace wesher::wire
