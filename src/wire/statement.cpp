#include "wire/statement.h"

#include <algorithm>
#include <array>

#include "wire/limits.h"

namespace wesher::wire {

namespace {

constexpr std::array<std::uint8_t, 4> kStatementMagic{'W', '2', 'S', 1};
constexpr std::string_view kContext{"wesher-statement-v1\0", 20};

void put_unsigned(ByteWriter& writer, const Statement& statement) {
  writer.u8(static_cast<std::uint8_t>(statement.kind));
  writer.u64(static_cast<std::uint64_t>(to_ms(statement.at)));
  writer.u8(static_cast<std::uint8_t>(statement.subject.size()));
  writer.put(as_bytes(statement.subject));
  writer.put(statement.signer.bytes());
}

Bytes signed_bytes(const Statement& statement) {
  Bytes out;
  ByteWriter writer(out);
  writer.put(as_bytes(kContext));
  put_unsigned(writer, statement);
  return out;
}

}  // namespace

Statement make_statement(StatementKind kind,
                         WallTime at,
                         std::string_view subject,
                         const SigningKey& key) {
  Statement made{kind, at, std::string(subject), key.identity(), {}};
  made.signature = key.sign(signed_bytes(made));
  return made;
}

bool verify(const Statement& statement) {
  return verify(statement.signer, signed_bytes(statement), statement.signature);
}

Bytes encode_statements(const std::vector<Statement>& statements) {
  if (statements.empty()) return {};
  Bytes out(kStatementMagic.begin(), kStatementMagic.end());
  ByteWriter writer(out);
  for (std::size_t i = 0; i < std::min(statements.size(), kStatementsMax); ++i) {
    put_unsigned(writer, statements[i]);
    writer.put(statements[i].signature);
  }
  return out;
}

Result<std::vector<Statement>> decode_statements(ByteView bytes) {
  if (bytes.size() < kStatementMagic.size() ||
      !std::equal(kStatementMagic.begin(), kStatementMagic.end(), bytes.begin()))
    return fail(Errc::unsupported, "no list of statements");
  ByteReader reader(bytes.subspan(kStatementMagic.size()));
  std::vector<Statement> statements;
  std::size_t count = 0;
  while (reader.left() > 0) {
    if (++count > kStatementsMax) return fail(Errc::malformed, "too many statements");
    Statement read;
    const std::uint8_t kind = reader.u8();
    const std::uint64_t at = reader.u64();
    read.subject = as_text(reader.take(reader.u8()));
    const ByteView signer = reader.take(kKeyBytes);
    const ByteView signature = reader.take(kSignatureBytes);
    const bool sound = reader.ok() && !read.subject.empty() &&
                       read.subject.size() <= limits::kNameBytes &&
                       at <= static_cast<std::uint64_t>(kLatestMs);
    if (!sound) return fail(Errc::malformed, "a list of statements is cut or damaged");
    if (kind != static_cast<std::uint8_t>(StatementKind::forget)) continue;
    read.at = wall_from_ms(static_cast<std::int64_t>(at));
    read.signer = IdentityKey::from_bytes(signer).value();
    std::copy(signature.begin(), signature.end(), read.signature.begin());
    statements.push_back(std::move(read));
  }
  return statements;
}

}  // namespace wesher::wire
