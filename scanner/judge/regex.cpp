#include "scanner/judge/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "scanner/base/check.h"

namespace scanner::judge {
namespace {

// The rules' own regexes stay below some thousand steps; what goes beyond is a regex that explodes on hostile text.
constexpr std::uint32_t kMatchLimit = 500'000;
constexpr std::uint32_t kDepthLimit = 50'000;
constexpr std::uint32_t kHeapLimitKib = 16'384;
constexpr std::size_t kJitStackStart = 32U << 10;
constexpr std::size_t kJitStackMax = 1U << 20;

template <auto function>
struct Free {
  template <typename T>
  void operator()(T* handle) const {
    function(handle);
  }
};
using CompileContext = std::unique_ptr<pcre2_compile_context, Free<pcre2_compile_context_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Free<pcre2_match_context_free>>;
using JitStack = std::unique_ptr<pcre2_jit_stack, Free<pcre2_jit_stack_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>>;
using Pcre2Code = std::unique_ptr<pcre2_code, Free<pcre2_code_free>>;

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data() == nullptr ? "" : text.data());
}

std::string message_of(int error) {
  switch (error) {
    case PCRE2_ERROR_MATCHLIMIT:
      return "match limit";
    case PCRE2_ERROR_DEPTHLIMIT:
      return "depth limit";
    case PCRE2_ERROR_HEAPLIMIT:
      return "heap limit";
    case PCRE2_ERROR_JIT_STACKLIMIT:
      return "stack limit";
    default:
      break;
  }
  std::array<PCRE2_UCHAR, 160> text{};
  const int size = pcre2_get_error_message(error, text.data(), text.size());
  if (size < 0) return "error " + std::to_string(error);
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size)};
}

}  // namespace

struct Regex::Code {
  Pcre2Code code;
  std::uint32_t groups = 0;
  std::string problem;
};

Regex::Regex(std::string_view source, std::uint32_t groups_needed) : source_(source), groups_needed_(groups_needed) {}
Regex::~Regex() = default;

const Regex::Code& Regex::code() const {
  std::call_once(once_, [this] {
    auto made = std::make_unique<Code>();
    const CompileContext context(pcre2_compile_context_create(nullptr));
    SCANNER_CHECK(context != nullptr);
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
    int error = 0;
    std::size_t offset = 0;
    // A pattern may not switch to UTF-8 by itself: what is scanned are any bytes.
    made->code.reset(pcre2_compile(units(source_), source_.size(),
                                   PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C,
                                   &error, &offset, context.get()));
    if (!made->code) {
      made->problem = message_of(error) + " at byte " + std::to_string(offset);
    } else {
      pcre2_pattern_info(made->code.get(), PCRE2_INFO_CAPTURECOUNT, &made->groups);
      if (made->groups < groups_needed_) {
        made->problem = "group " + std::to_string(groups_needed_) + " is asked for, but the regex has " +
                        std::to_string(made->groups);
      }
      // Where the system allows no executable memory the interpreter gives the same answers, slower.
      pcre2_jit_compile(made->code.get(), PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
    }
    code_ = std::move(made);
  });
  return *code_;
}

const std::string& Regex::problem() const { return code().problem; }

struct Search::State {
  MatchContext context;
  JitStack jit_stack;
  MatchData data;
  std::uint32_t pairs = 0;
  std::uint32_t groups = 0;
  std::string reason;

  void make_room(std::uint32_t wanted) {
    if (wanted <= pairs) return;
    data.reset(pcre2_match_data_create(wanted, nullptr));
    SCANNER_CHECK(data != nullptr);
    pairs = wanted;
  }
};

Search::Search() : state_(std::make_unique<State>()) {
  state_->context.reset(pcre2_match_context_create(nullptr));
  SCANNER_CHECK(state_->context != nullptr);
  pcre2_set_match_limit(state_->context.get(), kMatchLimit);
  pcre2_set_depth_limit(state_->context.get(), kDepthLimit);
  pcre2_set_heap_limit(state_->context.get(), kHeapLimitKib);
  // Without JIT there is no such stack, and no need of one.
  state_->jit_stack.reset(pcre2_jit_stack_create(kJitStackStart, kJitStackMax, nullptr));
  if (state_->jit_stack) pcre2_jit_stack_assign(state_->context.get(), nullptr, state_->jit_stack.get());
  state_->make_room(16);
}
Search::Search(Search&&) noexcept = default;
Search::~Search() = default;

Search::Answer Search::find(const Regex& regex, std::string_view subject, std::size_t from, Edge edge,
                            bool subject_is_first) {
  State& state = *state_;
  const Regex::Code& code = regex.code();
  if (!code.problem.empty()) {
    state.reason = code.problem;
    return Answer::undecided;
  }
  state.make_room(code.groups + 1);
  std::uint32_t options = PCRE2_NOTEMPTY;
  if (edge == Edge::cut) options |= PCRE2_PARTIAL_HARD;
  if (!subject_is_first) options |= PCRE2_NOTBOL;
  const int result = pcre2_match(code.code.get(), units(subject), subject.size(), from, options, state.data.get(),
                                 state.context.get());
  if (result > 0) {
    state.groups = static_cast<std::uint32_t>(result);
    return Answer::match;
  }
  state.groups = 1;
  if (result == PCRE2_ERROR_NOMATCH) return Answer::none;
  if (result == PCRE2_ERROR_PARTIAL) return Answer::open;
  state.reason = message_of(result);
  return Answer::undecided;
}

Search::Answer Search::test(const Regex& regex, std::string_view text) {
  State& state = *state_;
  const Regex::Code& code = regex.code();
  if (!code.problem.empty()) {
    state.reason = code.problem;
    return Answer::undecided;
  }
  const int result =
      pcre2_match(code.code.get(), units(text), text.size(), 0, 0, state.data.get(), state.context.get());
  if (result >= 0) return Answer::match;
  if (result == PCRE2_ERROR_NOMATCH) return Answer::none;
  state.reason = message_of(result);
  return Answer::undecided;
}

Span Search::group(std::uint32_t number) const {
  if (number >= state_->groups) return {};
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(state_->data.get());
  const std::size_t at = std::size_t{2} * number;
  if (offsets[at] == PCRE2_UNSET) return {};
  return {offsets[at], offsets[at + 1]};
}

std::uint32_t Search::groups() const { return state_->groups; }
const std::string& Search::reason() const { return state_->reason; }

}  // namespace scanner::judge
