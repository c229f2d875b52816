#include "scanner/cli/engine.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "scanner/base/fd.h"
#include "scanner/base/hash.h"
#include "scanner/builtin/builtin.h"
#include "scanner/judge/checks.h"
#include "scanner/rules/loader.h"
#include "scanner/rules/serialize.h"

namespace scanner::cli {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kMaxDatabase = 256U << 20;
constexpr std::size_t kMaxKey = 1U << 16;
/// Makes fingerprints of equal secrets equal everywhere. Not secret: who needs fingerprints that nobody can test
/// guesses against sets a key (--fingerprint-key).
constexpr const char* kDefaultKey = "scan-secrets fingerprint v1";

/// The cache directory, if it is there (or can be made) and only we can write to it; otherwise empty.
std::string cache_directory() {
  const char* base = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  std::string directory;
  if (base != nullptr && *base == '/') {
    directory = base;
  } else if (home != nullptr && *home == '/') {
    directory = std::string(home) + "/.cache";
  } else {
    return {};
  }
  ::mkdir(directory.c_str(), 0700);
  directory += "/scan-secrets";
  ::mkdir(directory.c_str(), 0700);
  struct stat st {};
  if (::lstat(directory.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) return {};
  if (st.st_uid != ::geteuid() || (st.st_mode & 0077) != 0) return {};
  return directory;
}

Result<match::Database> compile_or_cached(const RuleSet& rules) {
  const std::string directory = cache_directory();
  const std::string key = base::hex(base::sha256(match::Database::engine() + "\n" + rules.hash));
  const std::string path = directory + "/" + key + ".database";
  if (!directory.empty()) {
    if (const auto bytes = base::read_file(path, kMaxDatabase)) {
      if (auto database = match::Database::deserialize(*bytes, rules)) return database;
    }
  }
  auto database = match::Database::compile(rules);
  if (!database || directory.empty()) return database;
  if (const auto bytes = database->serialize()) {
    // A cache that cannot be written costs the next run its seconds, and nothing else.
    static_cast<void>(static_cast<bool>(base::write_file(path, *bytes)));
  }
  return database;
}

}  // namespace

Result<RuleSet> builtin_rules() { return rules::deserialize(builtin::rules()); }

Result<RuleSet> load_rule_files(const std::vector<std::string>& files, std::vector<std::string>& warnings) {
  auto builtin = builtin_rules();
  if (!builtin) return fail(std::move(builtin).error());
  rules::LoadOptions options;
  options.known_check = [](std::string_view name) { return judge::find_check(name) != nullptr; };
  options.builtin = &*builtin;
  auto loaded = rules::load_files(files, options);
  if (!loaded) return fail(std::move(loaded).error());
  for (const rules::Problem& warning : loaded->warnings) warnings.push_back(to_string(warning));
  return std::move(loaded->rules);
}

Result<LoadedRules> load_rules(const Options& options) {
  LoadedRules loaded;
  auto rules = options.config.empty() ? builtin_rules() : load_rule_files({options.config}, loaded.warnings);
  if (!rules) return fail(std::move(rules).error());
  loaded.rules = std::make_unique<RuleSet>(std::move(*rules));

  judge::Options judging;
  judging.keep_secrets = true;  // scan masks them everywhere, and then drops them.
  judging.inline_ignores = options.inline_ignores;
  judging.max_hits_per_entry = options.limits.max_hits_per_entry;
  judging.fingerprint_key = kDefaultKey;
  if (!options.fingerprint_key.empty()) {
    auto key = base::read_file(options.fingerprint_key, kMaxKey);
    if (!key) return fail(Errc::usage, key.error().message());
    judging.fingerprint_key = std::move(*key);
  }
  auto judge = judge::Judge::create(*loaded.rules, judging);
  if (!judge) return fail(std::move(judge).error());
  loaded.judge = std::make_unique<judge::Judge>(std::move(*judge));

  auto database = options.config.empty() ? match::Database::deserialize(builtin::database(), *loaded.rules)
                                         : compile_or_cached(*loaded.rules);
  // Another version of the engine's library than the program was built with.
  if (!database && options.config.empty()) database = compile_or_cached(*loaded.rules);
  if (!database) return fail(std::move(database).error());
  loaded.database = std::make_unique<match::Database>(std::move(*database));
  if (!options.config.empty()) {
    if (auto compiled = loaded.judge->compile_all(); !compiled) return fail(std::move(compiled).error());
  }
  return loaded;
}

}  // namespace scanner::cli
