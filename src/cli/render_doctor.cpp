// What `wesher doctor` found, as text and as JSON (schema wesher.doctor/1).
#include "base/text.h"
#include "cli/doctor.h"
#include "cli/json.h"
#include "cli/text.h"

namespace wesher::cli {

namespace {

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::warn:
      return "warn";
    case Verdict::fail:
      return "fail";
  }
  return "";
}

}  // namespace

std::string doctor_text(const std::vector<Check>& checks) {
  std::vector<std::vector<std::string>> rows;
  for (const Check& check : checks) {
    rows.push_back({std::string(to_text(check.verdict)), check.name,
                    check.text + (check.remedy.empty() ? "" : ". Remedy: " + check.remedy)});
  }
  return render_table(rows);
}

std::string doctor_json(const std::vector<Check>& checks,
                        const std::string& interface,
                        WallTime now) {
  Json out = {{"schema", "wesher.doctor/1"},
              {"time", rfc3339(now)},
              {"interface", interface},
              {"ok", !any_fails(checks)},
              {"checks", Json::array()}};
  for (const Check& check : checks) {
    out["checks"].push_back({{"check", check.name},
                             {"verdict", to_text(check.verdict)},
                             {"text", check.text},
                             {"remedy", check.remedy.empty() ? Json() : Json(check.remedy)}});
  }
  return json_text(out);
}

}  // namespace wesher::cli
