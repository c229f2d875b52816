#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "injector/model/file_spec.h"
#include "scanner/base/fd.h"

/// Telling an application that its files have changed: by a signal, or by a program of our own image. The third way, an
/// HTTP POST to loopback, is net's.
namespace injector::deliver {

/// Sends the signal; how many processes were told. Never waits.
///
/// By name: every process whose comm, executable or argv[0] has it, but not those whose parent has it too: the master
/// is told, not its workers. Never ourselves. Identity is held by a pidfd, so that nobody else is hit who got the
/// number of a process that ended. Needs a pod that shares its process namespace. `Errc::missing` when there is no such
/// process (or the pid file is not there, or holds no number), `Errc::denied` when we may not signal it: another user's
/// process needs CAP_KILL.
scanner::base::Result<std::size_t> signal(const SignalProcess& what);

/// A program that was started to tell somebody: without a shell, an environment, descriptors or a terminal, in a
/// process group of its own, from "/", all signals as by default. What it prints is dropped: it might be a secret.
class Child {
 public:
  /// `Errc::config` when the program is not there or cannot be run, `Errc::io` when the machine refuses another
  /// process.
  static scanner::base::Result<Child> start(const RunProgram& program);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  /// Kills what still runs, with its group.
  ~Child();

  /// Readable once it has ended: for the loop to wait on.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  /// How it ended, or nothing while it runs. `Errc::io` ("exited with 3", "was killed by signal 9") unless it was with
  /// 0.
  std::optional<scanner::base::Ok> ended();

 private:
  Child(pid_t id, scanner::base::Fd pidfd) : id_(id), pidfd_(std::move(pidfd)) {}

  pid_t id_;  ///< -1 once it was reaped.
  scanner::base::Fd pidfd_;
};

/// Starts a program and waits for its end, at most `timeout`: for where there is no loop.
scanner::base::Ok run(const RunProgram& program, std::chrono::milliseconds timeout);

}  // namespace injector::deliver
