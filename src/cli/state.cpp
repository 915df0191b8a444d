#include "cli/state.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/text.h"
#include "store/repository.h"

namespace wesher::cli {

namespace {

/// Whether the directory can be looked into: a directory that may not be read looks empty else.
Result<void> check_directory(const std::string& directory) {
  if (::access(directory.c_str(), R_OK | X_OK) == 0 || errno == ENOENT) return {};
  const int code = errno;
  return fail(code == EACCES ? Errc::not_permitted : Errc::system,
              fmt::format("cannot look into {}: {}", printable(directory), std::strerror(code)),
              code);
}

tl::unexpected<Error> no_state(const std::string& directory, const std::string& interface) {
  if (interface.empty()) {
    return fail(Errc::not_found,
                fmt::format("no wesher state for any interface in {}; start it with: sudo wesher",
                            printable(directory)));
  }
  return fail(Errc::not_found, fmt::format("no wesher state for {} in {}; start it with: sudo "
                                           "wesher --interface {}",
                                           interface, printable(directory), interface));
}

/// The process that took the lock last and has not given it back in order, as store::Lock notes it
/// in the file; zero when there is none.
std::uint32_t noted_holder(int fd) {
  std::array<char, 16> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  std::uint32_t pid = 0;
  if (got > 0) std::from_chars(text.data(), text.data() + got, pid);
  return pid;
}

}  // namespace

Result<store::Paths> find_state(const std::string& asked_interface) {
  const std::string directory = store::state_directory();
  if (const auto checked = check_directory(directory); !checked) {
    return tl::unexpected(checked.error());
  }
  if (!asked_interface.empty()) {
    if (!store::is_valid_interface_name(asked_interface)) {
      return fail(Errc::malformed,
                  fmt::format("'{}' is not the name of an interface", printable(asked_interface)));
    }
    store::Paths paths{directory, asked_interface};
    if (::access(paths.database().c_str(), F_OK) != 0 &&
        ::access(paths.key_file().c_str(), F_OK) != 0) {
      return no_state(directory, asked_interface);
    }
    return paths;
  }
  const auto known = store::known_interfaces(directory);
  if (known.empty()) return no_state(directory, "");
  if (known.size() > 1) {
    return fail(Errc::malformed,
                fmt::format("several interfaces have wesher state: {}; choose one with --interface",
                            name_list(known, known.size())));
  }
  return store::Paths{directory, known.front()};
}

Result<Facts> read_facts(store::Database& database, const std::string& interface) {
  store::Repository repository(database);
  Facts facts;
  facts.interface = interface;
  const auto take = [](auto result, auto& into) -> Result<void> {
    if (!result) return tl::unexpected(result.error());
    into = std::move(*result);
    return {};
  };
  // Desired before applied: a pass in between then looks like progress, not like lag.
  return take(repository.self(), facts.self)
      .and_then([&] { return take(repository.options(), facts.options); })
      .and_then([&] { return take(repository.desired(), facts.desired); })
      .and_then([&] { return take(repository.applied(), facts.applied); })
      .and_then([&] { return take(repository.members(), facts.members); })
      .and_then([&] { return take(repository.health(), facts.health); })
      .and_then(
          [&] { return take(repository.history({.newest_max = kHistoryShownMax}), facts.history); })
      .and_then([&] { return take(repository.drift(), facts.drift); })
      .and_then([&] { return take(repository.requests(kRequestsShownMax), facts.requests); })
      .and_then([&] { return take(repository.adopting(), facts.adopting); })
      .map([&] { return std::move(facts); });
}

Result<Facts> load_facts(const store::Paths& paths) {
  auto database =
      store::Database::open_for_command(paths.database(), store::Database::Access::read);
  if (!database) return tl::unexpected(database.error());
  return read_facts(*database, paths.interface);
}

Result<Snapshot> load_snapshot(const store::Paths& paths) {
  auto facts = load_facts(paths);
  if (!facts) return tl::unexpected(facts.error());
  return load_snapshot(paths, std::move(*facts));
}

Result<Snapshot> load_snapshot(const store::Paths& paths, Facts facts) {
  auto live = read_live(data_plane_config(facts, paths));
  if (!live) return tl::unexpected(live.error());
  Snapshot snapshot;
  snapshot.daemon = daemon_state(facts.self, paths.lock_file());
  snapshot.facts = std::move(facts);
  snapshot.live = std::move(*live);
  snapshot.now = wall_now();
  return snapshot;
}

std::uint32_t lock_holder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  std::uint32_t pid = noted_holder(fd);
  // Free although noted: its holder was killed.
  if (pid != 0 && ::flock(fd, LOCK_SH | LOCK_NB) == 0) pid = 0;
  ::close(fd);
  return pid;
}

DaemonState daemon_state(const std::optional<store::SelfRow>& self, const std::string& lock_path) {
  const std::uint32_t holder = lock_holder(lock_path);
  if (holder == 0) return DaemonState::stopped;
  return self && !self->stopped && self->pid == holder ? DaemonState::running
                                                       : DaemonState::changing;
}

system::DataPlaneConfig data_plane_config(const Facts& facts, const store::Paths& paths) {
  system::DataPlaneConfig config;
  config.interface = facts.interface;
  config.hosts = !facts.desired || facts.desired->hosts;
  config.take_over_old_banner = store::inherits_from_go(paths);
  const auto backend = facts.options.find("backend");
  if (backend != facts.options.end() && backend->second == "kernel") {
    config.backend = system::BackendChoice::kernel;
  } else if (backend != facts.options.end() && backend->second == "userspace") {
    config.backend = system::BackendChoice::userspace;
  }
  return config;
}

Result<Live> read_live(const system::DataPlaneConfig& config) {
  Live live;
  auto plane = system::DataPlane::open(config);
  if (!plane) {
    if (plane.error().code == Errc::not_permitted) return tl::unexpected(plane.error());
    live.problem = plane.error().detail;
    return live;
  }
  live.backend = (*plane)->backend_text();
  auto observed = (*plane)->observe();
  if (!observed) {
    if (observed.error().code == Errc::not_permitted) return tl::unexpected(observed.error());
    live.problem = observed.error().detail;
    return live;
  }
  live.observed = std::move(*observed);
  return live;
}

WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace wesher::cli
