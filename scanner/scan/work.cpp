#include "scanner/scan/work.h"

#include <algorithm>
#include <utility>

namespace scanner::scan {
namespace {

constexpr std::size_t kWorthKeeping = 1U << 17;

}  // namespace

bool Work::is_large(const source::Unit& unit) {
  return std::ranges::any_of(unit, [](const source::Item& item) { return item.size >= kWorthAThread; });
}

void Work::put(source::Unit unit) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return units_.size() < workers_; });
  if (is_large(unit)) ++large_;
  units_.push_back(std::move(unit));
  tell();
  changed_.notify_all();
}

void Work::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool Work::full() {
  const std::scoped_lock lock(mutex_);
  return units_.size() >= workers_;
}

Work::Next Work::take() {
  std::unique_lock lock(mutex_);
  ++idle_;
  tell();
  changed_.wait(lock, [this] { return !units_.empty() || !offered_.empty() || (closed_ && at_hand_ == 0); });
  --idle_;
  Next next;
  if (!units_.empty()) {  // These first: they need no copies.
    next = std::move(units_.front());
    units_.pop_front();
    ++at_hand_;
    changed_.notify_all();
  } else if (!offered_.empty()) {
    begun_.push_back(offered_.front().get());
    next = std::move(offered_.front());
    offered_.pop_front();
  }
  tell();
  return next;
}

void Work::done(const source::Unit& unit) {
  const std::scoped_lock lock(mutex_);
  if (is_large(unit)) --large_;
  --at_hand_;
  changed_.notify_all();
}

void Work::done(Task& task) {
  keep(task.memory());
  const std::scoped_lock lock(mutex_);
  std::erase(begun_, &task);
  tell();
  changed_.notify_all();
}

Cores Work::cores() {
  const std::scoped_lock lock(mutex_);
  return large_ < workers_ ? Cores::spare : Cores::busy;
}

bool Work::offer(const std::shared_ptr<Task>& task) {
  const std::scoped_lock lock(mutex_);
  if (!has_room()) return false;
  offered_.push_back(task);
  tell();
  changed_.notify_all();
  return true;
}

std::string Work::memory() {
  const std::scoped_lock lock(mutex_);
  if (memory_.empty()) return {};
  std::string memory = std::move(memory_.back());
  memory_.pop_back();
  return memory;
}

void Work::keep(std::string memory) {
  if (memory.capacity() < kWorthKeeping) return;
  const std::scoped_lock lock(mutex_);
  memory_.push_back(std::move(memory));
}

bool Work::take_back(const Task& task) {
  std::unique_lock lock(mutex_);
  const auto mine = std::ranges::find(offered_, &task, &std::shared_ptr<Task>::get);
  if (mine != offered_.end()) {
    offered_.erase(mine);
    tell();
    return true;
  }
  changed_.wait(lock, [&] { return std::ranges::find(begun_, &task) == begun_.end(); });
  return false;
}

}  // namespace scanner::scan
