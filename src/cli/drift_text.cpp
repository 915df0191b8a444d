#include "cli/drift_text.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/text.h"

namespace wesher::cli {

namespace {

/// The object as the line of a plan names it: what stands between its sign and its details.
std::string subject_of(const store::DriftRow& row) {
  if (row.what.size() < 3 || row.what[1] != ' ') return single_line(row.object);
  std::string subject = single_line(row.what.substr(2, row.what.find("  ", 2) - 2));
  if (subject.starts_with("hosts ")) subject.insert(5, " line");
  return subject;
}

/// Who is known to change such objects behind our back.
std::string_view suspects_of(std::string_view layer) {
  if (layer == "hosts") return "does cloud-init or another program write /etc/hosts?";
  if (layer == "routes") {
    return "does a routing daemon or systemd-networkd (ManageForeignRoutes) change routes?";
  }
  return "does NetworkManager, systemd-networkd, wg-quick or a script manage it, too?";
}

}  // namespace

std::string drift_sentence(const store::DriftRow& row, std::string_view interface) {
  if (row.object == "link" && row.what.find("down -> up") != std::string::npos) {
    return fmt::format("{} was set down", interface);
  }
  const std::string subject = subject_of(row);
  const char sign = row.what.empty() ? ' ' : row.what.front();
  if (sign == '+') return subject + " was removed";
  if (sign == '-') return subject + " was added";
  const std::string why = row.reason.empty() ? "" : fmt::format(" ({})", single_line(row.reason));
  return subject + " was changed" + why;
}

std::string repair_text(const store::DriftRow& row) {
  if (!row.repaired) return "not repaired yet";
  const auto took = *row.repaired;
  if (took < std::chrono::milliseconds{100}) return fmt::format("repaired in {}ms", took.count());
  if (took < std::chrono::seconds{10}) {
    return fmt::format("repaired in {:.1f}s", static_cast<double>(took.count()) / 1000);
  }
  return "repaired in " + age_text(took);
}

std::string_view layer_of_object(std::string_view object) {
  if (object.starts_with("route ")) return "routes";
  return object == "hosts" ? "hosts" : "device";
}

std::string fight_sentence(const store::DriftRow& row, std::string_view interface, WallTime now) {
  const Duration age = age_of(row.at, now);
  if (!row.fighting || age > kFightFresh) return "";
  return fmt::format("somebody keeps changing it: {} again {} ago, {} so far; {}",
                     drift_sentence(row, interface), age_text(age),
                     counted(static_cast<std::size_t>(row.count), "repair"),
                     suspects_of(layer_of_object(row.object)));
}

std::vector<std::string> fights_of(const Snapshot& snapshot, std::string_view layer) {
  std::vector<std::string> found;
  for (const auto& row : snapshot.facts.drift) {
    auto sentence = fight_sentence(row, snapshot.facts.interface, snapshot.now);
    if (sentence.empty()) continue;
    // Who sets the link down takes the routes along.
    if (layer == "routes" && row.object == "link") return {};
    if (layer_of_object(row.object) == layer) found.push_back(std::move(sentence));
  }
  if (found.size() <= 1) return found;
  return {found.front(), counted(found.size() - 1, "more object") + " likewise"};
}

}  // namespace wesher::cli
