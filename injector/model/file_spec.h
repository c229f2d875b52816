#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "injector/model/reading.h"
#include "injector/model/relative_path.h"

namespace injector {

/// How a value becomes the bytes of a file; render/render.h says what each looks like.
enum class Format : std::uint8_t { raw, json, dotenv, properties, yaml, pem };

/// What becomes of a file whose store has not answered for so long.
struct MaxStale {
  enum class Then : std::uint8_t {
    serve,    ///< Nothing: the last good file stays, only its age is shown.
    warn,     ///< It stays, and the log says so.
    unready,  ///< It stays, and readiness says no.
    remove,   ///< It goes.
  };
  std::chrono::milliseconds after{0};
  Then then = Then::warn;

  friend bool operator==(const MaxStale&, const MaxStale&) = default;
};

/// A signal to a process of the pod: by name (comm, executable or argv[0]), or by a file that holds its number.
struct SignalProcess {
  int number = 0;
  std::string process;   ///< Empty when `pid_file` is set.
  std::string pid_file;  ///< Empty when `process` is set.
  friend bool operator==(const SignalProcess&, const SignalProcess&) = default;
};
/// An HTTP POST without a body; the host is loopback.
struct PostLoopback {
  std::string url;
  friend bool operator==(const PostLoopback&, const PostLoopback&) = default;
};
/// A program of our own image; no shell.
struct RunProgram {
  std::vector<std::string> argv;  ///< argv[0] is an absolute path.
  friend bool operator==(const RunProgram&, const RunProgram&) = default;
};

/// Whom to tell that a file has changed, and how. One wait (`debounce`) gathers changes into one call.
struct OnChange {
  std::variant<SignalProcess, PostLoopback, RunProgram> how;
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds debounce{500};

  friend bool operator==(const OnChange&, const OnChange&) = default;
};

/// A file that a template makes, in the place of a format (render/template).
struct TemplateSpec {
  std::string text;
  std::string left_delimiter;  ///< Empty: "{{".
  std::string right_delimiter;
  bool error_on_missing_key = false;
  std::string store;  ///< Whom it asks, by its name of `stores:`.

  friend bool operator==(const TemplateSpec&, const TemplateSpec&) = default;
};

/// One file of the mount, as the configuration asks for it.
struct FileSpec {
  RelativePath path;
  /// Where its value comes from; the next where the one before cannot be had. Of a template everything that it asks, in
  /// the order of its calls: all of it is needed, and only there it may be nothing.
  std::vector<Query> from;
  std::optional<TemplateSpec> templ;
  Format format = Format::raw;
  mode_t mode = 0400;                 ///< Permission bits only.
  std::optional<uid_t> owner;         ///< Ours when absent.
  std::optional<gid_t> group;         ///< The mount's when it has the set-group-id bit, else ours, when absent.
  std::optional<MaxStale> max_stale;  ///< Absent: the last good file is served for ever.
  std::optional<std::chrono::milliseconds> refresh;  ///< Absent: the configuration's.
  std::optional<OnChange> on_change;

  friend bool operator==(const FileSpec&, const FileSpec&) = default;
};

/// What must be true before the first secret is written; what is not demanded is a warning at most. That the mount is a
/// tmpfs is always demanded.
struct Requirements {
  bool noswap = false;    ///< The mount has the option noswap.
  bool swap_off = false;  ///< noswap, or the machine has no swap on.
  bool nodev = false;
  bool nosuid = false;
  bool noexec = false;
  bool size = false;           ///< The mount has a size of its own.
  bool locked_memory = false;  ///< The arena is memfd_secret or mlock.
  bool secret_memory = false;  ///< The arena is memfd_secret.

  friend bool operator==(const Requirements&, const Requirements&) = default;
};

}  // namespace injector
