#include "injector/render/render.h"

#include <optional>

#include "injector/render/template/template.h"
#include "injector/render/value.h"
#include "scanner/base/check.h"

namespace injector::render {
namespace {

using memory::Secret;
using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using scanner::base::Result;

Result<Secret> written(Format format, const Value& value) {
  switch (format) {
    case Format::raw:
      return Secret::copy_of(value.bytes());
    case Format::json:
      return to_json(value);
    case Format::dotenv:
      return to_dotenv(value);
    case Format::properties:
      return to_properties(value);
    case Format::yaml:
      return to_yaml(value);
    case Format::pem:
      return to_pem(value);
  }
  return fail(Errc::unsupported, "no such format");
}

Result<Rendered> by_template(const FileSpec& file, std::span<const Reading* const> readings) {
  const TemplateSpec& spec = *file.templ;
  const auto& path = file.path.text();
  const auto checked = templates::Template::check(spec.text, {spec.left_delimiter, spec.right_delimiter});
  if (checked.good == nullptr) return fail(Errc::config, path + ": " + checked.mistakes.front().text());
  auto contents = checked.good->render(readings, {spec.error_on_missing_key});
  if (!contents) return fail(std::move(contents).error().during(path));
  return Rendered{std::move(*contents), 0};
}

}  // namespace

Result<Rendered> render(const FileSpec& file, std::span<const Reading* const> readings) {
  SCANNER_CHECK(readings.size() == file.from.size());
  if (file.templ) return by_template(file, readings);
  std::optional<Error> first;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    if (readings[i] == nullptr) continue;
    const auto value = Value::of(*readings[i], file.from[i].key);
    if (!value) {
      if (!first) first = value.error();
      continue;
    }
    auto contents = written(file.format, *value);
    if (!contents) return fail(std::move(contents).error().during(file.path.text()));
    return Rendered{std::move(*contents), i};
  }
  if (first) return fail(first->during(file.path.text()));
  return fail(Errc::missing, file.path.text() + ": none of its stores has answered");
}

}  // namespace injector::render
