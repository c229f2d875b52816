#include "tests/judge/judging.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "scanner/base/check.h"

namespace scanner::judge {
namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};

pcre2_code* compiled(const std::string& regex) {
  static std::map<std::string, std::unique_ptr<pcre2_code, FreeCode>> codes;
  auto& code = codes[regex];
  if (!code) {
    int error = 0;
    std::size_t offset = 0;
    code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(regex.data()), regex.size(), PCRE2_DOLLAR_ENDONLY, &error,
                             &offset, nullptr));
  }
  return code.get();
}

void count_lines(Chunk& chunk, std::string_view before) {
  chunk.line = 1 + static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
  const auto newline = before.rfind('\n');
  chunk.column = 1 + (newline == std::string_view::npos ? before.size() : before.size() - newline - 1);
}

}  // namespace

Rule rule(std::string id, std::string regex) {
  Rule made;
  made.id = std::move(id);
  made.regex = std::move(regex);
  made.origin = {"rules.toml", 7};
  return made;
}

RuleSet set_of(std::vector<Rule> rules) {
  RuleSet set;
  set.rules = std::move(rules);
  return set;
}

Entry file(std::string path) {
  Entry entry;
  entry.path = std::move(path);
  return entry;
}

std::vector<Candidate> candidates_in(std::string_view bytes, const RuleSet& rules, std::size_t width) {
  std::vector<Candidate> found;
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(pcre2_match_data_create(1, nullptr),
                                                                                 &pcre2_match_data_free);
  for (std::uint32_t i = 0; i < rules.rules.size(); ++i) {
    if (rules.rules[i].regex.empty()) continue;
    const pcre2_code* code = compiled(rules.rules[i].regex);
    if (code == nullptr) continue;
    for (std::size_t start = 0; start < bytes.size(); ++start) {
      const int result = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(bytes.data()), bytes.size(), start,
                                     PCRE2_NOTEMPTY, data.get(), nullptr);
      if (result < 0) break;
      const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(data.get());
      start = offsets[0];
      found.push_back({i, offsets[1] - std::min(offsets[1], width), offsets[1], false});
    }
  }
  return found;
}

std::vector<Chunk> windows_of(std::string_view text, std::size_t size, std::size_t width, std::size_t reach) {
  const std::size_t tail = width + 1 + reach;
  const std::size_t head = 1 + reach;
  SCANNER_CHECK(size > head + tail);
  std::vector<Chunk> chunks;
  for (std::size_t begin = 0, own = 0;;) {
    Chunk chunk;
    chunk.bytes = text.substr(begin, size);
    chunk.offset = begin;
    chunk.own_begin = own - begin;
    chunk.first = begin == 0;
    chunk.last = begin + chunk.bytes.size() == text.size();
    chunk.own_end = chunk.last ? chunk.bytes.size() + 1 : chunk.bytes.size() - tail;
    count_lines(chunk, text.substr(0, begin));
    chunks.push_back(chunk);
    if (chunk.last) return chunks;
    own = begin + chunk.own_end;
    begin = own - std::min(own, head);
  }
}

Verdict judged(const RuleSet& rules, const std::vector<Chunk>& chunks, Options options, const Entry& entry) {
  const auto judge = Judge::create(rules, std::move(options));
  Session session(*judge);
  if (session.begin(entry) == Interest::search) {
    for (const Chunk& chunk : chunks) {
      auto candidates = candidates_in(chunk.bytes, rules);
      session.decide(chunk, candidates);
    }
  }
  return session.finish();
}

Verdict judged(const RuleSet& rules, std::string_view text, Options options, const Entry& entry) {
  Chunk chunk;
  chunk.bytes = text;
  chunk.own_end = text.size() + 1;
  return judged(rules, std::vector{chunk}, std::move(options), entry);
}

std::vector<std::string> secrets(const RuleSet& rules, std::string_view text, const Entry& entry) {
  std::vector<std::string> found;
  for (const Hit& hit : judged(rules, text, {}, entry).hits) {
    found.emplace_back(text.substr(hit.offset, hit.end_offset - hit.offset));
  }
  return found;
}

}  // namespace scanner::judge
