#include "injector/model/members.h"

#include <string>
#include <string_view>

namespace injector {

using memory::Document;
using memory::Secret;

Secret bytes_of(Document::Value value) { return value.is_string() ? Secret::copy_of(value.string()) : value.text(); }

void add_members(Reading& reading, Document::Value object) {
  for (const auto& [name, value] : object.members()) reading.members.push_back({std::string(name), bytes_of(value)});
}

void add_members(Reading& reading) {
  const std::string_view bytes = reading.document.reveal();
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || bytes[first] != '{') return;
  if (const auto json = Document::parse(reading.document)) add_members(reading, json->root());
}

}  // namespace injector
