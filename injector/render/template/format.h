#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "injector/render/template/pool.h"
#include "injector/render/template/value.h"

/// Go's fmt and strconv, as far as templates see them.
namespace injector::render::templates {

/// As %v prints it.
void print_value(Builder& out, const Value& value);
/// fmt.Sprint, Sprintln, Sprintf. %p stops: an address says nothing.
void print(Builder& out, std::span<const Value> values);
void print_line(Builder& out, std::span<const Value> values);
void print_formatted(Builder& out, std::string_view format, std::span<const Value> values);
/// As fmt.Sprintf("%v").
std::string_view shown(Pool& pool, const Value& value);

/// strconv.Quote.
void quote(Builder& out, std::string_view text);
/// strconv.FormatInt.
void print_int(Builder& out, std::int64_t value);
/// strconv.FormatFloat(value, form, precision, 64); form is one of e E f g G, a precision of -1 the shortest that reads
/// back.
void print_real(Builder& out, double value, char form, int precision);

/// strconv.ParseInt(text, base, 64), of base 0 or 10; stops when it is none.
std::int64_t parse_int(std::string_view text, int base);
bool try_parse_int(std::string_view text, int base, std::int64_t& out);
std::uint64_t parse_natural(std::string_view text);
/// strconv.ParseFloat.
double parse_real(std::string_view text);
bool try_parse_real(std::string_view text, double& out);
/// strconv.ParseBool.
bool try_parse_bool(std::string_view text, bool& out);

}  // namespace injector::render::templates
