#include "scanner/report/json.h"

#include <utility>

#include "scanner/report/document.h"

namespace scanner::report {

std::string render_json(const Report& report, const Style&) {
  base::Json document = summary_object(report);
  base::Json findings = base::Json::array();
  for (const Finding& finding : report.findings) findings.push_back(finding_object(report, finding));
  document["findings"] = std::move(findings);
  return printed(document, 2) + "\n";
}

std::string render_jsonl(const Report& report, const Style&) {
  std::string lines;
  for (const Finding& finding : report.findings) {
    base::Json line = finding_object(report, finding);
    line["type"] = "finding";
    lines += printed(line, -1) + "\n";
  }
  base::Json summary = summary_object(report);
  summary["type"] = "summary";
  return lines + printed(summary, -1) + "\n";
}

}  // namespace scanner::report
