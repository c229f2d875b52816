#include "scanner/base/json.h"

namespace scanner::base {
namespace {

constexpr int kMaxDepth = 64;

bool nests_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kMaxDepth) return true;
  }
  return false;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (nests_too_deep(text)) return fail(Errc::limit, "JSON nests deeper than " + std::to_string(kMaxDepth));
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    return fail(Errc::corrupt, "not JSON at byte " + std::to_string(error.byte));
  } catch (const Json::exception&) {
    return fail(Errc::corrupt, "not JSON: a number is out of range");
  }
}

std::string string_member(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace scanner::base
