#include "tests/injector/deliver/traced.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

namespace tests {
namespace {

bool names_files(std::uint64_t number) {
  static constexpr auto kCalls = std::to_array<std::uint64_t>(
      {SYS_openat, SYS_openat2, SYS_mkdirat, SYS_symlinkat, SYS_unlinkat, SYS_renameat, SYS_readlinkat, SYS_write,
       SYS_fchmod, SYS_fchown, SYS_fstat, SYS_newfstatat, SYS_getdents64, SYS_read, SYS_pwrite64, SYS_fcntl});
  return std::ranges::find(kCalls, number) != kCalls.end();
}

#if defined(__x86_64__)
bool change(pid_t child, const std::function<void(user_regs_struct&)>& edit) {
  user_regs_struct registers{};
  iovec window{&registers, sizeof registers};
  if (::ptrace(PTRACE_GETREGSET, child, NT_PRSTATUS, &window) != 0) return false;
  edit(registers);
  return ::ptrace(PTRACE_SETREGSET, child, NT_PRSTATUS, &window) == 0;
}
void cancel(pid_t child) {
  change(child, [](auto& r) { r.orig_rax = static_cast<unsigned long long>(-1); });
}
void answer(pid_t child, int error) {
  change(child, [&](auto& r) { r.rax = static_cast<unsigned long long>(-static_cast<long long>(error)); });
}
void halve(pid_t child) {
  change(child, [](auto& r) { r.rdx = r.rdx > 1 ? r.rdx / 2 : r.rdx; });
}
constexpr bool kKnown = true;
#else
void cancel(pid_t) {}
void answer(pid_t, int) {}
void halve(pid_t) {}
constexpr bool kKnown = false;
#endif

void become_child(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"/proc/self/exe", "child"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(98);
}

}  // namespace

const std::string& no_tracing() {
  static const std::string why = [] {
    if (!kKnown) return std::string("system calls are only changed on x86-64");
    const pid_t child = ::fork();
    if (child == 0) ::_exit(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return std::string(status == 0 ? "" : "ptrace is not permitted");
  }();
  return why;
}

Ended trace(const std::vector<std::string>& arguments, const std::function<Deed(const Call&)>& on_call) {
  const pid_t child = ::fork();
  if (child == 0) become_child(arguments);
  Ended out;
  int status = 0;
  ::waitpid(child, &status, 0);  // The stop of execve.
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  bool counting = false;
  Deed deed;
  for (;;) {
    long deliver = 0;
    if (WIFSTOPPED(status)) {
      const int signal = WSTOPSIG(status);
      if (signal == (SIGTRAP | 0x80)) {
        __ptrace_syscall_info info{};
        ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
        if (counting && info.op == PTRACE_SYSCALL_INFO_ENTRY) {
          deed = on_call({++out.calls, info.entry.nr, names_files(info.entry.nr), info.entry.nr == SYS_write});
          if (deed.what == Deed::What::kill) ::kill(child, SIGKILL);
          if (deed.what == Deed::What::fail) cancel(child);
          if (deed.what == Deed::What::halve) halve(child);
        } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
          if (deed.what == Deed::What::fail) answer(child, deed.error);
          deed = {};
        }
      } else if (signal == SIGSTOP && !counting) {
        counting = true;
      } else if (signal != SIGTRAP) {
        deliver = signal;
      }
    } else {
      out.killed = WIFSIGNALED(status);
      out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      return out;
    }
    ::ptrace(PTRACE_SYSCALL, child, nullptr, deliver);
    if (::waitpid(child, &status, 0) < 0) return out;
  }
}

}  // namespace tests
