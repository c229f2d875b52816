#include <cstddef>
#include <cstdint>
#include <string_view>

#include "scanner/base/check.h"
#include "scanner/rules/lint.h"
#include "scanner/rules/loader.h"
#include "scanner/rules/serialize.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scanner;
  rules::LoadOptions options;
  options.known_check = [](std::string_view name) { return name == "jwt"; };
  const auto loaded = rules::load_text({reinterpret_cast<const char*>(data), size}, "/nonexistent/rules.toml", options);
  if (!loaded) {
    SCANNER_CHECK(loaded.error().code() == base::Errc::config && !loaded.error().message().empty());
    return 0;
  }
  for (const Rule& rule : loaded->rules.rules) {
    SCANNER_CHECK(!rule.id.empty() && (!rule.regex.empty() || !rule.path.empty()));
    if (!rule.regex.empty()) SCANNER_CHECK(static_cast<bool>(rules::shape_of(rule.regex)));
  }
  const auto again = rules::deserialize(rules::serialize(loaded->rules));
  SCANNER_CHECK(again && rules::hash_of(*again) == loaded->rules.hash);
  return 0;
}
