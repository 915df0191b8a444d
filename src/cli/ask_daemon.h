// A request to the running daemon through the database, and its answer.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "store/paths.h"
#include "store/repository.h"

namespace wesher::cli {

inline constexpr std::chrono::seconds kAnswerWait{15};  ///< how long any command waits

/// Sentences for what can go wrong while an answer is waited for.
struct AskWords {
  std::string ended;  ///< the daemon ended meanwhile
  std::string late;   ///< it gave no answer in time
};

/// Adds the request and waits until the daemon has ended it: "done", "refused" or "expired".
[[nodiscard]] Result<store::Request> ask_daemon(const store::Paths& paths,
                                                const std::string& kind,
                                                const std::string& arguments,
                                                const AskWords& words);

}  // namespace wesher::cli
