// `wesher state export`: what a host needs to run the Go program again.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/process.h"
#include "cli/state.h"
#include "store/files.h"
#include "store/go_state.h"
#include "store/key_file.h"

namespace wesher::cli {

namespace {

/// Whoever left is none that the Go program could join.
std::vector<store::GoNode> nodes_of(const Facts& facts) {
  std::vector<store::GoNode> nodes;
  for (const Member& member : facts.members) {
    if (member.state != MemberState::left) nodes.push_back({member.name, member.underlay});
  }
  return nodes;
}

}  // namespace

Result<Output> export_state(const store::Paths& paths, const std::string& output, bool force) {
  const auto keys = store::load_key_file(paths.key_file());
  if (!keys) return tl::unexpected(keys.error());
  const auto facts = load_facts(paths);
  if (!facts) return tl::unexpected(facts.error());
  const auto nodes = nodes_of(*facts);
  std::string text = store::format_go_state(keys->ring.front().key, nodes);
  if (output.empty()) return Output{std::move(text), "", 0};
  const auto existing = force ? store::Existing::replace : store::Existing::keep;
  const auto written = store::write_durably(output, as_bytes(text), existing);
  wipe(text);
  if (!written && written.error().code == Errc::exists) {
    return fail(Errc::exists, printable(output) + " exists already; replace it with --force");
  }
  if (!written) return tl::unexpected(written.error());
  return Output{fmt::format("{}: the cluster key and {} node{}, for the Go program\n",
                            printable(output), nodes.size(), nodes.size() == 1 ? "" : "s"),
                "", 0};
}

}  // namespace wesher::cli
