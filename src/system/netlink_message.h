// Netlink messages as bytes: bounds-checked walking of messages and attributes, and a builder of
// bounded size on top of libmnl (format: linux/netlink.h, host byte order). Bytes only: no socket,
// so codecs are tested and fuzzed without a kernel.
#pragma once

#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <linux/netlink.h>

#include "base/bytes.h"

namespace wesher::system {

/// The size that no message of ours exceeds. Larger ones only block the sender for longer: the
/// kernel works on a request inside sendmsg (one X25519 per new peer).
inline constexpr std::size_t kNetlinkMessageMax = 8192;

/// A fixed-size struct of the kernel's API, copied out of the front of `bytes`; nothing when they
/// are too few. Copying keeps alignment out of the picture.
template <class T>
[[nodiscard]] std::optional<T> struct_at(ByteView bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

/// `bytes` behind a fixed-size header of the kernel's API and its padding; empty if too few.
template <class T>
[[nodiscard]] ByteView behind(ByteView bytes) {
  constexpr std::size_t kAligned = (sizeof(T) + 3) & ~std::size_t{3};
  return bytes.size() < kAligned ? ByteView{} : bytes.subspan(kAligned);
}

/// One attribute: its type without the two flag bits, and its payload.
struct Attr {
  std::uint16_t type = 0;
  ByteView payload;

  /// Unsigned integers in host byte order; nothing if the payload is shorter.
  [[nodiscard]] std::optional<std::uint8_t> u8() const { return struct_at<std::uint8_t>(payload); }

  [[nodiscard]] std::optional<std::uint16_t> u16() const {
    return struct_at<std::uint16_t>(payload);
  }

  [[nodiscard]] std::optional<std::uint32_t> u32() const {
    return struct_at<std::uint32_t>(payload);
  }

  [[nodiscard]] std::optional<std::uint64_t> u64() const {
    return struct_at<std::uint64_t>(payload);
  }

  /// Text up to the first NUL or the end.
  [[nodiscard]] std::string text() const;
};

/// One netlink message: its header and what follows it.
struct NetlinkMessage {
  nlmsghdr header{};
  ByteView payload;
};

/// Walks things with a length in front, 4-byte aligned, inside `bytes`; ends at the first one whose
/// length does not fit. `Item` is Attr or NetlinkMessage.
template <class Item>
class Walk {
 public:
  class Iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = Item;

    explicit Iterator(ByteView rest) : rest_(rest) { load(); }

    const Item& operator*() const { return item_; }

    Iterator& operator++() {
      rest_ = step_ < rest_.size() ? rest_.subspan(step_) : ByteView{};
      load();
      return *this;
    }

    void operator++(int /*postfix*/) { ++*this; }

    bool operator==(std::default_sentinel_t /*end*/) const { return step_ == 0; }

   private:
    void load();

    ByteView rest_;
    Item item_;
    std::size_t step_ = 0;  ///< bytes to the next item, 0 = at the end
  };

  explicit Walk(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] Iterator begin() const { return Iterator(bytes_); }

  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  ByteView bytes_;
};

using Attrs = Walk<Attr>;
using NetlinkMessages = Walk<NetlinkMessage>;

/// Builds one request of at most `capacity` bytes. A put that does not fit changes nothing and
/// makes `ok()` false; who may overflow asks `room()` first.
class MessageBuilder {
 public:
  /// `flags`: NLM_F_REQUEST is added. `capacity` up to 65,535.
  MessageBuilder(std::uint16_t type,
                 std::uint16_t flags,
                 std::size_t capacity = kNetlinkMessageMax);

  /// Appends the family's fixed header (ifinfomsg, rtmsg, genlmsghdr …).
  template <class T>
  void put_header(const T& header) {
    put_raw({reinterpret_cast<const std::uint8_t*>(&header), sizeof(T)});
  }

  void put(std::uint16_t type, ByteView payload);

  void put_u8(std::uint16_t type, std::uint8_t v) { put_struct(type, v); }

  void put_u16(std::uint16_t type, std::uint16_t v) { put_struct(type, v); }

  void put_u32(std::uint16_t type, std::uint32_t v) { put_struct(type, v); }

  /// A trivially copyable struct as payload.
  template <class T>
  void put_struct(std::uint16_t type, const T& value) {
    put(type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)});
  }

  /// Text with its closing NUL.
  void put_text(std::uint16_t type, std::string_view text);

  /// Opens a nested attribute; the returned offset goes to `end_nest`.
  [[nodiscard]] std::size_t begin_nest(std::uint16_t type);
  void end_nest(std::size_t start);

  /// Bytes that may still be put, attribute headers included.
  [[nodiscard]] std::size_t room() const;

  [[nodiscard]] bool ok() const { return ok_; }

  /// The finished message; the builder is empty afterwards and its memory wiped of secrets.
  [[nodiscard]] Bytes take();

 private:
  void put_raw(ByteView bytes);
  [[nodiscard]] nlmsghdr* header();

  Bytes buffer_;
  bool ok_ = true;
};

/// Overwrites bytes that may hold a secret, in a way that is not optimised away.
void wipe(Bytes& bytes);
void wipe(std::string& text);

}  // namespace wesher::system
