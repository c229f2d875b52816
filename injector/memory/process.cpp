#include "injector/memory/process.h"

#include <link.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>

namespace injector::memory {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;

Ok harden_process() {
  const auto refused = [](const std::string& step) {
    return fail(Errc::io, step + ": " + std::generic_category().message(errno));
  };
  const ::rlimit none{.rlim_cur = 0, .rlim_max = 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return refused("forbidding core dumps");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return refused("hiding from debuggers");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("giving up new privileges");
  ::umask(077);
  return {};
}

Environment take_environment(const std::vector<std::string_view>& keep) {
  Environment taken;
  char** kept = environ;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view line(*at);
    const std::size_t equals = std::min(line.find('='), line.size());
    const std::string_view name = line.substr(0, equals);
    taken.insert_or_assign(std::string(name), Secret::copy_of(line.substr(std::min(equals + 1, line.size()))));
    if (std::ranges::find(keep, name) != keep.end()) {
      *kept++ = *at;
    } else {
      ::explicit_bzero(*at, line.size());
    }
  }
  if (kept != nullptr) *kept = nullptr;
  return taken;
}

void let_go_of_start() {
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void*) {
        const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        for (const ElfW(Phdr) & part : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
          if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
          const std::uintptr_t begin = (object->dlpi_addr + part.p_vaddr + page - 1) / page * page;
          const std::uintptr_t end = (object->dlpi_addr + part.p_vaddr + part.p_memsz) / page * page;
          // A refusal costs nothing: the pages stay.
          if (begin < end)
            ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // NOLINT(performance-no-int-to-ptr)
        }
        return 0;
      },
      nullptr);
}

}  // namespace injector::memory
