#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "injector/memory/document.h"
#include "injector/render/template/template.h"
#include "scanner/base/check.h"

/// A template, and after a NUL what its store has: the same for all it asks.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace injector;
  using render::templates::Template;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = input.find('\0');
  const auto checked = Template::check(input.substr(0, end));
  SCANNER_CHECK((checked.good == nullptr) == !checked.mistakes.empty());
  if (checked.good == nullptr) return 0;
  Reading reading;
  const auto rest = end == std::string_view::npos ? std::string_view(R"({"a":"1","n":5})") : input.substr(end + 1);
  reading.document = memory::Secret::copy_of(rest);
  const std::vector<const Reading*> readings(checked.good->calls().size(), &reading);
  for (const bool strict : {false, true}) {
    const auto made = checked.good->render(readings, {strict});
    SCANNER_CHECK(!made || made->size() <= Template::kMostOutput);
    // The same again: nothing of a rendering is left in the template.
    const auto again = checked.good->render(readings, {strict});
    SCANNER_CHECK(static_cast<bool>(made) == static_cast<bool>(again));
    if (made) SCANNER_CHECK(made->equals(*again));
  }
  return 0;
}
