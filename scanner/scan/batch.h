#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scanner/model/entry.h"
#include "scanner/scan/outcome.h"
#include "scanner/scan/task.h"
#include "scanner/unpack/pieces.h"

namespace scanner::scan {

/// Files copied out of a layer, for another worker to search. Written by the one who reads the layer, then searched by
/// one worker; never both at once.
class Batch final : public Task {
 public:
  /// Files larger than this are not copied: their reader searches them.
  static constexpr std::uint64_t kMaxFile = 1U << 20;
  /// Bytes that are worth handing over, what is kept of the files besides counted.
  static constexpr std::size_t kEnough = 1U << 19;

  /// `of` is where the layer's own results go. `memory` is what an earlier batch gave back, or empty.
  Batch(const Outcome& of, std::string memory) : bytes_(std::move(memory)) {
    out.name = of.name;
    bytes_.reserve(kEnough + kMaxFile);
  }

  /// Copies a file to its end. An error is that of `pieces`; what came before it is in the batch. `before` is what the
  /// layer's reader has skipped since the file before: all skips stay in the order of the layer.
  base::Result<void> add(Entry entry, unpack::Pieces& pieces, std::vector<Skipped> before);

  [[nodiscard]] bool full() const { return bytes_.size() + overhead_ >= kEnough; }

  /// Calls `search(entry, pieces, out)` for each file, and drops the files.
  template <class Search>
  void each(Search search) {
    for (File& file : files_) {
      for (Skipped& one : file.before) out.coverage.skip(std::move(one));
      Copy pieces(bytes_, file.stretches);
      search(file.entry, pieces, out);
    }
    files_ = {};
    overhead_ = 0;
    bytes_.clear();
  }

  void run(Searcher& searcher) override;
  std::string memory() override { return std::move(bytes_); }

  Outcome out;

 private:
  /// What lies between two holes of a file.
  struct Stretch {
    std::uint64_t offset = 0;  ///< Within the file.
    std::size_t begin = 0;     ///< Within `bytes_`.
    std::size_t size = 0;
    bool ends = true;
  };
  struct File {
    Entry entry;
    std::vector<Skipped> before;
    std::vector<Stretch> stretches;
  };
  class Copy final : public unpack::Pieces {
   public:
    Copy(std::string_view bytes, const std::vector<Stretch>& stretches) : bytes_(bytes), stretches_(&stretches) {}
    base::Result<unpack::Piece> next(std::size_t keep) override;

   private:
    std::string_view bytes_;
    const std::vector<Stretch>* stretches_;
    std::size_t next_ = 0;
  };

  std::string bytes_;
  std::vector<File> files_;
  std::size_t overhead_ = 0;  ///< Bytes of `files_`: empty files are not for nothing.
};

}  // namespace scanner::scan
