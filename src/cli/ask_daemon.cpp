#include "cli/ask_daemon.h"

#include <thread>

#include <unistd.h>

#include "cli/state.h"

namespace wesher::cli {

namespace {

constexpr std::chrono::milliseconds kAnswerPoll{100};  ///< between looks at the database

bool is_ended(const store::Request& request) {
  return request.state != "waiting" && request.state != "running";
}

}  // namespace

Result<store::Request> ask_daemon(const store::Paths& paths,
                                  const std::string& kind,
                                  const std::string& arguments,
                                  const AskWords& words) {
  auto database =
      store::Database::open_for_command(paths.database(), store::Database::Access::write);
  if (!database) return tl::unexpected(database.error());
  store::Repository repository(*database);
  const auto id = repository.add_request(kind, arguments, ::getuid(), wall_now());
  if (!id) return tl::unexpected(id.error());
  const auto deadline = std::chrono::steady_clock::now() + kAnswerWait;
  while (true) {
    // The lock is looked at first: an answer given just before it was freed is then still seen.
    const bool running = lock_holder(paths.lock_file()) != 0;
    auto request = repository.request(*id);
    if (!request && request.error().code != Errc::busy) return tl::unexpected(request.error());
    if (request && *request && is_ended(**request)) return std::move(**request);
    if (!running) return fail(Errc::system, words.ended);
    if (std::chrono::steady_clock::now() >= deadline) return fail(Errc::system, words.late);
    std::this_thread::sleep_for(kAnswerPoll);
  }
}

}  // namespace wesher::cli
