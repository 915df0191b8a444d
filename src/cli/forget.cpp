// `wesher forget`: the running daemon drops a member that is gone, and tells what it did.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/ask_daemon.h"
#include "cli/commands.h"
#include "cli/selection.h"
#include "cli/state.h"
#include "cli/text.h"

namespace wesher::cli {

Result<Output> forget(const store::Paths& paths, const daemon::ForgetRequest& wanted) {
  if (lock_holder(paths.lock_file()) == 0) {
    return fail(Errc::system,
                "the daemon is not running, and only it can forget members; start it, then try "
                "again");
  }
  daemon::ForgetRequest request = wanted;
  if (!request.older) {
    const auto facts = load_facts(paths);
    if (!facts) return tl::unexpected(facts.error());
    if (facts->self && shown_name(facts->self->name) == request.name) {
      return fail(Errc::malformed, "this host can't forget itself; 'wesher leave' leaves the mesh");
    }
    const auto member = std::find_if(
        facts->members.begin(), facts->members.end(),
        [&](const Member& each) { return shown_name(each.name) == shown_name(request.name); });
    if (member == facts->members.end()) {
      return tl::unexpected(unknown_node(*facts, request.name));
    }
    request.name = member->name;
  }
  const auto answer =
      ask_daemon(paths, "forget", daemon::format_forget(request),
                 {"the daemon ended without an answer; start it, then try again",
                  fmt::format("the daemon gave no answer within {}s; see 'wesher status'",
                              kAnswerWait.count())});
  if (!answer) return tl::unexpected(answer.error());
  const std::string result = single_line(answer->result);
  if (answer->state == "done") return Output{result + "\n", "", 0};
  return fail(Errc::system, result.empty() ? "the request is " + single_line(answer->state)
                                           : "nothing is forgotten: " + result);
}

}  // namespace wesher::cli
