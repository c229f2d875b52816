#include "tests/injector/render/readings.h"

#include "injector/memory/document.h"
#include "injector/memory/text.h"

namespace tests {

using injector::memory::Document;
using injector::memory::Secret;

injector::Reading reading(const std::map<std::string, std::string>& members) {
  injector::Reading out;
  injector::memory::Text document;
  const char* between = "{";
  for (const auto& [name, value] : members) {
    out.members.push_back({name, Secret::copy_of(value)});
    document.append(between).append_json(name).append(":").append_json(value);
    between = ",";
  }
  out.document = document.append("}").finish();
  return out;
}

injector::Reading reading_of(const std::string& document) {
  injector::Reading out;
  out.document = Secret::copy_of(document);
  const auto parsed = Document::parse(out.document);
  if (!parsed || !parsed->root().is_object()) return out;
  for (const auto& [name, value] : parsed->root().members()) {
    out.members.push_back({std::string(name), value.is_string() ? Secret::copy_of(value.string()) : value.text()});
  }
  return out;
}

injector::FileSpec file_of(injector::Format format, const std::string& key) {
  injector::FileSpec out;
  out.path = *injector::RelativePath::parse("file");
  injector::Query query;
  query.store = "store";
  query.path = "path";
  query.key = key;
  out.from = {query};
  out.format = format;
  return out;
}

}  // namespace tests
