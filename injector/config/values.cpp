#include "injector/config/values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>

namespace injector::config {
namespace {

using std::chrono::milliseconds;

bool digit(char c) { return c >= '0' && c <= '9'; }
bool small_letter(char c) { return c >= 'a' && c <= 'z'; }

/// Takes a number off the front of `text`; false when there is none, or one of more than 12 digits.
bool take_number(std::string_view& text, std::int64_t& out) {
  const auto digits = std::min(text.size(), text.find_first_not_of("0123456789"));
  if (digits == 0 || digits > 12) return false;
  std::from_chars(text.data(), text.data() + digits, out);
  text.remove_prefix(digits);
  return true;
}

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 5> kUnits{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

/// Milliseconds, or -1 when it is no duration.
std::int64_t parse_duration(std::string_view text) {
  if (text.empty()) return -1;
  std::int64_t total = 0;
  std::size_t from = 0;
  while (!text.empty()) {
    std::int64_t number = 0;
    if (!take_number(text, number)) return -1;
    const auto letters = std::min(text.size(), text.find_first_of("0123456789"));
    const auto unit = std::find_if(kUnits.begin() + static_cast<std::ptrdiff_t>(from), kUnits.end(),
                                   [&](const Unit& u) { return u.name == text.substr(0, letters); });
    if (unit == kUnits.end()) return -1;
    if (number > 1'000'000'000'000 / unit->milliseconds) return -1;
    total += number * unit->milliseconds;
    from = static_cast<std::size_t>(unit - kUnits.begin()) + 1;
    text.remove_prefix(letters);
  }
  return total;
}

std::string shown(milliseconds value) {
  std::int64_t left = value.count();
  if (left == 0) return "0s";
  std::string out;
  for (const auto& unit : kUnits) {
    if (left >= unit.milliseconds) out += std::to_string(left / unit.milliseconds) + std::string(unit.name);
    left %= unit.milliseconds;
  }
  return out;
}

bool port(std::string_view text, std::uint16_t& out) {
  std::int64_t number = 0;
  if (!take_number(text, number) || !text.empty() || number < 1 || number > 65535) return false;
  out = static_cast<std::uint16_t>(number);
  return true;
}

bool host_name(std::string_view host) {
  if (host.empty() || host.size() > 253 || host.front() == '-' || host.front() == '.') return false;
  return std::ranges::all_of(host, [](char c) {
    return digit(c) || small_letter(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
  });
}

bool is_address(int family, std::string_view host) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(family, std::string(host).c_str(), bytes.data()) == 1;
}

/// Parts "host", "host:port", "[v6]:port"; false when it is none of them. `brackets` stay on an IPv6 address.
bool split_authority(std::string_view authority, std::string_view& host, std::string_view& after) {
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos || !is_address(AF_INET6, authority.substr(1, close - 1))) return false;
    host = authority.substr(0, close + 1);
  } else {
    host = authority.substr(0, authority.find(':'));
    if (!host_name(host)) return false;
  }
  after = authority.substr(host.size());
  std::uint16_t number = 0;
  return after.empty() || (after[0] == ':' && port(after.substr(1), number));
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" || (host.starts_with("127.") && is_address(AF_INET, host));
}

const char* convert_address(std::string_view text, std::string& out) {
  static constexpr const char* kWrong = "must be https:// with a host, and a port where it is not 443";
  const bool plain = text.starts_with("http://");
  if (!plain && !text.starts_with("https://")) return kWrong;
  std::string_view rest = text.substr(plain ? 7 : 8);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('@') != std::string_view::npos) return "must not hold a user name or a password";
  if (rest.find_first_of("/?#") != std::string_view::npos) return "must end after the host and its port";
  std::string_view host;
  std::string_view after;
  if (!split_authority(rest, host, after)) return kWrong;
  if (plain && !is_loopback(host)) return "must be https: only loopback may do without";
  out = text.substr(0, static_cast<std::size_t>(rest.data() + rest.size() - text.data()));
  return nullptr;
}

const char* convert_loopback_url(std::string_view text, std::string& out) {
  static constexpr const char* kWrong = "must be a URL on loopback, such as http://127.0.0.1:8080/-/reload";
  if (!text.starts_with("http://")) return kWrong;
  const std::string_view rest = text.substr(7);
  const auto slash = std::min(rest.size(), rest.find('/'));
  std::string_view host;
  std::string_view after;
  if (!split_authority(rest.substr(0, slash), host, after) || !is_loopback(host)) return kWrong;
  const bool printable =
      std::ranges::all_of(rest.substr(slash), [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (!printable) return kWrong;
  out = text;
  return nullptr;
}

const char* convert_query(std::string_view text, Query& out) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || !is_store_name(text.substr(0, colon))) {
    return "must be store:path or store:path#key, with a store from \"stores\"";
  }
  out.store = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  const auto hash = rest.find('#');
  out.path = rest.substr(0, hash);
  if (const char* wrong = flaw_of_store_path(out.path)) return wrong;
  if (hash == std::string_view::npos) return nullptr;
  out.key = rest.substr(hash + 1);
  return out.key.empty() ? "must have a key after '#', or no '#'" : nullptr;
}

const char* convert_listen(std::string_view text, Health& out) {
  if (text == "none") {
    out.port = 0;
    return nullptr;
  }
  const char* wrong = "must be address:port, :port, or none";
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !port(text.substr(colon + 1), out.port)) return wrong;
  std::string_view host = text.substr(0, colon);
  if (host.empty()) return nullptr;
  const bool six = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (six) host = host.substr(1, host.size() - 2);
  if (!is_address(six ? AF_INET6 : AF_INET, host)) return wrong;
  out.host = host;
  return nullptr;
}

const char* convert_mode(std::string_view text, mode_t& out) {
  if (text.size() == 4 && text[0] == '0') text.remove_prefix(1);
  const bool octal = text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '7'; });
  if (!octal) return "must be octal permission bits in quotes, such as \"0440\"";
  unsigned bits = 0;
  for (const char c : text) bits = bits * 8 + static_cast<unsigned>(c - '0');
  if ((bits & 0400U) == 0) return "must let its owner read";
  if ((bits & 0022U) != 0) return "must let nobody but its owner write";
  out = bits;
  return nullptr;
}

}  // namespace

Type<milliseconds> duration(milliseconds least, milliseconds most) {
  Type<milliseconds> type;
  type.schema = {{"type", "string"},
                 {"pattern", "^(?=[0-9])(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?(?:[0-9]+ms)?$"}};
  type.read = [least, most](const Place& place, milliseconds& out) {
    if (!is_text(place)) return false;
    const milliseconds value(parse_duration(place.node->text));
    if (value.count() < 0) return place.wrong("must be a duration such as 500ms, 30s, 5m or 1h30m");
    if (value < least || value > most) return place.wrong("must be from " + shown(least) + " to " + shown(most));
    out = value;
    return true;
  };
  return type;
}

Type<mode_t> mode() {
  auto type = from_text<mode_t>("^0?[4-7][0145][0145]$", convert_mode);
  type.read = [read = type.read](const Place& place, mode_t& out) {
    const Node& node = *place.node;
    if (node.kind == Node::Kind::scalar &&
        (node.scalar == Node::Scalar::number || node.scalar == Node::Scalar::integer)) {
      return place.wrong("must be in quotes, such as \"0440\": YAML readers disagree about bare octal numbers");
    }
    return read(place, out);
  };
  return type;
}

Type<std::string> absolute_path() {
  return text("^/[^\\u0000-\\u001f\\u007f]*$", [](std::string_view path) -> const char* {
    return path.front() == '/' ? nullptr : "must be a path from the root, starting with '/'";
  });
}

Type<RelativePath> relative_path() {
  Type<RelativePath> type;
  type.schema = {{"type", "string"},
                 {"maxLength", 1024},
                 {"pattern",
                  "^(?!\\.\\.)(?!\\.(?:/|$))[^/\\u0000-\\u001f\\u007f]+(?:/(?!\\.\\.)(?!\\.(?:/|$))[^/"
                  "\\u0000-\\u001f\\u007f]+)*$"}};
  type.read = [](const Place& place, RelativePath& out) {
    if (!is_text(place)) return false;
    auto path = RelativePath::parse(place.node->text);
    if (!path) return place.wrong(path.error().message());
    out = std::move(*path);
    return true;
  };
  return type;
}

Type<std::string> address() { return from_text<std::string>("^https?://[^/@?#\\s]+/?$", convert_address); }

Type<std::string> loopback_url() {
  return from_text<std::string>("^http://(?:localhost|127\\.[0-9.]+|\\[::1\\])(?::[0-9]{1,5})?(?:/[!-\"$-~]*)?$",
                                convert_loopback_url);
}

const char* flaw_of_store_path(std::string_view path) {
  if (path.empty()) return "must have a path";
  if (path.size() > 2048) return "must have a path of at most 2048 bytes";
  const bool plain = std::ranges::none_of(path, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '?' || c == '#';
  });
  if (!plain) return "must have a path without '?', '#' and control characters (\"version\" asks for a version)";
  for (;;) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty()) return "must have a path without '/' at its ends, and never two in a row";
    if (part == "." || part == "..") return "must have a path without \".\" and \"..\" as parts";
    if (slash == std::string_view::npos) return nullptr;
    path.remove_prefix(slash + 1);
  }
}

bool is_store_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && (small_letter(name[0]) || digit(name[0])) &&
         std::ranges::all_of(name, [](char c) { return small_letter(c) || digit(c) || c == '-' || c == '_'; });
}

Type<Query> short_query() { return from_text<Query>("^[a-z0-9][a-z0-9_-]{0,62}:[^?#]+(?:#.+)?$", convert_query); }

Type<Health> listen() { return from_text<Health>("^(?:none|.*:[0-9]{1,5})$", convert_listen); }

Type<int> signal_name() {
  static const std::vector<std::pair<std::string, int>> kSignals = {
      {"HUP", SIGHUP},   {"USR1", SIGUSR1}, {"USR2", SIGUSR2},   {"TERM", SIGTERM}, {"INT", SIGINT},
      {"QUIT", SIGQUIT}, {"CONT", SIGCONT}, {"WINCH", SIGWINCH}, {"ALRM", SIGALRM}, {"KILL", SIGKILL}};
  auto both = kSignals;
  for (const auto& [name, number] : kSignals) both.emplace_back("SIG" + name, number);
  return choice<int>(both);
}

}  // namespace injector::config
