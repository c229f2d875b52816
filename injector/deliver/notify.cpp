#include "injector/deliver/notify.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <map>
#include <memory>
#include <string_view>

namespace injector::deliver {
namespace {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Ok;
using scanner::base::Result;

constexpr std::size_t kCommBytes = 15;  // TASK_COMM_LEN without its end.

std::string message(int error) { return std::generic_category().message(error); }

std::optional<pid_t> number(std::string_view text) {
  pid_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || out <= 0) return std::nullopt;
  return out;
}

/// The beginning of a small file; nothing when it is not there, or no file: a pipe would make us wait.
std::optional<std::string> read_small(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat st {};
  if (!fd || ::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode)) return std::nullopt;
  std::string out(4096, '\0');
  const ssize_t n = ::read(fd.get(), out.data(), out.size());
  if (n < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(n));
  return out;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string of(pid_t id, const char* file) { return "/proc/" + std::to_string(id) + "/" + file; }

bool is_called(pid_t id, std::string_view name) {
  if (auto comm = read_small(of(id, "comm"))) {
    if (comm->ends_with('\n')) comm->pop_back();
    if (*comm == name.substr(0, kCommBytes)) return true;
  }
  if (const auto arguments = read_small(of(id, "cmdline"))) {
    const std::string_view first = std::string_view(*arguments).substr(0, arguments->find('\0'));
    if (!first.empty() && base_name(first) == name) return true;
    // "nginx: master process ...": some write a title over their arguments.
    if (first.starts_with(name) && first.substr(name.size()).starts_with(':')) return true;
  }
  std::array<char, 4096> target;
  const ssize_t n = ::readlink(of(id, "exe").c_str(), target.data(), target.size());
  return n > 0 && base_name({target.data(), static_cast<std::size_t>(n)}) == name;
}

/// 0 when it cannot be told.
pid_t parent_of(pid_t id) {
  // "7 (any name) S 1 ...": the name may hold anything, parentheses too.
  const auto stat = read_small(of(id, "stat"));
  if (!stat) return 0;
  const auto end = stat->rfind(") ");
  if (end == std::string::npos || end + 4 >= stat->size()) return 0;
  const std::string_view rest = std::string_view(*stat).substr(end + 4);
  return number(rest.substr(0, rest.find(' '))).value_or(0);
}

std::vector<pid_t> processes() {
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  std::vector<pid_t> out;
  const std::unique_ptr<DIR, Close> stream(::opendir("/proc"));
  if (!stream) return out;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (const auto id = number(entry->d_name)) out.push_back(*id);
  }
  return out;
}

Fd open_process(pid_t id) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, id, 0))); }

Ok send(const Fd& process, int signal) {
  if (!process) return fail(Errc::missing, "the process has ended");
  if (::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0) return {};
  if (errno == EPERM) return fail(Errc::denied, "it is another user's process, and we have no CAP_KILL");
  if (errno == ESRCH) return fail(Errc::missing, "the process has ended");
  return fail(Errc::io, message(errno));
}

Result<std::size_t> signal_by_file(const SignalProcess& what) {
  const std::string step = "signalling the process of " + what.pid_file;
  const auto text = read_small(what.pid_file);
  if (!text) return fail(Errc::missing, step + ": there is no such file");
  const auto begin = std::min(text->size(), text->find_first_not_of(" \n\t\r"));
  const std::string_view word = std::string_view(*text).substr(begin);
  const auto id = number(word.substr(0, word.find_first_of(" \n\t\r")));
  if (!id) return fail(Errc::missing, step + ": it holds no process number");
  if (*id == ::getpid())
    return fail(Errc::missing, step + ": that is ourselves (the pod must share its process namespace)");
  if (auto sent = send(open_process(*id), what.number); !sent) return fail(std::move(sent).error().during(step));
  return 1;
}

Result<std::size_t> signal_by_name(const SignalProcess& what) {
  const std::string step = "signalling " + what.process;
  std::map<pid_t, pid_t> parents;
  for (const pid_t id : processes()) {
    if (id != ::getpid() && is_called(id, what.process)) parents[id] = parent_of(id);
  }
  std::size_t told = 0;
  std::optional<scanner::base::Error> refused;
  for (const auto& [id, parent] : parents) {
    if (parents.contains(parent)) continue;
    const Fd process = open_process(id);
    if (!is_called(id, what.process)) continue;  // Somebody else has the number by now, or nobody.
    auto sent = send(process, what.number);
    if (sent) ++told;
    if (!sent && sent.error().code() != Errc::missing) refused = std::move(sent).error();
  }
  if (told > 0) return told;
  if (refused) return fail(std::move(*refused).during(step));
  return fail(Errc::missing, step + ": there is no such process (the pod must share its process namespace)");
}

/// The attributes and file actions of a spawn, freed at the end.
struct Spawning {
  Spawning() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  Spawning(const Spawning&) = delete;
  Spawning& operator=(const Spawning&) = delete;
  ~Spawning() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

}  // namespace

Result<std::size_t> signal(const SignalProcess& what) {
  return what.pid_file.empty() ? signal_by_name(what) : signal_by_file(what);
}

Result<Child> Child::start(const RunProgram& program) {
  Spawning spawning;
  for (int fd = 0; fd < 3; ++fd) {
    ::posix_spawn_file_actions_addopen(&spawning.actions, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0);
  }
  ::posix_spawn_file_actions_addclosefrom_np(&spawning.actions, 3);
  ::posix_spawn_file_actions_addchdir_np(&spawning.actions, "/");
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&spawning.attributes, &none);
  ::posix_spawnattr_setsigdefault(&spawning.attributes, &all);
  ::posix_spawnattr_setpgroup(&spawning.attributes, 0);
  ::posix_spawnattr_setflags(&spawning.attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> words = program.argv;
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  pid_t id = -1;
  const int error = ::posix_spawn(&id, words.front().c_str(), &spawning.actions, &spawning.attributes, argv.data(),
                                  environment.data());
  if (error != 0) {
    const bool machine = error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
    return fail(machine ? Errc::io : Errc::config, "running " + words.front() + ": " + message(error));
  }
  Fd pidfd = open_process(id);
  const int refused = errno;
  Child child(id, std::move(pidfd));
  if (child.pidfd() < 0) return fail(Errc::io, "running " + words.front() + ": " + message(refused));
  return child;
}

Child::Child(Child&& other) noexcept : id_(std::exchange(other.id_, -1)), pidfd_(std::move(other.pidfd_)) {}

Child::~Child() {
  if (id_ < 0) return;
  ::kill(-id_, SIGKILL);
  ::kill(id_, SIGKILL);  // It may not have its group yet.
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED) != 0 && errno == EINTR) continue;
}

std::optional<Ok> Child::ended() {
  if (id_ < 0) return std::nullopt;
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG) != 0) {
    if (errno == EINTR) return std::nullopt;
    id_ = -1;
    return fail(Errc::io, "it is unknown how it ended: " + message(errno));
  }
  if (info.si_pid == 0) return std::nullopt;
  ::kill(-id_, SIGKILL);  // What it left running in its group.
  id_ = -1;
  if (info.si_code == CLD_EXITED && info.si_status == 0) return Ok();
  const std::string how = info.si_code == CLD_EXITED ? "exited with " : "was killed by signal ";
  return fail(Errc::io, how + std::to_string(info.si_status));
}

Ok run(const RunProgram& program, std::chrono::milliseconds timeout) {
  auto child = Child::start(program);
  if (!child) return fail(std::move(child).error());
  const std::string step = "running " + program.argv.front();
  const auto end = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    if (auto ended = child->ended()) {
      if (!*ended) return fail(std::move(*ended).error().during(step));
      return {};
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0)
      return fail(Errc::io, step + ": took longer than " + std::to_string(timeout.count()) + " ms, killed");
    pollfd waiting{child->pidfd(), POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
  }
}

}  // namespace injector::deliver
