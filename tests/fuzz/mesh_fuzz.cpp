// Drives one Mesh with whatever a holder of the cluster key can send, and with time, failures and
// restarts. The input is a program: each op byte takes its operands from the bytes behind it.
// Names, addresses and keys come from small sets, so that conflicts are the rule.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

#include "../mesh/support/invariants.h"
#include "mesh/mesh.h"
#include "wire/messages.h"
#include "wire/node_meta.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::mesh {

namespace {

using namespace std::chrono_literals;

wire::Keyring keyring() {
  wire::Keyring ring;
  static_cast<void>(ring.add(Bytes(32, 1)));
  return ring;
}

Config config() {
  Config c;
  c.gossip.name = "me";
  c.gossip.address = {192, 0, 2, 1};
  std::array<std::uint8_t, kKeyBytes> key{};
  key.fill(1);
  c.own = {IpAddress::v4(10, 42, 0, 1), PublicKey(key), MetaFormat::f2};
  c.overlay_net = {IpAddress::v4(10, 42, 0, 0), 16};
  c.cluster = "3f9a-c2e1";
  return c;
}

class Driver {
 public:
  explicit Driver(ByteView input) : in_(input) { restart(); }

  void run() {
    for (int ops = 0; in_.left() > 0 && ops < 400; ++ops) {
      step(in_.u8() % 12);
      drain();
    }
  }

 private:
  Moment now() const { return {Instant{} + 1h + clock_, wall_from_ms(1'790'000'000'000) + wall_}; }

  std::string name() {
    static const char* const kNames[] = {"me", "a", "b", "c", "d", "\xc3\xa4\\"};
    return kNames[in_.u8() % 6];
  }

  Bytes address() { return {192, 0, 2, static_cast<std::uint8_t>(1 + in_.u8() % 5)}; }

  Endpoint somewhere() { return {IpAddress::from_bytes(address()).value(), 7946}; }

  Bytes meta() {
    const std::uint8_t kind = in_.u8();
    if (kind % 8 == 0) return {};
    if (kind % 8 == 1) {
      const ByteView raw = in_.take(std::min<std::size_t>(in_.u8(), in_.left()));
      return {raw.begin(), raw.end()};
    }
    std::array<std::uint8_t, kKeyBytes> key{};
    key.fill(static_cast<std::uint8_t>(1 + in_.u8() % 5));
    const std::uint8_t at = in_.u8();
    const IpAddress overlay =
        IpAddress::v4(10, at % 16 == 15 ? 9 : 42, 0, static_cast<std::uint8_t>(at % 7));
    Bytes out = wire::encode_node_meta({overlay, PublicKey(key), MetaFormat::f2});
    if (kind % 8 == 2 && !out.empty()) out[in_.u8() % out.size()] ^= in_.u8();
    return out;
  }

  wire::PacketMessage message() {
    const std::uint8_t kind = in_.u8() % 3;
    const std::uint32_t incarnation = in_.u8() % 32;
    if (kind == 0) {
      const auto& v = wire::kOwnVersions;
      return wire::Alive{incarnation, name(), address(), 7946, meta(), false, {v.begin(), v.end()}};
    }
    if (kind == 1) return wire::Suspect{incarnation, name(), name()};
    return wire::Dead{incarnation, name(), name()};
  }

  Bytes table() {
    wire::PushPull table;
    table.join = in_.u8() % 2 == 0;
    for (std::uint8_t n = in_.u8() % 6; n > 0; --n) {
      const auto& v = wire::kOwnVersions;
      table.entries.push_back({name(),
                               address(),
                               7946,
                               meta(),
                               false,
                               in_.u8() % 32U,
                               static_cast<std::uint8_t>(in_.u8() % 5),
                               {v.begin(), v.end()}});
    }
    return wire::seal_frame(ring_, wire::encode_stream(table), rng_);
  }

  void packet() {
    std::vector<Bytes> parts;
    for (std::uint8_t n = 1 + in_.u8() % 4; n > 0; --n)
      parts.push_back(wire::encode(message()));
    mesh_->handle_packet(somewhere(), wire::seal_packet(ring_, wire::pack(parts), rng_), now());
  }

  void raw() {
    const ByteView bytes = in_.take(std::min<std::size_t>(in_.u8(), in_.left()));
    if (bytes.empty()) return;
    mesh_->handle_packet(somewhere(), bytes, now());
    mesh_->handle_packet(somewhere(), wire::seal_packet(ring_, bytes, rng_), now());
    static_cast<void>(mesh_->handle_request(somewhere(), bytes, now()));
    static_cast<void>(
        mesh_->handle_request(somewhere(), wire::seal_frame(ring_, bytes, rng_), now()));
  }

  void pass(Duration span) {
    clock_ += span;
    wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(span);
    for (int i = 0; i < 200; ++i) {
      const auto due = mesh_->poll_timeout();
      if (!due || *due > now().at) return;
      mesh_->handle_timeout(now());
      drain();
      if (mesh_->poll_timeout() == due) fail("a timeout that does not end");
    }
  }

  void answer(bool well) {
    if (streams_.empty()) return;
    const auto id = streams_.back();
    streams_.pop_back();
    if (well) {
      mesh_->handle_reply(id, table(), now());
    } else {
      mesh_->handle_stream_failed(id, "it closed the connection without an answer", now());
    }
  }

  void step(int op) {
    switch (op) {
      case 0:
      case 1:
      case 2:
        return packet();
      case 3:
        static_cast<void>(mesh_->handle_request(somewhere(), table(), now()));
        return;
      case 4:
        return raw();
      case 5:
        return pass(std::chrono::milliseconds{in_.u8() * 40});
      case 6:
        return pass(std::chrono::minutes{in_.u8()});
      case 7:
        return answer(in_.u8() % 2 == 0);
      case 8:
        return mesh_->set_seeds({somewhere(), somewhere()}, now());
      case 9:
        return mesh_->start(2s, now());
      case 10:
        if (in_.u8() % 4 == 0) mesh_->leave(5s, in_.u8() % 2 == 0, now());
        return;
      default:
        wall_ += std::chrono::hours{static_cast<int>(in_.u8()) - 128};
        return restart();
    }
  }

  void restart() {
    std::vector<Member> restored;
    for (const auto& [name, row] : rows_)
      restored.push_back(row);
    streams_.clear();
    mesh_.emplace(config(), keyring(), Rng::from_number(++seed_), std::move(restored), now());
    mesh_->start(2s, now());
    drain();
  }

  void drain() {
    while (mesh_->poll_transmit()) {
    }
    while (const auto request = mesh_->poll_stream())
      streams_.push_back(request->id);
    while (const auto fact = mesh_->poll_fact())
      take(*fact);
    if (const auto broken = test::broken_rule(*mesh_, config_, rows_)) fail(*broken);
  }

  void take(const Fact& fact) {
    if (const auto* changed = std::get_if<MemberChanged>(&fact)) {
      check_text(changed->why);
      check_text(changed->member.reason);
      rows_[changed->member.name] = changed->member;
    } else if (const auto* forgotten = std::get_if<MemberForgotten>(&fact)) {
      if (rows_.erase(forgotten->name) != 1) fail("forgot somebody unknown");
    } else if (const auto* notice = std::get_if<Notice>(&fact)) {
      check_text(notice->text);
    } else if (const auto* reserve = std::get_if<ReserveIncarnations>(&fact)) {
      mesh_->incarnations_reserved(reserve->end, now());
    }
  }

  /// Our own texts have a few signs beyond ASCII (… in cut names and keys), and nothing
  /// unprintable.
  void check_text(const std::string& text) {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte == 0x7f || byte == 0xc3) fail("unprintable: " + text);
    }
  }

  [[noreturn]] static void fail(const std::string& what) {
    std::fprintf(stderr, "broken rule: %s\n", what.c_str());
    std::abort();
  }

  ByteReader in_;
  wire::Keyring ring_ = keyring();
  Rng rng_ = Rng::from_number(1);
  Config config_ = config();
  Duration clock_{};
  std::chrono::milliseconds wall_{};
  std::uint64_t seed_ = 0;
  std::optional<Mesh> mesh_;
  std::map<std::string, Member> rows_;
  std::vector<gossip::StreamId> streams_;
};

}  // namespace

}  // namespace wesher::mesh

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wesher::mesh::Driver({data, size}).run();
  return 0;
}
