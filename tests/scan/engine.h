#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/match/database.h"
#include "scanner/scan/searcher.h"

namespace scanner::scan {

/// Rules from a text in the format of patterns/, ready to search with.
class TestEngine {
 public:
  explicit TestEngine(std::string_view toml, const judge::Options& options = {});

  [[nodiscard]] Engine engine() const { return {database_.get(), judge_.get()}; }
  [[nodiscard]] const RuleSet& rules() const { return *rules_; }
  [[nodiscard]] const match::Database& database() const { return *database_; }

 private:
  std::unique_ptr<RuleSet> rules_;
  std::unique_ptr<match::Database> database_;
  std::unique_ptr<judge::Judge> judge_;
};

/// One [[rules]] table; `more` is appended to it.
std::string rule_text(const std::string& id, const std::string& regex, const std::string& more = "");

/// An engine with the one rule acme.token, acme_[a-z0-9]{24}, that keeps secrets.
const TestEngine& acme();

/// A secret of acme's, another one for each number.
std::string secret(int number);

/// What came of a search by an engine of acme's: the places of `value`, as "path!member +gzip 3:12".
std::vector<std::string> places(const std::vector<Found>& found, const std::string& value);

}  // namespace scanner::scan
