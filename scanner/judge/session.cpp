#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scanner/base/check.h"
#include "scanner/base/hash.h"
#include "scanner/judge/compiled_rules.h"
#include "scanner/judge/frames.h"
#include "scanner/judge/inline_ignore.h"
#include "scanner/judge/judge.h"
#include "scanner/judge/lines.h"
#include "scanner/judge/randomness.h"
#include "scanner/judge/redact.h"
#include "scanner/judge/regions.h"
#include "scanner/judge/settle.h"

namespace scanner::judge {
namespace {

/// How often a rule may run into a limit within one entry before it is given up there: what bounds the time that a
/// hostile entry can take.
constexpr std::uint32_t kMaxUndecided = 8;
constexpr std::size_t kMaxDoubts = 100;
/// Of the bytes after a region, what a search sees at first. More comes when an attempt asks for it.
constexpr std::size_t kLeastSlack = 256;
constexpr std::size_t kMoreSlack = 8;
/// So few bytes after a region are seen at once: searches whose end is the true one are faster.
constexpr std::size_t kSmallRest = 4096;

/// What is known of a rule within the entry; stale when `entry` is not the current one.
struct RuleState {
  std::uint64_t entry = 0;
  bool applies = false;
  std::uint32_t undecided = 0;
  std::uint64_t next = 0;  ///< Offset in the entry: no further match can start before it.
  std::uint64_t keyword_chunk = 0;
  bool keyword_seen = false;
};

/// Whether an allowlist's path criterion holds for the entry.
struct ListState {
  std::uint64_t entry = 0;
  bool path_holds = false;
};

/// Nothing says no to it. Spans are relative to the chunk.
struct Confirmed {
  std::uint32_t rule = 0;
  Span secret;
  Severity severity = Severity::high;
  Confidence confidence = Confidence::medium;
  std::vector<std::string> notes;
};

bool has_path(Kind kind) { return kind == Kind::file || kind == Kind::file_name || kind == Kind::symlink_target; }

std::string joined_path(const Entry& entry) {
  std::string path = entry.path;
  for (const std::string& member : entry.inner) path.append("!").append(member);
  return path;
}

/// The capture group that is the secret; for a regex without groups the match, without line ends around it.
Span secret_of(const Search& search, const Rule& rule, std::string_view bytes) {
  if (rule.secret_group > 0) return search.group(rule.secret_group);
  for (std::uint32_t i = 1; i < search.groups(); ++i) {
    if (const Span group = search.group(i); !group.empty()) return group;
  }
  Span whole = search.group(0);
  const auto line_end = [&](std::size_t at) { return bytes[at] == '\n' || bytes[at] == '\r'; };
  while (!whole.empty() && line_end(whole.begin)) ++whole.begin;
  while (!whole.empty() && line_end(whole.end - 1)) --whole.end;
  return whole;
}

}  // namespace

struct Session::State {
  explicit State(const Judge::Impl& judge_impl)
      : judge(&judge_impl), rules(judge_impl.rules.size()), lists(judge_impl.lists.size()) {}

  // Per entry.
  Interest begin(const Entry& next);
  RuleState& state_of(std::uint32_t rule);
  bool rule_applies(std::uint32_t number);
  Search::Answer search_path(const Regex& regex);
  bool path_holds(const CompiledAllowlist& list);
  bool excludes_path(const CompiledAllowlist& list);
  void add_path_hit(std::uint32_t rule);
  bool make_room();

  // Per chunk.
  void decide_rule(std::uint32_t number, std::span<const Candidate> candidates);
  void decide_region(std::uint32_t number, RuleState& state, const Region& region);
  bool search_region(std::uint32_t number, RuleState& state, const Region& region, std::size_t from);
  Search::Answer next_match(const Regex& regex, const Region& region, std::size_t from);
  void finish_chunk();
  void record(const Confirmed& confirmed, LineCounter& lines, Frames& frames);
  void relate_generic(std::size_t first);

  // Per match.
  void judge_match(std::uint32_t number, RuleState& state, Span match);
  bool has_keyword(const CompiledRule& rule, RuleState& state, std::string_view match) const;
  bool allowed(const CompiledRule& rule, Span match, Span secret);
  bool allowed_by(const CompiledAllowlist& list, Span match, Span secret);
  bool any_found(const CompiledAllowlist& list, Span match, Span secret);
  bool checks_hold(const CompiledRule& rule, Span match, Confirmed& confirmed) const;

  void doubt(std::uint32_t rule, std::uint64_t place, std::string_view reason);
  Fingerprint keyed(std::string_view label, std::string_view text);
  [[nodiscard]] std::uint64_t absolute(std::size_t place) const { return chunk->offset + place; }
  [[nodiscard]] std::size_t relative(std::uint64_t offset) const {
    return offset < chunk->offset ? 0 : static_cast<std::size_t>(offset - chunk->offset);
  }

  const Judge::Impl* judge;
  Search search;
  std::vector<RuleState> rules;
  std::vector<ListState> lists;

  std::uint64_t entry_number = 0;
  Kind kind = Kind::file;
  std::string path;       // With the members of archives, separated by '!'.
  std::string last_path;  // The innermost member's own.
  bool excluded = false;
  bool full = false;
  std::vector<Record> records;
  std::vector<std::string> doubts;
  std::uint64_t previous_end = 0;  // Where the previous chunk ended.

  const Chunk* chunk = nullptr;
  std::uint64_t chunk_number = 0;
  std::vector<Region> regions;
  std::vector<Confirmed> confirmed;
  std::vector<std::pair<std::uint64_t, std::uint64_t>>
      secrets;  // All confirmed, also of the end of the previous chunk.

  std::string message;  // Holds a secret while a fingerprint is made.
};

// ---- The entry ----

Interest Session::State::begin(const Entry& next) {
  ++entry_number;
  kind = next.kind;
  path = joined_path(next);
  last_path = next.inner.empty() ? next.path : next.inner.back();
  full = false;
  previous_end = 0;
  records.clear();
  doubts.clear();
  secrets.clear();
  const auto& global = judge->for_all;
  excluded = std::any_of(global.begin(), global.end(), [this](const auto* list) { return excludes_path(*list); });
  if (excluded) return Interest::excluded;
  if (kind == Kind::file) {
    for (const std::uint32_t rule : judge->path_only) {
      if (rule_applies(rule)) add_path_hit(rule);
    }
  }
  return Interest::search;
}

RuleState& Session::State::state_of(std::uint32_t rule) {
  RuleState& state = rules[rule];
  if (state.entry != entry_number) {
    state = RuleState{};
    state.entry = entry_number;
    state.applies = judge->rules[rule].regex && rule_applies(rule);
  }
  return state;
}

bool Session::State::rule_applies(std::uint32_t number) {
  const CompiledRule& rule = judge->rules[number];
  if (rule.path) {
    if (!has_path(kind)) return false;
    const Search::Answer answer = search_path(*rule.path);
    if (answer == Search::Answer::undecided) doubt(number, 0, "path: " + search.reason());
    if (answer != Search::Answer::match) return false;
  }
  return std::none_of(rule.allowlists.begin(), rule.allowlists.end(),
                      [this](const auto* list) { return excludes_path(*list); });
}

Search::Answer Session::State::search_path(const Regex& regex) {
  const Search::Answer answer = search.test(regex, path);
  return answer == Search::Answer::none && last_path != path ? search.test(regex, last_path) : answer;
}

bool Session::State::path_holds(const CompiledAllowlist& list) {
  if (list.paths.empty() || !has_path(kind)) return false;
  ListState& state = lists[list.number];
  if (state.entry != entry_number) {
    state.entry = entry_number;
    state.path_holds = std::any_of(list.paths.begin(), list.paths.end(),
                                   [this](const Regex& regex) { return search_path(regex) == Search::Answer::match; });
  }
  return state.path_holds;
}

// Whether the path is enough for the list to hold, whatever is found there.
bool Session::State::excludes_path(const CompiledAllowlist& list) {
  const Allowlist& source = *list.source;
  const bool needs_more = source.condition == Allowlist::Condition::all &&
                          !(source.commits.empty() && source.regexes.empty() && source.stopwords.empty());
  return !needs_more && path_holds(list);
}

void Session::State::add_path_hit(std::uint32_t rule) {
  if (!make_room()) return;
  const Rule& source = *judge->rules[rule].source;
  Record& record = records.emplace_back();
  record.hit.rule = rule;
  record.hit.severity = source.severity;
  record.hit.confidence = source.confidence;
  record.hit.redacted = path;
  record.hit.fingerprint = keyed(source.id, path);
  record.hit.value = keyed(" path", path);
}

// Whether one more hit may be kept. From the first that may not be, the rest of the entry is not judged.
bool Session::State::make_room() {
  const std::uint64_t cap = judge->options.max_hits_per_entry;
  if (records.size() < cap) return true;
  if (!full) doubts.push_back("more than " + std::to_string(cap) + " secrets; the rest was not looked at");
  full = true;
  return false;
}

void Session::State::doubt(std::uint32_t rule, std::uint64_t place, std::string_view reason) {
  if (doubts.size() >= kMaxDoubts) return;
  doubts.push_back("rule " + judge->rules[rule].source->id + " undecided at byte " + std::to_string(place) + ": " +
                   std::string(reason));
}

Fingerprint Session::State::keyed(std::string_view label, std::string_view text) {
  // Reserved first, since a string that grows leaves a copy behind.
  message.reserve(label.size() + 1 + text.size());
  message.append(label).append(1, '\0').append(text);
  const base::Sha256 digest = base::hmac_sha256(judge->options.fingerprint_key, message);
  wipe(message);
  Fingerprint fingerprint{};
  std::copy_n(digest.begin(), fingerprint.size(), fingerprint.begin());
  return fingerprint;
}

// ---- The chunk ----

void Session::State::decide_rule(std::uint32_t number, std::span<const Candidate> candidates) {
  RuleState& state = state_of(number);
  if (!state.applies) return;
  merge(candidates, regions);
  for (const Region& region : regions) {
    if (region.begin >= chunk->own_end || !state.applies) return;
    decide_region(number, state, region);
  }
}

void Session::State::decide_region(std::uint32_t number, RuleState& state, const Region& region) {
  const std::uint64_t next = state.next;
  const std::size_t earliest = std::max(chunk->own_begin, relative(next));
  bool explained = next > absolute(region.begin);
  explained = search_region(number, state, region, std::max(earliest, region.begin)) || explained;
  if (explained || !region.unbounded) return;
  // A match as long as that may have started before the region.
  if (earliest < region.begin && search_region(number, state, region, earliest)) return;
  if (!chunk->first && absolute(region.end) > previous_end) {
    doubt(number, absolute(region.begin), "a match may have started before the window");
  }
}

// Judges the matches that start in [from, the region's end) and in the chunk's own range. Whether there is a match, or
// may be one, that starts before the region's end.
bool Session::State::search_region(std::uint32_t number, RuleState& state, const Region& region, std::size_t from) {
  const std::size_t stop = std::min(region.end, chunk->own_end);
  bool any = false;
  while (from < stop) {
    const Search::Answer answer = next_match(*judge->rules[number].regex, region, from);
    if (answer == Search::Answer::undecided) {
      doubt(number, absolute(from), search.reason());
      if (++state.undecided >= kMaxUndecided) {
        doubt(number, absolute(from), "the rest was not searched for it");
        state.applies = false;
      }
      state.next = std::max(state.next, absolute(stop));
      return true;
    }
    if (answer == Search::Answer::none) {
      state.next = std::max(state.next, absolute(stop));
      return any;
    }
    const Span match = search.group(0);
    if (match.begin >= stop) return any || match.begin < region.end;
    if (answer == Search::Answer::open) {
      // Only a rule without a bound can come here: windows hold whole matches of all others.
      doubt(number, absolute(match.begin), "a match may be longer than the window");
      state.next = absolute(chunk->own_end);
      return true;
    }
    any = true;
    state.next = absolute(match.end);
    from = match.end;
    judge_match(number, state, match);
  }
  return any;
}

// The search must give what a search of the whole entry would give, and yet not run through a megabyte after every
// region. So it sees a piece of what follows. Where the rule's width is known, no attempt that counts gets to the end
// of that piece. Otherwise the piece is a subject that is cut, and grows when an attempt asks for more.
Search::Answer Session::State::next_match(const Regex& regex, const Region& region, std::size_t from) {
  const std::string_view bytes = chunk->bytes;
  const std::size_t rest = bytes.size() - region.end;
  const bool width_known = !region.unbounded && region.begin > 0;
  std::size_t slack = std::max(region.width, kLeastSlack) + 1;
  if (!width_known && rest <= kSmallRest) slack = kSmallRest;
  for (;; slack *= kMoreSlack) {
    const bool all = rest <= slack;
    const auto edge = (all ? chunk->last : width_known) ? Search::Edge::end : Search::Edge::cut;
    const std::string_view subject = all ? bytes : bytes.substr(0, region.end + slack);
    const Search::Answer answer = search.find(regex, subject, from, edge, chunk->first);
    if (answer != Search::Answer::open || all || search.group(0).begin >= region.end) return answer;
  }
}

void Session::State::finish_chunk() {
  if (!confirmed.empty()) {
    std::sort(confirmed.begin(), confirmed.end(), [](const Confirmed& a, const Confirmed& b) {
      return std::pair(a.secret.begin, a.rule) < std::pair(b.secret.begin, b.rule);
    });
    std::vector<Span> spans;
    spans.reserve(secrets.size());
    for (const auto& [first, last] : secrets) spans.push_back({relative(first), relative(last)});
    Frames frames(*chunk, std::move(spans));
    LineCounter lines(*chunk);
    const std::size_t first = records.size();
    for (const Confirmed& one : confirmed) {
      if (!make_room()) break;
      record(one, lines, frames);
    }
    relate_generic(first);
    confirmed.clear();
  }
  // The next chunk's frames may show what stands this close before its own range.
  const std::uint64_t still_shown =
      absolute(chunk->own_end) - std::min(absolute(chunk->own_end), std::uint64_t{kReach});
  std::erase_if(secrets, [&](const auto& secret) { return secret.second <= still_shown; });
}

void Session::State::record(const Confirmed& one, LineCounter& lines, Frames& frames) {
  const Rule& rule = *judge->rules[one.rule].source;
  const std::string_view secret = one.secret.of(chunk->bytes);
  Record& record = records.emplace_back();
  Hit& hit = record.hit;
  hit.rule = one.rule;
  hit.severity = one.severity;
  hit.confidence = one.confidence;
  hit.notes = one.notes;
  hit.offset = absolute(one.secret.begin);
  hit.end_offset = absolute(one.secret.end);
  const Position begin = lines.at(one.secret.begin);
  const Position end = lines.beyond(one.secret.end);
  hit.line = begin.line;
  hit.column = begin.column;
  hit.end_line = end.line;
  hit.end_column = end.column;
  if (judge->options.inline_ignores) {
    record.ignored = has_inline_ignore(lines_around(chunk->bytes, one.secret, 0, kReach).of(chunk->bytes), rule.id);
  }
  if (record.ignored || rule.skip_report) return;
  hit.fingerprint = keyed(rule.id, secret);
  hit.value = keyed(" value", secret);
  hit.redacted = redact(secret);
  if (judge->options.keep_secrets) hit.secret = secret;
  Frame frame = frames.around(one.secret);
  hit.frame = std::move(frame.text);
  hit.mark_begin = frame.mark_begin;
  hit.mark_end = frame.mark_end;
}

// A generic rule often catches, elsewhere on the line, a copy or a part of what a rule with an issuer caught.
void Session::State::relate_generic(std::size_t first) {
  const auto rule_of = [&](std::size_t i) -> const Rule& { return *judge->rules[records[i].hit.rule].source; };
  const auto bytes_of = [&](const Hit& hit) {
    return Span{relative(hit.offset), relative(hit.end_offset)}.of(chunk->bytes);
  };
  for (std::size_t i = first; i < records.size(); ++i) {
    if (!rule_of(i).generic) continue;
    const Hit& hit = records[i].hit;
    const auto look_at = [&](std::size_t other) {
      const Hit& named = records[other].hit;
      const std::uint64_t apart = std::max(named.offset, hit.offset) - std::min(named.offset, hit.offset);
      if (named.line != hit.line || apart > kReach) return false;
      if (!rule_of(other).generic && bytes_of(named).find(bytes_of(hit)) != std::string_view::npos) {
        records[i].inside.push_back(static_cast<std::uint32_t>(other));
      }
      return true;
    };
    for (std::size_t other = i; other-- > first && look_at(other);) {
    }
    for (std::size_t other = i + 1; other < records.size() && look_at(other); ++other) {
    }
  }
}

// ---- The match ----

void Session::State::judge_match(std::uint32_t number, RuleState& state, Span match) {
  const CompiledRule& rule = judge->rules[number];
  const Rule& source = *rule.source;
  const std::string_view bytes = chunk->bytes;
  Confirmed one;
  one.rule = number;
  one.secret = secret_of(search, source, bytes);
  one.severity = source.severity;
  one.confidence = source.confidence;
  if (one.secret.empty()) return;
  if (source.entropy > 0 && shannon_entropy(one.secret.of(bytes)) <= source.entropy) return;
  if (!has_keyword(rule, state, match.of(bytes))) return;
  if (!rule.context.empty() &&
      !rule.context.any_in(lines_around(bytes, match, source.context.lines, kReach).of(bytes))) {
    return;
  }
  if (allowed(rule, match, one.secret) || !checks_hold(rule, match, one)) return;
  secrets.emplace_back(absolute(one.secret.begin), absolute(one.secret.end));
  // One more than fits, so that its lack of room is noticed.
  if (records.size() + confirmed.size() <= judge->options.max_hits_per_entry) confirmed.push_back(std::move(one));
}

bool Session::State::has_keyword(const CompiledRule& rule, RuleState& state, std::string_view match) const {
  if (rule.keywords.empty() || rule.keywords.any_in(match)) return true;
  if (state.keyword_chunk != chunk_number) {
    state.keyword_chunk = chunk_number;
    state.keyword_seen = rule.keywords.any_in(chunk->bytes);
  }
  return state.keyword_seen;
}

bool Session::State::allowed(const CompiledRule& rule, Span match, Span secret) {
  return std::any_of(rule.allowlists.begin(), rule.allowlists.end(),
                     [&](const CompiledAllowlist* list) { return allowed_by(*list, match, secret); });
}

// A scan has no commits: a list that asks for one of some holds nowhere. Lists that ask for a path alone were applied
// when the entry began.
bool Session::State::allowed_by(const CompiledAllowlist& list, Span match, Span secret) {
  const Allowlist& source = *list.source;
  const std::string_view value = secret.of(chunk->bytes);
  if (source.condition == Allowlist::Condition::any) {
    return list.stopwords.any_in(value) || any_found(list, match, secret);
  }
  if (!source.commits.empty() || (source.regexes.empty() && source.stopwords.empty())) return false;
  return (source.paths.empty() || path_holds(list)) && (source.stopwords.empty() || list.stopwords.any_in(value)) &&
         (source.regexes.empty() || any_found(list, match, secret));
}

bool Session::State::any_found(const CompiledAllowlist& list, Span match, Span secret) {
  if (list.regexes.empty()) return false;
  Span target = secret;
  if (list.source->target == Allowlist::Target::match) target = match;
  if (list.source->target == Allowlist::Target::line) target = lines_around(chunk->bytes, match, 0, kReach);
  const std::string_view text = target.of(chunk->bytes);
  return std::any_of(list.regexes.begin(), list.regexes.end(),
                     [&](const Regex& regex) { return search.test(regex, text) == Search::Answer::match; });
}

bool Session::State::checks_hold(const CompiledRule& rule, Span match, Confirmed& one) const {
  for (const Check check : rule.checks) {
    CheckResult result = check(one.secret.of(chunk->bytes), match.of(chunk->bytes), judge->now_unix);
    if (result.answer == CheckResult::Answer::refuse) return false;
    if (result.answer == CheckResult::Answer::confirm) one.confidence = Confidence::high;
    if (result.has_severity) one.severity = result.severity;
    std::move(result.notes.begin(), result.notes.end(), std::back_inserter(one.notes));
  }
  return true;
}

// ---- Session ----

Session::Session(const Judge& judge) : state_(std::make_unique<State>(judge.impl())) {}
Session::Session(Session&&) noexcept = default;
Session::~Session() = default;

Interest Session::begin(const Entry& entry) { return state_->begin(entry); }

void Session::decide(const Chunk& chunk, std::vector<Candidate>& candidates) {
  State& state = *state_;
  // Without the byte before it, what a chunk owns cannot be judged: "\b" and "^" would hold where they do not.
  SCANNER_CHECK(chunk.first || chunk.own_begin > 0);
  if (state.excluded || state.full) return;
  state.chunk = &chunk;
  ++state.chunk_number;
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return std::pair(a.rule, a.end) < std::pair(b.rule, b.end); });
  const std::span<const Candidate> all(candidates);
  for (std::size_t first = 0; first < all.size();) {
    std::size_t last = first + 1;
    while (last < all.size() && all[last].rule == all[first].rule) ++last;
    state.decide_rule(all[first].rule, all.subspan(first, last - first));
    first = last;
  }
  state.finish_chunk();
  state.previous_end = state.absolute(chunk.bytes.size());
  state.chunk = nullptr;
}

Verdict Session::finish() {
  State& state = *state_;
  Verdict verdict;
  verdict.doubts = std::move(state.doubts);
  settle(state.records, *state.judge, verdict);
  state.records.clear();
  state.doubts.clear();
  state.excluded = true;
  return verdict;
}

}  // namespace scanner::judge
