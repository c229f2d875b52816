#include "scanner/unpack/zip.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  scanner::Limits limits;
  limits.max_entries = 1000;
  scanner::base::MemoryStream stream({reinterpret_cast<const char*>(data), size});
  scanner::unpack::ZipReader reader(stream, limits);
  scanner::unpack::ZipMember member;
  for (;;) {
    const auto more = reader.next(member);
    if (!more || !*more) return 0;
    if (!member.encrypted && !scanner::base::drain(reader.data())) return 0;
  }
}
