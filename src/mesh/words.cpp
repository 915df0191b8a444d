#include "mesh/words.h"

#include <algorithm>

#include "base/text.h"

namespace wesher::mesh {

namespace {

using std::chrono::days;
using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

template <class Unit>
std::string in(Duration span, const char* unit) {
  return std::to_string(duration_cast<Unit>(span).count()) + unit;
}

}  // namespace

std::string span_text(Duration span) {
  if (span >= days{10}) return in<days>(span, "d");
  if (span >= hours{2}) return in<hours>(span, "h");
  if (span >= minutes{2}) return in<minutes>(span, "m");
  return in<seconds>(span, "s");
}

std::string elapsed_text(Duration span) {
  span = std::max(span, Duration::zero());
  if (span >= days{1}) return in<days>(span, "d") + in<hours>(span % days{1}, "h");
  if (span >= hours{1}) return in<hours>(span, "h") + in<minutes>(span % hours{1}, "m");
  if (span >= minutes{1}) return in<minutes>(span, "m") + in<seconds>(span % minutes{1}, "s");
  return in<seconds>(span, "s");
}

std::string list_text(const std::vector<std::string>& names, std::size_t shown) {
  std::string out;
  const std::size_t count = std::min(shown, names.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ", ";
    out += printable(names[i]);
  }
  if (count < names.size()) out += ", … " + std::to_string(names.size() - count) + " more";
  return out;
}

std::string members_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " member" : " members");
}

}  // namespace wesher::mesh
