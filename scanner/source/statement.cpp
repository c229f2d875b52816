#include <limits>
#include <utility>

#include "scanner/source/documents.h"
#include "scanner/source/documents_json.h"
#include "scanner/source/documents_texts.h"

namespace scanner::source {
namespace {

using base::Json;

constexpr std::string_view kBuildArgument = "build-arg:";

/// As Texts::add_all, but that a build argument and a variable of a build step keep the form NAME=value.
void add_statement(Texts& texts, std::string& pointer, std::string_view key, const Json& value) {
  if (value.is_object()) {
    for (const auto& [name, member] : value.get_ref<const Json::object_t&>()) {
      if (member.is_object() && member.empty()) texts.add(Kind::attestation, pointer, name);
      const PointerStep step(pointer, name);
      add_statement(texts, pointer, name, member);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const PointerStep step(pointer, std::to_string(i));
      add_statement(texts, pointer, key, value[i]);
    }
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (key.starts_with(kBuildArgument)) {
      const auto name = key.substr(kBuildArgument.size());
      texts.add_pair(Kind::attestation, name, name, text);
    } else if (same_name(key, "env") && !name_in(text).empty()) {
      texts.add(Kind::attestation, name_in(text), text);
    } else {
      texts.add_all(Kind::attestation, pointer, key, value);
    }
  }
}

}  // namespace

base::Result<std::vector<Text>> statement_texts(std::string_view json, const std::string& name) {
  const auto document = parse_document(json, std::numeric_limits<std::size_t>::max());
  if (!document) return fail(document.error());
  Texts texts(name);
  std::string pointer;
  add_statement(texts, pointer, {}, *document);
  return std::move(texts).take();
}

}  // namespace scanner::source
