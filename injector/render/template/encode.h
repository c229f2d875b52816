#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "injector/render/template/pool.h"
#include "injector/render/template/value.h"

namespace injector::render::templates {

enum class Escape : std::uint8_t {
  html,  ///< < > & as \u003c..., as json.Marshal does.
  plain,
};
enum class Layout : std::uint8_t { compact, indented };

/// encoding/json of Go. Stops at what JSON cannot say.
void write_json(Builder& out, const Value& value, Escape escape, Layout layout);
/// yaml.v2, without the last line's end.
void write_yaml(Builder& out, const Value& value);
/// BurntSushi/toml, likewise.
void write_toml(Builder& out, const Value& value);

/// A text of JSON as Go decodes it into an interface: every number a float64. What it gives lives in the pool.
bool read_json(Pool& pool, std::string_view text, Value& out);

void write_base64(Builder& out, std::string_view bytes, bool url);
/// What Go's StdEncoding or URLEncoding decodes: padding wanted, line ends ignored. Where it is wrong, the offset that
/// Go would name is in `wrong_at`.
bool read_base64(Builder& out, std::string_view text, bool url, std::size_t& wrong_at);
void write_hex(Builder& out, std::string_view bytes);

void md5(std::string_view bytes, Builder& out);
void sha1(std::string_view bytes, Builder& out);

}  // namespace injector::render::templates
