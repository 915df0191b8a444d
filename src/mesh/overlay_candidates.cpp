#include "mesh/overlay_candidates.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "mesh/overlay_address.h"

namespace wesher::mesh {

namespace {

constexpr unsigned kWideBits = 64;  // of a host part, counted in one word

/// The last 8 bytes as a number.
std::uint64_t low_bits(ByteView bytes) {
  const std::size_t count = std::min<std::size_t>(bytes.size(), 8);
  return ByteReader(bytes.last(count)).big_endian(count);
}

std::uint64_t all_ones(unsigned bits) {
  return bits == 0 ? 0 : ~std::uint64_t{0} >> (kWideBits - bits);
}

/// `d` of the header.
std::uint64_t step_of(std::string_view name, std::uint64_t size) {
  if (size <= 2) return 1;
  std::uint64_t step = 1 + low_bits(fnv1a_128(std::string(name) + "step")) % (size - 1);
  while (std::gcd(step, size) != 1)
    ++step;  // size - 1 is the last that is needed
  return step;
}

}  // namespace

Result<OverlayCandidates> OverlayCandidates::of(std::string_view name, const Prefix& net) {
  const auto start = overlay_address(name, net);
  if (!start) return tl::unexpected(start.error());
  const unsigned bits = start->bits();
  const unsigned host_bits = std::min(bits - net.length, kWideBits);
  const std::uint64_t last = all_ones(host_bits);
  OverlayCandidates out;
  out.base_ = Prefix{*start, bits - host_bits}.masked().address;
  out.first_ = host_bits >= 2 ? 1 : 0;
  const bool has_broadcast = start->is_v4() && host_bits >= 2;
  // From first_ to last, both included; two or more host bits leave at least one.
  out.size_ = last - out.first_ + (has_broadcast ? 0 : 1);
  out.step_ = step_of(name, out.size_);
  const std::uint64_t host = low_bits(start->bytes()) & last;
  out.index_ = host < out.first_ ? 0 : std::min(host - out.first_, out.size_ - 1);
  out.left_ = out.size_;
  return out;
}

std::optional<IpAddress> OverlayCandidates::next() {
  if (left_ == 0) return std::nullopt;
  --left_;
  Bytes bytes(base_.bytes().begin(), base_.bytes().end());
  std::uint64_t host = low_bits(bytes) + first_ + index_;
  const std::size_t count = std::min<std::size_t>(bytes.size(), 8);
  for (auto byte = bytes.rbegin(); byte != bytes.rbegin() + static_cast<std::ptrdiff_t>(count);
       ++byte) {
    *byte = static_cast<std::uint8_t>(host);
    host >>= 8U;
  }
  const std::uint64_t to_end = size_ - index_;  // the sum might not fit into the word
  index_ = step_ < to_end ? index_ + step_ : step_ - to_end;
  return IpAddress::from_bytes(bytes).value_or(base_);
}

}  // namespace wesher::mesh
