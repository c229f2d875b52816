#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "scanner/base/check.h"
#include "scanner/scan/hashing.h"
#include "scanner/source/image.h"
#include "tests/support/temporary.h"

namespace {

using namespace scanner;
using namespace scanner::source;

/// Reads a source as a run would, without searching; checks what `scan` relies on.
void read_all(Source& source) {
  std::vector<BlobResult> results;
  for (;;) {
    auto unit = source.next();
    if (!unit || !*unit) break;
    SCANNER_CHECK(unit->has_value());
    for (Item& item : **unit) {
      SCANNER_CHECK(item.data != nullptr);
      scan::HashingStream stream(std::move(item.data));
      const auto read = base::drain(stream);
      if (item.role != Item::Role::blob) continue;
      BlobResult result;
      result.blob = item.blob;
      result.size = stream.bytes();
      result.digest = stream.digest();
      result.complete = static_cast<bool>(read);
      results.push_back(result);
    }
  }
  const Description description = source.describe(results);
  for (const BlobResult& result : results) {
    SCANNER_CHECK(result.blob >= 0 && static_cast<std::size_t>(result.blob) < description.uses.size());
  }
  for (const BlobUse& use : description.uses) {
    for (const auto& [image, layer] : use.layers) {
      SCANNER_CHECK(static_cast<std::size_t>(image) < description.images.size());
      SCANNER_CHECK(static_cast<std::size_t>(layer) <
                    description.images[static_cast<std::size_t>(image)].layers.size());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Limits limits;
  limits.max_entries = 500;
  Selection selection;
  selection.all_platforms = true;
  read_all(*images_from(std::make_unique<base::MemoryStream>(bytes), "archive", selection, limits));
  auto store = open_archive_file(tests::file_with(bytes), "archive", limits);
  if (!store) return 0;
  auto stored = images_in(std::move(*store), selection, limits);
  if (stored) read_all(**stored);
  return 0;
}
