#include "scanner/unpack/tar.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "scanner/base/check.h"

namespace {

using namespace scanner;
using namespace scanner::unpack;

/// Reads the whole archive; checks what every reader of it relies on. How many bytes of data there were.
std::uint64_t read_all(std::string_view archive, std::size_t buffer, std::size_t keep) {
  Limits limits;
  limits.max_entries = 1000;
  base::MemoryStream stream(archive);
  std::vector<char> memory(buffer);
  Window window(stream, memory);
  TarReader reader(window, limits);
  TarMember member;
  std::uint64_t total = 0;
  for (;;) {
    const auto more = reader.next(member);
    if (!more || !*more) return total;
    SCANNER_CHECK(("/" + member.path + "/").find("/../") == std::string::npos);
    SCANNER_CHECK(!member.path.starts_with('/') && !member.path.ends_with('/'));
    SCANNER_CHECK(member.offset == window.position());
    std::uint64_t reached = 0;
    std::uint64_t stored = 0;
    for (;;) {
      const auto piece = reader.data(keep);
      if (!piece) return total;
      if (piece->bytes.empty()) break;
      const std::uint64_t end = piece->offset + piece->bytes.size();
      SCANNER_CHECK(piece->begins ? piece->offset >= reached : piece->offset <= reached);
      SCANNER_CHECK(end > reached);
      stored += end - std::max(reached, piece->offset);
      reached = end;
    }
    SCANNER_CHECK(stored == member.data_bytes);
    total += stored;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view archive(reinterpret_cast<const char*>(data), size);
  const std::uint64_t large = read_all(archive, 65536, 100);
  SCANNER_CHECK(large <= size);
  SCANNER_CHECK(read_all(archive, 600, 250) == large);
  return 0;
}
