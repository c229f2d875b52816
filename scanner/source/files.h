#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scanner/base/fd.h"
#include "scanner/base/stream.h"
#include "scanner/source/source.h"

namespace scanner::source {

/// A file or a directory to look through, opened, with the name that the user gave it.
struct Root {
  base::Fd fd;
  std::string name;
};

/// Every regular file below the roots, with names and symlink targets. Links are not followed, nothing outside the
/// roots is opened, and a file is opened only when its turn comes. Virtual file systems (/proc, /sys) are left out and
/// said so; FIFOs, sockets and devices have no content of their own.
std::unique_ptr<Source> files_in(std::vector<Root> roots);

/// One stream, as one file called `name`.
std::unique_ptr<Source> stream_of(std::unique_ptr<base::Stream> stream, std::string name);

/// Which processes to read the environment of.
struct Processes {
  bool all = false;
  std::vector<int> pids;  ///< Empty and not all: this process.
};

/// The environments that processes were started with, as the kernel keeps them (/proc/PID/environ). Not to be seen
/// there: what a process has set since then.
std::unique_ptr<Source> environments_of(const Processes& processes);

}  // namespace scanner::source
