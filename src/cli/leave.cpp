// `wesher leave`. With a running daemon a request row asks it to, and the row's result is waited
// for. Without one, the command takes the interface lock and does what remains possible.
#include <fmt/format.h>

#include "cli/ask_daemon.h"
#include "cli/commands.h"
#include "cli/state.h"
#include "cli/status.h"
#include "cli/text.h"
#include "plan/diff.h"
#include "store/key_file.h"
#include "store/lock.h"
#include "store/repository.h"

namespace wesher::cli {

namespace {

constexpr std::string_view kRemoved = "interface, routes and hosts lines are removed";

/// The sentence for a request that the daemon has ended; `result` of "leave" is how many were told.
Result<Output> answer_of(const store::Request& request) {
  if (request.state == "done") {
    const bool one = request.result == "1";
    return Output{fmt::format("left the cluster; {} {} told; {}\n", single_line(request.result),
                              one ? "member was" : "members were", kRemoved),
                  "", 0};
  }
  return fail(
      Errc::system,
      fmt::format("the daemon did not leave: the request is {}{}{}", single_line(request.state),
                  request.result.empty() ? "" : ": ", single_line(request.result)));
}

Result<Output> ask_to_leave(const store::Paths& paths) {
  const auto request =
      ask_daemon(paths, "leave", "{}",
                 {"the daemon ended without an answer; 'wesher status' shows what is left, and "
                  "'wesher leave' again removes it",
                  fmt::format("the daemon gave no answer within {}s; it may still be leaving, see "
                              "'wesher status'",
                              kAnswerWait.count())});
  if (!request) return tl::unexpected(request.error());
  return answer_of(*request);
}

/// Removes our hosts lines, routes and link. The first thing that could not be removed is the
/// error; the others are removed all the same.
Result<void> take_down(const Facts& facts,
                       const store::Paths& paths,
                       const SecretKey& private_key) {
  auto plane = system::DataPlane::open(data_plane_config(facts, paths));
  if (!plane) return tl::unexpected(plane.error());
  const auto refused = system::take_down(**plane, private_key);
  if (!refused.empty()) return tl::unexpected(refused.front());
  return {};
}

/// What the database says, as far as it can be read: leaving must work without one.
Facts known_facts(const store::Paths& paths) {
  Facts none;
  none.interface = paths.interface;
  auto database =
      store::Database::open_for_command(paths.database(), store::Database::Access::read);
  return database ? read_facts(*database, paths.interface).value_or(none) : none;
}

/// Notes the end of the membership, where there is a database that can be written.
void note_left(const store::Paths& paths, const Facts& facts) {
  auto database =
      store::Database::open_for_command(paths.database(), store::Database::Access::write);
  if (!database) return;
  const WallTime now = wall_now();
  store::Batch batch;
  batch.self = facts.self;
  if (batch.self) {
    batch.self->stopped = now;
    batch.self->stop_kind = "resign";
    batch.self->claimed.reset();
  }
  batch.history.push_back({0, now, "daemon", "left", "wesher leave, without a running daemon"});
  // Of what was done nothing depends on this row.
  (void)store::Repository(*database).write(batch);
}

Result<Output> leave_alone(const store::Paths& paths) {
  auto keys = store::load_key_file(paths.key_file());
  if (!keys) return tl::unexpected(keys.error());
  const Facts facts = known_facts(paths);
  if (const auto down = take_down(facts, paths, keys->wireguard_private); !down) {
    return tl::unexpected(down.error());
  }
  keys->overlay.reset();
  keys->overlay_net.reset();
  keys->claim_time = {};
  if (const auto saved = store::save_key_file(paths.key_file(), *keys); !saved) {
    return tl::unexpected(saved.error());
  }
  note_left(paths, facts);
  // A leave by signal told the members already; it only kept the address.
  const std::string_view told = has_left(facts)
                                    ? "the members were told when the daemon stopped"
                                    : "nobody was told, because the daemon is not running";
  return Output{fmt::format("left: {} and the overlay address is given back; {}\n", kRemoved, told),
                "", 0};
}

}  // namespace

Result<Output> leave(const store::Paths& paths) {
  if (lock_holder(paths.lock_file()) != 0) return ask_to_leave(paths);
  const auto lock = store::Lock::take(paths.lock_file(), paths.interface);
  if (lock) return leave_alone(paths);
  // One that started in this moment is asked like any other.
  if (lock.error().code == Errc::busy) return ask_to_leave(paths);
  return tl::unexpected(lock.error());
}

}  // namespace wesher::cli
