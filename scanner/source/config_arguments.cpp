#include "scanner/source/config_arguments.h"

#include <system_error>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <utility>

#include "scanner/source/documents_json.h"
#include "scanner/source/documents_texts.h"

namespace scanner::source {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::array kShells = {"sh",      "bash", "ash",        "dash", "zsh",           "ksh",
                                "cmd.exe", "cmd",  "powershell", "pwsh", "powershell.exe"};
constexpr int kMostOptions = 8;
constexpr std::string_view kNoOperation = "#(nop)";
constexpr std::size_t kLongestShell = 200;
constexpr std::size_t kMostNames = 1000;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view word_at(std::string_view text, std::size_t position) {
  const auto rest = text.substr(std::min(position, text.size()));
  return rest.substr(0, rest.find(' '));
}

/// Whether NAME= stands at the front of `word`.
bool starts_argument(std::string_view word) {
  const auto name = name_in(word);
  return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '-';
  });
}

std::vector<std::size_t> argument_starts(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (starts_argument(word_at(text, at))) starts.push_back(at);
    at = text.find(' ', at);
    if (at == kNone) break;
  }
  return starts;
}

bool is_shell(std::string_view word) {
  const auto slash = word.find_last_of("/\\");
  const auto name = slash == kNone ? word : word.substr(slash + 1);
  return std::any_of(kShells.begin(), kShells.end(), [&](const char* shell) { return same_name(name, shell); });
}

/// -c, -ec, /c, -Command: what follows is the command.
bool takes_command(std::string_view option) {
  return same_name(option, "-command") || same_name(option, "/c") ||
         (option.size() >= 2 && option.size() <= 8 && option.front() == '-' && option.back() == 'c' &&
          std::all_of(option.begin() + 1, option.end(), is_letter));
}

/// Whether at `position` a shell is called with a command: "/bin/sh -c", "bash -o pipefail -c".
bool calls_shell(std::string_view text, std::size_t position) {
  auto word = word_at(text, position);
  if (!is_shell(word)) return false;
  bool wants_value = false;
  for (int i = 0; i < kMostOptions; ++i) {
    position += word.size() + 1;
    word = word_at(text, position);
    if (word.empty()) return false;
    if (takes_command(word)) return true;
    const bool option = word.front() == '-' || word.front() == '/';
    if (!option && !wants_value) return false;
    wants_value = option && word.back() == 'o';
  }
  return false;
}

std::size_t find_shell(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (calls_shell(text, at)) return at;
    at = text.find(' ', at);
    if (at == kNone) break;
  }
  return kNone;
}

/// Keeps the starts of declared names alone when these are as many as there should be.
void prefer_declared(std::string_view text, std::size_t count, const ArgumentNames& declared,
                     std::vector<std::size_t>& starts) {
  if (starts.size() <= count) return;
  std::vector<std::size_t> known;
  std::copy_if(starts.begin(), starts.end(), std::back_inserter(known),
               [&](std::size_t start) { return declared.contains(name_in(text.substr(start))); });
  if (known.size() == count) starts = std::move(known);
}

std::vector<std::string_view> split(std::string_view text, const std::vector<std::size_t>& starts) {
  std::vector<std::string_view> arguments;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto end = i + 1 < starts.size() ? starts[i + 1] - 1 : text.size();
    arguments.push_back(text.substr(starts[i], end - starts[i]));
  }
  return arguments;
}

/// The text after "|count ", or nothing when it has no such form.
std::string_view after_count(std::string_view text, std::size_t& count) {
  if (text.starts_with("RUN ")) text.remove_prefix(4);
  if (!text.starts_with('|')) return {};
  text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc()) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return text.starts_with(' ') ? text.substr(1) : std::string_view();
}

/// What follows the word ARG of an ARG instruction, or nothing.
std::string_view after_arg(std::string_view text) {
  const auto mark = text.substr(0, kLongestShell).find(kNoOperation);
  if (mark != kNone) text.remove_prefix(mark + kNoOperation.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.starts_with("ARG ") ? text.substr(4) : std::string_view();
}

void declare(std::string_view text, ArgumentNames& declared) {
  for (std::size_t at = 0; at < text.size() && declared.size() < kMostNames; ++at) {
    const auto word = word_at(text, at);
    declared.emplace(word.substr(0, word.find('=')));
    at += word.size();
  }
}

}  // namespace

std::vector<std::string_view> build_arguments(std::string_view created_by, ArgumentNames& declared) {
  if (const auto declaration = after_arg(created_by); !declaration.empty()) {
    declare(declaration, declared);
    return split(declaration, argument_starts(declaration));
  }
  std::size_t count = 0;
  auto text = after_count(created_by, count);
  if (const auto shell = find_shell(text); shell != kNone) text = text.substr(0, shell == 0 ? 0 : shell - 1);
  auto starts = argument_starts(text);
  prefer_declared(text, count, declared, starts);
  return split(text, starts);
}

}  // namespace scanner::source
