// Gob streams by hand, as a hostile or merely different sender may write them.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/wire/support/samples.h"
#include "wire/gob.h"
#include "wire/node_meta.h"

namespace wesher::wire::test {

inline constexpr std::int64_t kBytesId = 5;
inline constexpr std::int64_t kStringId = 6;

/// A body written by `write`, with its length in front.
inline Bytes gob_message(const std::function<void(GobWriter&, Bytes&)>& write) {
  Bytes body;
  GobWriter writer(body);
  write(writer, body);
  Bytes out;
  GobWriter(out).bytes(body);
  return out;
}

using Fields = std::vector<std::pair<std::string, std::int64_t>>;

/// Definition of a struct type, without the name that Go ignores.
inline Bytes define_struct(std::int64_t id, const Fields& fields) {
  return gob_message([&](GobWriter& w, Bytes&) {
    w.integer(-id);
    w.unsigned_integer(3);
    w.unsigned_integer(2);
    w.unsigned_integer(fields.size());
    for (const auto& [name, type] : fields) {
      w.next_field();
      w.text(name);
      w.next_field();
      w.integer(type);
      w.end_struct();
    }
    w.end_struct();
    w.end_struct();
  });
}

/// Definition of another kind; `more` are the numbers behind CommonType, which is left out.
inline Bytes define(std::int64_t id, GobKind kind, const std::vector<std::int64_t>& more) {
  return gob_message([&](GobWriter& w, Bytes&) {
    w.integer(-id);
    w.first_field(kind);
    bool first = true;
    for (const std::int64_t number : more) {
      w.unsigned_integer(first ? 2 : 1);
      w.integer(number);
      first = false;
    }
    w.end_struct();
    w.end_struct();
  });
}

/// A value of struct type `id`: each field's bytes, all present.
inline Bytes value(std::int64_t id, const std::vector<Bytes>& fields) {
  return gob_message([&](GobWriter& w, Bytes& body) {
    w.integer(id);
    for (const Bytes& field : fields) {
      w.next_field();
      body.insert(body.end(), field.begin(), field.end());
    }
    w.end_struct();
  });
}

inline Bytes chain(const std::vector<Bytes>& messages) {
  Bytes out;
  for (const Bytes& one : messages)
    out = joined(out, one);
  return out;
}

inline const Bytes kAddress = hex("040a010203");
inline const Bytes kKey = hex("02706b");

/// An F1 with one more field of type `type`, at `place` of three.
inline Bytes with_extra(std::size_t place,
                        std::int64_t type,
                        const Bytes& extra,
                        std::vector<Bytes> types) {
  Fields fields = {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}};
  std::vector<Bytes> values = {kAddress, kKey};
  fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(place), {"Other", type});
  values.insert(values.begin() + static_cast<std::ptrdiff_t>(place), extra);
  types.insert(types.begin(), define_struct(65, fields));
  types.push_back(value(65, values));
  return chain(types);
}

inline void check_f1(ByteView bytes) {
  const auto raw = decode_node_meta(bytes);
  if (!raw) FAIL(raw.error().detail);
  CHECK(raw->format == MetaFormat::f1);
  CHECK(raw->address == hex("0a010203"));
  CHECK(raw->public_key == "pk");
  CHECK(raw->gob_bytes == bytes.size());
}

inline Errc meta_refusal(ByteView bytes) {
  const auto raw = decode_node_meta(bytes);
  REQUIRE_FALSE(raw);
  CHECK_FALSE(raw.error().detail.empty());
  return raw.error().code;
}

}  // namespace wesher::wire::test
