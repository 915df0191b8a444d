// The device that a killed Go daemon leaves behind: known by its marks, taken over without a gap.
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/plan/support/builders.h"
#include "tests/plan/support/simulated_host.h"

namespace wesher::plan::test {
namespace {

/// What the Go program makes of `desired`, and one peer and route more.
Observed made_by_go(const Desired& desired) {
  Observed o = settled(desired);
  o.link.alias.clear();
  o.unmarked_routes = std::exchange(o.routes, {});
  o.unmarked_routes.push_back(prefix("10.0.0.9/32"));
  o.peers.push_back(present(9));
  return o;
}

const GoDevice kGo{ip("10.0.0.100"), 51820};

TEST_CASE("the Go program's device is adopted where its state was taken over") {
  Observed o = made_by_go(desired({wanted("a", 1)}));
  o.device_key = key(77);
  CHECK(judge_interface("wg1", o, {}, kGo).value() == Ownership::adopt);
  o.addresses = {prefix("10.0.0.100/8")};
  CHECK(judge_interface("wg1", o, {}, kGo).value() == Ownership::adopt);
  CHECK(judge_interface("wg1", o, {}).error().code == Errc::exists);
}

TEST_CASE("a device that differs from the Go program's in any mark is refused") {
  Observed o = made_by_go(desired({wanted("a", 1)}));
  o.device_key = key(77);
  const auto refused = [&] {
    CHECK_FALSE(is_go_device(o, kGo));
    return !judge_interface("wg1", o, {}, kGo).has_value();
  };
  const Observed whole = o;
  o.addresses = {prefix("10.0.0.101/32")};
  CHECK(refused());
  o = whole;
  o.addresses.clear();
  CHECK(refused());
  o = whole;
  o.listen_port = 51821;
  CHECK(refused());
  o = whole;
  o.link.alias = "somebody's";
  CHECK(refused());
  o = whole;
  o.link.kind = LinkKind::other;
  CHECK(refused());
}

TEST_CASE("routes of the Go program become ours before the alias is set") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2)});
  Observed o = made_by_go(d);
  const std::vector<Prefix> nets{prefix("10.0.0.0/8")};
  const DiffOptions options{kNow, false, {}, nets};
  const Plan plan = diff(d, o, options);
  CHECK(
      to_text(plan) ==
      "wg1: 4 changes\n"
      "  ~ route 10.0.0.1/32  proto boot -> wesher              the Go program made it\n"
      "  ~ route 10.0.0.2/32  proto boot -> wesher              the Go program made it\n"
      "  ~ route 10.0.0.9/32  proto boot -> wesher              the Go program made it\n"
      "  ~ link wg1           alias -> managed by wesher (wg1)  adopted: it bears no alias yet\n");
  perform(o, plan);
  CHECK(o.unmarked_routes.empty());
  CHECK(diff(d, o, options).empty());
  // When the mesh has confirmed what is wanted, the rest goes.
  const Plan last = diff(d, o, {kNow, true, {}, nets});
  CHECK(last.actions.size() == 2);
  perform(o, last);
  CHECK(o.routes == std::vector{prefix("10.0.0.1/32"), prefix("10.0.0.2/32")});
  CHECK(o.peers.size() == 2);
}

TEST_CASE("unmarked routes outside the networks of the mesh are left alone") {
  const Desired d = desired({wanted("a", 1)});
  Observed o = made_by_go(d);
  o.unmarked_routes = {prefix("10.0.0.1/32"), prefix("192.0.2.1/32")};
  const auto count = [&](std::vector<Prefix> nets) {
    const Plan plan = diff(d, o, {kNow, false, {}, nets});
    return std::count_if(plan.actions.begin(), plan.actions.end(), [](const Action& action) {
      const auto* add = std::get_if<AddRoute>(&action.what);
      return add != nullptr && add->takes_over;
    });
  };
  CHECK(count({}) == 0);
  CHECK(count({prefix("10.0.0.0/8")}) == 1);
}

}  // namespace
}  // namespace wesher::plan::test
