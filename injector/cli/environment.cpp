#include "injector/cli/environment.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "injector/memory/process.h"

namespace injector::cli {
namespace {

using backend::aws::text_of;

bool says_utf8(const memory::Environment& all) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale = text_of(all, name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

scanner::base::Result<Environment> start_process() {
  if (auto hardened = memory::harden_process(); !hardened) return fail(std::move(hardened).error());
  memory::Environment all = memory::take_environment();
  Environment out;
  out.config = text_of(all, "SECRET_INJECTOR_CONFIG");
  out.scratch = text_of(all, "TMPDIR");
  out.pod = text_of(all, "POD_NAME");
  out.pod_namespace = text_of(all, "POD_NAMESPACE");
  const std::string columns = text_of(all, "COLUMNS");
  std::from_chars(columns.data(), columns.data() + columns.size(), out.columns);
  out.no_color = !text_of(all, "NO_COLOR").empty();
  const std::string force = text_of(all, "CLICOLOR_FORCE");
  out.force_color = !force.empty() && force != "0";
  out.dumb = text_of(all, "TERM") == "dumb";
  out.utf8 = says_utf8(all);
  for (auto& [name, value] : all) {
    if (name.starts_with("AWS_") || name == "HOME") out.aws.emplace(name, std::move(value));
  }
  return out;
}

}  // namespace injector::cli
