// Runs while the program is built: patterns/*.toml -> the rule set and its database, as files to embed.
// Refuses what the lint refuses, so that no built-in rule can slow the whole set down unnoticed.

#include <cstdio>
#include <string>
#include <vector>

#include "scanner/base/fd.h"
#include "scanner/judge/checks.h"
#include "scanner/judge/judge.h"
#include "scanner/match/database.h"
#include "scanner/rules/lint.h"
#include "scanner/rules/loader.h"
#include "scanner/rules/serialize.h"

namespace {

int failed(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace scanner;
  if (argc < 4) return failed("usage: compile_rules RULES_OUT DATABASE_OUT FILE.toml...");
  rules::LoadOptions options;
  options.known_check = [](std::string_view name) { return judge::find_check(name) != nullptr; };
  auto loaded = rules::load_files({argv + 3, argv + argc}, options);
  if (!loaded) return failed(loaded.error().message());

  std::string problems;
  for (const rules::Problem& warning : loaded->warnings) problems += to_string(warning) + "\n";
  for (const Rule& rule : loaded->rules.rules) {
    for (const rules::Problem& problem : rules::lint(rule)) problems += to_string(problem) + "\n";
  }
  if (!problems.empty()) return failed(problems);

  const auto judge = judge::Judge::create(loaded->rules, {});
  if (!judge) return failed(judge.error().message());
  if (auto compiled = judge->compile_all(); !compiled) return failed(compiled.error().message());
  const auto database = match::Database::compile(loaded->rules);
  if (!database) return failed(database.error().message());
  const auto bytes = database->serialize();
  if (!bytes) return failed(bytes.error().message());
  for (const auto& [path, contents] :
       {std::pair(argv[1], rules::serialize(loaded->rules)), std::pair(argv[2], *bytes)}) {
    if (auto written = base::write_file(path, contents); !written) return failed(written.error().message());
  }
  return 0;
}
