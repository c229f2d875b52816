#include "scanner/match/database.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <set>
#include <utility>

#include "scanner/base/hash.h"
#include "scanner/base/json.h"
#include "scanner/match/database_impl.h"
#include "scanner/match/run_finder.h"

namespace scanner::match {
namespace {

using base::Errc;
using base::fail;
using base::Result;

/// Below this a literal does not keep a rule out of the way of the others.
constexpr std::size_t kShortestLiteral = 3;
constexpr std::string_view kMagic = "scan-secrets database 2\n";

/// What a rule must be sure of to be searched around runs alone, the best first: a run, and how far a match reaches out
/// of it at most. Most tokens are a run with a short prefix; those that need a word near them reach further.
struct Tier {
  Alphabet alphabet;
  std::uint32_t least;
  std::uint32_t before;
  std::uint32_t after;
};
constexpr std::array kTiers = {Tier{Alphabet::word, 32, 8, 8}, Tier{Alphabet::word, 32, 320, 64},
                               Tier{Alphabet::token, 32, 320, 64}, Tier{Alphabet::word, 16, 16, 8},
                               Tier{Alphabet::word, 24, 256, 64}};
static_assert(std::ranges::all_of(kTiers, [](const Tier& tier) {
  return tier.least >= RunFinder::kShortest[static_cast<std::size_t>(tier.alphabet)];
}));
/// Runs from here on are so rare that a rule without a literal does no harm around them.
constexpr std::uint32_t kRareRun = 32;

// The engine chooses the stride of its literal search from the shortest literal, and a longer stride is slower on
// ordinary content: 200 rules whose literals all have 6 bytes and more run at 2.6 GB/s, at 3.4 GB/s with this one
// added. It costs nothing once some rule has a literal as short.
constexpr const char* kSentinelRegex = "\\xfd\\xfe\\xf7[\\xf0-\\xff]{3}";

struct Patterns {
  std::vector<std::string> expressions;
  std::vector<unsigned> flags;
  std::vector<unsigned> ids;

  void add(std::string expression, unsigned flag, unsigned id) {
    expressions.push_back(std::move(expression));
    flags.push_back(flag);
    ids.push_back(id);
  }
};

std::string name_of(const Rule& rule) {
  return rule.origin.file + ":" + std::to_string(rule.origin.line) + ": rule " + rule.id;
}

std::string take(hs_compile_error_t* error) {
  std::string message = error != nullptr ? error->message : "unknown error";
  hs_free_compile_error(error);
  return message;
}

struct Info {
  unsigned flags = 0;
  std::uint32_t width = 0;
};

/// Asks the engine about one regex; falls back to its prefilter mode for constructs that it only approximates.
Result<Info> examine(const Rule& rule) {
  std::string reason;
  for (const unsigned flags : {0U, static_cast<unsigned>(HS_FLAG_PREFILTER)}) {
    hs_expr_info_t* raw = nullptr;
    hs_compile_error_t* error = nullptr;
    if (hs_expression_info(rule.regex.c_str(), flags, &raw, &error) != HS_SUCCESS) {
      reason = take(error);
      continue;
    }
    const std::unique_ptr<hs_expr_info_t, decltype(&std::free)> info(raw, &std::free);
    if (info->min_width == 0) return fail(Errc::config, name_of(rule) + ": the regex can match nothing at all");
    return Info{flags, info->max_width == UINT32_MAX ? kUnbounded : info->max_width};
  }
  return fail(Errc::config, name_of(rule) + ": " + reason);
}

Result<HsDatabase> build(const Patterns& patterns, const RuleSet& rules) {
  std::vector<const char*> expressions;
  expressions.reserve(patterns.expressions.size());
  for (const std::string& one : patterns.expressions) expressions.push_back(one.c_str());
  // No CPU features asked for: measured as fast as the host's own, and the result runs on every x86-64 machine.
  hs_platform_info_t platform{};
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(expressions.data(), patterns.flags.data(), patterns.ids.data(),
                       static_cast<unsigned>(expressions.size()), HS_MODE_BLOCK, &platform, &database,
                       &error) == HS_SUCCESS) {
    return HsDatabase(database);
  }
  const int index = error != nullptr ? error->expression : -1;
  std::string message = take(error);
  if (index >= 0 && patterns.ids[static_cast<std::size_t>(index)] < rules.rules.size()) {
    message = name_of(rules.rules[patterns.ids[static_cast<std::size_t>(index)]]) + ": " + message;
  }
  return fail(Errc::config, message);
}

/// The tier that `rule` is searched in; nothing for one that must be searched everywhere.
std::optional<std::size_t> tier_of(const Rule& rule) {
  for (std::size_t i = 0; i < kTiers.size(); ++i) {
    const Run& run = rule.runs[static_cast<std::size_t>(kTiers[i].alphabet)];
    if (run.length < kTiers[i].least || run.before > kTiers[i].before || run.after > kTiers[i].after) continue;
    const bool harmless = rule.literal.size() >= kShortestLiteral || kTiers[i].least >= kRareRun;
    if (harmless || rule.keywords.empty()) return i;
  }
  return std::nullopt;
}

std::string literal_regex(std::string_view text) {
  std::string regex = "(?i)";
  for (const char c : text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')) {
      regex += c;
    } else {
      regex += "\\x";
      regex += kHex[byte >> 4];
      regex += kHex[byte & 15];
    }
  }
  return regex;
}

void append_field(std::string& out, std::string_view field) {
  std::uint64_t size = field.size();
  for (int i = 0; i < 8; ++i, size >>= 8) out += static_cast<char>(size & 255);
  out += field;
}

bool take_field(std::string_view& in, std::string_view& field) {
  if (in.size() < 8) return false;
  std::uint64_t size = 0;
  for (std::size_t i = 8; i-- > 0;) size = size << 8 | static_cast<unsigned char>(in[i]);
  in.remove_prefix(8);
  if (size > in.size()) return false;
  field = in.substr(0, static_cast<std::size_t>(size));
  in.remove_prefix(field.size());
  return true;
}

Result<std::string> bytes_of(const hs_database_t* database) {
  if (database == nullptr) return std::string();
  char* bytes = nullptr;
  std::size_t size = 0;
  if (hs_serialize_database(database, &bytes, &size) != HS_SUCCESS) {
    return fail(Errc::limit, "the engine cannot serialise its database");
  }
  std::string text(bytes, size);
  std::free(bytes);  // Allocated by libhs with malloc.
  return text;
}

void set_width(Database::Impl& impl) {
  impl.width = 1;
  for (const std::uint32_t width : impl.widths) {
    impl.width = std::max<std::size_t>(impl.width, width == kUnbounded ? Database::kUnboundedWidth : width);
  }
}

std::string_view view(const base::Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

std::size_t Database::overlap() const { return impl_->width + 2; }
std::size_t Database::width() const { return impl_->width; }

std::string Database::engine() {
  const std::string_view version = hs_version();
  return "libhs " + std::string(version.substr(0, version.find(' ')));
}

Result<Database> Database::compile(const RuleSet& rules) {
  if (hs_valid_platform() != HS_SUCCESS)
    return fail(Errc::unsupported, "this CPU lacks what the engine needs (SSE4.2)");
  auto impl = std::make_unique<Impl>();
  impl->rules_hash = rules.hash;
  impl->widths.resize(rules.rules.size());

  Patterns main;
  Patterns rare;
  std::array<Patterns, kTiers.size()> tiers;
  std::array<Lane, kTiers.size()> lanes;
  std::set<std::string> keywords;
  std::string problems;
  for (std::size_t i = 0; i < rules.rules.size(); ++i) {
    const Rule& rule = rules.rules[i];
    if (rule.regex.empty()) continue;
    const auto info = examine(rule);
    if (!info) {
      problems += (problems.empty() ? "" : "\n") + info.error().message();
      continue;
    }
    impl->widths[i] = info->width;
    if (const auto tier = tier_of(rule)) {
      Lane& lane = lanes[*tier];
      const Run& run = rule.runs[static_cast<std::size_t>(kTiers[*tier].alphabet)];
      lane.before = std::max(lane.before, run.before);
      lane.after = std::max(lane.after, run.after);
      tiers[*tier].add(rule.regex, info->flags, static_cast<unsigned>(i));
      continue;
    }
    const bool has_literal = rule.literal.size() >= kShortestLiteral;
    (has_literal ? main : rare).add(rule.regex, info->flags, static_cast<unsigned>(i));
    if (has_literal) continue;
    keywords.insert(rule.keywords.begin(), rule.keywords.end());
    if (rule.keywords.empty()) impl->rare_always = true;
  }
  if (!problems.empty()) return fail(Errc::config, problems);
  unsigned keyword = kFirstKeyword;
  for (const std::string& text : keywords) main.add(literal_regex(text), HS_FLAG_SINGLEMATCH, keyword++);
  main.add(kSentinelRegex, 0, kSentinel);
  set_width(*impl);

  auto database = build(main, rules);
  if (!database) return fail(std::move(database).error());
  impl->main = std::move(*database);
  for (std::size_t i = 0; i < kTiers.size(); ++i) {
    if (tiers[i].expressions.empty()) continue;
    tiers[i].add(kSentinelRegex, 0, kSentinel);
    database = build(tiers[i], rules);
    if (!database) return fail(std::move(database).error());
    lanes[i].database = std::move(*database);
    lanes[i].alphabet = kTiers[i].alphabet;
    lanes[i].least = kTiers[i].least;
    impl->lanes.push_back(std::move(lanes[i]));
  }
  if (!rare.expressions.empty()) {
    database = build(rare, rules);
    if (!database) return fail(std::move(database).error());
    impl->rare = std::move(*database);
  }
  return Database(std::move(impl));
}

Result<std::string> Database::serialize() const {
  base::Json lanes = base::Json::array();
  for (const Lane& lane : impl_->lanes) {
    lanes.push_back({static_cast<unsigned>(lane.alphabet), lane.least, lane.before, lane.after});
  }
  const base::Json header = {{"engine", hs_version()},
                             {"rules", impl_->rules_hash},
                             {"widths", impl_->widths},
                             {"lanes", lanes},
                             {"rare_always", impl_->rare_always}};
  std::string body;
  append_field(body, base::dump_json(header));
  std::vector<const hs_database_t*> databases = {impl_->main.get(), impl_->rare.get()};
  for (const Lane& lane : impl_->lanes) databases.push_back(lane.database.get());
  for (const hs_database_t* database : databases) {
    auto bytes = bytes_of(database);
    if (!bytes) return fail(std::move(bytes).error());
    append_field(body, *bytes);
  }
  return std::string(kMagic) + std::string(view(base::sha256(body))) + body;
}

Result<Database> Database::deserialize(std::string_view bytes, const RuleSet& rules) {
  const auto foreign = [](const char* why) {
    return fail(Errc::corrupt, std::string("not a database for this: ") + why);
  };
  if (!bytes.starts_with(kMagic) || bytes.size() < kMagic.size() + sizeof(base::Sha256)) return foreign("no header");
  bytes.remove_prefix(kMagic.size());
  const std::string_view digest = bytes.substr(0, sizeof(base::Sha256));
  bytes.remove_prefix(sizeof(base::Sha256));
  if (view(base::sha256(bytes)) != digest) return foreign("damaged");
  std::string_view header_text;
  if (!take_field(bytes, header_text)) return foreign("short");
  const auto header = base::parse_json(header_text);
  if (!header || base::string_member(*header, "engine") != hs_version()) return foreign("another engine version");
  if (base::string_member(*header, "rules") != rules.hash) return foreign("other rules");

  auto impl = std::make_unique<Impl>();
  impl->rules_hash = rules.hash;
  try {
    impl->widths = header->at("widths").get<std::vector<std::uint32_t>>();
    impl->rare_always = header->at("rare_always").get<bool>();
    for (const base::Json& fields : header->at("lanes")) {
      const auto alphabet = fields.at(0).get<std::size_t>();
      if (alphabet >= kAlphabets) return foreign("header");
      Lane lane;
      lane.alphabet = static_cast<Alphabet>(alphabet);
      lane.least = fields.at(1).get<std::uint32_t>();
      lane.before = fields.at(2).get<std::uint32_t>();
      lane.after = fields.at(3).get<std::uint32_t>();
      impl->lanes.push_back(std::move(lane));
    }
  } catch (const base::Json::exception&) {
    return foreign("header");
  }
  if (impl->widths.size() != rules.rules.size()) return foreign("other rules");
  set_width(*impl);
  std::vector<HsDatabase*> databases = {&impl->main, &impl->rare};
  for (Lane& lane : impl->lanes) databases.push_back(&lane.database);
  for (HsDatabase* database : databases) {
    std::string_view text;
    if (!take_field(bytes, text)) return foreign("short");
    if (text.empty()) continue;
    hs_database_t* raw = nullptr;
    if (hs_deserialize_database(text.data(), text.size(), &raw) != HS_SUCCESS) return foreign("refused by the engine");
    database->reset(raw);
  }
  const bool lanes_are_there =
      std::ranges::all_of(impl->lanes, [](const Lane& lane) { return lane.database != nullptr; });
  if (!impl->main || !lanes_are_there) return foreign("empty");
  return Database(std::move(impl));
}

}  // namespace scanner::match
