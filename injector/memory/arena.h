#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace injector::memory {

/// How well the arena's pages are kept from others, best first.
enum class Tier : std::uint8_t {
  secret,  ///< memfd_secret(2): not in the kernel's own map, so not even root reads them through /proc or a debugger.
  locked,  ///< mlock(2): never swapped, not in a core dump.
  plain,   ///< Not in a core dump, but may be swapped.
};

/// "secretmem", "mlock" or "plain", as logs and metrics say it.
std::string_view to_string(Tier tier);

/// The memory that secrets live in: one for the process, because the C callbacks of libraries carry no context.
///
/// Grows by segments between guard pages, within RLIMIT_MEMLOCK (which memfd_secret counts against, too); a segment
/// that a tier refuses is taken from the next one and counted. Everything is wiped when it is freed. A child of fork()
/// finds zeros where its parent had secrets, and may make its own. Out of memory stops the process. Thread-safe.
class Arena {
 public:
  struct Status {
    Tier tier = Tier::plain;  ///< Of the first segment: what to tell the operator.
    std::size_t segments = 0;
    std::size_t fallen = 0;        ///< Segments that were ever taken from a lower tier than the first.
    std::size_t mapped_bytes = 0;  ///< Address space; pages are taken as they are written.
    std::size_t used_bytes = 0;
    std::size_t peak_bytes = 0;
  };

  /// Takes the first segment from `wish` or the best tier below it and tells which. For main, before the first secret;
  /// without it, the first secret does as much with Tier::secret. Later calls change nothing.
  static Tier open(Tier wish = Tier::secret);
  static Status status();

  /// At least one byte, aligned to kAlignment, zeroed.
  [[nodiscard]] static void* allocate(std::size_t size);
  /// Wipes and takes back what `allocate(size)` gave.
  static void free(void* block, std::size_t size) noexcept;
  /// Wipes and takes back all but the first `smaller` bytes, which stay where they are.
  static void shrink(void* block, std::size_t size, std::size_t smaller) noexcept;
  /// Whether the address lies in the arena.
  [[nodiscard]] static bool contains(const void* address);

  /// Wipes every segment, secrets that still live included: the last act of a process that ends.
  static void wipe() noexcept;

  static constexpr std::size_t kAlignment = 16;
  static constexpr std::size_t kSegmentBytes = 256UL << 10;
};

}  // namespace injector::memory
