#pragma once

#include <memory>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/match/database.h"
#include "scanner/model/candidate.h"
#include "scanner/model/chunk.h"

namespace scanner::match {

/// Finds, in one pass over a chunk, every place where some rule may hold.
///
/// The promise runs one way: where there is no candidate, no rule holds. Where there is one, `judge` decides.
/// Borrows the database, which must outlive it; any number of matchers may share one.
/// Not thread-safe: one matcher per worker.
class Matcher {
 public:
  /// Fails with `Errc::limit` when scratch memory cannot be had.
  static base::Result<Matcher> create(const Database& database);
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;
  ~Matcher();

  /// Replaces `out` by the candidates in `chunk`; neighbours of one rule come merged. In no order.
  /// On error the chunk was not fully searched, and the caller must report it as skipped.
  base::Result<void> find(const Chunk& chunk, std::vector<Candidate>& out);

 private:
  struct State;
  explicit Matcher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace scanner::match
