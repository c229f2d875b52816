#include <algorithm>
#include <array>
#include <utility>

#include "scanner/source/config_arguments.h"
#include "scanner/source/documents.h"
#include "scanner/source/documents_json.h"
#include "scanner/source/documents_texts.h"

namespace scanner::source {
namespace {

using base::Errc;
using base::Json;
using base::Result;

/// Members whose values are names of images and containers: 64 hex digits that are no secret.
constexpr std::array kIdentifiers = {"id", "parent", "container", "parent_id", "layer_id"};

bool all_strings(const Json& array) {
  return array.is_array() && std::all_of(array.begin(), array.end(), [](const Json& v) { return v.is_string(); });
}

/// A command as one line: the array's strings with single spaces between them, or the string that old tools wrote.
std::string joined(const Json& command) {
  if (command.is_string()) return command.get<std::string>();
  std::string line;
  for (const auto& part : command) {
    if (!line.empty()) line += ' ';
    line += part.get_ref<const std::string&>();
  }
  return line;
}

bool is_command(const Json& value) { return (value.is_string() && !value.empty()) || all_strings(value); }

void add_env(Texts& texts, const Json& variables) {
  for (const auto& variable : variables) {
    const auto& text = variable.get_ref<const std::string&>();
    texts.add(Kind::env, name_in(text), text);
  }
}

void add_labels(Texts& texts, std::string& pointer, const Json& labels) {
  for (const auto& [name, value] : labels.get_ref<const Json::object_t&>()) {
    if (value.is_string()) {
      texts.add_pair(Kind::label, name, name, value.get_ref<const std::string&>());
    } else {
      const PointerStep step(pointer, name);
      texts.add_all(Kind::config, pointer, name, value);
    }
  }
}

void add_healthcheck(Texts& texts, std::string& pointer, const Json& check) {
  for (const auto& [name, value] : check.get_ref<const Json::object_t&>()) {
    const PointerStep step(pointer, name);
    if (same_name(name, "Test") && is_command(value)) {
      texts.add(Kind::healthcheck, {}, joined(value));
    } else {
      texts.add_all(Kind::config, pointer, name, value);
    }
  }
}

/// One member of `config`. What has not the type it should have is searched all the same.
void add_setting(Texts& texts, std::string& pointer, const std::string& name, const Json& value) {
  const auto is = [&](std::string_view known) { return same_name(name, known); };
  if (is("Env") && all_strings(value)) {
    add_env(texts, value);
  } else if (is("Labels") && value.is_object()) {
    add_labels(texts, pointer, value);
  } else if (is("Cmd") && is_command(value)) {
    texts.add(Kind::cmd, {}, joined(value));
  } else if (is("Entrypoint") && is_command(value)) {
    texts.add(Kind::entrypoint, {}, joined(value));
  } else if (is("Shell") && is_command(value)) {
    texts.add(Kind::config, pointer, joined(value));
  } else if (is("Healthcheck") && value.is_object()) {
    add_healthcheck(texts, pointer, value);
  } else if (is("OnBuild") && all_strings(value)) {
    for (const auto& trigger : value) texts.add(Kind::onbuild, {}, trigger.get_ref<const std::string&>());
  } else {
    texts.add_all(Kind::config, pointer, name, value);
  }
}

/// Whether a member holds settings: `config`; `container_config`, those of the container that the last layer was
/// committed from; in the oldest images `container` too.
bool holds_settings(std::string_view name, const Json& value) {
  return value.is_object() &&
         (same_name(name, "config") || same_name(name, "container_config") || same_name(name, "container"));
}

bool is_identifier(std::string_view name, const Json& value) {
  if (std::none_of(kIdentifiers.begin(), kIdentifiers.end(),
                   [&](const char* known) { return same_name(name, known); })) {
    return false;
  }
  return value.is_string() && check_digest("sha256:" + value.get_ref<const std::string&>(), {});
}

bool is_platform(std::string_view name) {
  return same_name(name, "os") || same_name(name, "architecture") || same_name(name, "variant");
}

void add_texts(Texts& texts, const Json& document) {
  std::string pointer;
  for (const auto& [name, value] : document.get_ref<const Json::object_t&>()) {
    const PointerStep step(pointer, name);
    if (holds_settings(name, value)) {
      for (const auto& [setting, content] : value.get_ref<const Json::object_t&>()) {
        const PointerStep inner(pointer, setting);
        add_setting(texts, pointer, setting, content);
      }
    } else if (!same_name(name, "history") && !is_platform(name) && !is_identifier(name, value)) {
      texts.add_all(Kind::config, pointer, name, value);
    }
  }
}

void add_history_texts(Texts& texts, const Json& entry, int index, ArgumentNames& declared) {
  std::string pointer = "/history/" + std::to_string(index);
  for (const auto& [name, value] : entry.get_ref<const Json::object_t&>()) {
    if (same_name(name, "created_by") && value.is_string()) {
      const auto& created_by = value.get_ref<const std::string&>();
      if (!created_by.empty()) texts.add(Kind::history, {}, created_by, index);
      for (const auto argument : build_arguments(created_by, declared)) {
        texts.add(Kind::history, name_in(argument), argument, index);
      }
    } else {
      const PointerStep step(pointer, name);
      texts.add_all(Kind::history, pointer, name, value, index);
    }
  }
}

Result<HistoryEntry> read_history_entry(const Json& entry, const std::string& where) {
  auto created_by = read_string(entry, "created_by", where);
  if (!created_by) return fail(std::move(created_by).error());
  const auto empty = find_member(entry, "empty_layer", where);
  if (!empty) return fail(empty.error());
  if (*empty != nullptr && !(*empty)->is_boolean()) return fail(Errc::corrupt, where + ".empty_layer is no boolean");
  return HistoryEntry{*std::move(created_by), *empty != nullptr && (*empty)->get<bool>()};
}

base::Ok read_history(const Json& document, Config& config, Texts& texts) {
  const auto history = read_array(document, "history", {});
  if (!history) return fail(history.error());
  if (*history == nullptr) return {};
  ArgumentNames declared;
  for (const auto& entry : **history) {
    const auto index = config.history.size();
    auto read = read_history_entry(entry, "history[" + std::to_string(index) + "]");
    if (!read) return fail(std::move(read).error());
    config.history.push_back(*std::move(read));
    add_history_texts(texts, entry, static_cast<int>(index), declared);
  }
  return {};
}

base::Ok read_diff_ids(const Json& document, Config& config) {
  const auto rootfs = read_object(document, "rootfs", {});
  if (!rootfs) return fail(rootfs.error());
  if (*rootfs == nullptr) return {};
  auto diff_ids = read_strings(**rootfs, "diff_ids", "rootfs");
  if (!diff_ids) return fail(std::move(diff_ids).error());
  for (std::size_t i = 0; i < diff_ids->size(); ++i) {
    if (auto ok = check_digest((*diff_ids)[i], "rootfs.diff_ids[" + std::to_string(i) + "]"); !ok) return ok;
  }
  config.diff_ids = *std::move(diff_ids);
  return {};
}

}  // namespace

Result<Config> parse_config(std::string_view json, const std::string& name, const Limits& limits) {
  const auto document = parse_document(json, limits.max_document_bytes);
  if (!document) return fail(document.error());
  if (!document->is_object()) return fail(Errc::corrupt, "the document is no object");
  const auto kind = kind_of(*document);
  if (!kind) return fail(kind.error());
  if (*kind == DocumentKind::index || *kind == DocumentKind::manifest || *kind == DocumentKind::schema1) {
    return fail(Errc::corrupt, "not an image configuration but a manifest or an index");
  }

  Config config;
  auto platform = read_platform(*document, {});
  if (!platform) return fail(std::move(platform).error());
  config.platform = *std::move(platform);
  if (auto ok = read_diff_ids(*document, config); !ok) return fail(ok.error());
  Texts texts(name);
  add_texts(texts, *document);
  if (auto ok = read_history(*document, config, texts); !ok) return fail(ok.error());
  auto found = std::move(texts).take();
  if (!found) return fail(std::move(found).error());
  config.texts = *std::move(found);
  return config;
}

std::vector<int> history_of_layers(const Config& config, std::size_t layers) {
  std::vector<int> positions;
  for (std::size_t i = 0; i < config.history.size(); ++i) {
    if (!config.history[i].empty_layer) positions.push_back(static_cast<int>(i));
  }
  if (positions.size() != layers) return std::vector<int>(layers, -1);
  return positions;
}

}  // namespace scanner::source
