// Messages that are views, and those that hold what they say: the one from the other.
#include <utility>

#include "wire/messages.h"

namespace wesher::wire {

namespace {

PushPull copied(PushPullView&& table) {
  PushPull copy;
  copy.join = table.join;
  copy.entries.reserve(table.entries.size());
  for (const EntryView& entry : table.entries)
    copy.entries.emplace_back(entry_of(entry.member.copy())).state = entry.state;
  copy.user_state.assign(table.user_state.begin(), table.user_state.end());
  return copy;
}

Ping copied(PingView&& ping) {
  return ping.copy();
}

Ack copied(AckView&& ack) {
  return ack.copy();
}

Alive copied(AliveView&& alive) {
  return alive.copy();
}

/// The other messages hold nothing but their own.
template <class Message>
Message copied(Message&& message) {
  return std::forward<Message>(message);
}

}  // namespace

Alive AliveView::copy() const {
  return {incarnation,
          std::string(node),
          {address.begin(), address.end()},
          port,
          {meta.begin(), meta.end()},
          nil_meta,
          {versions.begin(), versions.end()}};
}

PushPullEntry entry_of(Alive alive) {
  return {std::move(alive.node), std::move(alive.address), alive.port, std::move(alive.meta),
          alive.nil_meta,        alive.incarnation,        0,          std::move(alive.versions)};
}

Ping PingView::copy() const {
  return {sequence,
          std::string(node),
          {{source_address.begin(), source_address.end()}, source_port, std::string(source_node)}};
}

Ack AckView::copy() const {
  return {sequence, {payload.begin(), payload.end()}, nil_payload};
}

PacketMessage owned(PacketMessageView&& message) {
  return std::visit([](auto&& m) -> PacketMessage { return copied(std::forward<decltype(m)>(m)); },
                    std::move(message));
}

Result<PacketMessage> decode(ByteView bytes) {
  std::vector<Bytes> collected;
  auto message = view(bytes, collected);
  if (!message) return tl::unexpected(message.error());
  return owned(std::move(*message));
}

Result<StreamMessage> decode_stream(ByteView bytes, std::size_t* bad_entries) {
  Bytes plain(bytes.begin(), bytes.end());
  auto message = view_stream(plain, bad_entries);
  if (!message) return tl::unexpected(message.error());
  return std::visit([](auto& m) -> StreamMessage { return copied(std::move(m)); }, *message);
}

}  // namespace wesher::wire
