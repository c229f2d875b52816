#include "scanner/rules/rule_file.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "scanner/rules/regex.h"

namespace {

/// toml++ asserts on some texts that are no TOML, such as "[[[": they must not stop the process, nor be undefined
/// behaviour where assertions are off.
struct ParserGaveUp {};

[[noreturn]] void give_up() { throw ParserGaveUp(); }

}  // namespace

#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? static_cast<void>(0) : give_up())
#include <toml++/toml.h>

namespace scanner::rules {
namespace {

constexpr std::uint32_t kMaxLines = 1'000'000;
constexpr std::uint32_t kMaxGroup = 100;
constexpr double kMaxEntropy = 8;
constexpr std::size_t kMaxId = 200;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return text;
}

using Strings = std::vector<std::string>;

void lower_all(Strings& texts) {
  for (std::string& text : texts) text = lower(std::move(text));
}

void drop_repeated(Strings& texts) {
  std::set<std::string> seen;
  std::erase_if(texts, [&](const std::string& text) { return !seen.insert(text).second; });
}

/// One TOML table, read key by key. Keys are compared without case, as gitleaks does. A value of the wrong type is an
/// error, a key that nobody asked for a warning.
class Table {
 public:
  Table(const toml::table& table, const std::string& file, std::string rule, Problems& problems)
      : file_(file), rule_(std::move(rule)), problems_(problems), origin_(origin_of(table)) {
    for (const auto& [key, node] : table) nodes_.emplace(lower(std::string(key.str())), &node);
  }

  [[nodiscard]] const Origin& origin() const { return origin_; }
  [[nodiscard]] Origin origin_of(std::string_view key) const {
    const auto it = nodes_.find(lower(std::string(key)));
    return it == nodes_.end() ? origin_ : origin_of(*it->second);
  }
  [[nodiscard]] bool has(std::string_view key) const { return nodes_.contains(lower(std::string(key))); }

  void name_rule(std::string rule) { rule_ = std::move(rule); }
  [[nodiscard]] const std::string& rule() const { return rule_; }

  void error(const Origin& where, std::string message) const {
    problems_.errors.push_back({where, rule_, std::move(message)});
  }
  void warn(const Origin& where, std::string message) const {
    problems_.warnings.push_back({where, rule_, std::move(message)});
  }

  // Each of these returns whether there is a value of that type under `key`.
  bool text(std::string_view key, std::string& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    if (!node->is_string()) return wrong_type(key, *node, "a text");
    out = node->as_string()->get();
    return true;
  }

  bool flag(std::string_view key, bool& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    if (!node->is_boolean()) return wrong_type(key, *node, "true or false");
    out = node->as_boolean()->get();
    return true;
  }

  bool whole(std::string_view key, std::uint32_t limit, std::uint32_t& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    const std::int64_t value = node->is_integer() ? node->as_integer()->get() : -1;
    if (value < 0 || value > limit) return wrong_type(key, *node, "a whole number from 0 to " + std::to_string(limit));
    out = static_cast<std::uint32_t>(value);
    return true;
  }

  bool number(std::string_view key, double limit, double& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    const std::optional<double> value = node->is_number() ? node->value<double>() : std::nullopt;
    if (!value || !(*value >= 0 && *value <= limit)) {
      return wrong_type(key, *node, "a number from 0 to " + std::to_string(std::lround(limit)));
    }
    out = *value;
    return true;
  }

  bool texts(std::string_view key, Strings& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    const toml::array* array = node->as_array();
    if (array == nullptr) return wrong_type(key, *node, "a list of texts");
    for (const toml::node& item : *array) {
      if (!item.is_string()) return wrong_type(key, item, "a list of texts");
      out.push_back(item.as_string()->get());
    }
    return true;
  }

  /// The table under `key`.
  std::optional<Table> table(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (node->is_table()) return Table(*node->as_table(), file_, rule_, problems_);
    wrong_type(key, *node, "a table");
    return std::nullopt;
  }

  /// The tables of the list under `key`.
  std::vector<Table> tables(std::string_view key) {
    std::vector<Table> result;
    const toml::node* node = find(key);
    if (node == nullptr) return result;
    const toml::array* array = node->as_array();
    if (array == nullptr) wrong_type(key, *node, "a list of tables: [[" + std::string(key) + "]]");
    if (array == nullptr) return result;
    for (const toml::node& item : *array) {
      if (item.is_table()) {
        result.emplace_back(*item.as_table(), file_, rule_, problems_);
      } else {
        wrong_type(key, item, "a list of tables");
      }
    }
    return result;
  }

  /// Takes note of a key that other tools have and this one has not.
  void ignore(std::string_view key, const std::string& why) {
    if (const toml::node* node = find(key)) warn(origin_of(*node), std::string(key) + " is ignored: " + why);
  }

  void warn_of_the_rest() const {
    for (const auto& [key, node] : nodes_) {
      if (!asked_.contains(key)) warn(origin_of(*node), "unknown key " + key);
    }
  }

 private:
  [[nodiscard]] Origin origin_of(const toml::node& node) const { return {file_, node.source().begin.line}; }

  const toml::node* find(std::string_view key) {
    const std::string name = lower(std::string(key));
    asked_.insert(name);
    const auto it = nodes_.find(name);
    return it == nodes_.end() ? nullptr : it->second;
  }

  bool wrong_type(std::string_view key, const toml::node& node, const std::string& wanted) const {
    error(origin_of(node), std::string(key) + " must be " + wanted);
    return false;
  }

  std::string file_;
  std::string rule_;
  Problems& problems_;
  Origin origin_;
  std::map<std::string, const toml::node*> nodes_;
  std::set<std::string> asked_;
};

/// Puts a regex in place of what its author wrote; what is wrong with it is an error.
void translate(Table& table, std::string_view key, std::string& regex) {
  const Origin where = table.origin_of(key);
  auto parsed = parse_regex(regex);
  if (!parsed) return table.error(where, std::string(key) + ": " + parsed.error().message());
  regex = std::move(parsed->text);
}

void refuse_empty(Table& table, std::string_view key, const Strings& texts) {
  const bool empty = std::ranges::any_of(texts, [](const std::string& text) { return text.empty(); });
  if (empty) table.error(table.origin_of(key), std::string(key) + " has an empty text, which everything contains");
}

void read_condition(Table& table, Allowlist& list) {
  std::string condition;
  if (!table.text("condition", condition)) return;
  condition = lower(std::move(condition));
  if (condition == "and" || condition == "&&") {
    list.condition = Allowlist::Condition::all;
  } else if (!condition.empty() && condition != "or" && condition != "||") {
    table.error(table.origin_of("condition"), "condition must be OR or AND");
  }
}

void read_target(Table& table, Allowlist& list) {
  std::string target;
  if (!table.text("regexTarget", target)) return;
  if (target == "match") {
    list.target = Allowlist::Target::match;
  } else if (target == "line") {
    list.target = Allowlist::Target::line;
  } else if (!target.empty() && target != "secret") {
    table.error(table.origin_of("regexTarget"), "regexTarget must be secret, match or line");
  }
}

Allowlist read_allowlist(Table& table) {
  Allowlist list;
  table.text("description", list.description);
  read_condition(table, list);
  read_target(table, list);
  table.texts("commits", list.commits);
  table.texts("paths", list.paths);
  table.texts("regexes", list.regexes);
  table.texts("stopwords", list.stopwords);
  lower_all(list.commits);
  lower_all(list.stopwords);
  drop_repeated(list.commits);
  drop_repeated(list.stopwords);
  refuse_empty(table, "commits", list.commits);
  refuse_empty(table, "paths", list.paths);
  refuse_empty(table, "regexes", list.regexes);
  refuse_empty(table, "stopwords", list.stopwords);
  for (std::string& regex : list.paths) translate(table, "paths", regex);
  for (std::string& regex : list.regexes) translate(table, "regexes", regex);
  if (list.commits.empty() && list.paths.empty() && list.regexes.empty() && list.stopwords.empty()) {
    table.error(table.origin(), "an allowlist needs at least one of commits, paths, regexes and stopwords");
  }
  return list;
}

/// The allowlists of one scope: [[allowlists]], or one [allowlist] as gitleaks wrote it before.
std::vector<Table> allowlist_tables(Table& scope) {
  std::vector<Table> tables = scope.tables("allowlists");
  if (std::optional<Table> legacy = scope.table("allowlist")) {
    if (scope.has("allowlists")) scope.error(legacy->origin(), "allowlist and allowlists cannot stand side by side");
    tables.push_back(std::move(*legacy));
  }
  return tables;
}

Required read_required(Table& table) {
  Required required;
  table.text("id", required.rule_id);
  if (required.rule_id.empty()) table.error(table.origin(), "required has no id");
  std::uint32_t distance = 0;
  if (table.whole("withinLines", kMaxLines, distance)) required.within_lines = distance;
  if (table.whole("withinColumns", kMaxLines, distance)) required.within_columns = distance;
  table.warn_of_the_rest();
  return required;
}

Context read_context(Table& table) {
  Context context;
  table.texts("words", context.words);
  table.whole("lines", kMaxLines, context.lines);
  lower_all(context.words);
  drop_repeated(context.words);
  refuse_empty(table, "words", context.words);
  if (context.words.empty()) table.error(table.origin(), "context has no words");
  table.warn_of_the_rest();
  return context;
}

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// Reads the keys of one [[rules]] table into a draft.
class RuleTable {
 public:
  explicit RuleTable(Table& table) : table_(table) {}

  Draft read() {
    read_texts();
    read_choices();
    read_numbers();
    read_lists();
    read_tables();
    for (const char* key : {"prefilter", "filter", "validate"}) {
      table_.ignore(key, "expressions of other tools are not evaluated");
    }
    table_.warn_of_the_rest();
    draft_.rule.origin = table_.origin();
    return std::move(draft_);
  }

 private:
  void note(std::string_view key) { draft_.given.emplace(key, table_.origin_of(key)); }

  // A value of the wrong type counts as given, so that it is one mistake and not also a missing key.
  void text(std::string_view key, std::string& out) {
    if (table_.has(key) && !(table_.text(key, out) && out.empty())) note(key);
  }

  void texts(std::string_view key, Strings& out) {
    if (table_.has(key) && !(table_.texts(key, out) && out.empty())) note(key);
  }

  void read_texts() {
    Rule& rule = draft_.rule;
    text("id", rule.id);
    if (rule.id.empty()) table_.error(table_.origin(), "a rule without id");
    if (rule.id.size() > kMaxId || !is_printable(rule.id)) {
      table_.error(table_.origin_of("id"), "the id is too long or holds control characters");
      rule.id.clear();
    }
    table_.name_rule(rule.id);
    text("title", rule.title);
    text("description", rule.description);
    text("fix", rule.fix);
    text("docs", rule.docs);
    text("regex", rule.regex);
    text("path", rule.path);
    translate(table_, "regex", rule.regex);
    translate(table_, "path", rule.path);
  }

  void read_choices() {
    std::string word;
    if (table_.text("severity", word)) {
      const auto severity = severity_from(word);
      if (!severity) table_.error(table_.origin_of("severity"), "severity must be critical, high, medium or low");
      draft_.rule.severity = severity.value_or(Severity::high);
      note("severity");
    }
    if (table_.text("confidence", word)) {
      const auto confidence = confidence_from(word);
      if (!confidence) table_.error(table_.origin_of("confidence"), "confidence must be high, medium or low");
      draft_.rule.confidence = confidence.value_or(Confidence::medium);
      note("confidence");
    }
    if (table_.flag("generic", draft_.rule.generic)) note("generic");
    if (table_.flag("skipReport", draft_.rule.skip_report)) note("skipReport");
  }

  void read_numbers() {
    if (table_.number("entropy", kMaxEntropy, draft_.rule.entropy)) note("entropy");
    if (table_.whole("secretGroup", kMaxGroup, draft_.rule.secret_group)) note("secretGroup");
  }

  void read_lists() {
    Rule& rule = draft_.rule;
    texts("keywords", rule.keywords);
    lower_all(rule.keywords);
    drop_repeated(rule.keywords);
    if (std::erase(rule.keywords, std::string()) > 0) {
      table_.warn(table_.origin_of("keywords"), "an empty keyword is ignored");
    }
    texts("tags", rule.tags);
    texts("checks", rule.checks);
    texts("matches", rule.matches);
    texts("near_misses", rule.near_misses);
  }

  void read_tables() {
    if (std::optional<Table> context = table_.table("context")) {
      draft_.rule.context = read_context(*context);
      note("context");
    }
    for (Table& required : table_.tables("required")) {
      draft_.rule.required.push_back(read_required(required));
      note("required");
    }
    for (Table& allowlist : allowlist_tables(table_)) {
      draft_.rule.allowlists.push_back(read_allowlist(allowlist));
      allowlist.warn_of_the_rest();
    }
  }

  Table& table_;
  Draft draft_;
};

Extend read_extend(Table& table) {
  Extend extend;
  extend.origin = table.origin();
  table.text("path", extend.path);
  table.flag("useDefault", extend.use_default);
  table.texts("disabledRules", extend.disabled_rules);
  table.ignore("url", "rules are not fetched");
  table.warn_of_the_rest();
  if (!extend.path.empty() && extend.use_default) {
    table.error(table.origin(), "extend has path and useDefault: only one of them");
  }
  return extend;
}

RuleFile read_file(Table& table) {
  RuleFile file;
  std::string unused;
  table.text("title", unused);
  table.text("description", unused);
  table.ignore("minVersion", "it counts versions of gitleaks");
  for (const char* key : {"prefilter", "filter", "validate"}) {
    table.ignore(key, "expressions of other tools are not evaluated");
  }
  if (std::optional<Table> extend = table.table("extend")) file.extend = read_extend(*extend);
  for (Table& rule : table.tables("rules")) file.rules.push_back(RuleTable(rule).read());
  for (Table& allowlist : allowlist_tables(table)) {
    Allowlist list = read_allowlist(allowlist);
    allowlist.texts("targetRules", list.target_rules);
    allowlist.warn_of_the_rest();
    file.allowlists.push_back({std::move(list), allowlist.origin()});
  }
  table.warn_of_the_rest();
  return file;
}

}  // namespace

RuleFile parse_rule_file(std::string_view toml, const std::string& file, Problems& problems) {
  try {
    const toml::table document = toml::parse(toml);
    Table table(document, file, "", problems);
    return read_file(table);
  } catch (const toml::parse_error& error) {
    problems.errors.push_back({{file, error.source().begin.line}, "", "not TOML: " + std::string(error.description())});
  } catch (const ParserGaveUp&) {
    problems.errors.push_back({{file, 0}, "", "not TOML; look for a line that starts with three brackets"});
  }
  return {};
}

}  // namespace scanner::rules
