#include <cstddef>
#include <cstdint>
#include <string_view>

#include "injector/memory/document.h"
#include "injector/render/render.h"
#include "scanner/base/check.h"

/// The first byte is the format, the rest what a store holds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace injector;
  using scanner::base::Errc;
  if (size == 0) return 0;
  Reading reading;
  reading.document = memory::Secret::copy_of({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (const auto document = memory::Document::parse(reading.document); document && document->root().is_object()) {
    for (const auto& [name, value] : document->root().members()) {
      reading.members.push_back(
          {std::string(name), value.is_string() ? memory::Secret::copy_of(value.string()) : value.text()});
    }
  }
  FileSpec file;
  file.path = *RelativePath::parse("file");
  file.format = static_cast<Format>(data[0] % 6);
  file.from.emplace_back();
  const Reading* readings[] = {&reading};
  const auto out = render::render(file, readings);
  if (!out) {
    SCANNER_CHECK(out.error().code() == Errc::unsupported || out.error().code() == Errc::corrupt);
    SCANNER_CHECK(out.error().message().starts_with("file: "));
    return 0;
  }
  const std::string_view text = out->contents.reveal();
  if (file.format == Format::raw) SCANNER_CHECK(out->contents.equals(reading.document));
  if (file.format == Format::json) SCANNER_CHECK(static_cast<bool>(memory::Document::parse(out->contents)));
  if (file.format == Format::properties) SCANNER_CHECK(text.find_first_of(std::string_view("\0\r", 2)) == text.npos);
  if (file.format == Format::dotenv || file.format == Format::yaml) SCANNER_CHECK(text.empty() || text.ends_with('\n'));
  return 0;
}
