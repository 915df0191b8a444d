#include "cli/commands.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/plan_report.h"
#include "cli/state.h"
#include "cli/state_dump.h"
#include "cli/status.h"
#include "cli/text.h"
#include "cli/version.h"
#include "daemon/agent.h"
#include "daemon/options.h"
#include "store/key_file.h"

namespace wesher::cli {

namespace {

/// `plan --detailed-exitcode`: there is something to do. The number is that of the Exit::usage,
/// which is why errors of usage are 1 there.
constexpr int kExitChanges = 2;

Output text_output(std::string text) {
  return {std::move(text), "", 0};
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
  auto live = read_live(data_plane_config(*facts, paths));
  if (!live) return tl::unexpected(live.error());
  Snapshot snapshot;
  snapshot.daemon = daemon_state(facts->self, paths.lock_file());
  snapshot.facts = std::move(*facts);
  snapshot.live = std::move(*live);
  snapshot.now = wall_now();
  return snapshot;
}

Result<Output> status(const Invocation& invocation, const store::Paths& paths) {
  const auto snapshot = load_snapshot(paths);
  if (!snapshot) return tl::unexpected(snapshot.error());
  const StatusReport report = build_status(*snapshot);
  Output out = text_output(invocation.json ? render_json(report) : render_text(report));
  if (invocation.check && !report.ok()) out.exit_code = static_cast<int>(daemon::Exit::failed);
  return out;
}

Result<Output> members(const Invocation& invocation, const store::Paths& paths) {
  const auto facts = load_facts(paths);
  if (!facts) return tl::unexpected(facts.error());
  const WallTime now = wall_now();
  return text_output(invocation.json ? members_json(*facts, now) : members_text(*facts, now));
}

Result<Output> ip(const Invocation& invocation, const store::Paths& paths) {
  const auto facts = load_facts(paths);
  if (!facts) return tl::unexpected(facts.error());
  const auto found = find_address(*facts, invocation.node, invocation.family);
  if (!found) return tl::unexpected(found.error());
  return text_output(invocation.json ? ip_json(*found) : found->overlay.text() + "\n");
}

Result<Output> show_plan(const Invocation& invocation, const store::Paths& paths) {
  const auto snapshot = load_snapshot(paths);
  if (!snapshot) return tl::unexpected(snapshot.error());
  if (!snapshot->live.observed) return fail(Errc::system, snapshot->live.problem);
  const auto plan = make_plan(*snapshot);
  if (!plan) return tl::unexpected(plan.error());
  Output out =
      text_output(invocation.json ? plan_json(*plan, *snapshot) : plan_text(*plan, *snapshot));
  if (invocation.detailed_exitcode && !plan->empty()) out.exit_code = kExitChanges;
  return out;
}

Result<Output> key_show(const store::Paths& paths) {
  const auto keys = store::load_key_file(paths.key_file());
  if (!keys) return tl::unexpected(keys.error());
  return text_output(keys->ring.front().key.reveal_base64() + "\n");
}

Result<Output> state_dump(const Invocation& invocation, const store::Paths& paths) {
  const auto facts = load_facts(paths);
  if (!facts) return tl::unexpected(facts.error());
  const WallTime now = wall_now();
  return text_output(invocation.json ? dump_json(*facts, now) : dump_text(*facts, now));
}

Output version(const Invocation& invocation) {
  if (!invocation.json) return text_output(fmt::format("wesher {}\n", kVersion));
  return text_output(json_text({{"schema", "wesher.version/1"}, {"version", kVersion}}));
}

Result<Output> run_on_state(const Invocation& invocation) {
  const char* variable = std::getenv("WESHER_INTERFACE");
  const std::string preset = variable == nullptr ? "" : variable;
  const auto paths = find_state(invocation.interface.empty() ? preset : invocation.interface);
  if (!paths) return tl::unexpected(paths.error());
  switch (invocation.command) {
    case Command::status:
      return status(invocation, *paths);
    case Command::members:
      return members(invocation, *paths);
    case Command::ip:
      return ip(invocation, *paths);
    case Command::plan:
      return show_plan(invocation, *paths);
    case Command::leave:
      return leave(*paths);
    case Command::key_show:
      return key_show(*paths);
    case Command::state_dump:
      return state_dump(invocation, *paths);
    case Command::agent:
    case Command::version:
    case Command::help:
      break;
  }
  return fail(Errc::unsupported, "this command reads no state");
}

}  // namespace

Output failed(const Error& error, const std::string& command) {
  std::string line = "wesher: " + single_line(error.detail);
  if (error.code == Errc::not_permitted && line.find("sudo") == std::string::npos &&
      ::geteuid() != 0) {
    line += fmt::format("; try: sudo wesher {}", command);
  }
  return {"", line + "\n", static_cast<int>(daemon::exit_for(error.code))};
}

Output run_command(const Invocation& invocation) {
  if (invocation.command == Command::version) return version(invocation);
  if (invocation.command == Command::help) {
    return text_output(help_text(invocation.help_about, daemon::options_help()));
  }
  auto out = run_on_state(invocation);
  if (out) return std::move(*out);
  Output error = failed(out.error(), std::string(command_name(invocation.command)));
  if (invocation.detailed_exitcode && out.error().code == Errc::malformed) {
    error.exit_code = static_cast<int>(daemon::Exit::failed);
  }
  return error;
}

int print(const Output& output) {
  if (!output.error.empty()) std::fputs(output.error.c_str(), stderr);
  const bool written = std::fputs(output.text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (written || errno == EPIPE) return output.exit_code;
  std::fprintf(stderr, "wesher: cannot write the output: %s\n", std::strerror(errno));
  return static_cast<int>(daemon::Exit::failed);
}

}  // namespace wesher::cli
