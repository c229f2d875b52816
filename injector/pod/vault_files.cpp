#include "injector/pod/vault_files.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "injector/config/values.h"
#include "injector/pod/names.h"
#include "injector/pod/vault_command.h"
#include "injector/pod/vault_table.h"
#include "injector/render/template/template.h"

namespace injector::pod {
namespace {

constexpr std::string_view kSecret = "agent-inject-secret";
constexpr std::string_view kTemplate = "agent-inject-template";
/// vault-k8s' own: the application may run as anybody. Nobody else than the chosen containers has the mount.
constexpr mode_t kMode = 0644;
constexpr mode_t kOthersWrite = 0022;

std::string of(std::string_view name, const std::string& secret) { return std::string(name) + "-" + secret; }

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

/// The secrets' names, as the annotations have them.
std::set<std::string> secrets_of(const VaultView& view) {
  std::set<std::string> out;
  for (const auto& [name, entry] : view.all()) {
    const VaultName found = vault_name(name);
    if (found.row == nullptr || trimmed(entry.value).empty()) continue;
    if (found.row->name == "agent-inject-secret" || found.row->name == "agent-inject-template" ||
        found.row->name == "agent-inject-template-file")
      out.emplace(found.suffix);
  }
  return out;
}

/// As Go's filepath.Join does, but ".." is a mistake and not a way out.
std::optional<RelativePath> path_beneath(VaultView& view, std::string_view annotation, std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const auto slash = std::min(text.find('/'), text.size());
    const std::string_view part = text.substr(0, slash);
    text.remove_prefix(std::min(slash + 1, text.size()));
    if (part.empty() || part == ".") continue;
    clean += (clean.empty() ? "" : "/") + std::string(part);
  }
  auto path = RelativePath::parse(clean);
  if (path) return std::move(*path);
  view.wrong(annotation, "is no path beneath the folder of the secrets: " + path.error().message());
  return {};
}

std::optional<RelativePath> path_of(VaultView& view, const std::string& secret) {
  const std::string file = of("agent-inject-file", secret);
  if (!view.text(file).empty()) return path_beneath(view, file, view.text(file));
  const std::string one = of("preserve-secret-case", secret);
  const bool keep = view.boolean(view.has(one) ? one : "preserve-secret-case").value_or(false);
  const std::string from = view.has(of(kSecret, secret)) ? of(kSecret, secret) : of(kTemplate, secret);
  return path_beneath(view, from, keep ? secret : lower(secret));
}

mode_t mode_of(VaultView& view, const std::string& secret) {
  const std::string name = of("agent-inject-perms", secret);
  const std::string_view text = trimmed(view.text(name));
  if (text.empty()) return kMode;
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 8);
  if (error != std::errc() || end != text.data() + text.size() || bits > 0777) {
    view.wrong(name, "must be octal permission bits such as 0640");
    return kMode;
  }
  if ((bits & 0400U) == 0) {
    view.wrong(name, "must let the owner read: the sidecar itself reads the file again");
    return kMode;
  }
  if ((bits & kOthersWrite) != 0) view.warn(name, "only the sidecar may write; the other bits are kept");
  return bits & ~kOthersWrite;
}

/// As a string of the template language.
std::optional<std::string> quoted(VaultView& view, const std::string& annotation, std::string_view path) {
  std::string out = "\"";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      view.wrong(annotation, "must be a path of the store, without control characters");
      return {};
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// What vault-k8s writes for a secret without a template. Of KV 2 its map has the values, and not, as there, two lines
/// with the metadata and Go's notation of the whole; its json has all of the answer, as there, because programs read
/// it.
std::string usual_template(bool json, const std::string& path) {
  if (json) return "{{ with secret " + path + " }}{{ .Data | toJSON }}\n{{ end }}";
  return "{{ with secret " + path +
         " }}{{ $values := .Data }}"
         "{{ if eq (printf \"%T\" (index .Data \"metadata\")) \"map[string]interface {}\" }}"
         "{{ if eq (printf \"%T\" (index .Data \"data\")) \"map[string]interface {}\" }}"
         "{{ $values = index .Data \"data\" }}{{ end }}{{ end }}"
         "{{ range $k, $v := $values }}{{ $k }}: {{ $v }}\n{{ end }}{{ end }}";
}

bool json_by_default(VaultView& view) {
  const std::string word = lower(view.text("agent-inject-default-template"));
  if (word == "json") return true;
  if (!word.empty() && word != "map") view.wrong("agent-inject-default-template", "must be map or json");
  return false;
}

/// A template's mistakes are found here, where its author sees them, and not in the pod.
void check(VaultView& view, const std::string& annotation, const TemplateRequest& templ) {
  using render::templates::Template;
  const auto checked = Template::check(templ.text, {templ.left_delimiter, templ.right_delimiter});
  for (const auto& each : checked.mistakes) view.wrong(annotation, each.text());
  if (checked.good == nullptr) return;
  for (const auto& call : checked.good->calls()) {
    const char* flaw = config::flaw_of_store_path(call.path);
    if (flaw != nullptr) view.wrong(annotation, std::string("each path of the store that it asks for ") + flaw);
  }
}

std::string delimiter(VaultView& view, const std::string& name) {
  constexpr std::size_t kLongest = 16;
  const std::string& text = view.text(name);
  if (text.size() > kLongest || text.find_first_of(" \t\r\n") != std::string::npos)
    view.wrong(name, "must be at most 16 characters, none of them a blank");
  return text;
}

std::optional<TemplateRequest> template_of(VaultView& view, const std::string& secret, bool json,
                                           const std::string& store) {
  TemplateRequest out;
  out.store = store;
  out.error_on_missing_key = view.boolean(of("error-on-missing-key", secret)).value_or(false);
  const std::string own = of(kTemplate, secret);
  if (!view.text(own).empty()) {
    out.text = view.text(own);
    const std::string& left = view.text(of("agent-template-left-delim", secret));
    const std::string& right = view.text(of("agent-template-right-delim", secret));
    if (!left.empty()) out.left_delimiter = delimiter(view, of("agent-template-left-delim", secret));
    if (!right.empty()) out.right_delimiter = delimiter(view, of("agent-template-right-delim", secret));
    check(view, own, out);
    return out;
  }
  const std::string place = of(kSecret, secret);
  // A file of the agent's was to say it: refused by the table.
  if (trimmed(view.text(place)).empty()) return {};
  const auto path = quoted(view, place, trimmed(view.text(place)));
  if (!path) return {};
  out.text = usual_template(json, *path);
  check(view, place, out);
  return out;
}

std::optional<OnChange> on_change_of(VaultView& view, const std::string& secret) {
  const std::string name = of("agent-inject-command", secret);
  if (trimmed(view.text(name)).empty()) return {};
  auto change = on_change_of_command(view.text(name));
  if (change) return std::move(*change);
  view.wrong(name, change.error().message());
  return {};
}

std::string directory_of(VaultView& view, const std::string& name) {
  std::string path = view.text(name);
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path.empty()) return path;
  if (const char* flaw = flaw_of_directory(path)) view.wrong(name, flaw);
  return path;
}

/// What stands for a secret that nothing asks for.
void warn_of_orphans(VaultView& view, const std::set<std::string>& secrets) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : view.all()) {
    const VaultName found = vault_name(name);
    if (found.row == nullptr || found.suffix.empty() || found.row->suffix == VaultAnnotation::Suffix::key) continue;
    if (!secrets.contains(std::string(found.suffix)) && !trimmed(entry.value).empty()) names.push_back(name);
  }
  for (const auto& name : names) view.warn(name, "is ignored: no agent-inject-secret or -template has its name");
}

}  // namespace

std::vector<FileRequest> vault_files(VaultView& view, const std::string& store, const std::string& directory) {
  const std::set<std::string> secrets = secrets_of(view);
  const bool json = json_by_default(view);
  std::vector<FileRequest> files;
  std::map<std::pair<std::string, std::string>, std::string> taken;
  for (const auto& secret : secrets) {
    FileRequest file;
    const std::string by = view.text(of(kTemplate, secret)).empty() ? of(kSecret, secret) : of(kTemplate, secret);
    file.asked_by = view.full(by);
    file.directory = directory_of(view, of("secret-volume-path", secret));
    if (file.directory == directory) file.directory.clear();
    const auto path = path_of(view, secret);
    file.mode = mode_of(view, secret);
    file.templ = template_of(view, secret, json, store);
    file.on_change = on_change_of(view, secret);
    if (!path || !file.templ) continue;
    file.path = *path;
    const auto [other, fresh] = taken.try_emplace({file.directory, path->text()}, file.asked_by);
    if (!fresh) {
      view.wrong(by, "names the same file as " + other->second + ": give one of them another by agent-inject-file-X");
      continue;
    }
    files.push_back(std::move(file));
  }
  warn_of_orphans(view, secrets);
  return files;
}

std::string vault_directory(VaultView& view) {
  std::string path = directory_of(view, "secret-volume-path");
  return path.empty() ? "/vault/secrets" : path;
}

}  // namespace injector::pod
