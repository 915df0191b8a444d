// Netlink messages as bytes. Pure functions of their arguments.
#include "system/netlink_message.h"

#include <algorithm>
#include <array>

#include <libmnl/libmnl.h>

namespace wesher::system {

namespace {

/// Attribute types without NLA_F_NESTED and NLA_F_NET_BYTEORDER.
constexpr std::uint16_t kTypeMask = 0x3fff;

constexpr std::size_t aligned(std::size_t length) {
  return (length + 3) & ~std::size_t{3};
}

}  // namespace

std::string Attr::text() const {
  const std::string_view whole = as_text(payload);
  return std::string(whole.substr(0, whole.find('\0')));
}

template <>
void Walk<Attr>::Iterator::load() {
  step_ = 0;
  const auto head = struct_at<nlattr>(rest_);
  if (!head || head->nla_len < sizeof(nlattr) || head->nla_len > rest_.size()) return;
  item_.type = head->nla_type & kTypeMask;
  item_.payload = rest_.subspan(sizeof(nlattr), head->nla_len - sizeof(nlattr));
  step_ = aligned(head->nla_len);
}

template <>
void Walk<NetlinkMessage>::Iterator::load() {
  step_ = 0;
  const auto head = struct_at<nlmsghdr>(rest_);
  if (!head || head->nlmsg_len < sizeof(nlmsghdr) || head->nlmsg_len > rest_.size()) return;
  item_.header = *head;
  item_.payload = rest_.subspan(sizeof(nlmsghdr), head->nlmsg_len - sizeof(nlmsghdr));
  step_ = aligned(head->nlmsg_len);
}

MessageBuilder::MessageBuilder(std::uint16_t type, std::uint16_t flags, std::size_t capacity)
    : buffer_(std::max(capacity, sizeof(nlmsghdr))) {
  nlmsghdr* head = mnl_nlmsg_put_header(buffer_.data());
  head->nlmsg_type = type;
  head->nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
}

nlmsghdr* MessageBuilder::header() {
  return reinterpret_cast<nlmsghdr*>(buffer_.data());
}

std::size_t MessageBuilder::room() const {
  const auto* head = reinterpret_cast<const nlmsghdr*>(buffer_.data());
  return buffer_.size() - std::min<std::size_t>(head->nlmsg_len, buffer_.size());
}

void MessageBuilder::put_raw(ByteView bytes) {
  if (aligned(bytes.size()) > room()) {
    ok_ = false;
    return;
  }
  std::memcpy(mnl_nlmsg_put_extra_header(header(), bytes.size()), bytes.data(), bytes.size());
}

void MessageBuilder::put(std::uint16_t type, ByteView payload) {
  // libmnl's own check leaves out the padding behind the payload, which it then writes.
  if (sizeof(nlattr) + aligned(payload.size()) > room() || payload.size() > 0xfff0) {
    ok_ = false;
    return;
  }
  mnl_attr_put(header(), type, payload.size(), payload.data());
}

void MessageBuilder::put_text(std::uint16_t type, std::string_view text) {
  const std::string with_nul(text);
  put(type, as_bytes(std::string_view(with_nul.c_str(), with_nul.size() + 1)));
}

std::size_t MessageBuilder::begin_nest(std::uint16_t type) {
  const std::size_t start = header()->nlmsg_len;
  if (sizeof(nlattr) > room()) {
    ok_ = false;
    return 0;
  }
  mnl_attr_nest_start(header(), type);
  return start;
}

void MessageBuilder::end_nest(std::size_t start) {
  if (start == 0) return;
  mnl_attr_nest_end(header(), reinterpret_cast<nlattr*>(buffer_.data() + start));
}

Bytes MessageBuilder::take() {
  const std::size_t length = header()->nlmsg_len;
  Bytes out(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(length));
  wipe(buffer_);
  buffer_.clear();
  return out;
}

void wipe(Bytes& bytes) {
  explicit_bzero(bytes.data(), bytes.size());
}

void wipe(std::string& text) {
  explicit_bzero(text.data(), text.size());
}

}  // namespace wesher::system
