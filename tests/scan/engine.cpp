#include "tests/scan/engine.h"

#include "scanner/base/check.h"
#include "scanner/base/hash.h"
#include "scanner/rules/loader.h"

namespace scanner::scan {

TestEngine::TestEngine(std::string_view toml, const judge::Options& options) {
  auto loaded = rules::load_text(toml, "rules.toml", {});
  SCANNER_CHECK(static_cast<bool>(loaded));
  rules_ = std::make_unique<RuleSet>(std::move(loaded->rules));
  auto database = match::Database::compile(*rules_);
  SCANNER_CHECK(static_cast<bool>(database));
  database_ = std::make_unique<match::Database>(std::move(*database));
  auto judge = judge::Judge::create(*rules_, options);
  SCANNER_CHECK(static_cast<bool>(judge));
  judge_ = std::make_unique<judge::Judge>(std::move(*judge));
}

std::string rule_text(const std::string& id, const std::string& regex, const std::string& more) {
  return "[[rules]]\nid = \"" + id + "\"\nregex = '''" + regex + "'''\n" + more + "\n";
}

const TestEngine& acme() {
  static const TestEngine engine = [] {
    judge::Options options;
    options.keep_secrets = true;
    return TestEngine(rule_text("acme.token", "acme_[a-z0-9]{24}"), options);
  }();
  return engine;
}

std::string secret(int number) { return "acme_" + base::hex(base::sha256(std::to_string(number))).substr(0, 24); }

std::vector<std::string> places(const std::vector<Found>& found, const std::string& value) {
  std::vector<std::string> all;
  for (const Found& one : found) {
    if (one.hit.secret != value) continue;
    std::string place = place_of("", one.entry);
    for (const std::string& decoding : one.entry.decoding) place += " +" + decoding;
    if (one.entry.kind != Kind::file) place += " (" + std::string(to_string(one.entry.kind)) + ")";
    all.push_back(place + " " + std::to_string(one.hit.line) + ":" + std::to_string(one.hit.column));
  }
  return all;
}

}  // namespace scanner::scan
