// A stock node as a station of the virtual network, with what the Go wesher around it does: a new
// WireGuard key at every start, a join that is repeated until somebody answers, then never again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/member.h"
#include "tests/mesh/support/station.h"
#include "tests/sim/support/stock_node.h"
#include "wire/node_meta.h"

namespace wesher::sim {

class StockHost final : public mesh::test::Station {
 public:
  StockHost(std::string its_name, const Endpoint& at, NodeMeta meta, StockVersion version)
      : own(meta), version_(version) {
    name = std::move(its_name);
    endpoint = at;
  }

  /// Starts anew, knowing nobody but the addresses to join; `network.started` follows.
  void start(const wire::Keyring& ring, Rng rng, const PublicKey& key, Instant now) {
    own.key = key;
    const ByteView address = endpoint.address.bytes();
    node = std::make_unique<StockNode>(StockConfig{name,
                                                   {address.begin(), address.end()},
                                                   endpoint.port,
                                                   wire::encode_node_meta(own),
                                                   version_,
                                                   compress},
                                       ring, std::move(rng), known);
    node->start(now);
    node->join(seeds, now);
  }

  void kill() {
    node.reset();
    timer.reset();
  }

  [[nodiscard]] bool up() const override { return node != nullptr; }

  void packet(const Endpoint& from, ByteView datagram, Moment now) override {
    node->handle_packet(from, datagram, now.at);
  }

  [[nodiscard]] std::optional<Bytes> request(const Endpoint& from,
                                             ByteView frame,
                                             Moment now) override {
    static_cast<void>(from);
    return node->handle_request(frame, now.at);
  }

  void reply(gossip::StreamId id, ByteView frame, Moment now) override {
    node->handle_reply(id, frame, now.at);
  }

  void stream_failed(gossip::StreamId id, const std::string& reason, Moment now) override {
    static_cast<void>(reason);
    node->handle_stream_failed(id, now.at);
  }

  void stream_done(gossip::StreamId id, Moment now) override {
    static_cast<void>(id);
    static_cast<void>(now);
  }

  void timeout(Moment now) override { node->handle_timeout(now.at); }

  [[nodiscard]] std::optional<gossip::Transmit> poll_transmit() override {
    return node->poll_transmit();
  }

  [[nodiscard]] std::optional<gossip::StreamRequest> poll_stream() override {
    return node->poll_stream();
  }

  [[nodiscard]] std::optional<Instant> poll_timeout() const override {
    return node->poll_timeout();
  }

  /// Whether it has a member alive under this name with this metadata, whatever is behind it.
  [[nodiscard]] bool knows(const std::string& other, const NodeMeta& meta) const {
    const StockRecord* record = node->table().find(other);
    if (record == nullptr || record->state != wire::EntryState::alive) return false;
    const auto said = wire::decode_node_meta(record->meta);
    const auto valid = said ? wire::validate_node_meta(*said) : tl::unexpected(said.error());
    return valid && *valid == meta;
  }

  NodeMeta own;
  std::vector<Endpoint> seeds;
  std::shared_ptr<const SharedTable> known;  ///< what it starts from, in very large clusters
  bool compress = true;
  std::unique_ptr<StockNode> node;

 private:
  StockVersion version_;
};

}  // namespace wesher::sim
