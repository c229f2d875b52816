#include "injector/backend/file/watcher.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "injector/net/loop.h"
#include "scanner/base/fd.h"

namespace injector::backend::file {

namespace asio = boost::asio;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Ok;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kQuiet{20};
constexpr std::chrono::milliseconds kRestless{200};
constexpr std::chrono::milliseconds kLook{1000};  // For the directory's own replacement, which inotify cannot see.
constexpr std::size_t kMostDirectories = 1000;
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |
                                  IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

struct Identity {
  dev_t device;
  ino_t inode;
  friend bool operator==(const Identity&, const Identity&) = default;
};

std::optional<Identity> identity_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino};
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

struct Watcher::State {
  explicit State(std::string path) : directory(std::move(path)) { begin(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { release(); }

  void release() {
    if (descriptor) descriptor->release();
    descriptor.reset();
  }

  /// A new inotify for the directory that is there now; none when there is no directory.
  void begin() {
    release();
    watched = 0;
    inotify = Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    problem = inotify ? 0 : errno;
    identity = identity_of(directory);
    if (identity) add(directory);
  }

  /// Watches a directory and those in it. One that is watched already only keeps its watch.
  void add(const std::string& path) {
    if (!inotify || watched >= kMostDirectories) return;
    if (::inotify_add_watch(inotify.get(), path.c_str(), kEvents) < 0) {
      if (errno != ENOENT && errno != ENOTDIR) problem = errno;
      return;
    }
    ++watched;
    const std::unique_ptr<DIR, CloseDirectory> entries(::opendir(path.c_str()));
    if (!entries) return;
    while (const dirent* entry = ::readdir(entries.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == ".." || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)) continue;
      add(path + "/" + entry->d_name);
    }
  }

  /// Takes all events off the descriptor; says whether there were any.
  bool drain() {
    alignas(::inotify_event) std::array<char, 16'384> buffer;
    bool any = false;
    bool restructured = false;
    for (;;) {
      const ssize_t got = ::read(inotify.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      any = true;
      for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
        ::inotify_event event{};
        std::memcpy(&event, buffer.data() + at, sizeof event);
        restructured = restructured || (event.mask & (IN_ISDIR | IN_Q_OVERFLOW | IN_IGNORED)) != 0;
        at += sizeof event + event.len;
      }
    }
    if (restructured) {
      watched = 0;
      add(directory);
    }
    return any;
  }

  /// Whether another directory (or none) stands where the watched one stood.
  [[nodiscard]] bool replaced() const { return identity_of(directory) != identity; }

  std::string directory;
  Fd inotify;
  int problem = 0;
  std::size_t watched = 0;
  std::optional<Identity> identity;
  /// Borrows `inotify`: released, never closed.
  std::optional<asio::posix::stream_descriptor> descriptor;
};

Watcher::Watcher(std::string directory)
    : directory_(std::move(directory)), state_(std::make_unique<State>(directory_)) {}
Watcher::~Watcher() = default;

asio::awaitable<Ok> Watcher::wait() {
  using namespace asio::experimental::awaitable_operators;
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  bool changed = false;
  auto since = BootClock::time_point::max();
  for (;;) {
    if (state_->replaced()) {
      state_->begin();
      // While there is none, there is nothing new to read.
      changed = changed || state_->identity.has_value();
    }
    if (state_->problem != 0) {
      const int problem = std::exchange(state_->problem, 0);
      state_->begin();
      if (state_->problem != 0) co_return fail(Errc::away, directory_ + ": no watch: " + std::strerror(problem));
    }
    if (changed && since == BootClock::time_point::max()) since = BootClock::now();
    if (changed && BootClock::now() - since >= kRestless) co_return Ok();

    if (!state_->descriptor) state_->descriptor.emplace(executor, state_->inotify.get());
    const auto readable = [](asio::posix::stream_descriptor& descriptor) -> asio::awaitable<void> {
      co_await asio::this_coro::throw_if_cancelled(false);
      co_await descriptor.async_wait(asio::posix::descriptor_base::wait_read, kTuple);
    };
    const auto ended = co_await (readable(*state_->descriptor) || net::sleep_for(changed ? kQuiet : kLook));
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return fail(Errc::away, "cancelled");
    const bool any = state_->drain();
    changed = changed || any;
    if (changed && !any && ended.index() == 1) co_return Ok();
  }
}

}  // namespace injector::backend::file
