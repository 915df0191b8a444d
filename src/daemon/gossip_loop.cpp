#include "daemon/gossip_loop.h"

#include <utility>

#include <malloc.h>

#include "daemon/asio_ip.h"
#include "daemon/clock.h"

namespace wesher::daemon {

namespace {

/// Datagrams read per wake-up, so that timers and streams get their turn in a flood.
constexpr int kDatagramsPerTurn = 64;

/// A table of members from this size on leaves much memory behind that was needed for the moment;
/// it goes back to the system a moment later, when the stream is gone too.
constexpr std::size_t kLargeFrame = std::size_t{256} << 10U;
constexpr auto kGiveBackAfter = std::chrono::seconds{1};

LogLevel level_of(mesh::Severity severity) {
  switch (severity) {
    case mesh::Severity::debug:
      return LogLevel::debug;
    case mesh::Severity::info:
      return LogLevel::info;
    case mesh::Severity::warning:
      return LogLevel::warn;
    case mesh::Severity::lifecycle:
      break;  // shown at every level, asked for before
  }
  return LogLevel::error;
}

}  // namespace

GossipLoop::GossipLoop(asio::io_context& io,
                       GossipSockets sockets,
                       mesh::Mesh mesh,
                       std::vector<JoinEntry> join,
                       std::vector<Endpoint> found_seeds,
                       Log& log,
                       GossipLoopHandlers handlers)
    : io_(io),
      udp_(std::move(sockets.udp)),
      dual_stack_(sockets.dual_stack),
      mesh_(std::move(mesh)),
      found_seeds_(std::move(found_seeds)),
      log_(log),
      handlers_(std::move(handlers)),
      streams_(io, std::move(sockets.tcp), stream_handlers()),
      resolver_(io,
                std::move(join),
                log,
                [this](std::vector<Endpoint> seeds) { set_seeds(std::move(seeds)); }),
      timer_(io),
      begin_timer_(io),
      trim_timer_(io) {}

void GossipLoop::give_back_after(std::size_t frame) {
  if (frame < kLargeFrame || trimming_) return;
  trimming_ = true;
  trim_timer_.expires_after(kGiveBackAfter);
  trim_timer_.async_wait([this](std::error_code ec) {
    if (ec) return;
    trimming_ = false;
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
  });
}

StreamHandlers GossipLoop::stream_handlers() {
  return {
      [this](const Endpoint& from, ByteView frame) {
        auto reply = mesh_.handle_request(from, frame, now());
        drain();
        give_back_after(frame.size());
        return reply;
      },
      [this](gossip::StreamId id, ByteView frame) {
        mesh_.handle_reply(id, frame, now());
        drain();
        give_back_after(frame.size());
      },
      [this](gossip::StreamId id, std::string reason) {
        mesh_.handle_stream_failed(id, std::move(reason), now());
        drain();
      },
      [this](gossip::StreamId id) {
        mesh_.handle_stream_done(id, now());
        drain();
      },
      [this](const IpAddress& address) { return mesh_.is_member_address(address); },
  };
}

void GossipLoop::set_seeds(std::vector<Endpoint> resolved) {
  resolved.insert(resolved.end(), found_seeds_.begin(), found_seeds_.end());
  mesh_.set_seeds(std::move(resolved), now());
  drain();
}

void GossipLoop::start(Duration probe_max) {
  receive();
  streams_.start();
  set_seeds({});
  begin_timer_.expires_after(probe_max);
  begin_timer_.async_wait([this, probe_max](std::error_code ec) {
    if (!ec) begin(probe_max);
  });
  resolver_.start([this] { return mesh_.live() == 0; }, [this, probe_max] { begin(probe_max); });
}

void GossipLoop::begin(Duration probe_max) {
  if (begun_ || stopped_) return;
  begun_ = true;
  begin_timer_.cancel();
  mesh_.start(probe_max, now());
  drain();
}

void GossipLoop::leave(Duration max_wait, bool for_good) {
  resolver_.stop();
  mesh_.leave(max_wait, for_good, now());
  drain();
}

void GossipLoop::incarnations_reserved(std::uint32_t end) {
  mesh_.incarnations_reserved(end, now());
  drain();
}

void GossipLoop::epochs_reserved(std::uint64_t end) {
  mesh_.epochs_reserved(end, now());
  drain();
}

void GossipLoop::claim_stored(std::optional<IpAddress> overlay) {
  mesh_.claim_stored(overlay, now());
  drain();
}

void GossipLoop::format_stored(MetaFormat format) {
  mesh_.format_stored(format, now());
  drain();
}

void GossipLoop::address_changed(Bytes underlay) {
  mesh_.own_address_changed(std::move(underlay), now());
  drain();
}

Result<std::string> GossipLoop::forget(const std::string& name) {
  auto forgotten = mesh_.forget(name, now());
  drain();
  return forgotten;
}

std::vector<std::string> GossipLoop::forget_failed_older(Duration age) {
  auto names = mesh_.forget_failed_older(age, now());
  drain();
  return names;
}

void GossipLoop::key_changed(const PublicKey& key) {
  mesh_.own_key_changed(key, now());
  drain();
}

void GossipLoop::refresh_seeds() {
  resolver_.refresh();
}

void GossipLoop::stop() {
  stopped_ = true;
  std::error_code ignored;
  resolver_.stop();
  timer_.cancel();
  begin_timer_.cancel();
  trim_timer_.cancel();
  streams_.close();
  udp_.close(ignored);
}

void GossipLoop::receive() {
  udp_.async_wait(asio::ip::udp::socket::wait_read, [this](std::error_code ec) {
    if (ec || stopped_) return;
    read_datagrams();
    receive();
  });
}

void GossipLoop::read_datagrams() {
  for (int i = 0; i < kDatagramsPerTurn && !stopped_; ++i) {
    asio::ip::udp::endpoint from;
    std::error_code ec;
    const std::size_t n = udp_.receive_from(asio::buffer(buffer_), from, 0, ec);
    if (ec == asio::error::would_block) return;
    if (ec) continue;  // e.g. a port-unreachable of an earlier datagram
    mesh_.handle_packet({from_asio(from.address()), from.port()}, ByteView(buffer_).first(n),
                        now());
    drain();
  }
}

void GossipLoop::send(const gossip::Transmit& transmit) {
  const asio::ip::udp::endpoint to(
      dual_stack_ ? to_asio_mapped(transmit.to.address) : to_asio(transmit.to.address),
      transmit.to.port);
  std::error_code ec;
  udp_.send_to(asio::buffer(transmit.datagram), to, 0, ec);
  // A full buffer is loss like any other; a refusal is news about the way there.
  if (ec && ec != asio::error::would_block && ec != asio::error::no_buffer_space) {
    mesh_.handle_send_error(transmit.to, now());
  }
}

void GossipLoop::drain() {
  if (draining_ || stopped_) return;  // an output led to an input: the outer drain goes on
  draining_ = true;
  for (bool more = true; more && !stopped_;) {
    more = false;
    while (auto transmit = mesh_.poll_transmit()) {
      send(*transmit);
      mesh_.reuse(std::move(transmit->datagram));
      more = true;
    }
    while (auto request = mesh_.poll_stream()) {
      streams_.open(std::move(*request));
      more = true;
    }
    while (auto fact = mesh_.poll_fact()) {
      take_fact(std::move(*fact));
      more = true;
    }
  }
  draining_ = false;
  if (stopped_) return;
  if (mesh_.announced() != announced_) {
    announced_ = !announced_;
    if (announced_) handlers_.announced();
  }
  arm();
}

void GossipLoop::arm() {
  const std::optional<Instant> at = mesh_.poll_timeout();
  if (at == armed_for_) return;
  armed_for_ = at;
  if (!at) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::max(*at - now().at, Duration::zero()));
  timer_.async_wait([this](std::error_code ec) {
    if (ec || stopped_) return;
    armed_for_.reset();
    mesh_.handle_timeout(now());
    drain();
  });
}

void GossipLoop::take_fact(mesh::Fact fact) {
  if (const auto* notice = std::get_if<mesh::Notice>(&fact)) {
    if (notice->severity == mesh::Severity::lifecycle) {
      log_.lifecycle(notice->text);
    } else {
      log_.line(level_of(notice->severity), notice->group, notice->text);
    }
    if (!mesh_.announced()) handlers_.kept_out(*notice);
  } else if (const auto* left = std::get_if<mesh::LeaveDone>(&fact)) {
    handlers_.left(left->told);
  } else if (const auto* copy = std::get_if<mesh::CopyFound>(&fact)) {
    handlers_.copied(*copy);
  } else {
    handlers_.fact(std::move(fact), now().wall);
  }
}

}  // namespace wesher::daemon
