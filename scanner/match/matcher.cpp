#include "scanner/match/matcher.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "scanner/base/check.h"
#include "scanner/match/database_impl.h"
#include "scanner/match/run_finder.h"

namespace scanner::match {
namespace {

using base::Errc;
using base::fail;
using base::Result;

struct FreeScratch {
  void operator()(hs_scratch_t* scratch) const { hs_free_scratch(scratch); }
};

/// Stands between places that are searched together: hardly any regex matches across it, and what does is no harm.
constexpr char kBetween = '\0';

/// A piece of a chunk, copied to be searched together with others.
struct Piece {
  std::size_t begin = 0;   ///< In the copy.
  std::size_t origin = 0;  ///< In the chunk; and there it ends.
  std::size_t end = 0;
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
  Result<void> search(const Lane& lane, std::string_view bytes);
  /// Where in the chunk the byte `at` of what is searched stands.
  [[nodiscard]] std::size_t origin_of(std::size_t at) const;

  const Database::Impl* database;
  std::unique_ptr<hs_scratch_t, FreeScratch> scratch;
  std::vector<Last> last;
  RunFinder runs;
  std::uint64_t searches = 0;
  std::string gathered;       ///< The places that a lane looks at.
  std::vector<Piece> pieces;  ///< What `gathered` is made of; empty while the chunk itself is searched.
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
  for (const Lane& lane : database.impl().lanes) {
    got = got && hs_alloc_scratch(lane.database.get(), &scratch) == HS_SUCCESS;
  }
  state->scratch.reset(scratch);
  if (!got) return fail(Errc::limit, "no memory for the engine's scratch space");
  return Matcher(std::move(state));
}

int Matcher::State::on_match(unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
  auto& state = *static_cast<State*>(context);
  if (id < kFirstKeyword) {
    state.add(id, state.origin_of(static_cast<std::size_t>(to)));
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

std::size_t Matcher::State::origin_of(std::size_t at) const {
  if (pieces.empty()) return at;
  const auto after = std::ranges::upper_bound(pieces, at, std::less<>(), &Piece::begin);
  const Piece& piece = *std::prev(after);
  return std::min(piece.end, piece.origin + (at - piece.begin));
}

Result<void> Matcher::State::search(const hs_database_t* which, std::string_view bytes) {
  const hs_error_t error =
      hs_scan(which, bytes.data(), static_cast<unsigned>(bytes.size()), 0, scratch.get(), &State::on_match, this);
  if (error != HS_SUCCESS) return fail(Errc::limit, "the engine gave up: error " + std::to_string(error));
  return {};
}

// The places are many and small: one search of their copies takes half the time of a search of each.
Result<void> Matcher::State::search(const Lane& lane, std::string_view bytes) {
  gathered.clear();
  pieces.clear();
  std::size_t begin = 0;
  std::size_t end = 0;
  const auto gather = [&] {
    pieces.push_back({gathered.size(), begin, end});
    gathered += bytes.substr(begin, end - begin);
    gathered += kBetween;
  };
  for (const Stretch& run : runs.found(lane.alphabet)) {
    if (run.end - run.begin < lane.least) continue;
    // One byte more on each side, for what a \b looks at.
    const std::size_t from = run.begin - std::min<std::size_t>(run.begin, lane.before + 1);
    const std::size_t to = std::min<std::size_t>(bytes.size(), std::size_t{run.end} + lane.after + 1);
    if (from > end && end != 0) {
      gather();
      end = 0;
    }
    if (end == 0) begin = from;
    end = to;
  }
  if (end == 0) return {};
  gather();
  auto done = search(lane.database.get(), gathered);
  pieces.clear();
  return done;
}

Result<void> Matcher::find(const Chunk& chunk, std::vector<Candidate>& out) {
  SCANNER_CHECK(chunk.bytes.size() < (1U << 31));
  out.clear();
  State& state = *state_;
  state.out = &out;
  ++state.searches;
  state.keyword_seen = false;
  const auto everywhere = [&](const HsDatabase& database) { return state.search(database.get(), chunk.bytes); };
  if (auto done = everywhere(state.database->main); !done) return done;
  if (state.database->rare && (state.keyword_seen || state.database->rare_always)) {
    if (auto done = everywhere(state.database->rare); !done) return done;
  }
  if (!state.database->lanes.empty()) state.runs.search(chunk.bytes);
  for (const Lane& lane : state.database->lanes) {
    if (auto done = state.search(lane, chunk.bytes); !done) return done;
  }
  return {};
}

}  // namespace scanner::match
