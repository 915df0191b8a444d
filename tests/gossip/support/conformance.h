// What a node may put on the wire: the packets that crash or mislead Go nodes through v0.6.0 must
// never leave us (short or zero version vectors, empty parts, 128 parts, empty plaintexts). Used
// by the unit tests and by the fuzzer, hence without any test framework.
#pragma once

#include <string>

#include "base/ip.h"
#include "wire/limits.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::gossip::testing {

/// Everything wrong with an alive message or an entry of a table; empty when it is fine.
template <class Announcement>
std::string complaint_about(const Announcement& told) {
  if (!wire::sane_versions(told.versions)) return "versions that harm Go nodes";
  if (told.incarnation == 0 || told.incarnation == 0xffffffff) return "a bad incarnation";
  if (told.meta.size() > limits::kMetaBytes) return "too much metadata";
  if (!IpAddress::from_bytes(told.address)) return "a bad address";
  if (told.port == 0) return "port 0";
  return {};
}

/// Everything wrong with the layers of a datagram.
inline std::string complaint_about_layers(ByteView plain) {
  if (plain.empty()) return "an empty plaintext";
  if (plain.front() != static_cast<std::uint8_t>(wire::MessageType::compound)) return {};
  if (plain.size() < 2 || plain[1] < 2 || plain[1] > limits::kCompoundParts)
    return "a compound of too few or too many parts";
  ByteReader reader(plain.subspan(2));
  std::size_t total = 0;
  for (std::size_t i = 0; i < plain[1]; ++i) {
    const std::size_t length = reader.u16();
    if (length == 0) return "an empty part";
    total += length;
  }
  if (!reader.ok() || total != reader.left()) return "a compound that does not add up";
  return {};
}

/// Everything wrong with a datagram that a node wants to send; empty when it is fine.
inline std::string complaint(const wire::Keyring& keyring, ByteView datagram) {
  if (datagram.size() > limits::kUdpBudget) return "longer than 1400 bytes";
  if (datagram.empty() || datagram.front() != 1) return "not encryption version 1";
  const auto plain = keyring.open(datagram, {});
  if (!plain) return "does not open: " + plain.error().detail;
  if (std::string bad = complaint_about_layers(*plain); !bad.empty()) return bad;
  const wire::OpenedPacket opened = wire::open_packet(keyring, datagram);
  if (opened.dropped != 0 || opened.messages.empty()) return "a part can't be read";
  for (const wire::PacketMessage& message : opened.messages) {
    if (const auto* told = std::get_if<wire::Alive>(&message)) {
      if (std::string bad = complaint_about(*told); !bad.empty()) return bad;
    }
  }
  return {};
}

/// Everything wrong with a stream frame that a node wants to send; empty when it is fine.
inline std::string complaint_about_frame(const wire::Keyring& keyring, ByteView frame) {
  std::size_t bad_entries = 0;
  const auto message = wire::open_frame(keyring, frame, &bad_entries);
  if (!message) return "does not open: " + message.error().detail;
  if (bad_entries != 0) return "an entry can't be read";
  if (const auto* content = std::get_if<wire::PushPull>(&*message)) {
    for (const wire::PushPullEntry& entry : content->entries) {
      if (entry.state > 3) return "an unknown state";
      if (std::string bad = complaint_about(entry); !bad.empty()) return bad;
    }
  }
  return {};
}

}  // namespace wesher::gossip::testing
