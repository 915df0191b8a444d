#include "mesh/statements.h"

#include <algorithm>

namespace wesher::mesh {

void Statements::toggle(const wire::Statement& statement) {
  ByteReader reader(statement.signature);
  digest_ ^= reader.u64();
}

bool Statements::is_news(const wire::Statement& statement, WallTime now) const {
  if (statement.at > now + kAhead || statement.at + kKept <= now) return false;
  const auto known = statements_.find(statement.subject);
  return known == statements_.end() || known->second.at < statement.at;
}

bool Statements::hear(const wire::Statement& statement, WallTime now) {
  if (!is_news(statement, now)) return false;
  const auto known = statements_.find(statement.subject);
  if (known != statements_.end()) {
    toggle(known->second);
    statements_.erase(known);
  } else if (statements_.size() >= wire::kStatementsMax) {
    const auto oldest =
        std::min_element(statements_.begin(), statements_.end(),
                         [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
    if (oldest->second.at >= statement.at) return false;
    toggle(oldest->second);
    statements_.erase(oldest);
  }
  toggle(statement);
  statements_.emplace(statement.subject, statement);
  return true;
}

bool Statements::forgotten(std::string_view name, WallTime since) const {
  const auto found = statements_.find(name);
  return found != statements_.end() && since <= found->second.at + kLate;
}

std::vector<wire::Statement> Statements::all() const {
  std::vector<wire::Statement> told;
  for (const auto& [subject, statement] : statements_)
    told.push_back(statement);
  return told;
}

void Statements::expire(WallTime now) {
  for (auto at = statements_.begin(); at != statements_.end();) {
    if (at->second.at + kKept > now) {
      ++at;
      continue;
    }
    toggle(at->second);
    at = statements_.erase(at);
  }
}

}  // namespace wesher::mesh
