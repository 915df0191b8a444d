// Reader and writer of the MessagePack dialect; the header describes it. The heads are those of the
// MessagePack specification; fixstr, str8…32 and bin8…32 are all "raw" here, because the Go
// decoders take them alike.
#include "wire/msgpack.h"

#include <array>

namespace wesher::wire {

void MsgpackWriter::integer(std::uint64_t value) {
  if (value <= 0x7f) {
    out_.u8(static_cast<std::uint8_t>(value));
  } else if (value <= 0xff) {
    out_.u8(0xcc);
    out_.big_endian(value, 1);
  } else if (value <= 0xffff) {
    out_.u8(0xcd);
    out_.big_endian(value, 2);
  } else if (value <= 0xffffffff) {
    out_.u8(0xce);
    out_.big_endian(value, 4);
  } else {
    out_.u8(0xcf);
    out_.big_endian(value, 8);
  }
}

void MsgpackWriter::raw(ByteView bytes) {
  const std::size_t n = bytes.size();
  if (n < 32) {
    out_.u8(static_cast<std::uint8_t>(0xa0U | n));
  } else if (n <= 0xffff) {
    out_.u8(0xda);
    out_.big_endian(n, 2);
  } else {
    out_.u8(0xdb);
    out_.big_endian(n, 4);
  }
  out_.put(bytes);
}

void MsgpackReader::set_fault(Errc code, const char* what) {
  if (fault_ != nullptr) return;
  code_ = code;
  fault_ = what;
}

ByteView MsgpackReader::take(std::uint64_t count) {
  if (!in_.ok() || count > in_.left()) {
    set_fault(Errc::malformed, "a MessagePack value is cut off");
    return {};
  }
  return in_.take(static_cast<std::size_t>(count));
}

MsgpackReader::Item MsgpackReader::counted(Kind kind, std::size_t width, std::size_t extra) {
  Item item{kind, in_.big_endian(width), {}};
  if (kind == Kind::raw || kind == Kind::ext) item.raw = take(item.number + extra);
  return item;
}

MsgpackReader::Item MsgpackReader::signed_integer(std::size_t width) {
  const std::uint64_t value = in_.big_endian(width);
  const bool negative = (value >> (8 * width - 1) & 1U) != 0;
  return {negative ? Kind::negative : Kind::positive, value, {}};
}

MsgpackReader::Item MsgpackReader::next_fixed(std::uint8_t head) {
  if (head <= 0x7f) return {Kind::positive, head, {}};
  if (head <= 0x8f) return {Kind::map, head & 0x0fU, {}};
  if (head <= 0x9f) return {Kind::array, head & 0x0fU, {}};
  if (head <= 0xbf) return {Kind::raw, 0, take(head & 0x1fU)};
  return {Kind::negative, head, {}};
}

MsgpackReader::Item MsgpackReader::next() {
  if (!ok()) return {};
  if (items_left_ == 0) {
    set_fault(Errc::too_large, "a message has more items than are accepted");
    return {};
  }
  --items_left_;
  const std::uint8_t head = in_.u8();
  Item item;
  if (head < 0xc0 || head >= 0xe0) {
    item = next_fixed(head);
  } else if (head == 0xc2 || head == 0xc3) {
    item = {Kind::boolean, head & 1U, {}};
  } else if (head >= 0xc4 && head <= 0xc6) {
    item = counted(Kind::raw, std::size_t{1} << (head - 0xc4U));
  } else if (head >= 0xc7 && head <= 0xc9) {
    item = counted(Kind::ext, std::size_t{1} << (head - 0xc7U), 1);
  } else if (head == 0xca || head == 0xcb) {
    item = {Kind::real, 0, take(head == 0xca ? 4 : 8)};
  } else if (head >= 0xcc && head <= 0xcf) {
    item = {Kind::positive, in_.big_endian(std::size_t{1} << (head - 0xccU)), {}};
  } else if (head >= 0xd0 && head <= 0xd3) {
    item = signed_integer(std::size_t{1} << (head - 0xd0U));
  } else if (head >= 0xd4 && head <= 0xd8) {
    item = {Kind::ext, 0, take((std::size_t{1} << (head - 0xd4U)) + 1)};
  } else if (head >= 0xd9 && head <= 0xdb) {
    item = counted(Kind::raw, std::size_t{1} << (head - 0xd9U));
  } else if (head == 0xdc || head == 0xdd) {
    item = counted(Kind::array, head == 0xdc ? 2 : 4);
  } else if (head == 0xde || head == 0xdf) {
    item = counted(Kind::map, head == 0xde ? 2 : 4);
  } else if (head == 0xc1) {
    set_fault(Errc::malformed, "the unused MessagePack head c1");
  }
  if (!in_.ok()) set_fault(Errc::malformed, "a MessagePack value is cut off");
  return ok() ? item : Item{};
}

std::size_t MsgpackReader::map() {
  const Item item = next();
  if (ok() && item.kind != Kind::map)
    set_fault(Errc::malformed, "a message body is not a MessagePack map");
  return ok() ? static_cast<std::size_t>(item.number) : 0;
}

std::string_view MsgpackReader::key() {
  const Item item = next();
  if (ok() && item.kind != Kind::raw) set_fault(Errc::malformed, "a message key is not text");
  return ok() ? as_text(item.raw) : std::string_view{};
}

bool MsgpackReader::boolean() {
  const Item item = next();
  if (item.kind == Kind::nil) return false;
  const bool number = item.kind == Kind::positive && item.number <= 1;
  if (item.kind != Kind::boolean && !number)
    set_fault(Errc::malformed, "a message field should be true or false");
  return ok() && item.number != 0;
}

std::uint64_t MsgpackReader::integer(std::uint64_t max) {
  const Item item = next();
  if (item.kind == Kind::nil) return 0;
  if (item.kind == Kind::negative) {
    set_fault(Errc::too_large, "a message field that counts is negative");
  } else if (item.kind != Kind::positive) {
    set_fault(Errc::malformed, "a message field should be an integer");
  } else if (item.number > max) {
    set_fault(Errc::too_large, "an integer does not fit its message field");
  }
  return ok() ? item.number : 0;
}

std::string_view MsgpackReader::text_view(std::size_t max) {
  const Item item = next();
  if (item.kind == Kind::nil) return {};
  if (item.kind != Kind::raw) {
    set_fault(Errc::malformed, "a message field should be text");
  } else if (item.raw.size() > max) {
    set_fault(Errc::too_large, "a text in a message is longer than is accepted");
  }
  return ok() ? as_text(item.raw) : std::string_view{};
}

ByteView MsgpackReader::bytes_view(std::size_t max, Bytes& scratch, bool* nil) {
  const Item item = next();
  if (nil != nullptr) *nil = item.kind == Kind::nil;
  if (item.kind == Kind::nil) return {};
  if (item.kind != Kind::raw && item.kind != Kind::array) {
    set_fault(Errc::malformed, "a message field should be bytes");
  } else if ((item.kind == Kind::raw ? item.raw.size() : item.number) > max) {
    set_fault(Errc::too_large, "a byte field in a message is longer than is accepted");
  }
  if (!ok()) return {};
  if (item.kind == Kind::raw) return item.raw;
  scratch.clear();
  for (std::uint64_t i = 0; i < item.number && ok(); ++i)
    scratch.push_back(static_cast<std::uint8_t>(integer(0xff)));
  return ok() ? ByteView(scratch) : ByteView{};
}

Bytes MsgpackReader::bytes(std::size_t max, bool* nil) {
  Bytes scratch;
  const ByteView view = bytes_view(max, scratch, nil);
  if (!scratch.empty()) return scratch;
  return {view.begin(), view.end()};
}

void MsgpackReader::skip() {
  // Elements still to read, per open container: the bounded stand-in for recursion.
  std::array<std::uint64_t, limits::kMsgpackDepth> open{};
  std::size_t depth = 0;
  do {
    const Item item = next();
    if (!ok()) return;
    if (depth > 0) --open[depth - 1];
    if (item.kind == Kind::array || item.kind == Kind::map) {
      if (depth == open.size()) {
        set_fault(Errc::too_large, "a message nests deeper than is accepted");
        return;
      }
      open[depth++] = item.number * (item.kind == Kind::map ? 2 : 1);
    }
    while (depth > 0 && open[depth - 1] == 0)
      --depth;
  } while (depth > 0);
}

}  // namespace wesher::wire
