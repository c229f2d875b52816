#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/judge/judge.h"
#include "scanner/match/matcher.h"
#include "scanner/model/limits.h"
#include "scanner/scan/outcome.h"
#include "scanner/unpack/pieces.h"
#include "scanner/unpack/sniff.h"
#include "scanner/unpack/tar.h"

namespace scanner::scan {

class Batch;
class Work;

/// What a run searches with. Borrowed by everything that searches.
struct Engine {
  const match::Database* database = nullptr;
  const judge::Judge* judge = nullptr;
};

/// Searches texts and files, and the files within files. One per worker; owns all the memory that a worker needs.
class Searcher {
 public:
  static base::Result<Searcher> create(const Engine& engine, const Limits& limits, Progress& progress);

  /// Searches a short text: a variable, a name.
  void text(const Entry& entry, std::string_view text, Outcome& out);

  /// Searches a file and its name; and, where its bytes are an archive or compressed, what is in there.
  /// An error means that the file could not be read to its end; all before that was searched.
  /// The windows of a large one are shared with workers of `work` that have nothing to do.
  base::Result<void> file(const Entry& entry, unpack::Pieces& pieces, Work& work, Outcome& out);

  /// Searches the layer whose tar archive is in `window`: every member, and what follows the archive's end. Fills
  /// `out.paths`. An error means that the rest could not be read as a tar archive; it was searched as plain bytes.
  /// Small files, and the windows of large ones, are shared with workers of `work` that have nothing to do.
  base::Result<void> layer(unpack::Window& window, Work& work, Outcome& out);

  /// Searches the files of a batch.
  void batch(Batch& batch);

  /// Memory for a window on a layer or a file.
  std::span<char> window_buffer() { return buffer(0); }

 private:
  class RawSearch;
  class Tee;
  class WindowTask;
  class Shared;

  Searcher(match::Matcher matcher, const Engine& engine, const Limits& limits, Progress& progress);

  /// Bytes that windows share: the widest match, and what judge looks at around it.
  [[nodiscard]] std::size_t overlap() const;
  std::span<char> buffer(std::size_t depth);
  judge::Session& session(std::size_t depth);

  /// `work` is null where the search is not shared: within archives, and within what was shared.
  base::Result<void> content(const Entry& entry, unpack::Pieces& pieces, Outcome& out, std::size_t depth,
                             Work* work = nullptr);
  base::Result<void> open_archive(const Entry& entry, unpack::Format format, base::Stream& bytes, Outcome& out,
                                  std::size_t depth);
  /// `shared` is null but for a layer, the paths of whose members are kept.
  base::Result<void> members(const Entry& archive, unpack::TarReader& reader, Outcome& out, std::size_t depth,
                             Shared* shared);
  base::Result<void> member(const Entry& entry, const unpack::TarMember& member, unpack::TarReader& reader,
                            Outcome& out, std::size_t depth, Shared* shared);
  void decide(const Chunk& chunk, const base::Result<void>& found, std::vector<Candidate>& candidates,
              judge::Session& session, const Entry& entry, Outcome& out);
  void keep(judge::Verdict verdict, const Entry& entry, Outcome& out);
  void name(const Entry& entry, Outcome& out);

  match::Matcher matcher_;
  const match::Database* database_;
  const judge::Judge* judge_;
  const Limits* limits_;
  Progress* progress_;
  std::vector<Candidate> candidates_;
  judge::Session text_session_;
  std::vector<std::unique_ptr<judge::Session>>
      sessions_;  ///< By depth: an archive's own search goes on around its members'.
  std::vector<std::unique_ptr<char[]>> buffers_;
};

/// "blob: path!inner", as precise as an entry is.
std::string place_of(const std::string& blob, const Entry& entry);

}  // namespace scanner::scan
