// Gob primitives, type definitions and passing over values; gob.h describes them. A definition is a
// value of Go's wireType: a struct of which exactly one field is set, the kind.
#include "wire/gob.h"

#include <algorithm>

namespace wesher::wire {

namespace {

/// Name and id of a type; Go ignores both.
void skip_common(GobReader& in) {
  in.each_field(2, [&in](std::size_t field) {
    if (field == 0) {
      in.bytes();
    } else {
      in.integer();
    }
  });
}

GobField read_field(GobReader& in) {
  GobField out;
  in.each_field(2, [&](std::size_t field) {
    if (field == 0) {
      out.name = in.text();
    } else {
      out.type = in.integer();
    }
  });
  return out;
}

void read_fields(GobReader& in, std::vector<GobField>& fields) {
  const std::size_t count = in.count();
  if (count > kGobFields) {
    in.set_fault(Errc::too_large, "a gob struct type has more fields than are accepted");
    return;
  }
  for (std::size_t i = 0; i < count && in.ok(); ++i)
    fields.push_back(read_field(in));
}

/// The description behind the kind: CommonType, and what the kind adds to it.
void read_description(GobReader& in, GobType& type) {
  const bool marshaler = type.kind >= GobKind::gob_encoder;
  const bool one_more = type.kind == GobKind::structure || type.kind == GobKind::slice;
  const std::size_t fields = marshaler ? 1 : one_more ? 2 : 3;
  in.each_field(fields, [&](std::size_t field) {
    if (field == 0) {
      skip_common(in);
    } else if (type.kind == GobKind::structure) {
      read_fields(in, type.fields);
    } else if (type.kind == GobKind::map) {
      (field == 1 ? type.key : type.element) = in.integer();
    } else {
      (field == 1 ? type.element : type.length) = in.integer();
    }
  });
}

bool is_builtin(std::int64_t id) {
  return id >= static_cast<std::int64_t>(GobBuiltin::boolean) &&
         id <= static_cast<std::int64_t>(GobBuiltin::interface);
}

}  // namespace

void GobReader::set_fault(Errc code, const char* what) {
  if (fault_ != nullptr) return;
  code_ = code;
  fault_ = what;
}

std::uint64_t GobReader::unsigned_integer() {
  if (!ok()) return 0;
  const std::uint8_t head = in_.u8();
  std::uint64_t value = head;
  if (head >= 0x80) {
    const std::size_t width = 0x100U - head;
    if (width > sizeof value) {
      set_fault(Errc::malformed, "a gob number longer than 8 bytes");
      return 0;
    }
    value = in_.big_endian(width);
  }
  if (!in_.ok()) set_fault(Errc::malformed, "a gob value is cut off");
  return ok() ? value : 0;
}

std::int64_t GobReader::integer() {
  const std::uint64_t value = unsigned_integer();
  const auto half = static_cast<std::int64_t>(value >> 1U);
  return (value & 1U) != 0 ? ~half : half;
}

ByteView GobReader::bytes() {
  const std::uint64_t length = unsigned_integer();
  if (ok() && length > left()) set_fault(Errc::malformed, "a gob value is cut off");
  return ok() ? in_.take(static_cast<std::size_t>(length)) : ByteView{};
}

std::size_t GobReader::count() {
  const std::uint64_t elements = unsigned_integer();
  if (ok() && elements > left())
    set_fault(Errc::malformed, "a gob value counts more elements than there are bytes");
  return ok() ? static_cast<std::size_t>(elements) : 0;
}

void GobTypes::define(GobReader& in, std::int64_t id) {
  if (id < kGobFirstUserType || find(id) != nullptr) {
    in.set_fault(Errc::malformed, "a gob type definition with an id that is taken");
  } else if (types_.size() == kGobTypes) {
    in.set_fault(Errc::too_large, "more gob type definitions than are accepted");
  }
  GobType type;
  type.id = id;
  std::size_t kinds = 0;
  in.each_field(static_cast<std::size_t>(GobKind::text_marshaler) + 1, [&](std::size_t kind) {
    type.kind = static_cast<GobKind>(kind);
    if (++kinds == 1) {
      read_description(in, type);
    } else {
      in.set_fault(Errc::malformed, "a gob type definition of two kinds at once");
    }
  });
  if (kinds == 0) in.set_fault(Errc::malformed, "a gob type definition without a kind");
  if (in.ok()) types_.push_back(std::move(type));
}

const GobType* GobTypes::find(std::int64_t id) const {
  const auto at =
      std::find_if(types_.begin(), types_.end(), [id](const GobType& t) { return t.id == id; });
  return at == types_.end() ? nullptr : &*at;
}

bool GobTypes::complete(std::int64_t id) const {
  std::vector<std::int64_t> reached = {id};
  const auto reach = [&reached](std::int64_t next) {
    if (std::find(reached.begin(), reached.end(), next) == reached.end()) reached.push_back(next);
  };
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (is_builtin(reached[i])) continue;
    const GobType* type = find(reached[i]);
    if (type == nullptr) return false;
    for (const GobField& field : type->fields)
      reach(field.type);
    if (type->kind == GobKind::map) reach(type->key);
    if (type->kind <= GobKind::map && type->kind != GobKind::structure) reach(type->element);
  }
  return true;
}

void GobTypes::skip_interface(GobReader& in) {
  // A nil one is an empty name. Else: the name of the concrete type, its id, and a message.
  if (in.bytes().empty()) return;
  if (in.integer() <= 0) {
    in.set_fault(Errc::unsupported, "a gob interface value that defines types");
    return;
  }
  in.bytes();
}

void GobTypes::skip_builtin(GobReader& in, std::int64_t id) {
  switch (static_cast<GobBuiltin>(id)) {
    case GobBuiltin::boolean:
    case GobBuiltin::integer:
    case GobBuiltin::unsigned_integer:
    case GobBuiltin::real:
      in.unsigned_integer();
      break;
    case GobBuiltin::bytes:
    case GobBuiltin::string:
      in.bytes();
      break;
    case GobBuiltin::complex:
      in.unsigned_integer();
      in.unsigned_integer();
      break;
    case GobBuiltin::interface:
      skip_interface(in);
      break;
  }
}

void GobTypes::skip(GobReader& in, std::int64_t id, unsigned depth) const {
  if (is_builtin(id)) return skip_builtin(in, id);
  const GobType* type = find(id);
  if (type == nullptr) return in.set_fault(Errc::malformed, "a gob type that was not defined");
  if (type->kind >= GobKind::gob_encoder) {
    in.bytes();
    return;
  }
  if (depth == kGobNesting)
    return in.set_fault(Errc::too_large, "gob values nest deeper than is accepted");
  if (type->kind == GobKind::structure) {
    in.each_field(type->fields.size(),
                  [&](std::size_t field) { skip(in, type->fields[field].type, depth + 1); });
    return;
  }
  const std::size_t elements = in.count();
  if (type->kind == GobKind::array && static_cast<std::int64_t>(elements) != type->length)
    in.set_fault(Errc::malformed, "a gob array of another length than its type");
  for (std::size_t i = 0; i < elements && in.ok(); ++i) {
    if (type->kind == GobKind::map) skip(in, type->key, depth + 1);
    skip(in, type->element, depth + 1);
  }
}

void GobWriter::unsigned_integer(std::uint64_t value) {
  if (value < 0x80) {
    out_.u8(static_cast<std::uint8_t>(value));
    return;
  }
  std::size_t width = 1;
  while (width < sizeof value && value >> (8 * width) != 0)
    ++width;
  out_.u8(static_cast<std::uint8_t>(0x100U - width));
  out_.big_endian(value, width);
}

void GobWriter::integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  unsigned_integer(value < 0 ? ~bits << 1U | 1U : bits << 1U);
}

void GobWriter::bytes(ByteView value) {
  unsigned_integer(value.size());
  out_.put(value);
}

}  // namespace wesher::wire
