#include <cstddef>
#include <cstdint>
#include <string_view>

#include "injector/config/config.h"
#include "scanner/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace injector;
  using scanner::base::Errc;
  const auto config = config::parse({reinterpret_cast<const char*>(data), size}, "fuzz.yaml");
  if (!config) {
    SCANNER_CHECK(config.error().code() == Errc::config || config.error().code() == Errc::limit);
    SCANNER_CHECK(config.error().message().starts_with("fuzz.yaml"));
    return 0;
  }
  SCANNER_CHECK(config->mount.starts_with('/') && !config->files.empty());
  for (const FileSpec& file : config->files) {
    SCANNER_CHECK(RelativePath::parse(file.path.text()) && (file.mode & 0400U) != 0 && (file.mode & ~0755U) == 0);
    SCANNER_CHECK(!file.from.empty());
    for (const Query& query : file.from) SCANNER_CHECK(config->store(query.store) != nullptr && !query.path.empty());
    for (const FileSpec& other : config->files) SCANNER_CHECK(&file == &other || !file.path.contains(other.path));
  }
  return 0;
}
