#include "scanner/judge/checks_placeholder.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "scanner/judge/checks_answer.h"
#include "scanner/judge/checks_chars.h"
#include "scanner/judge/checks_placeholder_words.h"
#include "scanner/judge/randomness.h"

namespace scanner::judge {
namespace {

static_assert(std::is_sorted(kStandIns.begin(), kStandIns.end()));
static_assert(std::is_sorted(kCommonWords.begin(), kCommonWords.end()));

template <std::size_t N>
using Words = std::array<std::string_view, N>;

template <std::size_t N>
bool holds_any(std::string_view text, const Words<N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [text](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

template <std::size_t N>
bool starts_with_any(std::string_view text, const Words<N>& words) {
  return std::any_of(words.begin(), words.end(), [text](std::string_view word) { return text.starts_with(word); });
}

template <std::size_t N>
bool is_any(std::string_view text, const Words<N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// ---- words ----

enum class Vocabulary : std::uint8_t { outside, common, stand_in };

Vocabulary look_up(std::string_view lower) {
  if (std::binary_search(kStandIns.begin(), kStandIns.end(), lower)) return Vocabulary::stand_in;
  if (std::binary_search(kCommonWords.begin(), kCommonWords.end(), lower)) return Vocabulary::common;
  return Vocabulary::outside;
}

/// A whole word, or several written as one ("mysecretpassword"). The best reading counts.
Vocabulary look_up_joined(std::string_view lower) {
  constexpr std::size_t kShortestPart = 2;
  constexpr std::size_t kLongestPart = 14;
  constexpr std::size_t kLongestWord = 64;
  if (const auto whole = look_up(lower); whole != Vocabulary::outside) return whole;
  if (lower.size() > kLongestWord) return Vocabulary::outside;
  std::vector<Vocabulary> read(lower.size() + 1, Vocabulary::outside);
  read[0] = Vocabulary::common;
  for (std::size_t end = kShortestPart; end <= lower.size(); ++end) {
    for (std::size_t size = kShortestPart; size <= std::min(end, kLongestPart); ++size) {
      if (read[end - size] == Vocabulary::outside) continue;
      const auto part = look_up(lower.substr(end - size, size));
      if (part != Vocabulary::outside) read[end] = std::max({read[end], part, read[end - size]});
    }
  }
  return read.back();
}

/// Length of the word at the front: "HTTPServer" has two, "fooBar" has two, digits are words of their own.
std::size_t word_length(std::string_view text) {
  if (is_digit(text[0])) {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  }
  std::size_t size = 1;
  while (size < text.size() && is_alpha(text[size])) {
    const bool camel = is_lower(text[size - 1]) && is_upper(text[size]);
    const bool after_acronym = size >= 1 && is_upper(text[size - 1]) && is_upper(text[size]) &&
                               size + 1 < text.size() && is_lower(text[size + 1]);
    if (camel || after_acronym) break;
    ++size;
  }
  return size;
}

/// Few, or counting up from 1: what people put behind a word to please a form.
bool is_filler_number(std::string_view digits) {
  return digits.size() <= 3 || std::string_view("1234567890").starts_with(digits);
}

bool is_made_of_stand_ins(std::string_view value) {
  bool only_common = true;
  bool any_word = false;
  for (std::string_view rest = value; !rest.empty();) {
    if (!is_alnum(rest[0])) {
      only_common = only_common &&
                    (is_space(rest[0]) || std::string_view("-_./:<>[]{}()").find(rest[0]) != std::string_view::npos);
      rest.remove_prefix(1);
      continue;
    }
    const auto word = rest.substr(0, word_length(rest));
    rest.remove_prefix(word.size());
    if (is_digit(word[0])) {
      only_common = only_common && is_filler_number(word);
      continue;
    }
    const auto found = look_up_joined(to_lower(word));
    if (found == Vocabulary::stand_in) return true;
    any_word = any_word || found == Vocabulary::common;
    only_common = only_common && found == Vocabulary::common;
  }
  return only_common && any_word;
}

/// Long enough that they do not arise by chance, wherever they stand.
constexpr Words<10> kTelling = {"example",  "changeme",  "change_me",  "change-me",  "placeholder",
                                "redacted", "replaceme", "replace_me", "replace-me", "notasecret"};

// ---- templates, references, code ----

constexpr Words<18> kTemplateMarks = {"${",         "$(",        "{{",          "{%",         "<%",
                                      "#{",         "***",       "...",         "\u2026",     "\u2022\u2022",
                                      "os.environ", "getenv",    "process.env", "System.get", "import.meta.env",
                                      "ENV[",       "/secrets/", "\u25cf\u25cf"};

constexpr Words<35> kReferences = {
    "ENC[",       "op://",   "vault:",  "ssm:",         "arn:",         "secretsmanager:", "keyvault:",
    "secretref:", "env:",    "ref:",    "ref+",         "file:",        "$ANSIBLE_VAULT",  "@Microsoft.KeyVault(",
    "!Ref",       "!Sub",    "!GetAtt", "!ImportValue", "!vault",       "!secret",         "!reference",
    "!env",       "%(",      "$env:",   "sha1-",        "sha256-",      "sha384-",         "sha512-",
    "sha256:",    "sha512:", "md5:",    "ssh-rsa ",     "ssh-ed25519 ", "ecdsa-sha2-",     "data:"};

constexpr Words<26> kObjects = {"self",   "this",    "config",  "settings", "options", "env",    "process",
                                "os",     "data",    "var",     "vars",     "local",   "module", "secrets",
                                "params", "props",   "state",   "request",  "req",     "ctx",    "args",
                                "system", "context", "environ", "values",   "inputs"};

bool is_wrapped(std::string_view value, std::string_view open, std::string_view close) {
  return value.size() > open.size() + close.size() && value.starts_with(open) && value.ends_with(close);
}

bool is_identifier_char(char c) { return is_word(c) || c == '$'; }

bool is_variable(std::string_view value) {
  if (is_wrapped(value, "%", "%")) return all_of(value.substr(1, value.size() - 2), is_word);
  if (value.size() < 2 || value[0] != '$') return false;
  const auto name = value.substr(1);
  const auto is_constant = [](char c) { return is_upper(c) || is_digit(c) || c == '_'; };
  const auto is_letter = [](char c) { return is_alpha(c) || c == '_'; };
  return !is_digit(name[0]) && (all_of(name, is_constant) || all_of(name, is_letter));
}

bool is_bracketed(std::string_view value) {
  constexpr std::size_t kLongestName = 40;
  if (is_wrapped(value, "<", ">") || is_wrapped(value, "@@", "@@") || is_wrapped(value, "__", "__")) return true;
  if (!is_wrapped(value, "{", "}") && !is_wrapped(value, "[", "]")) return false;
  const auto inside = value.substr(1, value.size() - 2);
  const auto is_name = [](char c) { return is_word(c) || c == '.' || c == '-' || c == ' ' || c == ':'; };
  return inside.size() <= kLongestName && all_of(inside, is_name) && !looks_random(inside);
}

/// `config.token`, `settings["token"]`, `$this->token`, `Env::token`, `get_secret("token")`.
bool is_code(std::string_view value) {
  const auto head_end = std::find_if_not(value.begin(), value.end(), is_identifier_char);
  const auto head = value.substr(0, static_cast<std::size_t>(head_end - value.begin()));
  const auto rest = value.substr(head.size());
  if (head.empty() || rest.empty() || is_digit(head[0])) return false;
  if (rest.starts_with("->") || rest.starts_with("::")) return true;
  if ((rest[0] == '.' || rest[0] == '[') && is_any(to_lower(head), kObjects)) return true;

  constexpr std::size_t kShortestFunction = 3;
  const auto is_path_char = [](char c) { return is_alpha(c) || c == '_' || c == '.'; };
  const auto path_end = std::find_if_not(value.begin(), value.end(), is_path_char);
  const auto path = value.substr(0, static_cast<std::size_t>(path_end - value.begin()));
  if (path.size() == value.size())
    return path.find('.') != std::string_view::npos && path.back() != '.' && !looks_random(path);
  return *path_end == '(' && path.size() >= kShortestFunction && (value.ends_with(')') || value.ends_with(");"));
}

// ---- paths, addresses, prose ----

constexpr Words<22> kFileEnds = {".pem", ".key",  ".json", ".yaml", ".yml",  ".txt",       ".crt",  ".cer",
                                 ".cfg", ".conf", ".ini",  ".env",  ".toml", ".xml",       ".html", ".js",
                                 ".ts",  ".py",   ".sh",   ".jks",  ".p12",  ".properties"};

/// A part of a path or an address that could itself be the secret: a web hook, a key in a query.
bool holds_random_part(std::string_view text) {
  constexpr std::size_t kShortest = 16;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("/\\?&=#:."), text.size());
    if (end >= kShortest && looks_random(text.substr(0, end))) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

bool is_path(std::string_view value) {
  if (any_of(value, is_space)) return false;
  const bool drive = value.size() > 3 && is_alpha(value[0]) && value[1] == ':' && (value[2] == '\\' || value[2] == '/');
  if (drive || value.starts_with("./") || value.starts_with("../") || value.starts_with("~/")) return true;
  const bool rooted = value[0] == '/' && value.find('/', 1) != std::string_view::npos;
  const auto ends_so = [value](std::string_view end) { return value.size() > end.size() + 1 && value.ends_with(end); };
  return (rooted || std::any_of(kFileEnds.begin(), kFileEnds.end(), ends_so)) && !looks_random(value);
}

bool is_bare_address(std::string_view value) {
  const auto scheme = value.find("://");
  if (scheme == std::string_view::npos || scheme == 0 || !all_of(value.substr(0, scheme), is_word)) return false;
  const auto rest = value.substr(scheme + 3);
  return rest.find('@') == std::string_view::npos && !holds_random_part(rest);
}

/// Not among them: what BIP-39's word list has.
constexpr Words<18> kProseWords = {"the", "a",   "is", "to",   "of",     "for",   "and", "or",  "in",
                                   "on",  "not", "be", "with", "please", "enter", "are", "was", "cannot"};

bool is_prose(std::string_view value) {
  constexpr int kFewestWords = 3;
  int words = 0;
  bool prose = false;
  while (!(value = without_leading_space(value)).empty()) {
    const auto end = std::find_if(value.begin(), value.end(), is_space);
    const auto word = value.substr(0, static_cast<std::size_t>(end - value.begin()));
    value.remove_prefix(word.size());
    ++words;
    prose = prose || is_any(to_lower(word), kProseWords);
  }
  return prose && words >= kFewestWords;
}

// ---- repeats and runs ----

struct Shape {
  std::size_t longest_repeat = 0;  ///< Equal characters in a row.
  std::size_t longest_run = 0;     ///< Characters that count up or down by one.
  std::size_t most_frequent = 0;   ///< Occurrences of the commonest character.
};

Shape shape_of(std::string_view lower) {
  Shape shape;
  std::array<std::size_t, 256> counts{};
  std::size_t repeat = 0;
  std::size_t run = 0;
  int last_step = 0;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const int step = i == 0 ? 0 : lower[i] - lower[i - 1];
    repeat = i > 0 && step == 0 ? repeat + 1 : 1;
    const bool counts_on = i > 0 && (step == 1 || step == -1) && is_alnum(lower[i]) && is_alnum(lower[i - 1]);
    run = !counts_on ? 1 : (step == last_step ? run + 1 : 2);
    last_step = step;
    shape.longest_repeat = std::max(shape.longest_repeat, repeat);
    shape.longest_run = std::max(shape.longest_run, run);
    shape.most_frequent = std::max(shape.most_frequent, ++counts[static_cast<std::uint8_t>(lower[i])]);
  }
  return shape;
}

/// Whether `text` is one unit again and again, the last time perhaps cut short.
bool is_periodic(std::string_view text) {
  std::vector<std::size_t> border(text.size() + 1, 0);  // longest proper border of each prefix
  for (std::size_t i = 1; i < text.size(); ++i) {
    std::size_t k = border[i];
    while (k > 0 && text[i] != text[k]) k = border[k];
    border[i + 1] = text[i] == text[k] ? k + 1 : 0;
  }
  return text.size() >= 2 && border.back() * 2 >= text.size();
}

constexpr Words<9> kKeyboardRuns = {"qwerty",   "asdfgh",   "zxcvbn",   "1q2w3e",   "deadbeef",
                                    "cafebabe", "feedface", "baadf00d", "badc0ffee"};

/// How often chance gives these in random values of the same length and charset: below 0.1 % together.
bool is_repetitive(std::string_view value) {
  while (value.ends_with('=')) value.remove_suffix(1);
  if (value.empty()) return true;
  const std::string lower = to_lower(value);
  const Shape shape = shape_of(value);
  const bool digits = all_of(value, is_digit);
  const bool hex = all_of(value, is_hex);

  constexpr std::size_t kLong = 64;  // structured values have runs of zeros, in base64: A
  std::size_t repeat_limit = 4;
  if (hex) repeat_limit = 5;
  if (digits) repeat_limit = 6;
  if (value.size() > kLong) repeat_limit = 8;

  constexpr std::size_t kShort = 12;
  std::size_t frequency_limit = value.size() / 3;
  if (hex) frequency_limit = value.size() * 3 / 7;
  if (value.size() < kShort) frequency_limit = value.size() / 2;

  constexpr std::size_t kRun = 6;
  return shape.longest_repeat >= repeat_limit || shape.most_frequent > frequency_limit ||
         shape_of(lower).longest_run >= kRun || holds_any(lower, kKeyboardRuns) || is_periodic(lower);
}

/// Beginnings of what vendors publish in their own documentation and emulators.
constexpr Words<9> kVendorSamples = {
    "4eC39HqLyjWD",                      // Stripe
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1",  // Azure storage emulator
    "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEH",  // Cosmos DB emulator
    "6LeIxAcT",                          // reCAPTCHA, test keys
    "SWMTKN-1-49nj1c",                   // Docker swarm
    "SWMKEY-1-7c37Cc",                   // Docker swarm
    "2b7e151628aed2a6abf7158809cf4f3c",  // FIPS 197
    "ac0974bec39a17e36ba4a6b4d238ff94",  // Hardhat, account 0
    "T00000000/B00000000",               // Slack web hooks
};

// ---- the key as value ----

std::string letters_and_digits(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (is_alnum(c)) plain += to_lower(c);
  }
  return plain;
}

/// `password = "password"`, `DB_PASSWORD=db-password`, `github_token: token`.
bool repeats_key(std::string_view secret, std::string_view match) {
  constexpr std::size_t kLongestName = 64;
  if (secret.size() > kLongestName || secret.empty()) return false;
  std::string_view before = match.substr(0, std::min(match.rfind(secret), match.size()));
  const auto is_key_char = [](char c) { return is_word(c) || c == '-' || c == '.'; };
  while (!before.empty() && !is_key_char(before.back())) before.remove_suffix(1);
  std::size_t size = 0;
  while (size < std::min(before.size(), kLongestName) && is_key_char(before[before.size() - size - 1])) ++size;
  const std::string key = letters_and_digits(before.substr(before.size() - size));
  const std::string value = letters_and_digits(secret);
  constexpr std::size_t kShortestEnd = 4;
  return !value.empty() && (key == value || (value.size() >= kShortestEnd && key.ends_with(value)));
}

}  // namespace

bool is_placeholder(std::string_view value) {
  constexpr std::size_t kShortest = 3;
  value = trimmed(value);
  if (value.size() < kShortest || !any_of(value, is_alnum)) return true;
  if (holds_any(value, kTemplateMarks) || starts_with_any(value, kReferences) || holds_any(value, kVendorSamples)) {
    return true;
  }
  if (is_variable(value) || is_bracketed(value) || is_code(value)) return true;
  if (is_path(value) || is_bare_address(value) || is_prose(value)) return true;
  return is_repetitive(value) || holds_any(to_lower(value), kTelling) || is_made_of_stand_ins(value);
}

CheckResult check_not_placeholder(std::string_view secret, std::string_view match, std::int64_t) {
  return is_placeholder(secret) || repeats_key(secret, match) ? refused() : accepted();
}

CheckResult check_random(std::string_view secret, std::string_view, std::int64_t) {
  return looks_random(secret) ? accepted() : refused();
}

CheckResult check_not_uuid(std::string_view secret, std::string_view, std::int64_t) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (secret.starts_with("urn:uuid:")) secret.remove_prefix(std::string_view("urn:uuid:").size());
  if (is_wrapped(secret, "{", "}")) secret = secret.substr(1, secret.size() - 2);
  const bool uuid = std::equal(secret.begin(), secret.end(), kShape.begin(), kShape.end(),
                               [](char c, char shape) { return shape == '-' ? c == '-' : is_hex(c); });
  return uuid ? refused() : accepted();
}

CheckResult check_not_hex_digest(std::string_view secret, std::string_view, std::int64_t) {
  return all_of(secret, is_hex) ? refused() : accepted();
}

}  // namespace scanner::judge
