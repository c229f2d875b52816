#include "injector/pod/vault_command.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "injector/pod/vault_view.h"

namespace injector::pod {
namespace {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;

constexpr const char* kUnsupported =
    "there is no shell: kill, pkill or killall with one signal and one process, or curl -X POST to loopback, can be "
    "done";

using Words = std::vector<std::string>;

/// The words of a command as a shell would split it; $(...) and `...` are one word that starts with '$'. Nothing when
/// it holds what only a shell can do.
std::optional<Words> split(std::string_view text) {
  Words words;
  std::string word;
  bool open = false;  // Whether `word` is one, even if it is empty.
  const auto end = [&] {
    if (open) words.push_back(std::move(word));
    word.clear();
    open = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n') {
      end();
    } else if (c == '\'' || c == '"') {
      const auto close = text.find(c, i + 1);
      if (close == std::string_view::npos) return {};
      const std::string_view inner = text.substr(i + 1, close - i - 1);
      const bool substitution = c == '"' && inner.starts_with("$(") && inner.ends_with(')');
      if (c == '"' && !substitution && inner.find_first_of("$`\\") != std::string_view::npos) return {};
      if (substitution && open) return {};
      word += substitution ? "$" + std::string(inner.substr(2, inner.size() - 3)) : std::string(inner);
      open = true;
      i = close;
    } else if (text.substr(i).starts_with("$(") || c == '`') {
      const std::size_t from = c == '`' ? i + 1 : i + 2;
      const auto close = text.find(c == '`' ? '`' : ')', from);
      if (close == std::string_view::npos || open) return {};
      word = "$" + std::string(text.substr(from, close - from));
      open = true;
      i = close;
    } else if (std::string_view("$\\;&|<>(){}*?#~!").find(c) != std::string_view::npos) {
      return {};
    } else {
      word += c;
      open = true;
    }
  }
  end();
  return words;
}

struct NamedSignal {
  std::string_view name;
  int number;
};
/// Those that the configuration takes.
constexpr std::array<NamedSignal, 10> kSignals{{{"HUP", SIGHUP},
                                                {"USR1", SIGUSR1},
                                                {"USR2", SIGUSR2},
                                                {"TERM", SIGTERM},
                                                {"INT", SIGINT},
                                                {"QUIT", SIGQUIT},
                                                {"CONT", SIGCONT},
                                                {"WINCH", SIGWINCH},
                                                {"ALRM", SIGALRM},
                                                {"KILL", SIGKILL}}};

std::optional<int> signal_of(std::string_view text) {
  if (text.starts_with("SIG")) text.remove_prefix(3);
  for (const auto& each : kSignals)
    if (text == each.name || text == std::to_string(each.number)) return each.number;
  return {};
}

bool program_is(std::string_view word, std::string_view name) {
  const auto slash = word.rfind('/');
  return (slash == std::string_view::npos ? word : word.substr(slash + 1)) == name;
}

bool plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == '+';
  });
}

/// What stands in $(...): a process or a pid file.
bool whom(std::string_view substitution, SignalProcess& out) {
  const auto words = split(substitution);
  if (!words || words->empty()) return false;
  Words rest(words->begin() + 1, words->end());
  const bool pidof = program_is(words->front(), "pidof");
  if (pidof || program_is(words->front(), "pgrep")) {
    std::erase_if(rest, [&](const std::string& word) {
      return pidof ? word == "-s" : word == "-x" || word == "-o" || word == "-n";
    });
    if (rest.size() != 1 || !plain_name(rest[0]) || rest[0].starts_with('-')) return false;
    out.process = rest[0];
    return true;
  }
  if (!program_is(words->front(), "cat") || rest.size() != 1 || !rest[0].starts_with('/')) return false;
  out.pid_file = rest[0];
  return true;
}

/// Takes the signal out of the arguments: -HUP, -s HUP, --signal HUP, --signal=HUP. TERM when there is none.
std::optional<int> take_signal(Words& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(i);
    if (word == "-s" || word == "--signal" || word == "-n") {
      if (i + 1 == arguments.size()) return {};
      const auto number = signal_of(arguments[i + 1]);
      arguments.erase(at, at + 2);
      return number;
    }
    const bool name = word.size() > 2 && word[0] == '-' && word[1] != '-';
    const bool digit = word.size() == 2 && word[0] == '-' && word[1] >= '1' && word[1] <= '9';
    if (word.starts_with("--signal="))
      word.remove_prefix(9);
    else if (name || digit)
      word.remove_prefix(1);
    else
      continue;
    const auto number = signal_of(word);
    arguments.erase(at);
    return number;
  }
  return SIGTERM;
}

Result<SignalProcess> signal_by(const Words& words) {
  SignalProcess out;
  Words arguments(words.begin() + 1, words.end());
  const auto number = take_signal(arguments);
  if (!number) return fail(Errc::unsupported, "its signal is none that can be sent: HUP, USR1, TERM... can");
  out.number = *number;
  const bool by_name = !program_is(words[0], "kill");
  std::erase_if(arguments, [&](const std::string& word) {
    return word == "--" || (by_name && (word == "-x" || word == "-o" || word == "-q" || word == "-w"));
  });
  if (arguments.size() != 1) return fail(Errc::unsupported, kUnsupported);
  const std::string& target = arguments[0];
  if (by_name) {
    if (!plain_name(target) || target.starts_with('-')) return fail(Errc::unsupported, kUnsupported);
    out.process = target;
  } else if (!target.starts_with('$') || !whom(std::string_view(target).substr(1), out)) {
    return fail(Errc::unsupported, kUnsupported);
  }
  return out;
}

bool on_loopback(std::string_view url) {
  if (!url.starts_with("http://")) return false;
  std::string_view host = url.substr(7);
  host = host.substr(0, host.find('/'));
  if (host.starts_with("[::1]")) return true;
  host = host.substr(0, host.find(':'));
  return host == "localhost" || host == "127.0.0.1";
}

/// What an argument of curl means for us.
enum class CurlWord : std::uint8_t { post, nothing, other };

/// Looks at the word at `i`, and moves `i` on to the last word that belongs to it.
CurlWord curl_word(const Words& words, std::size_t& i) {
  const std::string& word = words[i];
  const std::string next = i + 1 < words.size() ? words[i + 1] : std::string();
  const bool more = i + 1 < words.size();
  const auto is = [&](std::initializer_list<const char*> names) {
    return std::ranges::find(names, word) != names.end();
  };
  if (is({"-XPOST", "--request=POST"})) return CurlWord::post;
  if ((is({"-X", "--request"}) && next == "POST") || (is({"-d", "--data"}) && more && next.empty())) {
    ++i;
    return CurlWord::post;
  }
  if ((is({"-o", "--output"}) && next == "/dev/null") ||
      (is({"-m", "--max-time", "--retry", "--connect-timeout"}) && more)) {
    ++i;
    return CurlWord::nothing;
  }
  const bool quiet = word.size() > 1 && word[0] == '-' && word.find_first_not_of("sSf", 1) == std::string::npos;
  return quiet || is({"--silent", "--fail", "--show-error"}) ? CurlWord::nothing : CurlWord::other;
}

Result<PostLoopback> post_by(const Words& words) {
  constexpr const char* kOnlyPost =
      "of HTTP only a POST without a body to loopback can be done: curl -X POST http://127.0.0.1:PORT/PATH";
  bool post = false;
  std::string url;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const CurlWord what = curl_word(words, i);
    if (what == CurlWord::post) post = true;
    if (what != CurlWord::other) continue;
    if (!url.empty() || !on_loopback(words[i])) return fail(Errc::unsupported, kOnlyPost);
    url = words[i];
  }
  if (!post || url.empty()) return fail(Errc::unsupported, kOnlyPost);
  return PostLoopback{std::move(url)};
}

template <typename How>
Result<OnChange> told_by(Result<How> how) {
  if (!how) return fail(std::move(how).error());
  Result<OnChange> change{OnChange()};
  change->how.emplace<How>(std::move(*how));
  return change;
}

}  // namespace

Result<OnChange> on_change_of_command(std::string_view command) {
  command = trimmed(command);
  for (const std::string_view end : {"|| true", "||true", "|| :", "; true"}) {
    if (!command.ends_with(end)) continue;
    command.remove_suffix(end.size());
    command = trimmed(command);
    break;
  }
  // Around it a shell: what it is given to do is the command.
  for (const std::string_view shell : {"/bin/sh", "/bin/bash", "bash", "sh"}) {
    if (!command.starts_with(shell)) continue;
    std::string_view rest = trimmed(command.substr(shell.size()));
    if (!rest.starts_with("-c ") && !rest.starts_with("-ec ")) break;
    rest = trimmed(rest.substr(rest.find(' ')));
    if (rest.size() < 2 || (rest[0] != '\'' && rest[0] != '"') || rest.back() != rest[0]) break;
    const std::string_view inner = rest.substr(1, rest.size() - 2);
    if (inner.find(rest[0]) != std::string_view::npos) break;
    return on_change_of_command(inner);
  }
  const auto words = split(command);
  if (!words || words->empty()) return fail(Errc::unsupported, kUnsupported);
  const std::string& program = words->front();
  for (const std::string_view name : {"kill", "pkill", "killall"})
    if (program_is(program, name)) return told_by(signal_by(*words));
  if (program_is(program, "curl")) return told_by(post_by(*words));
  return fail(Errc::unsupported, kUnsupported);
}

}  // namespace injector::pod
