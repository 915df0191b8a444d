// The compression layer both ways; compression.h and packet.h describe it.
#include "wire/compression.h"

#include <string_view>

#include "wire/lzw.h"
#include "wire/msgpack.h"
#include "wire/packet.h"

namespace wesher::wire {

Result<Bytes> decompress_body(ByteView body, std::size_t limit) {
  MsgpackReader reader(body);
  Bytes scratch;
  ByteView packed;
  std::uint64_t algorithm = 0;
  for (std::size_t pairs = reader.map(); pairs > 0 && reader.ok(); --pairs) {
    const std::string_view key = reader.key();
    if (key == "Algo") {
      algorithm = reader.integer(0xff);
    } else if (key == "Buf") {
      packed = reader.bytes_view(body.size(), scratch);
    } else {
      reader.skip();
    }
  }
  if (!reader.ok()) return reader.error();
  if (algorithm != 0) return fail(Errc::unsupported, "a compression algorithm other than LZW");
  auto plain = lzw_decompress(packed, limit);
  if (plain && plain->empty()) return fail(Errc::malformed, "a compression layer around nothing");
  return plain;
}

Bytes add_compression(ByteView message) {
  if (message.empty()) return {};
  Bytes out = {static_cast<std::uint8_t>(MessageType::compress)};
  MsgpackWriter writer(out);
  writer.map(2);
  writer.text("Algo");
  writer.integer(0);
  writer.text("Buf");
  writer.raw(lzw_compress(message));
  return out;
}

}  // namespace wesher::wire
