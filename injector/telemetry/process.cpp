#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "injector/telemetry/metrics.h"
#include "scanner/base/fd.h"

namespace injector::telemetry {
namespace {

double seconds_of(clockid_t clock) {
  std::timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// The word at `index` of `text`, counted from 0, as a number.
std::uint64_t number_at(std::string_view text, int index) {
  for (int i = 0; i < index; ++i) text.remove_prefix(std::min(text.size(), text.find(' ')) + (text.empty() ? 0 : 1));
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string proc(const char* name) {
  auto text = scanner::base::read_file(std::string("/proc/self/") + name, 1UL << 16);
  return text ? std::move(*text) : std::string();
}

/// The start in ticks after boot is the 22nd field of proc(5)'s stat; the second may hold spaces and ends with ')'.
double start_seconds() {
  const std::string stat = proc("stat");
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos || name_end + 2 > stat.size()) return 0;
  const auto ticks = static_cast<double>(number_at(std::string_view(stat).substr(name_end + 2), 19));
  const auto after_boot = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME) + after_boot;
}

std::uint64_t open_descriptors() {
  const auto close = [](DIR* directory) { ::closedir(directory); };
  const std::unique_ptr<DIR, decltype(close)> directory(::opendir("/proc/self/fd"), close);
  if (directory == nullptr) return 0;
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(directory.get())) count += entry->d_name[0] != '.' ? 1U : 0U;
  return count - 1;  // Not the one that looks.
}

}  // namespace

Process this_process() {
  Process process;
  process.start_seconds = start_seconds();
  process.cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  process.resident_bytes = number_at(proc("statm"), 1) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  process.open_descriptors = open_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) process.most_descriptors = limit.rlim_cur;
  return process;
}

void add_process(Exposition& page, const Process& process) {
  using Type = Exposition::Type;
  page.family("process_start_time_seconds", Type::gauge, "Start of the process since the epoch, in seconds.");
  page.sample(process.start_seconds);
  page.family("process_cpu_seconds_total", Type::counter, "User and system CPU time, in seconds.");
  page.sample(process.cpu_seconds);
  page.family("process_resident_memory_bytes", Type::gauge, "Resident memory, in bytes.");
  page.sample(process.resident_bytes);
  page.family("process_open_fds", Type::gauge, "Open file descriptors.");
  page.sample(process.open_descriptors);
  page.family("process_max_fds", Type::gauge, "The most file descriptors that may be open.");
  page.sample(process.most_descriptors);
}

}  // namespace injector::telemetry
