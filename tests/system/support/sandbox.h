// Runs a test body as root of its own little host: fresh network, mount, process and host-name
// namespaces, an empty /run, a small /etc. Everything in it is gone when the body returns,
// daemons included.
#pragma once

#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>

#include "base/error.h"

namespace wesher::test {

/// Runs `body` in the namespaces. Empty if it returned, else what `EXPECT` or an exception said, or
/// how the process ended.
[[nodiscard]] std::string run_in_sandbox(const std::function<void()>& body);

/// Whether namespaces can be made here: needs root. Prints the reason if not.
[[nodiscard]] bool can_sandbox();

/// Runs a shell command and returns what it printed on both outputs.
std::string shell(const std::string& command);

/// What a failed EXPECT throws.
struct Unmet : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The value of a result; throws its error's text.
template <class T>
T must(Result<T> result) {
  if (!result) throw Unmet("error: " + result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class A, class B>
void expect_equal(const A& a, const B& b, const char* text, int line) {
  if (a == b) return;
  std::ostringstream out;
  out << "line " << line << ": " << text << ": " << a << " != " << b;
  throw Unmet(out.str());
}

inline void expect(bool met, const char* text, int line) {
  if (!met) throw Unmet("line " + std::to_string(line) + ": not met: " + text);
}

}  // namespace wesher::test

/// Inside a sandbox: Catch's own assertions belong to another process.
#define EXPECT(condition) ::wesher::test::expect(static_cast<bool>(condition), #condition, __LINE__)
#define EXPECT_EQ(a, b) ::wesher::test::expect_equal((a), (b), #a " == " #b, __LINE__)

/// A test body in a sandbox, skipped with a reason where that is impossible.
#define IN_SANDBOX(...)                                                   \
  do {                                                                    \
    if (!::wesher::test::can_sandbox()) return;                           \
    const std::string said = ::wesher::test::run_in_sandbox(__VA_ARGS__); \
    INFO(said);                                                           \
    CHECK(said.empty());                                                  \
  } while (false)
