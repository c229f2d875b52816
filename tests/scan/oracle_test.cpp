// Match-then-judge, through the searcher and its windows, against a plain PCRE2 find-all of each rule over the whole
// text. SCAN_SECRETS_ORACLE_CASES says how many cases.

#include <gtest/gtest.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <tuple>

#include "scanner/base/check.h"
#include "scanner/scan/work.h"
#include "tests/scan/engine.h"

namespace scanner::scan {
namespace {

/// A rule, and texts that it matches when they stand in the right place.
struct Shape {
  std::string id;
  std::string regex;
  std::vector<std::string> examples;
  std::string more;
};

const std::vector<Shape>& bounded_shapes() {
  static const std::vector<Shape> shapes = {
      {"fixed", R"(acme_[a-z0-9]{24})", {"acme_0123456789abcdefghijklmn"}, ""},
      {"words", R"(\b(tok_[A-Z]{4,8})\b)", {"tok_ABCD", "tok_ABCDEFGH"}, ""},
      {"classes", R"((?:^|[^a-z])(key=[0-9]{3,6})(?:[^0-9]|$))", {"key=123", " key=123456;"}, ""},
      {"begin", R"(^(start:[a-z]{2,5}))", {"start:abcde"}, ""},
      {"end", R"((stop:[a-z]{2,5})$)", {"stop:ab", "stop:abcde"}, ""},
      {"lines", R"((?m:^(line-[ab]{1,6})$))", {"\nline-ab\n", "\nline-aabbab\n"}, ""},
      {"caseless", R"((?i)caSe([a-f]{3,9})x)", {"CASEabcx", "casefacadeFADx"}, ""},
      {"lazy", R"(lazy<(.{1,30}?)>)", {"lazy<a>b>", "lazy<0123456789012345678901234>"}, ""},
      {"greedy", R"(greedy\((.{0,40})\))", {"greedy(a)b)", "greedy(0123456789012345678901234567890123456789)"}, ""},
      {"choices", R"((?:alpha|alphabet|alp)=([0-9]{1,4}))", {"alpha=1", "alphabet=1234", "alp=12"}, ""},
      {"groups", R"(two(?:(A[0-9]{2})|(B[0-9]{3})))", {"twoA12", "twoB123"}, ""},
      {"second", R"((pre|post)-([a-z]{3})-x?)", {"pre-abc-x", "post-abc-"}, "secretGroup = 2"},
      {"wide", R"(wide[0-9a-f]{60,100})", {"wide" + std::string(60, '7'), "wide" + std::string(100, 'c')}, ""},
      // The widest of all, and decided by the bytes around it: what windows must still show at their borders.
      {"widest", R"(\b(huge[0-9a-f]{106})\b)", {"huge" + std::string(106, 'e')}, ""},
      {"across", R"((?s:begin.{0,80}end))", {"begin\nend", "begin" + std::string(80, '.') + "end"}, ""},
      {"inside", R"(\B(mid[0-9]{2})\B)", {"xmid12y", "0mid999"}, ""},
      {"rare", R"([0-9]{3}-[0-9]{2}-[0-9]{4})", {"123-45-6789"}, ""},
      {"rarer", R"(([xyz]{5})[^xyz])", {"xyzzy ", "xxxxxxxxxx."}, ""},
      {"overlap", R"((aa[ab]{1,3}aa))", {"aabaa", "aaaaaaaaaaaaaaa"}, ""},
      {"repeat", R"(((?:ab){3,8})c)", {"abababc", "ababababababababababc"}, ""},
      {"quoted", R"re("([^"\n]{4,20})":pw)re", {"\"abcd\":pw", "\"12345678901234567890\":pw"}, ""},
      // Those that are searched around runs alone, each in its own way.
      {"around",
       R"(\bkey[ =:]{1,8}([0-9a-f]{32})\b)",
       {"key: " + std::string(32, 'a'), "key=" + std::string(32, '0')},
       ""},
      {"base64",
       R"(sig=([0-9A-Za-z+/]{36}={0,2})(?:[^0-9A-Za-z+/=]|$))",
       {"sig=" + std::string(36, '+') + "==", "sig=" + std::string(36, 'Q') + "."},
       ""},
      {"joined",
       R"(\beyJ[a-z]{9,20}\.([a-z]{12,20}\.[a-z]{6,9})\b)",
       {"eyJaaaaaaaaa.bbbbbbbbbbbb.cccccc", "eyJabcdefghijkl.abcdefghijklmnop.abcdefghi"},
       ""},
      {"reaching",
       R"(near .{0,40}([A-Z]{24})\b)",
       {"near " + std::string(24, 'K'), "near the place: " + std::string(24, 'M')},
       ""},
      {"short_run", R"(\b(AK[A-Z0-9]{14})\b)", {"AK0123456789ABCD"}, ""},
      {"binary",
       R"((\x00\xff[\x80-\x9f]{2,4}))",
       {std::string("\0\xff\x80\x9f", 4), std::string("\0\xff\x81\x82\x83\x84", 6)},
       ""},
      {"spaces", R"(\bpass\s{0,3}[:=]\s{0,3}(\S{1,10}))", {"pass=x", "pass \n: \tabcdefghij"}, ""},
      {"last", R"((end_[a-z]{3})\z)", {"end_abc"}, ""},
      {"either", R"((?i)\bid([0-9]{2})(?:[^0-9]|\z))", {"id12", "ID12-"}, ""},
      {"run", R"(q{2,5}u(w{1,5}))", {"qquw", "qqqqqqquwwwwwww"}, ""},
      {"keyword", R"([0-9A-F]{8}:kw)", {"0123ABCD:kw"}, "keywords = [\":kw\"]"},
      {"trimmed", R"(\n[A-Z]{3}_trim\n)", {"\nABC_trim\n"}, ""},
  };
  return shapes;
}

const std::vector<Shape>& open_shapes() {
  static const std::vector<Shape> shapes = {
      {"open", R"(open-([a-z]+)!)", {"open-a!", "open-" + std::string(300, 'k') + "!"}, ""},
      {"tail", R"(un_([a-z0-9]{10,}))", {"un_0123456789", "un_" + std::string(2000, 'z')}, ""},
      {"spaced", R"((?i)hash:\s*([0-9a-f]+)\b)", {"hash:ff", "HASH:    0123456789abcdef"}, ""},
      {"fixed", R"(acme_[a-z0-9]{24})", {"acme_0123456789abcdefghijklmn"}, ""},
      {"words", R"(\b(tok_[A-Z]{4,8})\b)", {"tok_ABCD", "tok_ABCDEFGH"}, ""},
      {"lines", R"((?m:^(line-[ab]{1,6})$))", {"\nline-ab\n"}, ""},
  };
  return shapes;
}

TestEngine engine_of(const std::vector<Shape>& shapes) {
  std::string toml;
  for (const Shape& shape : shapes) toml += rule_text("acme." + shape.id, shape.regex, shape.more);
  judge::Options options;
  options.max_hits_per_entry = 1'000'000;
  return TestEngine(toml, options);
}

/// Offset and end of the secret, rule, line, column.
using At = std::tuple<std::uint64_t, std::uint64_t, std::uint32_t, std::uint64_t, std::uint64_t>;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};

/// The slow, plain way.
class Plain {
 public:
  explicit Plain(const RuleSet& rules)
      : rules_(&rules), data_(pcre2_match_data_create(16, nullptr), &pcre2_match_data_free) {
    for (const Rule& rule : rules.rules) {
      int error = 0;
      std::size_t place = 0;
      codes_.emplace_back(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(rule.regex.data()), rule.regex.size(),
                                        PCRE2_DOLLAR_ENDONLY, &error, &place, nullptr));
      SCANNER_CHECK(codes_.back() != nullptr);
    }
  }

  std::vector<At> find_all(std::string_view text) {
    std::vector<std::size_t> line_starts = {0};
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') line_starts.push_back(i + 1);
    }
    std::vector<At> all;
    for (std::uint32_t rule = 0; rule < codes_.size(); ++rule) {
      for (std::size_t from = 0; from <= text.size();) {
        const int groups = pcre2_match(codes_[rule].get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                                       PCRE2_NOTEMPTY, data_.get(), nullptr);
        if (groups == PCRE2_ERROR_NOMATCH) break;
        SCANNER_CHECK(groups > 0);
        const auto [begin, end] = secret(rules_->rules[rule], groups, text);
        from = pcre2_get_ovector_pointer(data_.get())[1];
        if (begin == end) continue;
        const auto line = std::ranges::upper_bound(line_starts, begin) - line_starts.begin();
        all.emplace_back(begin, end, rule, line, begin - line_starts[static_cast<std::size_t>(line - 1)] + 1);
      }
    }
    std::ranges::sort(all);
    return all;
  }

 private:
  std::pair<std::size_t, std::size_t> secret(const Rule& rule, int groups, std::string_view text) {
    const PCRE2_SIZE* at = pcre2_get_ovector_pointer(data_.get());
    if (rule.secret_group > 0) return {at[2 * rule.secret_group], at[2 * rule.secret_group + 1]};
    for (int i = 1; i < groups; ++i) {
      if (at[2 * i] != PCRE2_UNSET && at[2 * i] < at[2 * i + 1]) return {at[2 * i], at[2 * i + 1]};
    }
    std::size_t begin = at[0];
    std::size_t end = at[1];
    while (begin < end && (text[begin] == '\n' || text[begin] == '\r')) ++begin;
    while (begin < end && (text[end - 1] == '\n' || text[end - 1] == '\r')) --end;
    return {begin, end};
  }

  const RuleSet* rules_;
  std::vector<std::unique_ptr<pcre2_code, FreeCode>> codes_;
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data_;
};

/// A text in pieces of random sizes, with the repeats that Pieces promises.
class RandomPieces final : public unpack::Pieces {
 public:
  RandomPieces(std::string_view text, std::size_t most, std::mt19937& random)
      : text_(text), most_(most), random_(&random) {}

  base::Result<unpack::Piece> next(std::size_t keep) override {
    if (ended_) return unpack::Piece{};
    unpack::Piece piece;
    piece.begins = given_ == 0;
    const std::size_t repeat = std::min(keep, given_);
    const std::size_t fresh = std::min(text_.size() - given_, 1 + (*random_)() % most_);
    piece.offset = given_ - repeat;
    // As in a reader's buffer: what lies before and after the piece is gone.
    window_.assign(text_.substr(given_ - repeat, repeat + fresh));
    piece.bytes = window_;
    given_ += fresh;
    ended_ = given_ == text_.size() && (fresh == 0 || (*random_)() % 2 == 0);
    piece.ends = ended_;
    return piece;
  }

 private:
  std::string_view text_;
  std::size_t most_;
  std::mt19937* random_;
  std::string window_;
  std::size_t given_ = 0;
  bool ended_ = false;
};

/// Noise, planted matches, and near misses: an example with a byte changed, left out, doubled or cut short.
std::string random_text(const std::vector<Shape>& shapes, std::size_t size, std::uint32_t noise, std::mt19937& random) {
  constexpr std::string_view kNoise = "abcqwxyz019-_=:;\"<>(). \n\t\rAKTid\x80\xff";
  std::string text;
  while (text.size() < size) {
    const Shape& shape = shapes[random() % shapes.size()];
    std::string example = shape.examples[random() % shape.examples.size()];
    const std::size_t at = random() % example.size();
    switch (random() % 8) {
      case 0:
        example[at] = kNoise[random() % kNoise.size()];
        break;
      case 1:
        example.erase(at, 1);
        break;
      case 2:
        example.insert(at, 1, example[at]);
        break;
      case 3:
        example.resize(at);
        break;
      default:
        break;
    }
    text += example;
    const auto gap = random() % 4 == 0 ? 0 : random() % noise;
    for (std::size_t i = 0; i < gap; ++i) text += kNoise[random() % kNoise.size()];
  }
  if (random() % 2 == 0) text.resize(size);
  return text;
}

class Compared {
 public:
  explicit Compared(const std::vector<Shape>& shapes)
      : engine_(engine_of(shapes)),
        plain_(engine_.rules()),
        searcher_(*Searcher::create(engine_.engine(), limits(), progress_)) {}

  [[nodiscard]] const TestEngine& engine() const { return engine_; }
  [[nodiscard]] std::size_t found() const { return found_; }

  void compare(std::string_view text, unpack::Pieces& pieces) {
    Outcome out;
    Entry entry;
    entry.path = "a.txt";
    ASSERT_TRUE(searcher_.file(entry, pieces, alone_, out));
    ASSERT_TRUE(out.coverage.skipped.empty()) << out.coverage.skipped.front().detail;
    std::vector<At> ours;
    for (const Found& one : out.found) {
      ours.emplace_back(one.hit.offset, one.hit.end_offset, one.hit.rule, one.hit.line, one.hit.column);
    }
    std::ranges::sort(ours);
    const std::vector<At> expected = plain_.find_all(text);
    found_ += expected.size();
    ASSERT_EQ(ours, expected);
  }

 private:
  static const Limits& limits() {
    static const Limits all = [] {
      Limits wide;
      wide.max_hits = ~0ULL;
      return wide;
    }();
    return all;
  }

  Progress progress_;
  TestEngine engine_;
  Plain plain_;
  Searcher searcher_;
  Work alone_{1};
  std::size_t found_ = 0;
};

std::size_t cases(std::size_t usual) {
  const char* asked = std::getenv("SCAN_SECRETS_ORACLE_CASES");
  return asked == nullptr ? usual : std::max<std::size_t>(usual, std::strtoull(asked, nullptr, 10));
}

TEST(Oracle, FindsExactlyWhatAPlainSearchFindsHoweverTheTextIsCut) {
  Compared compared(bounded_shapes());
  const std::size_t rounds = cases(20'000);
  for (std::size_t round = 0; round < rounds; ++round) {
    std::mt19937 random(static_cast<std::uint32_t>(round));
    // Windows overlap by some 2 KiB, so only a longer text has borders.
    const std::size_t size = 1 + random() % (random() % 4 == 0 ? 7000 : 700);
    const std::string text = random_text(bounded_shapes(), size, 1 + static_cast<std::uint32_t>(random() % 40), random);
    RandomPieces pieces(text, (text.size() > 2000 ? 200 : 1) + random() % 2000, random);
    compared.compare(text, pieces);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "round " << round << ":\n" << text;
  }
  EXPECT_GT(compared.found(), rounds * 5) << "the texts hold too little";
}

TEST(Oracle, FindsMatchesWithoutABoundAsAPlainSearchDoes) {
  Compared compared(open_shapes());
  const std::size_t rounds = cases(20'000) / 150;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::mt19937 random(static_cast<std::uint32_t>(round));
    const std::string text = random_text(open_shapes(), 20'000 + random() % 100'000, 3000, random);
    RandomPieces pieces(text, 20'000 + random() % 40'000, random);
    compared.compare(text, pieces);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "round " << round;
  }
  EXPECT_GT(compared.found(), rounds);
}

TEST(Oracle, FindsTheSameInTextsOfSeveralRealWindows) {
  for (const auto* shapes : {&bounded_shapes(), &open_shapes()}) {
    Compared compared(*shapes);
    for (std::uint32_t round = 0; round < 3; ++round) {
      std::mt19937 random(round);
      std::string text = random_text(*shapes, 3U << 20, 4000, random);
      // Something at every border of the searcher's windows, wherever they lie exactly.
      for (std::size_t border = 1U << 20; border + 3000 < text.size(); border += 1U << 20) {
        for (std::size_t at = border - 1500; at < border + 1500;) {
          const std::string& example = (*shapes)[random() % shapes->size()].examples[0];
          text.replace(at, example.size(), example);
          at += example.size() + random() % 9;
        }
      }
      base::MemoryStream stream(text);
      std::vector<char> buffer(1U << 20);
      unpack::Window window(stream, buffer);
      unpack::StreamPieces pieces(window);
      compared.compare(text, pieces);
      ASSERT_FALSE(::testing::Test::HasFailure()) << "round " << round;
    }
    EXPECT_GT(compared.found(), 1000U);
  }
}

/// `first`, then `second`: two reads of one file.
class TwoReads final : public unpack::Pieces {
 public:
  TwoReads(std::string_view first, std::string_view second)
      : text_(std::string(first) + std::string(second)), cut_(first.size()) {}
  base::Result<unpack::Piece> next(std::size_t keep) override {
    const std::string_view text = text_;
    switch (reads_++) {
      case 0:
        return unpack::Piece{text.substr(0, cut_), 0, true, false};
      case 1: {
        const std::size_t repeat = std::min(keep, cut_);
        return unpack::Piece{text.substr(cut_ - repeat), cut_ - repeat, false, true};
      }
      default:
        return unpack::Piece{};
    }
  }

 private:
  std::string text_;
  std::size_t cut_;
  int reads_ = 0;
};

TEST(Scan, FindsASecretSplitAcrossTwoReads) {
  const TestEngine engine(rule_text("acme.token", R"(acme_[a-z0-9]{24})"));
  const std::string before = std::string(300, '.') + "\nx=";
  const std::string token = "acme_0123456789abcdefghijklmn";
  Progress progress;
  const Limits limits;
  auto searcher = Searcher::create(engine.engine(), limits, progress);
  ASSERT_TRUE(searcher);
  Work alone(1);
  for (std::size_t cut = 0; cut <= token.size(); ++cut) {
    TwoReads reads(before + token.substr(0, cut), token.substr(cut) + "\n");
    Outcome out;
    Entry entry;
    entry.path = "a.txt";
    ASSERT_TRUE(searcher->file(entry, reads, alone, out));
    ASSERT_EQ(out.found.size(), 1U) << "cut after " << cut;
    EXPECT_EQ(out.found[0].hit.offset, before.size());
    EXPECT_EQ(out.found[0].hit.end_offset, before.size() + token.size());
    EXPECT_EQ(out.found[0].hit.line, 2U);
    EXPECT_EQ(out.found[0].hit.column, 3U);
  }
}

}  // namespace
}  // namespace scanner::scan
