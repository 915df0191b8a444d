// What a member says of another one, signed: for now, that one that is gone is to be forgotten.
// Told as part of the application's state of push/pulls (user_state.h), so that nodes of the Go
// program ignore it; kept and passed on by whoever believes the signer. Pure.
//
// Format of a list: "W2S" and version 1, then for each: kind 1, time in ms since 1970 8, length of
// the subject 1, subject, signer 32, signature 64. Signed is "wesher-statement-v1" and a zero byte,
// then all of it before the signature.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/identity.h"
#include "base/time.h"

namespace wesher::wire {

enum class StatementKind : std::uint8_t {
  forget = 1,  ///< the member of that name is gone: its name and address are free
};

struct Statement {
  StatementKind kind = StatementKind::forget;
  WallTime at{};        ///< when it was made; of two about a subject the later one counts
  std::string subject;  ///< name of a member, 1 to 253 bytes
  IdentityKey signer;
  Signature signature{};

  friend bool operator==(const Statement&, const Statement&) = default;
};

/// So many are told at most; far more than an operator makes in the time they are kept.
inline constexpr std::size_t kStatementsMax = 1024;

[[nodiscard]] Statement make_statement(StatementKind kind,
                                       WallTime at,
                                       std::string_view subject,
                                       const SigningKey& key);
/// Whether the signature is that of its signer.
[[nodiscard]] bool verify(const Statement& statement);

/// Empty for none. What is beyond kStatementsMax is left out.
[[nodiscard]] Bytes encode_statements(const std::vector<Statement>& statements);

/// Signatures are not looked at; kinds that this version does not know are left out.
/// Errc::unsupported: other content than this; Errc::malformed: cut, a name or time that can't be,
/// or more than kStatementsMax.
[[nodiscard]] Result<std::vector<Statement>> decode_statements(ByteView bytes);

}  // namespace wesher::wire
