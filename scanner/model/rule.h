#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/model/run.h"

namespace scanner {

enum class Severity : std::uint8_t { low, medium, high, critical };
enum class Confidence : std::uint8_t { low, medium, high };

std::string_view to_string(Severity severity);
std::string_view to_string(Confidence confidence);
std::optional<Severity> severity_from(std::string_view text);
std::optional<Confidence> confidence_from(std::string_view text);

/// Says where something that a person wrote stands, for messages: "patterns/acme.toml:12".
struct Origin {
  std::string file;
  std::uint32_t line = 0;
};

/// What is known not to be a secret. Within one list the criteria are joined by `condition`; one matching list is
/// enough. Semantics of gitleaks' allowlists (its config/config.go).
struct Allowlist {
  enum class Condition : std::uint8_t { any, all };
  enum class Target : std::uint8_t { secret, match, line };

  std::string description;
  Condition condition = Condition::any;
  std::vector<std::string> commits;
  std::vector<std::string> paths;  ///< Regexes on the path.
  Target target = Target::secret;  ///< What `regexes` are searched in.
  std::vector<std::string> regexes;
  std::vector<std::string> stopwords;     ///< Lower-case substrings of the secret.
  std::vector<std::string> target_rules;  ///< Global lists only: the rules it is for; empty means all.
};

/// Another rule that must have a finding near this one's.
struct Required {
  std::string rule_id;
  std::optional<std::uint32_t> within_lines;
  std::optional<std::uint32_t> within_columns;
};

/// Words of which one must stand near the match, case-insensitively: `lines` above or below, 0 meaning the same line.
struct Context {
  std::vector<std::string> words;
  std::uint32_t lines = 0;
};

/// One kind of credential. Everything in it comes from a rule file; regexes are in the dialect that patterns/README.md
/// describes. A rule without `regex` looks at paths alone.
struct Rule {
  std::string id;
  std::string title;
  std::string description;
  std::string fix;   ///< What to do about a finding, one or two sentences.
  std::string docs;  ///< A URL, or empty.
  Severity severity = Severity::high;
  Confidence confidence = Confidence::medium;
  /// A catch-all (any password, any key): it gives way to every rule that names the issuer of the same value.
  bool generic = false;
  /// Only serves as somebody's `required`; its own findings are not reported.
  bool skip_report = false;

  std::string regex;
  std::string path;  ///< Regex on the path; the rule is for entries whose path it is found in. Empty: for all.
  /// The shortest of the texts of which every match of `regex` contains one, lower-case; empty when there is none.
  /// Derived from `regex` when rules are loaded; its length says how well the engine can keep the rule out of the way.
  std::string literal;
  /// What every match of `regex` holds of the alphabets of tokens; derived as `literal` is.
  Runs runs;
  std::uint32_t secret_group = 0;     ///< 0: the first group that took part and is not empty, else the whole match.
  double entropy = 0;                 ///< Shannon, bits per byte of the secret; it must be greater. 0: not looked at.
  std::vector<std::string> keywords;  ///< Lower-case; one must stand in the same window of the entry. Empty: no need.
  Context context;
  std::vector<std::string> checks;  ///< Names of judge's offline checks, all of which must not refuse.
  std::vector<Required> required;
  std::vector<Allowlist> allowlists;
  std::vector<std::string> tags;

  std::vector<std::string> matches;      ///< Examples: each must give exactly one finding of this rule.
  std::vector<std::string> near_misses;  ///< Examples: none may give a finding of this rule.
  Origin origin;
};

/// Rules that belong together, checked: ids are unique, every `required` and `target_rules` names a rule that exists,
/// every check exists, every regex compiles. Values only; `match` and `judge` build their machines from it.
struct RuleSet {
  std::vector<Rule> rules;            ///< A rule's position here is its number everywhere else.
  std::vector<Allowlist> allowlists;  ///< For all rules, or for their `target_rules`.
  /// SHA-256, in hex, over everything above that can change a result (not titles, examples or origins). Names the rule
  /// set in reports and in the cache.
  std::string hash;
};

}  // namespace scanner
