#include "scanner/scan/searcher.h"

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <memory>
#include <utility>

#include "scanner/scan/batch.h"
#include "scanner/scan/work.h"
#include "scanner/unpack/decode.h"
#include "scanner/unpack/zip.h"

namespace scanner::scan {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using unpack::Format;
using unpack::Piece;

constexpr std::size_t kWindowBytes = 1U << 20;
constexpr std::size_t kMaxHardLinks = 100'000;

/// Newlines in `bytes`. Counts in as many lanes as the compiler can put into its widest registers: a plain std::count
/// takes an eighth of the time of a whole scan.
std::uint64_t newlines(std::string_view bytes) {
  constexpr std::size_t kLanes = 64;
  constexpr std::size_t kRounds = 255;  // A lane has 8 bits.
  std::uint64_t total = 0;
  while (bytes.size() >= kLanes) {
    const std::size_t rounds = std::min(kRounds, bytes.size() / kLanes);
    std::array<std::uint8_t, kLanes> lanes{};
    for (std::size_t round = 0; round < rounds; ++round) {
      const char* stripe = bytes.data() + round * kLanes;
      for (std::size_t i = 0; i < kLanes; ++i)
        lanes[i] = static_cast<std::uint8_t>(lanes[i] + (stripe[i] == '\n' ? 1 : 0));
    }
    for (const std::uint8_t lane : lanes) total += lane;
    bytes.remove_prefix(rounds * kLanes);
  }
  return total + static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
}

}  // namespace

std::string place_of(const std::string& blob, const Entry& entry) {
  std::string place = blob;
  if (!place.empty() && !entry.path.empty()) place += ": ";
  place += entry.path;
  for (const std::string& member : entry.inner) place += "!" + member;
  if (!entry.field.empty()) place += " " + entry.field;
  return place;
}

/// Finds the candidates of a copied window. What they are is decided by its maker, window by window.
class Searcher::WindowTask final : public Task {
 public:
  WindowTask(const Chunk& of, std::string memory) : bytes(std::move(memory)), chunk(of) {
    bytes = of.bytes;
    chunk.bytes = bytes;
  }
  void run(Searcher& searcher) override { found = searcher.matcher_.find(chunk, candidates); }

  std::string bytes;
  Chunk chunk;
  std::vector<Candidate> candidates;
  Result<void> found;
};

/// Searches the bytes of one file as they are, window by window.
class Searcher::RawSearch {
 public:
  /// `work` may be null.
  RawSearch(Searcher& searcher, judge::Session& session, const Entry& entry, Work* work, Outcome& out)
      : searcher_(&searcher), session_(&session), entry_(&entry), work_(work), out_(&out) {}
  RawSearch(const RawSearch&) = delete;
  RawSearch& operator=(const RawSearch&) = delete;
  ~RawSearch() { settle(); }

  void feed(const Piece& piece) {
    if (piece.begins && fed_) {
      // What follows a hole of a sparse file is judged on its own: no secret reaches across zeros.
      finish();
      session_->begin(*entry_);
    }
    if (piece.bytes.empty()) return;
    fed_ = true;
    if (piece.begins) {
      start_ = piece.offset;
      column_ += piece.offset - end_;  // a hole holds no line end
    }
    Chunk chunk;
    chunk.bytes = piece.bytes;
    chunk.offset = piece.offset;
    chunk.first = piece.offset == start_;
    chunk.last = piece.ends;
    search(chunk);
    if (piece.ends) {
      tail_.clear();
      advance(piece.bytes);
      end_ = piece.offset + piece.bytes.size();
      return;
    }
    const std::size_t kept = std::min(piece.bytes.size(), searcher_->overlap());
    tail_ = piece.bytes.substr(piece.bytes.size() - kept);
    tail_offset_ = piece.offset + piece.bytes.size() - kept;
    advance(piece.bytes.substr(0, piece.bytes.size() - kept));
  }

  /// Ends the file. One that broke off has no last window yet: its tail becomes one.
  void finish() {
    if (!tail_.empty()) {
      Chunk chunk;
      chunk.bytes = tail_;
      chunk.offset = tail_offset_;
      chunk.first = tail_offset_ == start_;
      search(chunk);
      tail_.clear();
    }
    settle();
    searcher_->keep(session_->finish(), *entry_, *out_);
  }

 private:
  void search(Chunk& chunk) {
    chunk.line = line_;
    chunk.column = column_;
    const std::size_t size = chunk.bytes.size();
    const std::size_t reach = searcher_->database_->width() + judge::kReach + 1;
    if (chunk.first) owned_ = chunk.offset;
    chunk.own_begin = static_cast<std::size_t>(owned_ - chunk.offset);
    chunk.own_end = chunk.last ? size + 1 : std::max(chunk.own_begin, size > reach ? size - reach : 0);
    owned_ = chunk.offset + chunk.own_end;
    if (work_ != nullptr && size >= kWorthSharing && work_->takes_tasks()) {
      auto task = std::make_shared<WindowTask>(chunk, work_->memory());
      if (work_->offer(task)) return keep(std::move(task));
    }
    std::vector<Candidate>& candidates = searcher_->candidates_;
    auto found = searcher_->matcher_.find(chunk, candidates);
    if (shared_.empty() || (found && candidates.empty())) {
      searcher_->decide(chunk, found, candidates, *session_, *entry_, *out_);
      return;
    }
    // Those before it come first.
    auto task = std::make_shared<WindowTask>(chunk, work_->memory());
    task->candidates = candidates;
    task->found = std::move(found);
    keep(std::move(task));
  }

  void keep(std::shared_ptr<WindowTask> task) {
    shared_.push_back(std::move(task));
    if (shared_.size() > kMaxShared) settle_oldest();
  }

  void settle() {
    while (!shared_.empty()) settle_oldest();
  }

  void settle_oldest() {
    WindowTask& task = *shared_.front();
    if (work_->take_back(task)) task.run(*searcher_);
    searcher_->decide(task.chunk, task.found, task.candidates, *session_, *entry_, *out_);
    work_->keep(std::move(task.bytes));
    shared_.pop_front();
  }

  /// Moves the line and column from the window's first byte past `bytes`.
  void advance(std::string_view bytes) {
    const std::size_t last = bytes.rfind('\n');
    if (last == std::string_view::npos) {
      column_ += bytes.size();
    } else {
      line_ += newlines(bytes);
      column_ = bytes.size() - last;
    }
  }

  static constexpr std::size_t kWorthSharing = 1U << 17;
  static constexpr std::size_t kMaxShared = 4;

  Searcher* searcher_;
  judge::Session* session_;
  const Entry* entry_;
  Work* work_;
  Outcome* out_;
  std::deque<std::shared_ptr<WindowTask>> shared_;  ///< In the order of the file; decided in that order.
  std::uint64_t owned_ = 0;                         ///< Offset up to which windows have owned the file.
  std::uint64_t start_ = 0;                         ///< Offset of the first byte, or of the first after the last hole.
  std::uint64_t end_ = 0;                           ///< Offset where the last hole begins.
  std::uint64_t line_ = 1;
  std::uint64_t column_ = 1;
  bool fed_ = false;
  std::string tail_;  ///< What the next window is to repeat, while there may be one.
  std::uint64_t tail_offset_ = 0;
};

/// The bytes of a file for whoever opens it as an archive; each is searched as it is on the way.
class Searcher::Tee final : public base::Stream {
 public:
  Tee(unpack::Pieces& pieces, RawSearch& raw, const Piece& first, std::size_t keep)
      : pieces_(&pieces), raw_(&raw), keep_(keep) {
    take(first);
  }

  Result<std::size_t> read(std::span<char> out) override {
    if (error_) return fail(*error_);
    std::size_t done = 0;
    while (done < out.size()) {
      if (rest_.empty()) {
        auto more = next();
        if (!more && done == 0) return fail(*error_);
        if (!more || !*more) break;
      }
      const std::size_t n = rest_.copy(out.data() + done, out.size() - done);
      rest_.remove_prefix(n);
      done += n;
    }
    return done;
  }

  /// Searches what nobody has read. In an archive within an archive it counts as what that expands to.
  void drain(std::uint64_t* nested, std::uint64_t most) {
    for (;;) {
      if (nested != nullptr && *nested > most) {
        error_ = base::Error(Errc::limit, "expands to more than " + std::to_string(most) + " bytes");
        return;
      }
      const auto more = next();
      if (!more || !*more) return;
      if (nested != nullptr) *nested += rest_.size();
    }
  }

  /// Why the file itself, not what is in it, could not be read to its end.
  [[nodiscard]] const std::optional<base::Error>& error() const { return error_; }

 private:
  Result<bool> next() {
    if (ended_ || error_) return false;
    auto piece = pieces_->next(keep_);
    if (!piece) {
      error_ = std::move(piece).error();
      return fail(*error_);
    }
    if (piece->bytes.empty()) return false;
    raw_->feed(*piece);
    take(*piece);
    return true;
  }

  void take(const Piece& piece) {
    const std::uint64_t repeated = piece.begins ? 0 : end_ - piece.offset;
    rest_ = piece.bytes.substr(static_cast<std::size_t>(repeated));
    end_ = piece.offset + piece.bytes.size();
  }

  unpack::Pieces* pieces_;
  RawSearch* raw_;
  std::size_t keep_;
  std::string_view rest_;
  std::uint64_t end_ = 0;
  bool ended_ = false;
  std::optional<base::Error> error_;
};

/// Hands files of a layer to workers that wait, and gathers what came of them in the order of the layer.
class Searcher::Shared {
 public:
  Shared(Searcher& searcher, Work& work, Outcome& out) : searcher_(&searcher), work_(&work), out_(&out) {}

  /// Whether a file of that size is to be copied and given away.
  [[nodiscard]] bool wants(std::uint64_t size) const {
    return size <= std::min(Batch::kMaxFile, searcher_->limits_->max_entry_bytes) && (open_ || work_->takes_tasks());
  }

  Result<void> add(const Entry& entry, unpack::Pieces& pieces) {
    if (!open_) open_ = std::make_shared<Batch>(*out_, work_->memory());
    auto read = open_->add(entry, pieces, std::exchange(out_->coverage.skipped, {}));
    if (open_->full()) give();
    return read;
  }

  /// Waits for all that was given.
  void settle() {
    if (open_) give();
    while (!given_.empty()) settle_oldest();
    gathered_.add(std::move(out_->coverage));
    out_->coverage = std::move(gathered_);
  }

  LayerPaths& paths() { return out_->paths; }
  Work& work() { return *work_; }

 private:
  /// So many results are kept, most of them long there.
  static constexpr std::size_t kMaxGiven = 8;

  void search(Batch& batch) {
    searcher_->batch(batch);
    work_->done(batch);
  }

  void give() {
    if (!work_->offer(open_)) search(*open_);
    given_.push_back(std::move(open_));
    open_ = nullptr;
    if (given_.size() > kMaxGiven) settle_oldest();
  }

  void settle_oldest() {
    Batch& batch = *given_.front();
    if (work_->take_back(batch)) search(batch);
    gathered_.add(std::move(batch.out.coverage));
    out_->ignored += batch.out.ignored;
    std::ranges::move(batch.out.found, std::back_inserter(out_->found));
    given_.pop_front();
  }

  Searcher* searcher_;
  Work* work_;
  Outcome* out_;
  std::shared_ptr<Batch> open_;
  std::deque<std::shared_ptr<Batch>> given_;
  Coverage gathered_;
};

Searcher::Searcher(match::Matcher matcher, const Engine& engine, const Limits& limits, Progress& progress)
    : matcher_(std::move(matcher)),
      database_(engine.database),
      judge_(engine.judge),
      limits_(&limits),
      progress_(&progress),
      text_session_(*engine.judge) {}

Result<Searcher> Searcher::create(const Engine& engine, const Limits& limits, Progress& progress) {
  auto matcher = match::Matcher::create(*engine.database);
  if (!matcher) return fail(std::move(matcher).error());
  return Searcher(std::move(*matcher), engine, limits, progress);
}

std::size_t Searcher::overlap() const { return database_->overlap() + 2 * judge::kReach; }

std::span<char> Searcher::buffer(std::size_t depth) {
  const std::size_t size = std::max(kWindowBytes, 4 * overlap());
  while (buffers_.size() <= depth) buffers_.push_back(std::make_unique_for_overwrite<char[]>(size));
  return {buffers_[depth].get(), size};
}

judge::Session& Searcher::session(std::size_t depth) {
  while (sessions_.size() <= depth) sessions_.push_back(std::make_unique<judge::Session>(*judge_));
  return *sessions_[depth];
}

void Searcher::decide(const Chunk& chunk, const Result<void>& found, std::vector<Candidate>& candidates,
                      judge::Session& session, const Entry& entry, Outcome& out) {
  if (!found) {
    out.coverage.skip({SkipReason::undecided, place_of(out.name, entry), found.error().message(), chunk.bytes.size()});
  }
  if (!candidates.empty()) session.decide(chunk, candidates);
  const std::uint64_t fresh = chunk.bytes.size() - std::min(chunk.bytes.size(), chunk.first ? 0 : overlap());
  out.coverage.bytes += fresh;
  progress_->bytes.fetch_add(fresh, std::memory_order_relaxed);
}

void Searcher::keep(judge::Verdict verdict, const Entry& entry, Outcome& out) {
  out.ignored += verdict.ignored;
  for (std::string& doubt : verdict.doubts) {
    out.coverage.skip({SkipReason::undecided, place_of(out.name, entry), std::move(doubt), 0});
  }
  for (Hit& hit : verdict.hits) {
    if (progress_->hits.fetch_add(1, std::memory_order_relaxed) >= limits_->max_hits) {
      out.coverage.skip({SkipReason::limit, place_of(out.name, entry),
                         "more than " + std::to_string(limits_->max_hits) + " secrets in all; the rest is left out",
                         0});
      break;
    }
    out.found.push_back({entry, std::move(hit)});
  }
}

void Searcher::text(const Entry& entry, std::string_view text, Outcome& out) {
  ++out.coverage.texts;
  if (text.empty()) return;
  Chunk chunk;
  chunk.bytes = text;
  chunk.own_end = text.size() + 1;
  auto found = matcher_.find(chunk, candidates_);
  out.coverage.bytes += text.size();
  if (!found) {
    out.coverage.skip({SkipReason::undecided, place_of(out.name, entry), found.error().message(), text.size()});
  }
  if (candidates_.empty()) return;
  if (text_session_.begin(entry) == judge::Interest::excluded) return;
  text_session_.decide(chunk, candidates_);
  keep(text_session_.finish(), entry, out);
}

void Searcher::name(const Entry& entry, Outcome& out) {
  Entry as_name = entry;
  as_name.kind = Kind::file_name;
  text(as_name, entry.inner.empty() ? entry.path : entry.inner.back(), out);
}

Result<void> Searcher::file(const Entry& entry, unpack::Pieces& pieces, Work& work, Outcome& out) {
  name(entry, out);
  return content(entry, pieces, out, 0, &work);
}

Result<void> Searcher::content(const Entry& entry, unpack::Pieces& pieces, Outcome& out, std::size_t depth,
                               Work* work) {
  judge::Session& raw_session = session(depth);
  if (raw_session.begin(entry) == judge::Interest::excluded) {
    out.coverage.skip({SkipReason::excluded, place_of(out.name, entry), "the rules' allowlist names its path", 0});
    return {};
  }
  ++out.coverage.files;
  progress_->files.fetch_add(1, std::memory_order_relaxed);
  if (depth == 0) out.nested_bytes = 0;

  RawSearch raw(*this, raw_session, entry, work, out);
  const std::size_t keep_bytes = overlap();
  const std::size_t first_found = out.found.size();
  auto piece = pieces.next(keep_bytes);
  if (!piece) {
    raw.finish();
    return fail(std::move(piece).error());
  }
  const Format format = unpack::sniff(piece->bytes);
  raw.feed(*piece);

  Result<void> read;
  if (format != Format::plain && !piece->bytes.empty()) {
    Tee tee(pieces, raw, *piece, keep_bytes);
    if (depth + 1 > limits_->max_archive_depth) {
      out.coverage.skip({SkipReason::limit, place_of(out.name, entry),
                         "archives nest deeper than " + std::to_string(limits_->max_archive_depth), 0});
    } else if (auto opened = open_archive(entry, format, tee, out, depth + 1); !opened && !tee.error()) {
      const bool limit = opened.error().code() == Errc::limit;
      out.coverage.skip({limit ? SkipReason::limit : SkipReason::raw_only, place_of(out.name, entry),
                         std::string(to_string(format)) + ": " + opened.error().message(), 0});
    }
    tee.drain(depth > 0 ? &out.nested_bytes : nullptr, limits_->max_nested_bytes);
    if (tee.error()) read = fail(*tee.error());
  } else {
    while (!piece->bytes.empty()) {
      if (depth > 0) out.nested_bytes += piece->bytes.size();
      if (out.nested_bytes > limits_->max_nested_bytes) {
        read = fail(Errc::limit, "expands to more than " + std::to_string(limits_->max_nested_bytes) + " bytes");
        break;
      }
      if (piece->offset > limits_->max_entry_bytes) {
        read = fail(Errc::limit, "larger than " + std::to_string(limits_->max_entry_bytes) + " bytes");
        break;
      }
      piece = pieces.next(keep_bytes);
      if (!piece) {
        read = fail(std::move(piece).error());
        break;
      }
      raw.feed(*piece);
    }
  }

  // What the archive's own bytes show is left out where its members show it better.
  const std::size_t inner_end = out.found.size();
  raw.finish();
  if (inner_end > first_found) {
    const auto inner = std::span(out.found).subspan(first_found, inner_end - first_found);
    const auto shown = [&](const Found& one) {
      return std::ranges::any_of(inner, [&](const Found& other) { return other.hit.value == one.hit.value; });
    };
    const auto raw_begin = out.found.begin() + static_cast<std::ptrdiff_t>(inner_end);
    out.found.erase(std::remove_if(raw_begin, out.found.end(), shown), out.found.end());
  }
  return read;
}

Result<void> Searcher::open_archive(const Entry& entry, Format format, base::Stream& bytes, Outcome& out,
                                    std::size_t depth) {
  if (format == Format::tar) {
    unpack::Window window(bytes, buffer(depth));
    unpack::TarReader reader(window, *limits_);
    return members(entry, reader, out, depth, nullptr);
  }
  if (format == Format::zip) {
    unpack::ZipReader reader(bytes, *limits_);
    unpack::ZipMember member;
    for (;;) {
      auto more = reader.next(member);
      if (!more) return fail(std::move(more).error());
      if (!*more) return {};
      Entry inner = entry;
      inner.inner.push_back(member.path);
      if (member.directory) continue;
      if (member.encrypted) {
        out.coverage.skip({SkipReason::raw_only, place_of(out.name, inner), "encrypted", 0});
        continue;
      }
      unpack::Window window(reader.data(), buffer(depth));
      unpack::StreamPieces pieces(window);
      name(inner, out);
      if (auto read = content(inner, pieces, out, depth); !read) return read;
    }
  }
  const auto decoded = unpack::decompress(format, std::make_unique<base::LentStream>(bytes), *limits_);
  unpack::Window window(*decoded, buffer(depth));
  unpack::StreamPieces pieces(window);
  Entry inner = entry;
  inner.decoding.emplace_back(to_string(format));
  return content(inner, pieces, out, depth);
}

Result<void> Searcher::members(const Entry& archive, unpack::TarReader& reader, Outcome& out, std::size_t depth,
                               Shared* shared) {
  unpack::TarMember member_header;
  for (;;) {
    auto more = reader.next(member_header);
    if (!more) return fail(std::move(more).error());
    if (!*more) return {};
    Entry entry = archive;
    if (shared != nullptr) {
      entry.path = member_header.path;
      shared->paths().add(member_header.path, member_header.type == unpack::TarMember::Type::directory
                                                  ? LayerPaths::What::directory
                                                  : LayerPaths::What::other);
    } else {
      entry.inner.push_back(member_header.path);
    }
    if (auto read = member(entry, member_header, reader, out, depth, shared); !read) {
      return fail(std::move(read).error().during(member_header.path));
    }
  }
}

Result<void> Searcher::member(const Entry& entry, const unpack::TarMember& member, unpack::TarReader& reader,
                              Outcome& out, std::size_t depth, Shared* shared) {
  using Type = unpack::TarMember::Type;
  if (member.escapes) {
    out.coverage.skip({SkipReason::corrupt, place_of(out.name, entry), "its name leads out of the archive", 0});
  }
  if (!member.extra.empty()) {
    Entry extra = entry;
    extra.kind = Kind::file_name;
    extra.field = "PAX";
    text(extra, member.extra, out);
  }
  name(entry, out);
  // Some readers take members of unknown types, and folders with data, for files.
  if (member.type == Type::file || member.data_bytes > 0) {
    unpack::TarPieces pieces(reader);
    if (shared != nullptr && shared->wants(member.data_bytes)) return shared->add(entry, pieces);
    return content(entry, pieces, out, depth, shared == nullptr ? nullptr : &shared->work());
  }
  if (member.type == Type::symlink) {
    Entry link = entry;
    link.kind = Kind::symlink_target;
    text(link, member.link, out);
  }
  if (member.type == Type::hard_link && entry.inner.empty() && out.hard_links.size() < kMaxHardLinks) {
    out.hard_links[path_hash(member.link)].push_back(member.path);
  }
  return {};
}

void Searcher::batch(Batch& batch) {
  batch.each([this](const Entry& entry, unpack::Pieces& pieces, Outcome& out) {
    // A copy can be read to its end; what of the file could not was said where it was made.
    if (auto searched = content(entry, pieces, out, 0); !searched) {
      out.coverage.skip({reason_of(searched.error()), place_of(out.name, entry), searched.error().message(), 0});
    }
  });
}

Result<void> Searcher::layer(unpack::Window& window, Work& work, Outcome& out) {
  unpack::TarReader reader(window, *limits_);
  Shared shared(*this, work, out);
  auto read = members(Entry(), reader, out, 0, &shared);
  shared.settle();
  out.paths.seal();
  // Whatever follows, an archive's end or what cannot be read as one, is searched as it is.
  const bool ended_well = static_cast<bool>(read);
  unpack::StreamPieces rest(window);
  Entry entry;
  entry.path = ended_well ? "(after the end of the layer's archive)" : "(what could not be read as an archive)";
  const std::uint64_t files = out.coverage.files;
  auto searched = content(entry, rest, out, 0, &work);
  out.coverage.files = files;
  if (!read && read.error().code() == Errc::limit) return read;
  if (!searched) return searched;
  return read;
}

}  // namespace scanner::scan
