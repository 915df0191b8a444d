#include "wire/statement.h"

#include <catch2/catch.hpp>

#include "wire/user_state.h"

namespace wesher::wire {

namespace {

SigningKey signer(std::uint8_t byte) {
  std::array<std::uint8_t, kKeyBytes> seed{};
  seed.fill(byte);
  return SigningKey(SecretKey(seed));
}

Statement about(const std::string& name, std::uint8_t by = 1) {
  return make_statement(StatementKind::forget, wall_from_ms(1'790'000'000'123), name, signer(by));
}

}  // namespace

TEST_CASE("A statement holds under its signer alone and for its content alone") {
  const Statement made = about("web");
  CHECK(verify(made));
  Statement other = made;
  other.subject = "db";
  CHECK_FALSE(verify(other));
  other = made;
  other.at += std::chrono::milliseconds{1};
  CHECK_FALSE(verify(other));
  other = made;
  other.signer = signer(2).identity();
  CHECK_FALSE(verify(other));
  other = made;
  other.signature[5] ^= 1U;
  CHECK_FALSE(verify(other));
}

TEST_CASE("Statements come back as they were told") {
  const std::vector<Statement> two{about("web"), about(std::string(253, 'x'), 2)};
  const Bytes bytes = encode_statements(two);
  CHECK(to_hex(ByteView(bytes).first(17)) == "5732530101000001a0c4506c7b03776562");
  CHECK(decode_statements(bytes).value() == two);
  CHECK(encode_statements({}).empty());
}

TEST_CASE(
    "Statements that are cut or damaged or something else are refused, later kinds left out") {
  const Bytes bytes = encode_statements({about("web")});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    if (size == 4) continue;  // an empty list
    CHECK_FALSE(decode_statements(ByteView(bytes).first(size)));
  }
  const auto with = [&](std::size_t at, std::uint8_t byte) {
    Bytes changed = bytes;
    changed[at] = byte;
    return decode_statements(changed);
  };
  CHECK(with(3, 2).error().code == Errc::unsupported);
  CHECK(with(4, 9).value().empty());
  CHECK(with(5, 0xff).error().code == Errc::malformed);  // after the year 9999
  CHECK(with(13, 0).error().code == Errc::malformed);
  const std::vector<Statement> many(kStatementsMax + 1, about("web"));
  Bytes full = encode_statements(many);
  CHECK(decode_statements(full).value().size() == kStatementsMax);
  full.insert(full.end(), bytes.begin() + 4, bytes.end());
  CHECK(decode_statements(full).error().code == Errc::malformed);
}

TEST_CASE("A user state holds both kinds of sections, and leaves out those of later versions") {
  const UserState state{{{"db", IpAddress::v4(10, 0, 0, 1)}}, {about("web")}};
  const Bytes bytes = encode_user_state(state);
  CHECK(decode_user_state(bytes).value() == state);
  CHECK(encode_user_state({}).empty());
  CHECK(decode_user_state(encode_user_state({{}, {about("x")}})).value().reservations.empty());
  Bytes later = bytes;
  ByteWriter writer(later);
  writer.u32(5);
  writer.put(as_bytes("W2Z\1x"));
  CHECK(decode_user_state(later).value() == state);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = decode_user_state(ByteView(bytes).first(size));
    CHECK((!cut || cut->statements.empty()));
  }
  Bytes crowded{'W', '2', 'U', 1};
  for (std::size_t i = 0; i <= kUserSectionsMax; ++i)
    crowded.insert(crowded.end(), {0, 0, 0, 0});
  CHECK(decode_user_state(crowded).error().code == Errc::malformed);
}

}  // namespace wesher::wire
