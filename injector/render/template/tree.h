#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace injector::render::templates {

struct Function;
struct Pipe;

/// A number as it was written: what it may become depends on who takes it.
struct Number {
  std::optional<std::int64_t> integer;
  std::optional<std::uint64_t> natural;
  std::optional<double> real;
  bool is_real = false;  ///< Written with a point or an exponent.
};

/// An operand, or the word that begins a command.
struct Operand {
  enum class Kind : std::uint8_t { dot, nil, boolean, number, text, field, variable, function, pipe, chain };
  Kind kind = Kind::dot;
  std::size_t line = 1;
  bool boolean = false;
  Number number;
  std::string text;                ///< Of a text its bytes, of a variable its name ("$x"), of a function its name.
  std::vector<std::string> names;  ///< Fields: of `field`, and after `variable` and `chain`.
  const Function* function = nullptr;
  std::unique_ptr<Pipe> pipe;      ///< In parentheses.
  std::unique_ptr<Operand> inner;  ///< What a chain begins with.
};

struct Command {
  std::vector<Operand> words;
};

struct Pipe {
  std::size_t line = 1;
  bool assigns = false;  ///< "=", not ":=".
  std::vector<std::string> variables;
  std::vector<Command> commands;
};

struct Node {
  enum class Kind : std::uint8_t { text, action, if_, with, range, call, break_, continue_ };
  Kind kind = Kind::text;
  std::size_t line = 1;
  std::string text;            ///< Or the name of the template that is called.
  std::unique_ptr<Pipe> pipe;  ///< Null in a call without an argument.
  std::vector<Node> body;
  std::vector<Node> otherwise;
};

using Body = std::vector<Node>;

/// A parsed text: its own body, and those it defines by name.
struct Tree {
  Body main;
  std::map<std::string, Body> defined;
};

}  // namespace injector::render::templates
