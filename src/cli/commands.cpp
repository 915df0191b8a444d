#include "cli/commands.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/explain.h"
#include "cli/history.h"
#include "cli/json.h"
#include "cli/plan_report.h"
#include "cli/selection.h"
#include "cli/state.h"
#include "cli/state_dump.h"
#include "cli/status.h"
#include "cli/text.h"
#include "cli/version.h"
#include "daemon/agent.h"
#include "daemon/options.h"
#include "store/key_file.h"
#include "store/repository.h"
#include "system/small_file.h"

namespace wesher::cli {

namespace {

/// `plan --detailed-exitcode`: there is something to do. The number is that of the Exit::usage,
/// which is why errors of usage are 1 there.
constexpr int kExitChanges = 2;

/// A hosts file whose line numbers are told; of a longer one only the lines in this much of it.
constexpr std::size_t kHostsTextMax = std::size_t{1} << 20;

Output text_output(std::string text) {
  return {std::move(text), "", 0};
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

/// The newest entries of this host's own affairs, or of a member.
Result<std::vector<store::HistoryEntry>> history_of(store::Repository& repository,
                                                    const Facts& facts,
                                                    const store::HistoryQuery& query) {
  if (!facts.self || query.node != facts.self->name) return repository.history(query);
  auto entries = repository.history({.newest_max = store::kHistoryRowsMax, .since = query.since});
  if (!entries) return entries;
  std::erase_if(*entries, [](const auto& entry) { return !is_own_object(entry.object); });
  if (entries->size() > query.newest_max) entries->resize(query.newest_max);
  return entries;
}

/// The name under which a node is stored that was typed as it is shown.
std::string stored_name(const Facts& facts, const std::string& typed) {
  for (const Member& member : facts.members) {
    if (shown_name(member.name) == typed) return member.name;
  }
  return typed;
}

bool is_known(const Facts& facts, const std::string& name) {
  return (facts.self && facts.self->name == name) ||
         std::any_of(facts.members.begin(), facts.members.end(),
                     [&](const Member& member) { return member.name == name; });
}

Result<Output> show_history(const Invocation& invocation, const store::Paths& paths) {
  auto database =
      store::Database::open_for_command(paths.database(), store::Database::Access::read);
  if (!database) return tl::unexpected(database.error());
  const auto facts = read_facts(*database, paths.interface);
  if (!facts) return tl::unexpected(facts.error());
  HistoryReport report;
  report.interface = paths.interface;
  report.now = wall_now();
  if (invocation.since) report.since = moment_of(*invocation.since, report.now);
  report.node = stored_name(*facts, invocation.node);
  const std::size_t limit =
      invocation.limit.value_or(report.since ? store::kHistoryRowsMax : kHistoryLimit);
  store::Repository repository(*database);
  auto entries = history_of(repository, *facts, {limit + 1, report.since, report.node});
  if (!entries) return tl::unexpected(entries.error());
  report.entries = std::move(*entries);
  if (report.entries.empty() && !report.node.empty() && !is_known(*facts, report.node)) {
    return tl::unexpected(unknown_node(*facts, report.node));
  }
  keep_newest(report, limit);
  return text_output(invocation.json ? history_json(report) : history_text(report));
}

Result<Output> explain(const Invocation& invocation, const store::Paths& paths) {
  auto database =
      store::Database::open_for_command(paths.database(), store::Database::Access::read);
  if (!database) return tl::unexpected(database.error());
  auto facts = read_facts(*database, paths.interface);
  if (!facts) return tl::unexpected(facts.error());
  auto snapshot = load_snapshot(paths, std::move(*facts));
  if (!snapshot) return tl::unexpected(snapshot.error());
  snapshot->live.hosts_text = system::read_small_file("/etc/hosts", kHostsTextMax);
  const auto selection = select_nodes(*snapshot, invocation.node);
  if (!selection) return tl::unexpected(selection.error());
  ExplainReport report{paths.interface, snapshot->now, invocation.node, selection->size(), {}};
  store::Repository repository(*database);
  const auto history = [&](const std::string& name) {
    return history_of(repository, snapshot->facts, {kExplainHistoryMax, std::nullopt, name});
  };
  if (selection->own) {
    auto entries = history(snapshot->facts.self->name);
    if (!entries) return tl::unexpected(entries.error());
    report.nodes.push_back(explain_own(*snapshot, std::move(*entries)));
  }
  for (const Member* member : selection->members) {
    if (report.nodes.size() == kExplainMax) break;
    auto entries = history(member->name);
    if (!entries) return tl::unexpected(entries.error());
    report.nodes.push_back(explain_member(*snapshot, *member, std::move(*entries)));
  }
  return text_output(invocation.json ? explain_json(report) : explain_text(report));
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
  const std::string interface = invocation.interface.empty() ? preset : invocation.interface;
  if (invocation.command == Command::wait) {
    return wait_until_ready(interface, {invocation.peers, invocation.node}, invocation.timeout);
  }
  const auto paths = find_state(interface);
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
    case Command::explain:
      return explain(invocation, *paths);
    case Command::history:
      return show_history(invocation, *paths);
    case Command::leave:
      return leave(*paths);
    case Command::forget:
      return forget(*paths, {invocation.node, invocation.failed_older});
    case Command::key_show:
      return key_show(*paths);
    case Command::state_dump:
      return state_dump(invocation, *paths);
    case Command::state_export:
      return export_state(*paths, invocation.output, invocation.force);
    case Command::agent:
    case Command::doctor:
    case Command::wait:
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

Output run_doctor(const Invocation& invocation, const daemon::Environment& environment) {
  const auto options = daemon::parse_options(invocation.agent_arguments, environment);
  if (!options) return failed(options.error(), "doctor");
  const HostFacts facts = look_at_host(*options, {store::state_directory(), options->interface});
  const std::vector<Check> checks = judge_host(facts);
  Output out = text_output(invocation.json ? doctor_json(checks, facts.interface, facts.now)
                                           : doctor_text(checks));
  if (any_fails(checks)) out.exit_code = static_cast<int>(daemon::Exit::failed);
  return out;
}

int print(const Output& output) {
  if (!output.error.empty()) std::fputs(output.error.c_str(), stderr);
  const bool written = std::fputs(output.text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (written || errno == EPIPE) return output.exit_code;
  std::fprintf(stderr, "wesher: cannot write the output: %s\n", std::strerror(errno));
  return static_cast<int>(daemon::Exit::failed);
}

}  // namespace wesher::cli
