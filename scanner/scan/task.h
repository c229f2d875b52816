#pragma once

#include <string>

namespace scanner::scan {

class Searcher;

/// A part of one worker's work that another may do. Made by one thread, run by one, and then looked at by its maker.
class Task {
 public:
  virtual ~Task() = default;

  virtual void run(Searcher& searcher) = 0;

  /// Called once it was run: what it had its bytes in and needs no more. For the next task: a megabyte that comes and
  /// goes with each would cost a twentieth of the search.
  virtual std::string memory() { return {}; }
};

}  // namespace scanner::scan
