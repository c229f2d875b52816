#include "scanner/match/matcher.h"

#include <algorithm>
#include <utility>

#include "scanner/base/check.h"
#include "scanner/match/database_impl.h"

namespace scanner::match {
namespace {

using base::Errc;
using base::fail;
using base::Result;

struct FreeScratch {
  void operator()(hs_scratch_t* scratch) const { hs_free_scratch(scratch); }
};

/// Where the last candidate of a rule is in the output, if that was in this search.
struct Last {
  std::uint64_t search = 0;
  std::size_t index = 0;
};

}  // namespace

struct Matcher::State {
  explicit State(const Database::Impl& database_impl) : database(&database_impl), last(database_impl.widths.size()) {}

  static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void* context);
  void add(std::uint32_t rule, std::size_t end);
  Result<void> search(const hs_database_t* which, std::string_view bytes);

  const Database::Impl* database;
  std::unique_ptr<hs_scratch_t, FreeScratch> scratch;
  std::vector<Last> last;
  std::uint64_t searches = 0;
  bool keyword_seen = false;
  std::vector<Candidate>* out = nullptr;
};

Matcher::Matcher(std::unique_ptr<State> state) : state_(std::move(state)) {}
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;
Matcher::~Matcher() = default;

Result<Matcher> Matcher::create(const Database& database) {
  auto state = std::make_unique<State>(database.impl());
  hs_scratch_t* scratch = nullptr;
  bool got = hs_alloc_scratch(database.impl().main.get(), &scratch) == HS_SUCCESS;
  if (got && database.impl().rare) got = hs_alloc_scratch(database.impl().rare.get(), &scratch) == HS_SUCCESS;
  state->scratch.reset(scratch);
  if (!got) return fail(Errc::limit, "no memory for the engine's scratch space");
  return Matcher(std::move(state));
}

int Matcher::State::on_match(unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
  auto& state = *static_cast<State*>(context);
  if (id < kFirstKeyword) {
    state.add(id, static_cast<std::size_t>(to));
  } else if (id != kSentinel) {
    state.keyword_seen = true;
  }
  return 0;
}

// A rule with an open end reports every byte of a long match, so neighbours are merged here: what is kept stays far
// below one candidate a byte.
void Matcher::State::add(std::uint32_t rule, std::size_t end) {
  const std::uint32_t width = database->widths[rule];
  const std::size_t reach = width == kUnbounded ? Database::kUnboundedWidth : width;
  const std::size_t begin = end > reach ? end - reach : 0;
  if (Last& previous = last[rule]; previous.search == searches) {
    Candidate& candidate = (*out)[previous.index];
    if (begin <= candidate.end && end >= candidate.begin) {
      candidate.begin = std::min(candidate.begin, begin);
      candidate.end = std::max(candidate.end, end);
      return;
    }
  }
  last[rule] = {searches, out->size()};
  out->push_back({rule, begin, end, width == kUnbounded});
}

Result<void> Matcher::State::search(const hs_database_t* which, std::string_view bytes) {
  const hs_error_t error =
      hs_scan(which, bytes.data(), static_cast<unsigned>(bytes.size()), 0, scratch.get(), &State::on_match, this);
  if (error != HS_SUCCESS) return fail(Errc::limit, "the engine gave up: error " + std::to_string(error));
  return {};
}

Result<void> Matcher::find(const Chunk& chunk, std::vector<Candidate>& out) {
  SCANNER_CHECK(chunk.bytes.size() < (1U << 31));
  out.clear();
  State& state = *state_;
  state.out = &out;
  ++state.searches;
  state.keyword_seen = false;
  if (auto done = state.search(state.database->main.get(), chunk.bytes); !done) return done;
  if (state.database->rare && (state.keyword_seen || state.database->rare_always)) {
    return state.search(state.database->rare.get(), chunk.bytes);
  }
  return {};
}

}  // namespace scanner::match
