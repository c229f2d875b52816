#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "scanner/scan/blob.h"
#include "scanner/scan/task.h"
#include "scanner/source/source.h"

namespace scanner::scan {

/// What the workers of a run have to do: units on their way from the source, no more than there are workers, so that a
/// source never runs far ahead; and tasks, by which a worker with much to search shares it with those that have nothing
/// to do. All may be called from any thread.
class Work {
 public:
  explicit Work(std::size_t workers) : workers_(workers) {}

  // The source's side.

  /// Waits for room.
  void put(source::Unit unit);
  /// There are no more units.
  void close();
  [[nodiscard]] bool full();

  // The workers' side.

  struct Nothing {};
  using Next = std::variant<Nothing, source::Unit, std::shared_ptr<Task>>;

  /// Waits for something to do. `Nothing` when there will never be any.
  Next take();
  /// A unit that `take` gave was searched.
  void done(const source::Unit& unit);
  /// A task was run, whoever did.
  void done(Task& task);

  /// Busy when the large units alone, those at hand included, keep every worker busy.
  [[nodiscard]] Cores cores();

  /// Whether a task would be taken now: some worker has no unit, and not enough tasks. Cheap; may be out of date.
  [[nodiscard]] bool takes_tasks() const { return takes_tasks_.load(std::memory_order_relaxed); }
  /// False when it is not taken: then the caller runs it.
  bool offer(const std::shared_ptr<Task>& task);
  /// Takes back what was offered and nobody began: true, and the caller runs it. False after it was run.
  bool take_back(const Task& task);

  /// What a task had its bytes in, for another; empty when there is none.
  std::string memory();
  void keep(std::string memory);

 private:
  static bool is_large(const source::Unit& unit);
  /// Tasks wait for helpers, and not helpers for tasks, however uneven they are: two more than there are helpers.
  [[nodiscard]] bool has_room() const {
    const std::size_t helpers = idle_ + begun_.size();
    return units_.empty() && helpers > 0 && offered_.size() < helpers + 2;
  }
  void tell() { takes_tasks_.store(has_room(), std::memory_order_relaxed); }

  const std::size_t workers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<source::Unit> units_;
  std::deque<std::shared_ptr<Task>> offered_;
  std::deque<const Task*> begun_;
  std::vector<std::string> memory_;
  std::size_t large_ = 0;    ///< Units that wait or are being searched.
  std::size_t at_hand_ = 0;  ///< Units that are being searched: tasks may come of them.
  std::size_t idle_ = 0;     ///< Workers that wait.
  std::atomic<bool> takes_tasks_{false};
  bool closed_ = false;
};

}  // namespace scanner::scan
