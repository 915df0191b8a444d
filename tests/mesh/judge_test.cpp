#include "mesh/judge.h"

#include <catch2/catch.hpp>

#include "mesh/overlay_address.h"
#include "tests/mesh/support/samples.h"
#include "wire/node_meta.h"

namespace wesher::mesh {

namespace {

using namespace test;

const NodeMeta kOwn = meta("10.42.0.1", 1);

Judge judge() {
  return {kOwn, {Prefix::parse("10.42.0.0/16").value()}, ip("192.0.2.1")};
}

std::string verdict(const NodeMeta& announced, const std::string& underlay = "192.0.2.9") {
  const Judgement judged = judge().values("web", announced, ip(underlay), true);
  CHECK(judged.meta == announced);
  CHECK((judged.standing == Standing::configured) == judged.reason.empty());
  return judged.reason;
}

}  // namespace

TEST_CASE("Metadata as the Go program writes it is accepted in all three formats") {
  for (const MetaFormat format : {MetaFormat::f1, MetaFormat::f2, MetaFormat::f3}) {
    NodeMeta announced = meta("10.42.5.5", 5);
    announced.format = format;
    const Judgement judged =
        judge().metadata("web", wire::encode_node_meta(announced), ip("192.0.2.9"), true);
    CHECK(judged.standing == Standing::configured);
    CHECK(judged.meta == announced);
  }
}

TEST_CASE("Empty metadata is a seed that announced nothing yet") {
  const Judgement judged = judge().metadata("web", {}, ip("192.0.2.9"), true);
  CHECK(judged.standing == Standing::seed);
  CHECK(judged.reason == "announced nothing yet");
  CHECK_FALSE(judged.meta);
}

TEST_CASE("Unreadable metadata is refused with what is wrong with it") {
  Bytes cut = wire::encode_node_meta(meta("10.42.5.5", 5));
  cut.resize(cut.size() / 2);
  for (const Bytes& bad : {cut, Bytes{0}, Bytes(512, 0xff)}) {
    const Judgement judged = judge().metadata("web", bad, ip("192.0.2.9"), true);
    CHECK(judged.standing == Standing::refused);
    CHECK(judged.reason.starts_with("its metadata is unreadable: "));
    CHECK(judged.reason.size() > 30);
    CHECK_FALSE(judged.meta);
  }
}

TEST_CASE("What signs nothing is taken at the address that the Go program gives its name alone") {
  const Prefix net = Prefix::parse("10.42.0.0/16").value();
  const Prefix odd = Prefix::parse("10.44.0.0/15").value();
  Judge tofu{kOwn, {net, odd}, ip("192.0.2.1")};
  const auto standing = [&](const IpAddress& overlay, bool is_signed) {
    return tofu.values("web", meta(overlay.text(), 5), ip("192.0.2.9"), is_signed).standing;
  };
  const IpAddress by_rule = overlay_address("web", net).value();
  CHECK(standing(ip("10.42.7.7"), false) == Standing::configured);  // who does not ask
  tofu.check_unsigned();
  CHECK(standing(by_rule, false) == Standing::configured);
  CHECK(standing(ip("10.42.7.7"), true) == Standing::configured);
  CHECK(standing(ip("10.42.7.7"), false) == Standing::refused);
  CHECK(tofu.values("web", meta("10.42.7.7", 5), ip("192.0.2.9"), false).reason ==
        "announces 10.42.7.7, which the Go program does not give this name, and signs nothing");
  // The Go program knows no /15.
  CHECK(standing(overlay_address("web", odd).value(), false) == Standing::refused);
}

TEST_CASE("An address that this host needs itself is refused") {
  Judge here = judge();
  here.set_occupied({ip("10.42.7.7"), ip("192.168.0.1"), ip("10.42.0.254")});
  const Judgement gateway = here.values("web", meta("10.42.7.7", 5), ip("192.0.2.9"), true);
  CHECK(gateway.standing == Standing::refused);
  CHECK(gateway.reason ==
        "announces 10.42.7.7, which is an address, gateway or resolver of this host");
  CHECK(here.values("web", meta("10.42.7.8", 5), ip("192.0.2.9"), true).standing ==
        Standing::configured);
}

TEST_CASE("An address outside the overlay network is refused with both") {
  CHECK(verdict(meta("10.9.0.1", 5)) == "announces 10.9.0.1, outside 10.42.0.0/16");
  CHECK(verdict(meta("fd00::1", 5)) == "announces fd00::1, outside 10.42.0.0/16");
}

TEST_CASE("Our own address and our own key and our own endpoint are never given away") {
  CHECK(verdict(meta("10.42.0.1", 5)) == "announces 10.42.0.1, our own address");
  CHECK(verdict(meta("10.42.5.5", 1)) == "announces our own public key");
  const Judge inside(kOwn, {Prefix::parse("10.0.0.0/8").value()}, ip("10.1.1.1"));
  CHECK(inside.values("web", meta("10.1.1.1", 5), ip("192.0.2.9"), true).reason ==
        "announces 10.1.1.1, which is our endpoint");
}

TEST_CASE("An overlay address that is the endpoint of its member is refused") {
  CHECK(verdict(meta("10.42.5.5", 5), "10.42.5.5") ==
        "announces 10.42.5.5, which is its endpoint too");
  CHECK(verdict(meta("10.42.5.5", 5), "10.42.5.6").empty());
}

TEST_CASE("Unspecified and multicast addresses are refused") {
  const Judge wide(meta("224.9.9.9", 1), {Prefix::parse("224.0.0.0/8").value()}, ip("192.0.2.1"));
  CHECK(wide.values("web", meta("224.0.0.1", 5), ip("192.0.2.9"), true).standing ==
        Standing::refused);
  const Judge zero(meta("::9", 1), {Prefix::parse("::/64").value()}, ip("192.0.2.1"));
  CHECK(zero.values("web", meta("::", 5), ip("192.0.2.9"), true).standing == Standing::refused);
  CHECK(zero.values("web", meta("::5", 5), ip("192.0.2.9"), true).standing == Standing::configured);
}

TEST_CASE("The network address is refused except from the name the Go program gives it to") {
  CHECK(verdict(meta("10.42.0.0", 5)) ==
        "announces 10.42.0.0, the network address of 10.42.0.0/16");
  const Prefix net = Prefix::parse("10.42.0.0/24").value();
  std::string name;
  for (int i = 0; name.empty(); ++i) {
    const std::string candidate = "host" + std::to_string(i);
    if (overlay_address(candidate, net).value() == ip("10.42.0.0")) name = candidate;
  }
  const Judge small(kOwn, {net}, ip("192.0.2.1"));
  CHECK(small.values(name, meta("10.42.0.0", 5), ip("192.0.2.9"), true).standing ==
        Standing::configured);
  CHECK(small.values(name + "x", meta("10.42.0.0", 5), ip("192.0.2.9"), true).standing ==
        Standing::refused);
}

}  // namespace wesher::mesh
