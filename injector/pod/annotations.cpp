#include "injector/pod/annotations.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "injector/config/grammar.h"
#include "injector/config/values.h"
#include "injector/pod/names.h"
#include "injector/render/template/template.h"

namespace injector::pod {
namespace {

using namespace std::chrono_literals;
using scanner::base::Json;

constexpr std::array kAnnotations{
    AnnotationHelp{
        "secret.", "text", "", "kv/shop/db#password",
        "What the file holds: [STORE:]PATH[?version=N][#KEY]; of several, each after a comma and a space, the "
        "first that can be had. Without a key all of it, as JSON."},
    AnnotationHelp{"template.", "text", "", "{{ with secret \"kv/shop/db\" }}...{{ end }}",
                   "The file, in Go's template language as Vault Agent has it, in the place of secret."},
    AnnotationHelp{"path.", "path", "the name", "tls/server.pem", "Where the file stands beneath the mount path."},
    AnnotationHelp{"format.", "word", "raw with a key, json without", "dotenv",
                   "raw, json, dotenv, properties, yaml or pem."},
    AnnotationHelp{"data.", "text", "", "common_name=shop.example, ttl=24h",
                   "Write this to the path and take the answer: PKI, transit. No secrets."},
    AnnotationHelp{"mode.", "octal", "\"0400\" or \"0440\": see below", "0440", "Permissions of the file."},
    AnnotationHelp{"refresh.", "duration", "that of refresh", "30s", "How often to look for another value."},
    AnnotationHelp{"max-stale.", "text", "that of max-stale", "1h unready",
                   "What becomes of the file when its store stays silent for so long: serve, warn, unready or remove."},
    AnnotationHelp{"on-change.", "text", "that of on-change", "none", "Whom to tell that this file has changed."},
    AnnotationHelp{"left-delimiter.", "text", "{{", "[[", "What begins an action of the template."},
    AnnotationHelp{"right-delimiter.", "text", "}}", "]]", "What ends it."},
    AnnotationHelp{"error-on-missing-key.", "true, false", "false", "true",
                   "Whether a field that is not there keeps the file from being written."},
    AnnotationHelp{"store", "name", "the policy's default", "vault", "The store of paths that name none."},
    AnnotationHelp{"provider", "word", "", "openbao",
                   "vault, openbao or aws: the policy's one store of this kind, in the place of store."},
    AnnotationHelp{"role", "text", "the policy's", "shop", "The role to log in to that store as; for aws its ARN."},
    AnnotationHelp{"role.", "text", "the policy's", "arn:aws:iam::111122223333:role/shop",
                   "The same for the store of this name."},
    AnnotationHelp{"namespace", "text", "the policy's", "team/app",
                   "The namespace in that store, of those that the policy allows."},
    AnnotationHelp{"mount-path", "path", "the policy's: /run/secrets/app", "/etc/shop/secrets",
                   "Where containers see the files."},
    AnnotationHelp{"containers", "names", "all, init containers too", "app, migrate",
                   "Which containers see the files."},
    AnnotationHelp{"mode", "octal", "\"0400\" or \"0440\": see below", "0440",
                   "Permissions of files without their own."},
    AnnotationHelp{"refresh", "duration", "the policy's: 5m", "1m", "How often to look for other values."},
    AnnotationHelp{"max-stale", "text", "serve for ever", "1h warn", "For files without their own."},
    AnnotationHelp{"on-change", "text", "none", "signal:HUP:nginx",
                   "none; signal:NAME:PROCESS; http:127.0.0.1:PORT/PATH, which is sent a POST."},
    AnnotationHelp{"init-only", "true, false", "false", "true", "Deliver once, before the containers start, and end."},
    AnnotationHelp{"start-jitter", "duration", "the policy's: none", "10s", "A random wait up to this at the start."},
    AnnotationHelp{"require", "words", "", "noswap, nodev",
                   "What must be true before a secret is written: noswap, swap_off, nodev, nosuid, noexec, size, "
                   "locked_memory, secret_memory."},
    AnnotationHelp{"size-limit", "quantity", "the policy's: 16Mi", "32Mi", "How much memory the files may take."},
    AnnotationHelp{"resources", "text", "the policy's", "requests.cpu=20m, limits.memory=128Mi",
                   "What the sidecar gets: requests. and limits. of cpu, memory and ephemeral-storage; 0 for none."},
    AnnotationHelp{"image", "image", "the policy's", "registry.example/secret-injector:1.0",
                   "Another image of the sidecar, of those that the policy allows."},
    AnnotationHelp{"health-port", "number", "9909", "9910", "The port of probes and metrics."},
    AnnotationHelp{"log-level", "word", "the policy's: info", "debug", "debug, info, warn or error."},
    AnnotationHelp{"log-format", "word", "the policy's: json", "text", "json or text."},
    AnnotationHelp{"status", "word", "", "injected", "Written by the webhook, never by you."},
    AnnotationHelp{"ca.", "PEM", "", "", "Written by the webhook, never by you."},
};

/// A text read by the type that the sidecar's configuration reads it with: nothing, or what is wrong with it.
template <typename T>
std::string read_as(const config::Type<T>& type, std::string_view text, T& out) {
  config::Node node;
  node.text = text;
  node.scalar = config::Node::Scalar::text;
  config::Mistakes mistakes("");
  if (type.read({&node, "", &mistakes}, out)) return {};
  const std::string told = mistakes.text();
  static constexpr std::string_view kPlace = ":1: ";
  return told.starts_with(kPlace) ? told.substr(kPlace.size()) : told;
}

std::string_view trimmed(std::string_view text) {
  static constexpr std::string_view kSpace = " \t\r\n";
  const auto from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSpace) - from + 1);
}

/// Parts at commas that a space or a line's end follows, and at ends of lines; nothing empty.
std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool comma =
        i < text.size() && text[i] == ',' && (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n');
    if (i < text.size() && !comma && text[i] != '\n') continue;
    if (const auto part = trimmed(text.substr(from, i - from)); !part.empty()) out.push_back(part);
    from = i + 1;
  }
  return out;
}

std::optional<bool> truth(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

/// What a template may ask, and on whose behalf: `data`, `version` and mistakes are the template's own affair.
class Reader {
 public:
  Reader(const Json& annotations, std::string_view pod_namespace, const Policy& policy, Asked& asked)
      : annotations_(annotations),
        pod_namespace_(pod_namespace),
        policy_(policy),
        asked_(asked),
        request_(asked.request) {}

  void read() {
    sort();
    choose_store();
    read_general();
    for (const auto& [name, parts] : files_) read_file(name, parts);
    if (files_.empty() && asked_.mistakes.empty()) {
      wrong_all(
          "no file is asked for: add an annotation such as secret-injector.io/secret.password: kv/shop/db#password");
    }
    check_paths();
    add_stores();
  }

 private:
  using Parts = std::map<std::string, std::string, std::less<>>;  // "secret" -> its value.

  void wrong(std::string_view name, const std::string& what) {
    asked_.mistakes.push_back(std::string(kDomain) + std::string(name) + ": " + what);
  }
  void wrong_all(const std::string& what) { asked_.mistakes.push_back(what); }

  /// Sorts what is ours into general ones and those of files.
  void sort() {
    for (const auto& [key, value] : annotations_.items()) {
      if (!key.starts_with(kDomain)) continue;
      const std::string_view name = std::string_view(key).substr(kDomain.size());
      if (!value.is_string()) {
        wrong(name, "must be text");
        continue;
      }
      place(name, value.get_ref<const std::string&>());
    }
  }

  void place(std::string_view name, const std::string& value) {
    const auto dot = name.find('.');
    const std::string_view stem = name.substr(0, dot == std::string_view::npos ? dot : dot + 1);
    const auto known = std::ranges::find(kAnnotations, stem, &AnnotationHelp::name);
    if (name == "inject") {
      wrong(name, "is a label, not an annotation: move it to metadata.labels");
    } else if (stem == "status" || stem == "ca.") {
      wrong(name, "is written by the webhook: remove it");
    } else if (known == kAnnotations.end()) {
      wrong(shown(name), "there is no such annotation" + suggestion(name) + "; there are " + all_names());
    } else if (value.empty()) {
      wrong(name, "must not be empty");
    } else if (stem == "role.") {
      roles_.emplace(name.substr(dot + 1), value);
    } else if (stem.ends_with('.')) {
      if (dot + 1 == name.size()) {
        wrong(name, "must have the name of a file after its dot");
      } else {
        files_[std::string(name.substr(dot + 1))].emplace(stem.substr(0, dot), value);
      }
    } else {
      general_.emplace(name, value);
    }
  }

  /// Kubernetes lets no odd letters into the name of an annotation; whoever calls us without it may have some.
  static std::string shown(std::string_view name) {
    const bool plain = name.size() <= 63 && std::ranges::all_of(name, [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                c == '-' || c == '_' || c == '.';
                       });
    return plain ? std::string(name) : "?";
  }

  static std::string suggestion(std::string_view name) {
    const auto dot = name.find('.');
    std::vector<std::string> known;
    for (const auto& each : kAnnotations) {
      if (each.name.ends_with('.') == (dot != std::string_view::npos)) known.emplace_back(each.name);
    }
    return config::suggestion(name.substr(0, dot == std::string_view::npos ? dot : dot + 1), known);
  }

  static std::string all_names() {
    std::string out;
    for (const auto& each : kAnnotations) {
      if (each.name == "status" || each.name == "ca.") continue;
      out += (out.empty() ? "" : ", ") + std::string(each.name) +
             (each.name == "role."       ? "STORE"
              : each.name.ends_with('.') ? "FILE"
                                         : "");
    }
    return out;
  }

  [[nodiscard]] const std::string* general(std::string_view name) const {
    const auto found = general_.find(name);
    return found == general_.end() ? nullptr : &found->second;
  }

  /// Runs `take` with the value of a general annotation when it is there; what it returns is what is wrong.
  template <typename Take>
  void with(std::string_view name, Take take) {
    if (const std::string* value = general(name); value != nullptr) {
      if (const std::string what = take(std::string_view(*value)); !what.empty()) wrong(name, what);
    }
  }

  [[nodiscard]] bool may_use(const StorePolicy& store) const {
    return store.pod_namespaces.empty() || std::ranges::any_of(store.pod_namespaces, [&](const std::string& each) {
             return matches(each, pod_namespace_);
           });
  }

  /// The names of stores that this pod may use, for messages.
  [[nodiscard]] std::string stores_text() const {
    std::string out;
    for (const auto& each : policy_.stores) {
      if (may_use(each)) out += (out.empty() ? "" : ", ") + each.name;
    }
    return out.empty() ? "none" : out;
  }

  void choose_store() {
    const std::string* store = general("store");
    const std::string* provider = general("provider");
    if (store != nullptr && provider != nullptr) {
      wrong("provider", "goes without secret-injector.io/store: remove one of the two");
    } else if (store != nullptr) {
      store_ = policy_.store(*store);
      if (store_ == nullptr || !may_use(*store_)) {
        store_ = nullptr;
        wrong("store", "the policy has no such store for this namespace; it has " + stores_text());
      }
    } else if (provider != nullptr) {
      choose_by(*provider);
    } else {
      store_ = policy_.default_store_or_null();
      if (store_ != nullptr && !may_use(*store_)) store_ = nullptr;
    }
  }

  void choose_by(const std::string& provider) {
    using Provider = StorePolicy::Provider;
    const auto kind = provider == "vault"     ? std::optional(Provider::vault)
                      : provider == "openbao" ? std::optional(Provider::openbao)
                      : provider == "aws"     ? std::optional(Provider::aws)
                                              : std::nullopt;
    if (!kind) return wrong("provider", "must be one of vault, openbao, aws");
    std::vector<const StorePolicy*> fit;
    for (const auto& each : policy_.stores) {
      if (each.provider == *kind && may_use(each)) fit.push_back(&each);
    }
    if (fit.size() == 1) {
      store_ = fit[0];
    } else if (fit.empty()) {
      wrong("provider", "the policy has no store of this provider for this namespace; it has " + stores_text());
    } else {
      wrong("provider", "the policy has several stores of this provider: name one by secret-injector.io/store, of " +
                            stores_text());
    }
  }

  void read_general() {
    with("mount-path", [&](std::string_view text) -> std::string {
      if (const char* flaw = flaw_of_directory(text)) return flaw;
      request_.directory = text;
      return {};
    });
    with("containers", [&](std::string_view text) -> std::string {
      std::string all(text);
      for (std::size_t from = 0; from <= all.size();) {
        const auto comma = std::min(all.find(',', from), all.size());
        const auto name = trimmed(std::string_view(all).substr(from, comma - from));
        if (flaw_of_label(name) != nullptr) return "must be names of containers, with a comma between them";
        request_.containers.emplace_back(name);
        from = comma + 1;
      }
      return {};
    });
    with("mode", [&](std::string_view text) { return take_mode(text, mode_); });
    with("refresh", [&](std::string_view text) { return take_duration(text, 10ms, 366 * 24h, request_.refresh); });
    with("start-jitter", [&](std::string_view text) { return take_duration(text, 0ms, 10min, request_.start_jitter); });
    with("max-stale", [&](std::string_view text) { return take_max_stale(text, request_.max_stale); });
    with("on-change", [&](std::string_view text) { return take_on_change(text, on_change_); });
    with("init-only", [&](std::string_view text) -> std::string {
      const auto value = truth(text);
      if (!value) return "must be \"true\" or \"false\"";
      if (*value) request_.run = Request::Run::init_only;
      return {};
    });
    with("require", [&](std::string_view text) { return take_requirements(text); });
    with("size-limit", [&](std::string_view text) -> std::string {
      const auto size = quantity(text);
      if (!size || *size < 65536 || *size > 0x1p40) return "must be a quantity from 64Ki on, such as 16Mi";
      request_.size_limit = text;
      return {};
    });
    with("resources", [&](std::string_view text) { return take_resources(text); });
    with("image", [&](std::string_view text) -> std::string {
      if (const char* flaw = flaw_of_image(text)) return flaw;
      if (!policy_.allows_image(text))
        return "the policy allows no such image: ask the operator to add it to \"images\", or remove this annotation";
      request_.image = text;
      return {};
    });
    with("health-port", [&](std::string_view text) -> std::string {
      Health health;
      if (text.find(':') != std::string_view::npos ||
          !read_as(config::listen(), ":" + std::string(text), health).empty() || health.port < 1024)
        return "must be a port from 1024 to 65535";
      request_.health_port = health.port;
      return {};
    });
    with("log-level", [&](std::string_view text) {
      return take_word(text, {"debug", "info", "warn", "error"}, request_.log_level);
    });
    with("log-format", [&](std::string_view text) { return take_word(text, {"json", "text"}, request_.log_format); });
  }

  using Health = config::Health;

  static std::string take_word(std::string_view text, std::initializer_list<std::string_view> words, std::string& out) {
    if (std::ranges::find(words, text) == words.end()) {
      std::string all;
      for (const auto word : words) all += (all.empty() ? "" : ", ") + std::string(word);
      return "must be one of " + all;
    }
    out = text;
    return {};
  }

  static std::string take_mode(std::string_view text, std::optional<mode_t>& out) {
    mode_t value = 0;
    std::string what = read_as(config::mode(), text, value);
    if (what.empty()) out = value;
    return what;
  }

  static std::string take_duration(std::string_view text, std::chrono::milliseconds least,
                                   std::chrono::milliseconds most, std::optional<std::chrono::milliseconds>& out) {
    std::chrono::milliseconds value{0};
    std::string what = read_as(config::duration(least, most), text, value);
    if (what.empty()) out = value;
    return what;
  }

  /// "1h", "1h unready"
  static std::string take_max_stale(std::string_view text, std::optional<MaxStale>& out) {
    using Then = MaxStale::Then;
    const auto space = text.find(' ');
    MaxStale value;
    std::optional<std::chrono::milliseconds> after;
    if (std::string what = take_duration(text.substr(0, space), 1s, 366 * 24h, after); !what.empty()) {
      return what + ", and then serve, warn, unready or remove";
    }
    value.after = *after;
    if (space != std::string_view::npos) {
      const auto then = trimmed(text.substr(space));
      if (then == "serve") {
        value.then = Then::serve;
      } else if (then == "warn") {
        value.then = Then::warn;
      } else if (then == "unready") {
        value.then = Then::unready;
      } else if (then == "remove") {
        value.then = Then::remove;
      } else {
        return "must say serve, warn, unready or remove after the duration";
      }
    }
    out = value;
    return {};
  }

  /// "none", "signal:HUP:nginx", "http:127.0.0.1:8080/-/reload"
  static std::string take_on_change(std::string_view text, std::optional<OnChange>& out) {
    static constexpr const char* kWays = "must be none, signal:NAME:PROCESS or http:127.0.0.1:PORT/PATH";
    if (text == "none") {
      out.reset();
      return {};
    }
    if (text.starts_with("http:")) {
      text.remove_prefix(5);
      if (text.starts_with("//")) text.remove_prefix(2);
      std::string url;
      std::string what = read_as(config::loopback_url(), "http://" + std::string(text), url);
      if (what.empty()) out.emplace().how = PostLoopback{std::move(url)};
      return what;
    }
    if (!text.starts_with("signal:")) return kWays;
    text.remove_prefix(7);
    const auto colon = text.find(':');
    int number = 0;
    if (std::string what = read_as(config::signal_name(), text.substr(0, colon), number); !what.empty()) {
      return "the signal " + what;
    }
    const std::string_view process = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    if (process.empty()) return "must name the process after the signal, such as signal:HUP:nginx";
    const bool plain = process.size() <= 64 && std::ranges::all_of(process, [](char c) { return c > ' ' && c < 0x7f; });
    if (!plain) return "must name a process by plain letters, at most 64";
    out.emplace().how = SignalProcess{number, std::string(process), ""};
    return {};
  }

  std::string take_requirements(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, bool Requirements::*>, 8> kWords{
        {{"noswap", &Requirements::noswap},
         {"swap_off", &Requirements::swap_off},
         {"nodev", &Requirements::nodev},
         {"nosuid", &Requirements::nosuid},
         {"noexec", &Requirements::noexec},
         {"size", &Requirements::size},
         {"locked_memory", &Requirements::locked_memory},
         {"secret_memory", &Requirements::secret_memory}}};
    for (std::string_view rest = text;;) {
      const auto comma = rest.find(',');
      const auto word = trimmed(rest.substr(0, comma));
      const auto* found = std::ranges::find(kWords, word, [](const auto& each) { return each.first; });
      if (found == kWords.end())
        return "must be words of noswap, swap_off, nodev, nosuid, noexec, size, locked_memory, secret_memory, with "
               "commas between them";
      request_.require.*found->second = true;
      if (comma == std::string_view::npos) return {};
      rest.remove_prefix(comma + 1);
    }
  }

  std::string take_resources(std::string_view text) {
    static constexpr const char* kWrong = "must be pairs such as requests.cpu=20m, limits.memory=128Mi";
    Resources& out = request_.resources;
    const std::array<std::pair<std::string_view, std::string*>, 6> rows{
        {{"requests.cpu", &out.cpu_request},
         {"requests.memory", &out.memory_request},
         {"requests.ephemeral-storage", &out.storage_request},
         {"limits.cpu", &out.cpu_limit},
         {"limits.memory", &out.memory_limit},
         {"limits.ephemeral-storage", &out.storage_limit}}};
    for (std::string_view rest = text;;) {
      const auto comma = rest.find(',');
      const auto pair = trimmed(rest.substr(0, comma));
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos) return kWrong;
      const auto* row =
          std::ranges::find(rows, trimmed(pair.substr(0, equals)), [](const auto& each) { return each.first; });
      if (row == rows.end()) return kWrong;
      const auto amount = trimmed(pair.substr(equals + 1));
      if (const char* flaw = flaw_of_quantity(amount)) return std::string(row->first) + " " + flaw;
      if (!row->second->empty()) return std::string(row->first) + " is there twice";
      *row->second = amount;
      if (comma == std::string_view::npos) return {};
      rest.remove_prefix(comma + 1);
    }
  }

  // --- files ---------------------------------------------------------------------------------------------------------

  void read_file(const std::string& name, const Parts& parts) {
    FileRequest file;
    const auto value = [&](std::string_view part) -> const std::string* {
      const auto found = parts.find(part);
      return found == parts.end() ? nullptr : &found->second;
    };
    const auto said = [&](std::string_view part) { return std::string(part) + "." + name; };
    const auto take = [&](std::string_view part, auto reader) {
      if (const std::string* text = value(part); text != nullptr) {
        if (const std::string what = reader(std::string_view(*text)); !what.empty()) wrong(said(part), what);
      }
    };

    const std::string* secret = value("secret");
    const std::string* templ = value("template");
    if (secret == nullptr && templ == nullptr) {
      const std::string first = said(parts.begin()->first);
      return wrong(
          first, "belongs to a file that is not asked for: add secret-injector.io/secret." + name + ", or remove this");
    }
    file.asked_by = std::string(kDomain) + said(secret != nullptr ? "secret" : "template");
    if (secret != nullptr && templ != nullptr) {
      return wrong(said("template"), "goes without secret-injector.io/secret." + name +
                                         ": a template names the paths that it reads itself; remove one of the two");
    }
    const std::string* path = value("path");
    auto parsed = RelativePath::parse(path != nullptr ? *path : name);
    if (!parsed) {
      wrong(path != nullptr ? said("path") : said(secret != nullptr ? "secret" : "template"), parsed.error().message());
    } else {
      file.path = std::move(*parsed);
    }
    if (secret != nullptr) {
      take("secret", [&](std::string_view text) { return take_sources(text, file); });
      for (const auto part : {"left-delimiter", "right-delimiter", "error-on-missing-key"}) {
        if (value(part) != nullptr) wrong(said(part), "goes with a template alone: remove it");
      }
    } else {
      take_template(name, *templ, parts, file);
      for (const auto part : {"format", "data"}) {
        if (value(part) != nullptr)
          wrong(said(part), "goes with secret-injector.io/secret." + name + " alone: remove it");
      }
    }
    take("format", [&](std::string_view text) { return take_format(text, file.format); });
    take("data", [&](std::string_view text) { return take_data(text, file); });
    file.mode = mode_;
    take("mode", [&](std::string_view text) { return take_mode(text, file.mode); });
    take("refresh", [&](std::string_view text) { return take_duration(text, 10ms, 366 * 24h, file.refresh); });
    take("max-stale", [&](std::string_view text) { return take_max_stale(text, file.max_stale); });
    file.on_change = on_change_;
    take("on-change", [&](std::string_view text) { return take_on_change(text, file.on_change); });
    if (!file.format && !file.from.empty()) {
      const auto whole = std::ranges::count_if(file.from, [](const Query& query) { return query.key.empty(); });
      if (whole != 0 && whole != static_cast<std::ptrdiff_t>(file.from.size()))
        wrong(said("secret"),
              "draws one key here and all of them there: say which format by secret-injector.io/format." + name);
    }
    request_.files.push_back(std::move(file));
  }

  static std::string take_format(std::string_view text, std::optional<Format>& out) {
    static constexpr std::array<std::pair<std::string_view, Format>, 6> kFormats{{{"raw", Format::raw},
                                                                                  {"json", Format::json},
                                                                                  {"dotenv", Format::dotenv},
                                                                                  {"properties", Format::properties},
                                                                                  {"yaml", Format::yaml},
                                                                                  {"pem", Format::pem}}};
    const auto* found = std::ranges::find(kFormats, text, [](const auto& each) { return each.first; });
    if (found == kFormats.end()) return "must be one of raw, json, dotenv, properties, yaml, pem";
    out = found->second;
    return {};
  }

  std::string take_data(std::string_view text, FileRequest& file) {
    for (Query& query : file.from) {
      const StorePolicy* store = policy_.store(query.store);
      if (store != nullptr && !store->is_vault()) return "only a store of vault or openbao can be written to";
      query.write = true;
    }
    for (const auto pair : parts_of(text)) {
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || equals == 0)
        return "must be pairs such as common_name=shop.example, with a comma and a space between them";
      const std::string key(trimmed(pair.substr(0, equals)));
      if (config::asks_for_secret(key)) return "no secret may stand in an annotation";
      for (Query& query : file.from) {
        if (!query.data.emplace(key, trimmed(pair.substr(equals + 1))).second) return "has a name twice";
      }
    }
    return {};
  }

  std::string take_sources(std::string_view text, FileRequest& file) {
    const auto parts = parts_of(text);
    if (parts.empty()) return "must be a path, such as kv/shop/db#password";
    if (parts.size() > 8) return "must be at most 8 places";
    for (const auto part : parts) {
      Query query;
      if (std::string what = take_query(part, query); !what.empty()) return what;
      file.from.push_back(std::move(query));
    }
    return {};
  }

  /// [STORE:]PATH[?version=N][#KEY]
  std::string take_query(std::string_view text, Query& out) {
    const StorePolicy* store = store_;
    const auto colon = text.find(':');
    if (colon != std::string_view::npos && config::is_store_name(text.substr(0, colon)) &&
        text.substr(0, colon) != "arn") {
      store = policy_.store(text.substr(0, colon));
      if (store == nullptr || !may_use(*store))
        return "the policy has no store of the name before ':' for this namespace; it has " + stores_text();
      text.remove_prefix(colon + 1);
    }
    if (store == nullptr) {
      return asked_.mistakes.empty() || general("store") == nullptr
                 ? "no store is named, and the policy has no default for this namespace: add secret-injector.io/store, "
                   "one of " +
                       stores_text()
                 : "no store is known for it";
    }
    out.store = store->name;
    if (const auto hash = text.find('#'); hash != std::string_view::npos) {
      out.key = text.substr(hash + 1);
      text = text.substr(0, hash);
      if (out.key.empty()) return "must have a key after '#', or no '#'";
      if (!plain(out.key)) return "must have a key without control characters";
    }
    if (const auto mark = text.find('?'); mark != std::string_view::npos) {
      if (std::string what = take_version(text.substr(mark + 1), *store, out); !what.empty()) return what;
      text = text.substr(0, mark);
    }
    out.path = text;
    if (const char* flaw = config::flaw_of_store_path(out.path)) return flaw;
    used_.insert(store->name);
    return {};
  }

  static std::string take_version(std::string_view text, const StorePolicy& store, Query& out) {
    const auto equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : text.substr(equals + 1);
    if (name == "version" && !value.empty()) {
      const bool number =
          value.size() <= 9 && value.find_first_not_of("0123456789") == std::string_view::npos && value[0] != '0';
      if (store.is_vault() && !number) return "must have a number after ?version=";
      if (!plain(value)) return "must have a version without control characters";
      out.version = value;
      return {};
    }
    if (name == "stage" && !value.empty()) {
      if (store.is_vault()) return "only a store of aws has stages";
      if (!plain(value)) return "must have a stage without control characters";
      out.stage = value;
      return {};
    }
    return "after '?' may stand version=N, or for aws stage=NAME";
  }

  static bool plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
  }

  void take_template(const std::string& name, const std::string& text, const Parts& parts, FileRequest& file) {
    const auto said = [&](std::string_view part) { return std::string(part) + "." + name; };
    TemplateRequest out;
    out.text = text;
    const auto delimiter = [&](std::string_view part, std::string& value) {
      const auto found = parts.find(part);
      if (found == parts.end()) return;
      if (!plain(found->second) || found->second.size() > 16 || found->second.find(' ') != std::string::npos) {
        wrong(said(part), "must be at most 16 letters, without spaces");
      } else {
        value = found->second;
      }
    };
    delimiter("left-delimiter", out.left_delimiter);
    delimiter("right-delimiter", out.right_delimiter);
    if (const auto found = parts.find("error-on-missing-key"); found != parts.end()) {
      const auto value = truth(found->second);
      if (!value) wrong(said("error-on-missing-key"), "must be \"true\" or \"false\"");
      out.error_on_missing_key = value.value_or(false);
    }
    if (store_ == nullptr) {
      if (general("store") == nullptr && general("provider") == nullptr)
        wrong(said("template"), "no store is named for it: add secret-injector.io/store, one of " + stores_text());
      return;
    }
    out.store = store_->name;
    used_.insert(out.store);
    const auto checked = render::templates::Template::check(text, {out.left_delimiter, out.right_delimiter});
    for (const auto& mistake : checked.mistakes) wrong(said("template"), mistake.text());
    if (checked.good != nullptr) check_calls(*checked.good, said("template"));
    file.templ = std::move(out);
  }

  /// A path of a template may name its store before a colon; only stores of vault and openbao list and take writes.
  void check_calls(const render::templates::Template& checked, const std::string& said) {
    using Kind = render::templates::Call::Kind;
    for (const auto& call : checked.calls()) {
      const StorePolicy* store = store_;
      const auto colon = call.path.find(':');
      if (colon != std::string::npos && policy_.store(call.path.substr(0, colon)) != nullptr) {
        store = policy_.store(call.path.substr(0, colon));
        if (!may_use(*store)) {
          return wrong(said, "the policy does not let pods of this namespace use a store that it names; there are " +
                                 stores_text());
        }
        used_.insert(store->name);
      }
      if (!store->is_vault() && call.kind != Kind::read)
        wrong(said, "only a store of vault or openbao can list what it has, and be written to");
    }
  }

  /// Two files of one path, or one where another's folder must be.
  void check_paths() {
    const auto& files = request_.files;
    for (std::size_t i = 0; i < files.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (files[i].path.text().empty() || files[j].path.text().empty()) continue;
        const bool clash = files[i].path.contains(files[j].path) || files[j].path.contains(files[i].path);
        if (!clash) continue;
        const bool same = files[i].path == files[j].path;
        wrong_all(files[i].asked_by + ": its file " + (same ? "is also that of " : "stands in the way of that of ") +
                  files[j].asked_by + ": give one of them another secret-injector.io/path");
      }
    }
  }

  // --- stores --------------------------------------------------------------------------------------------------------

  void add_stores() {
    for (const auto& [name, role] : roles_) {
      if (policy_.store(name) == nullptr || !used_.contains(name)) {
        wrong("role." + shown(name), "no file uses a store of this name: remove it, or name one of " + stores_text());
      }
    }
    if (general("role") != nullptr && store_ != nullptr && roles_.contains(store_->name)) {
      wrong("role." + store_->name,
            "goes without secret-injector.io/role, which is for the same store: remove one of the two");
    }
    for (const auto& name : used_) {
      const StorePolicy& store = *policy_.store(name);
      StoreRequest out;
      out.name = name;
      const bool own = store_ == &store;
      std::string said = "role." + name;
      if (const auto found = roles_.find(name); found != roles_.end()) {
        out.role = found->second;
      } else if (const std::string* role = general("role"); role != nullptr && own) {
        out.role = *role;
        said = "role";
      }
      if (!out.role.empty() && !plain(out.role)) wrong(said, "must be without control characters");
      if (const std::string* space = general("namespace"); space != nullptr && own) {
        if (!store.is_vault()) {
          wrong("namespace", "a store of aws has no namespaces: remove it");
        } else {
          out.space = *space;
        }
      }
      request_.stores.push_back(std::move(out));
    }
    if (!asked_.mistakes.empty()) return;  // A file that was not understood may be what it is for.
    for (const auto name : {"role", "namespace"}) {
      if (general(name) != nullptr && store_ != nullptr && !used_.contains(store_->name))
        wrong(name, "is for a store that no file uses: remove it, or use " +
                        std::string(name == std::string_view("role") ? "secret-injector.io/role.STORE"
                                                                     : "secret-injector.io/store"));
    }
  }

  const Json& annotations_;
  std::string_view pod_namespace_;
  const Policy& policy_;
  Asked& asked_;
  Request& request_;
  std::map<std::string, std::string, std::less<>> general_;
  std::map<std::string, std::string, std::less<>> roles_;
  std::map<std::string, Parts, std::less<>> files_;
  const StorePolicy* store_ = nullptr;
  std::set<std::string, std::less<>> used_;
  std::optional<mode_t> mode_;
  std::optional<OnChange> on_change_;
};

const Json& member(const Json& object, const char* key) {
  static const Json kNone = Json::object();
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found == object.end() || !found->is_object() ? kNone : *found;
}

}  // namespace

std::span<const AnnotationHelp> annotations() { return kAnnotations; }

Asked read_annotations(const Json& pod, std::string_view pod_namespace, const Policy& policy) {
  Asked asked;
  const Json& metadata = member(pod, "metadata");
  const Json& annotations = member(metadata, "annotations");
  const Json& labels = member(metadata, "labels");
  const auto label = labels.find(std::string(kInject));
  if (label == labels.end()) {
    const bool ours =
        std::ranges::any_of(annotations.items(), [](const auto& item) { return item.key().starts_with(kDomain); });
    if (ours)
      asked.warnings.emplace_back(
          "secret-injector.io annotations without the label secret-injector.io/inject: \"true\" do nothing");
    return asked;
  }
  if (!label->is_string() || (*label != "true" && *label != "false")) {
    asked.wanted = true;
    asked.mistakes.emplace_back("the label secret-injector.io/inject must be \"true\" or \"false\"");
    return asked;
  }
  asked.wanted = *label == "true";
  if (asked.wanted) Reader(annotations, pod_namespace, policy, asked).read();
  return asked;
}

}  // namespace injector::pod
