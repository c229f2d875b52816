#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "injector/render/template/format.h"
#include "injector/render/template/function.h"
#include "injector/render/template/stop.h"

/// Arithmetic as consul-template does it: the first argument is the right operand.
namespace injector::render::templates {
namespace {

using Arguments = std::span<const Value>;

enum class Operation : std::uint8_t { add, subtract, multiply, divide, modulo, minimum, maximum };

double real_of(const Value& value) {
  if (value.type == Type::float64) return value.real;
  return value.is_unsigned() ? static_cast<double>(value.natural) : static_cast<double>(value.integer);
}

double of_reals(Operation operation, double a, double b) {
  switch (operation) {
    case Operation::add:
      return a + b;
    case Operation::subtract:
      return a - b;
    case Operation::multiply:
      return a * b;
    case Operation::divide:
      return a / b;
    case Operation::minimum:
      return std::fmin(a, b);
    case Operation::maximum:
      return std::fmax(a, b);
    case Operation::modulo:
      break;
  }
  stop("a remainder is taken of whole numbers only");
}

/// Wraps as Go does.
std::uint64_t of_wholes(Operation operation, std::uint64_t a, std::uint64_t b, bool is_signed) {
  const auto left = static_cast<std::int64_t>(a);
  const auto right = static_cast<std::int64_t>(b);
  switch (operation) {
    case Operation::add:
      return a + b;
    case Operation::subtract:
      return a - b;
    case Operation::multiply:
      return a * b;
    case Operation::minimum:
      return (is_signed ? left < right : a < b) ? a : b;
    case Operation::maximum:
      return (is_signed ? left > right : a > b) ? a : b;
    case Operation::divide:
    case Operation::modulo:
      break;
  }
  if (b == 0) stop("it divides by zero");
  const bool divides = operation == Operation::divide;
  if (!is_signed) return divides ? a / b : a % b;
  if (right == -1) return divides ? 0 - a : 0;
  return static_cast<std::uint64_t>(divides ? left / right : left % right);
}

template <Operation operation>
Value calculate(Context&, Arguments arguments) {
  const Value& b = arguments[0];
  const Value& a = arguments[1];
  for (const Value& value : {a, b}) {
    if (!value.is_numeric())
      stop("a value of type " + std::string(type_name(value)) + " is no number to calculate with");
  }
  if (operation == Operation::modulo && (a.type == Type::float64 || b.type == Type::float64)) {
    stop("a remainder is taken of whole numbers only");
  }
  if (a.type == Type::float64 || b.type == Type::float64) return of_real(of_reals(operation, real_of(a), real_of(b)));
  const bool is_signed = a.is_signed() || b.is_signed();
  const std::uint64_t made = of_wholes(operation, a.natural, b.natural, is_signed);
  return is_signed ? of_int(static_cast<std::int64_t>(made), Type::int64) : of_natural(made);
}

std::int64_t bound(const Value& value) {
  std::int64_t out = 0;
  if (value.is_integer()) return value.integer;
  if (value.is_text() && try_parse_int(value.text(), 10, out)) return out;
  if (value.type == Type::number) return static_cast<std::int64_t>(parse_real(value.text()));
  if (value.type == Type::float64) return static_cast<std::int64_t>(value.real);
  stop("a value of type " + std::string(type_name(value)) + " is no number to count to");
}

Value loop(Context&, Arguments arguments) {
  if (arguments.empty() || arguments.size() > 2) stop("it wants one or two numbers");
  Value out;
  out.type = Type::channel;
  out.integer = arguments.size() == 2 ? bound(arguments[0]) : 0;
  out.size = static_cast<std::size_t>(bound(arguments.back()));
  return out;
}

constexpr auto kFunctions = std::to_array<Function>({
    {"add", "aa", calculate<Operation::add>},
    {"subtract", "aa", calculate<Operation::subtract>},
    {"multiply", "aa", calculate<Operation::multiply>},
    {"divide", "aa", calculate<Operation::divide>},
    {"modulo", "aa", calculate<Operation::modulo>},
    {"minimum", "aa", calculate<Operation::minimum>},
    {"maximum", "aa", calculate<Operation::maximum>},
    {"loop", "*a", loop},
});

}  // namespace

std::span<const Function> number_functions() { return kFunctions; }

}  // namespace injector::render::templates
