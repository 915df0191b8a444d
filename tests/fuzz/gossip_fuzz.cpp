// Drives one gossip Node with what holders of the cluster key and strangers can send, with time,
// failing streams and commands. The input is a program: an op byte takes its operands from the
// bytes behind it. Names and addresses come from small sets, so that they meet. Whatever happens,
// the tables stay bounded, time goes on, our incarnation never goes back or beyond what is
// reserved, and nothing is said that a Go node could not bear.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "../gossip/support/conformance.h"
#include "gossip/node.h"

namespace wesher::gossip {

namespace {

using namespace std::chrono_literals;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

wire::Keyring keyring() {
  wire::Keyring ring;
  static_cast<void>(ring.add(Bytes(32, 1)));
  return ring;
}

Config config(std::uint8_t choice) {
  Config c;
  c.name = "me";
  c.address = {192, 0, 2, 1};
  c.meta = {1};
  c.incarnation_first = (choice & 1U) != 0 ? 1 : 0xfffffff0;
  c.incarnation_end = c.incarnation_first + ((choice & 2U) != 0 ? 2 : 10);
  return c;
}

/// Judges by a byte of the name and of the incarnation: any mixture of verdicts.
class Hook : public Admission {
 public:
  Verdict admit(const Claim& claim, const Record*, Instant) override {
    if (claim.incarnation % 8 == 7) return Verdict::drop;
    return claim.incarnation % 8 == 6 ? Verdict::suspect_instead : Verdict::accept;
  }
};

class Driver {
 public:
  explicit Driver(ByteView input)
      : in_(input),
        choice_(in_.u8()),
        node_(config(choice_),
              keyring(),
              Rng::from_number(choice_),
              (choice_ & 4U) != 0 ? &hook_ : nullptr,
              now_),
        end_(config(choice_).incarnation_end),
        incarnation_(node_.self().incarnation) {
    if ((choice_ & 8U) != 0) node_.announce(now_);
  }

  void run() {
    for (int ops = 0; in_.left() > 0 && ops < 500; ++ops) {
      step(in_.u8());
      drain();
      check();
    }
  }

 private:
  std::string name() {
    static const std::string kNames[] = {
        "me", "a", "b", "c", "d", "e", "", "x\n", std::string(253, 'y'), std::string(254, 'z')};
    return kNames[in_.u8() % 10];
  }

  Bytes address() {
    const std::uint8_t choice = in_.u8();
    const auto host = static_cast<std::uint8_t>(1 + choice % 6);
    switch (choice / 6 % 8) {
      case 0:
        return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, host};
      case 1:
        return Bytes(in_.u8() % 20, host);
      case 2:
        return {255, 255, 255, 255};
      default:
        return {192, 0, 2, host};
    }
  }

  Endpoint endpoint() {
    return {IpAddress::v4(192, 0, 2, static_cast<std::uint8_t>(1 + in_.u8() % 6)), port()};
  }

  std::uint16_t port() {
    const std::uint8_t choice = in_.u8();
    return choice < 200 ? 7946 : static_cast<std::uint16_t>(choice - 200);
  }

  std::uint32_t incarnation() {
    const std::uint8_t choice = in_.u8();
    if (choice < 200) return choice % 50;
    return choice < 240 ? 0xffffffffU - (choice - 200U) % 6 : in_.u32();
  }

  Bytes versions() {
    const std::uint8_t choice = in_.u8();
    if (choice < 200) return {1, 5, 2, 0, 0, 0};
    return Bytes(choice % 7, choice % 2);
  }

  /// A number that a ping of ours bore, or any.
  std::uint32_t sequence() {
    const std::uint8_t choice = in_.u8();
    return sequences_.empty() ? choice : sequences_[choice % sequences_.size()];
  }

  wire::Alive alive() {
    wire::Alive claim;
    claim.node = name();
    claim.address = address();
    claim.port = port();
    claim.incarnation = incarnation();
    claim.meta = Bytes(in_.u8() * 2, 7);
    claim.versions = versions();
    return claim;
  }

  wire::PacketMessage message() {
    switch (in_.u8() % 8) {
      case 0:
        return alive();
      case 1:
        return wire::Suspect{incarnation(), name(), name()};
      case 2:
        return wire::Dead{incarnation(), name(), name()};
      case 3:
        return wire::Ping{sequence(), name(), {address(), port(), name()}};
      case 4: {
        wire::IndirectPing request;
        request.sequence = in_.u8();
        request.node = name();
        request.target = address();
        request.port = port();
        request.nack = in_.u8() % 2 == 0;
        return request;
      }
      case 5:
        return wire::Ack{sequence(), {}, true};
      case 6:
        return wire::Nack{sequence()};
      default:
        return wire::User{Bytes(in_.u8(), 3)};
    }
  }

  wire::PushPull table() {
    wire::PushPull content;
    content.join = in_.u8() % 2 == 0;
    for (unsigned count = in_.u8() % 16; count > 0; --count) {
      const wire::Alive one = alive();
      content.entries.push_back({one.node, one.address, one.port, one.meta, false, one.incarnation,
                                 static_cast<std::uint8_t>(in_.u8() % 5), one.versions});
    }
    return content;
  }

  Bytes raw() {
    const ByteView bytes = in_.take(std::min<std::size_t>(in_.u8(), in_.left()));
    return {bytes.begin(), bytes.end()};
  }

  /// A sealed frame of a table, a ping, or whatever the input has.
  Bytes frame() {
    switch (in_.u8() % 4) {
      case 0:
        return wire::seal_frame(ring_, wire::encode_stream(wire::Ping{sequence(), name(), {}}),
                                rng_);
      case 1:
        return wire::seal_frame(ring_, wire::encode_stream(wire::Ack{sequence(), {}, true}), rng_);
      case 2:
        return wire::seal_frame(ring_, raw(), rng_);
      default:
        return wire::seal_frame(ring_, wire::encode_stream(table()), rng_);
    }
  }

  void send_datagram() {
    std::vector<Bytes> parts;
    for (unsigned count = 1 + in_.u8() % 8; count > 0; --count)
      parts.push_back(wire::encode(message()));
    const Bytes plain = wire::pack(parts);
    if (!plain.empty()) last_ = wire::seal_packet(ring_, plain, rng_);
    node_.handle_packet(endpoint(), last_, now_);
  }

  void step(std::uint8_t op) {
    switch (op % 12) {
      case 0:
        return advance(std::chrono::milliseconds(in_.u16() * (in_.u8() % 4 + 1)));
      case 1:
      case 2:
      case 3:
        return send_datagram();
      case 4:
        return node_.handle_packet(endpoint(), last_, now_);
      case 5:
        return node_.handle_packet(endpoint(), raw(), now_);
      case 6:
        return node_.handle_packet(endpoint(), wire::seal_packet(ring_, raw(), rng_), now_);
      case 7:
        if (const auto reply = node_.handle_request(endpoint(), frame(), now_))
          require_fine(testing::complaint_about_frame(ring_, *reply));
        return;
      case 8:
        return finish_stream();
      case 9:
        return node_.handle_send_error(endpoint(), now_);
      default:
        return command();
    }
  }

  void finish_stream() {
    const StreamId id = in_.u8() % (last_stream_ + 1);
    switch (in_.u8() % 4) {
      case 0:
        return node_.handle_stream_failed(id, "it failed", now_);
      case 1:
        return node_.handle_stream_done(id, now_);
      default:
        return node_.handle_reply(id, frame(), now_);
    }
  }

  void command() {
    switch (in_.u8() % 9) {
      case 0:
        return node_.probe_seed(endpoint(), now_);
      case 1:
        return node_.announce(now_);
      case 2:
        return node_.join(endpoint(), now_);
      case 3:
        return node_.ping(name(), endpoint(), now_);
      case 4:
        return node_.update_meta(Bytes(in_.u8() * 3, 2), now_);
      case 5:
        moved_ = true;
        return node_.move_to({{192, 0, 2, static_cast<std::uint8_t>(1 + in_.u8() % 6)}, 7946, {}, in_.u8() % 2 == 0}, now_);
      case 6:
        if (in_.u8() % 8 != 0) return;
        left_ = true;
        return node_.leave(now_);
      default:
        end_ = std::max(end_, needed_);
        return node_.extend_incarnations(end_, now_);
    }
  }

  void advance(Duration duration) {
    const Instant until = now_ + duration;
    for (int i = 0; i < 2000; ++i) {
      const auto wakeup = node_.poll_timeout();
      if (!wakeup || wakeup->at > until) break;
      now_ = std::max(now_, wakeup->at);
      node_.handle_timeout(now_);
      drain();
      const auto next = node_.poll_timeout();
      require(!next || next->at > now_, "a timer that is over asks for nothing more at once");
    }
    now_ = until;
  }

  static void require_fine(const std::string& complaint) {
    require(complaint.empty(), complaint.c_str());
  }

  void drain() {
    while (const auto transmit = node_.poll_transmit()) {
      require_fine(testing::complaint(ring_, transmit->datagram));
      for (const auto& one : wire::open_packet(ring_, transmit->datagram).messages) {
        if (const auto* ping = std::get_if<wire::Ping>(&one)) sequences_.push_back(ping->sequence);
      }
    }
    if (sequences_.size() > 64) sequences_.erase(sequences_.begin(), sequences_.end() - 32);
    while (const auto stream = node_.poll_stream()) {
      require_fine(testing::complaint_about_frame(ring_, stream->frame));
      last_stream_ = stream->id;
    }
    while (const auto event = node_.poll_event()) {
      if (const auto* need = std::get_if<NeedIncarnations>(&*event)) {
        require(need->end > end_, "a larger block is asked for");
        needed_ = need->end;
      }
    }
  }

  void check() {
    require(node_.size() <= limits::kMembers, "the table is bounded");
    require(node_.live() < node_.size(), "we are not among the live others");
    const Record& self = node_.self();
    require(node_.find("me") == &self, "we are in the table");
    require(self.incarnation >= incarnation_, "our incarnation never goes back");
    require(self.incarnation == incarnation_ || self.incarnation < end_,
            "no incarnation is used before it is reserved");
    require(self.versions == wire::kOwnVersions, "our versions are ours");
    require(
        self.state == RecordState::alive || (self.state == RecordState::left && (left_ || moved_)),
        "nobody but us takes us out");
    require(node_.health() <= 7, "health is bounded");
    incarnation_ = self.incarnation;
  }

  ByteReader in_;
  std::uint8_t choice_;
  Instant now_{1h};
  Hook hook_;
  Node node_;
  wire::Keyring ring_ = keyring();
  Rng rng_ = Rng::from_number(77);
  Bytes last_;
  std::vector<std::uint32_t> sequences_;
  StreamId last_stream_ = 0;
  std::uint32_t end_;
  std::uint32_t needed_ = 0;
  std::uint32_t incarnation_;
  bool left_ = false;
  bool moved_ = false;
};

}  // namespace

}  // namespace wesher::gossip

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wesher::gossip::Driver({data, size}).run();
  return 0;
}
