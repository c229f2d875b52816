#include "scanner/report/instruction.h"

namespace scanner::report {
namespace {

constexpr std::string_view kSpace = " \t\n\v\f\r";
constexpr std::string_view kShell = "/bin/sh -c ";
constexpr std::string_view kNop = "#(nop) ";
constexpr std::string_view kBuildkit = " # buildkit";

std::string on_one_line(std::string_view text) {
  std::string out;
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const std::size_t end = text.find_first_of(kSpace, at);
    const std::string_view word = text.substr(at, end == std::string_view::npos ? end : end - at);
    if (!out.empty()) out += ' ';
    out += word;
    at = text.find_first_not_of(kSpace, at + word.size());
  }
  return out;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "|2 A=x B=y /bin/sh -c make" -> "/bin/sh -c make". Values may hold spaces, so the shell is what ends them.
void drop_arguments(std::string_view& text) {
  const std::size_t shell = text.starts_with('|') ? text.find(kShell) : std::string_view::npos;
  if (shell != std::string_view::npos) text.remove_prefix(shell);
}

}  // namespace

std::string instruction(std::string_view created_by) {
  const std::string line = on_one_line(created_by);
  std::string_view text = line;
  if (text.ends_with(kBuildkit)) text.remove_suffix(kBuildkit.size());
  bool run = take(text, "RUN ");
  drop_arguments(text);
  if (take(text, kShell)) run = !take(text, kNop);
  return (run ? "RUN " : "") + std::string(text);
}

}  // namespace scanner::report
