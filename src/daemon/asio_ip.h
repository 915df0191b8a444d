// Between our addresses and those of Asio.
#pragma once

#include <asio/ip/address.hpp>

#include "base/ip.h"

namespace wesher::daemon {

[[nodiscard]] inline IpAddress from_asio(const asio::ip::address& address) {
  if (address.is_v4()) return *IpAddress::from_bytes(address.to_v4().to_bytes());
  return *IpAddress::from_bytes(address.to_v6().to_bytes());
}

/// For a dual-stack socket: IPv4 in its mapped form.
[[nodiscard]] inline asio::ip::address to_asio_mapped(const IpAddress& address) {
  asio::ip::address_v6::bytes_type bytes{};
  if (address.is_v4()) {
    bytes[10] = bytes[11] = 0xff;
    std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin() + 12);
  } else {
    std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
  }
  return asio::ip::address_v6(bytes);
}

/// In its own family.
[[nodiscard]] inline asio::ip::address to_asio(const IpAddress& address) {
  if (address.is_v6()) return to_asio_mapped(address);
  asio::ip::address_v4::bytes_type bytes{};
  std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
  return asio::ip::address_v4(bytes);
}

}  // namespace wesher::daemon
