// The gob value `nodeMeta` of the Go program's three generations, read and written; node_meta.h
// describes it. Written: the bytes of Go 1.19, types numbered from 65 in the order in which Go
// meets them. Read: by the sender's description, fields matched by name, whatever else there is
// passed over. Fields: OverlayAddr is net.IP (F1), net.IPNet (F2) or netip.Addr (F3); PubKey is
// text.
#include "wire/node_meta.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "wire/gob.h"
#include "wire/limits.h"

namespace wesher::wire {

namespace {

constexpr std::int64_t kMetaType = 65;
constexpr std::int64_t kAddressType = 66;
constexpr auto kBytes = static_cast<std::int64_t>(GobBuiltin::bytes);
constexpr auto kString = static_cast<std::int64_t>(GobBuiltin::string);

using Field = std::pair<std::string_view, std::int64_t>;

/// Appends `body` with its length in front.
void put_message(Bytes& out, const Bytes& body) {
  GobWriter(out).bytes(body);
}

/// Type id of a definition, kind, and the CommonType that every description starts with.
void put_definition_head(GobWriter& writer, std::int64_t id, GobKind kind, std::string_view name) {
  writer.integer(-id);
  writer.first_field(kind);
  writer.next_field();
  writer.next_field();
  writer.text(name);
  writer.next_field();
  writer.integer(id);
  writer.end_struct();
}

void put_struct_type(Bytes& out,
                     std::int64_t id,
                     std::string_view name,
                     const std::array<Field, 2>& fields) {
  Bytes body;
  GobWriter writer(body);
  put_definition_head(writer, id, GobKind::structure, name);
  writer.next_field();
  writer.unsigned_integer(fields.size());
  for (const auto& [field, type] : fields) {
    writer.next_field();
    writer.text(field);
    writer.next_field();
    writer.integer(type);
    writer.end_struct();
  }
  writer.end_struct();
  writer.end_struct();
  put_message(out, body);
}

void put_marshaler_type(Bytes& out, std::int64_t id, std::string_view name) {
  Bytes body;
  GobWriter writer(body);
  put_definition_head(writer, id, GobKind::binary_marshaler, name);
  writer.end_struct();
  writer.end_struct();
  put_message(out, body);
}

void put_types(Bytes& out, MetaFormat format) {
  const std::int64_t address = format == MetaFormat::f1 ? kBytes : kAddressType;
  put_struct_type(out, kMetaType, "nodeMeta",
                  {Field{"OverlayAddr", address}, Field{"PubKey", kString}});
  if (format == MetaFormat::f2)
    put_struct_type(out, kAddressType, "IPNet", {Field{"IP", kBytes}, Field{"Mask", kBytes}});
  if (format == MetaFormat::f3) put_marshaler_type(out, kAddressType, "Addr");
}

/// Reads one value of the sender's struct type `type` into `out`.
class MetaReader {
 public:
  MetaReader(GobReader& in, const GobTypes& types, RawNodeMeta& out)
      : in_(in), types_(types), out_(out) {}

  void read(const GobType& type) {
    check(type);
    in_.each_field(type.fields.size(), [&](std::size_t number) {
      const GobField& field = type.fields[number];
      if (field.name == "PubKey") {
        out_.public_key = in_.text();
      } else if (field.name == "OverlayAddr") {
        read_address(field.type);
      } else {
        types_.skip(in_, field.type, 1);
      }
    });
  }

 private:
  /// Go compares the types of all described fields before it reads the value, so a field of the
  /// wrong type spoils it even when it is not there.
  void check(const GobType& type) {
    bool known = false;
    for (const GobField& field : type.fields) {
      if (field.name == "PubKey" && field.type != kString)
        in_.set_fault(Errc::unsupported, "metadata whose PubKey is not a string");
      if (field.name == "OverlayAddr") check_address(field.type);
      known = known || field.name == "PubKey" || field.name == "OverlayAddr";
    }
    if (!known) in_.set_fault(Errc::unsupported, "metadata without OverlayAddr and PubKey");
  }

  void check_address(std::int64_t id) {
    if (id == kBytes) {
      out_.format = MetaFormat::f1;
      return;
    }
    const GobType* type = types_.find(id);
    if (type != nullptr && type->kind == GobKind::binary_marshaler) {
      out_.format = MetaFormat::f3;
      return;
    }
    if (type == nullptr || type->kind != GobKind::structure) {
      in_.set_fault(Errc::unsupported,
                    "metadata whose OverlayAddr is no byte string, IPNet or marshaled address");
      return;
    }
    out_.format = MetaFormat::f2;
    for (const GobField& part : type->fields) {
      if ((part.name == "IP" || part.name == "Mask") && part.type != kBytes)
        in_.set_fault(Errc::unsupported, "metadata whose OverlayAddr has parts that are no bytes");
    }
  }

  void read_address(std::int64_t id) {
    const GobType* type = types_.find(id);
    if (type == nullptr || type->kind != GobKind::structure) return take(out_.address);
    in_.each_field(type->fields.size(), [&](std::size_t number) {
      const GobField& part = type->fields[number];
      if (part.name == "IP") {
        take(out_.address);
      } else if (part.name == "Mask") {
        take(out_.mask);
      } else {
        types_.skip(in_, part.type, 2);
      }
    });
  }

  void take(Bytes& out) {
    const ByteView bytes = in_.bytes();
    out.assign(bytes.begin(), bytes.end());
  }

  GobReader& in_;
  const GobTypes& types_;
  RawNodeMeta& out_;
};

/// The value message of type `id`, behind its type id.
Result<RawNodeMeta> read_value(GobReader in, const GobTypes& types, std::int64_t id) {
  const GobType* type = types.find(id);
  if (type == nullptr && id >= kGobFirstUserType)
    return fail(Errc::malformed, "metadata of a gob type that was not defined");
  if (type == nullptr || type->kind != GobKind::structure)
    return fail(Errc::unsupported, "metadata that is no gob struct");
  if (!types.complete(id))
    return fail(Errc::malformed, "metadata with a field of a gob type that was not defined");
  RawNodeMeta out;
  MetaReader(in, types, out).read(*type);
  if (!in.ok()) return in.error();
  return out;
}

}  // namespace

Bytes encode_node_meta(const NodeMeta& meta) {
  if (meta.key.is_zero()) return {};
  Bytes out;
  put_types(out, meta.format);
  Bytes body;
  GobWriter writer(body);
  writer.integer(kMetaType);
  writer.next_field();
  if (meta.format == MetaFormat::f2) {
    writer.next_field();
    writer.bytes(meta.overlay.bytes());
    writer.next_field();
    writer.bytes(Bytes(meta.overlay.bytes().size(), 0xff));
    writer.end_struct();
  } else {
    writer.bytes(meta.overlay.bytes());
  }
  writer.next_field();
  writer.text(meta.key.base64());
  writer.end_struct();
  put_message(out, body);
  return out;
}

Result<RawNodeMeta> decode_node_meta(ByteView bytes) {
  if (bytes.empty()) return fail(Errc::malformed, "empty metadata");
  if (bytes.size() > limits::kMetaBytes)
    return fail(Errc::too_large, "metadata is longer than the 512 bytes that Go nodes allow");
  GobReader stream(bytes);
  GobTypes types;
  for (;;) {
    GobReader message(stream.bytes());
    if (!stream.ok()) return stream.error();
    const std::int64_t id = message.integer();
    if (!message.ok()) return message.error();
    if (id >= 0) {
      auto raw = read_value(message, types, id);
      if (raw) raw->gob_bytes = stream.offset();
      return raw;
    }
    // The lowest number has no opposite; no definition has such an id anyway.
    types.define(message, -std::max(id, -std::numeric_limits<std::int64_t>::max()));
    if (message.ok() && message.left() != 0)
      message.set_fault(Errc::malformed, "bytes behind a gob type definition");
    if (!message.ok()) return message.error();
  }
}

Result<NodeMeta> validate_node_meta(const RawNodeMeta& raw) {
  if (raw.address.empty()) return fail(Errc::malformed, "metadata without an overlay address");
  if (raw.public_key.empty()) return fail(Errc::malformed, "metadata without a public key");
  const auto key = PublicKey::parse(raw.public_key);
  if (!key) return tl::unexpected(key.error());
  const auto address = IpAddress::from_bytes(raw.address);
  if (!address)
    return fail(Errc::malformed, "metadata whose overlay address has neither 4 nor 16 bytes");
  // A mapped IPv4 address has 16 bytes and, from net.IPNet, a mask of 4 or 16.
  const bool fits =
      raw.mask.size() == raw.address.size() || raw.mask.size() == address->bytes().size();
  const bool host_mask = fits && std::all_of(raw.mask.begin(), raw.mask.end(),
                                             [](std::uint8_t octet) { return octet == 0xff; });
  if (raw.format == MetaFormat::f2 && !host_mask)
    return fail(Errc::malformed, "metadata whose overlay address is a network, not one address");
  return NodeMeta{*address, *key, raw.format};
}

}  // namespace wesher::wire
