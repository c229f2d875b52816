#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

#include "scanner/base/result.h"

namespace scanner::base {

using Json = nlohmann::json;

/// Parses untrusted JSON. `Errc::limit` when it nests deeper than 64 (nlohmann recurses when it copies or prints),
/// `Errc::corrupt` when it is no JSON; the message gives the byte offset, never the text. Of duplicate keys the last
/// one wins.
Result<Json> parse_json(std::string_view text);

/// The member `key` of an object as a string; empty when there is none or it is something else.
std::string string_member(const Json& object, const char* key);

/// One line of JSON; bytes that are no UTF-8 become U+FFFD. `indent` < 0 means compact.
std::string dump_json(const Json& value, int indent = -1);

}  // namespace scanner::base
