#include "injector/cli/offline_template.h"

#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "injector/cli/commands.h"
#include "injector/cli/say.h"
#include "injector/cli/values_file.h"
#include "injector/render/template/template.h"

namespace injector::cli {
namespace {

using memory::Document;
using render::templates::Call;
using render::templates::Template;

std::string_view without_slashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

/// KV 2 takes a path with and without "data/" behind its mount: whether two differ by no more than that.
bool same_path(std::string_view one, std::string_view other) {
  constexpr std::string_view kData = "data/";
  if (one.size() > other.size()) std::swap(one, other);
  if (other.size() - one.size() != kData.size()) return one == other;
  for (auto at = other.find("/data/"); at != std::string_view::npos; at = other.find("/data/", at + 1)) {
    if (one.substr(0, at + 1) == other.substr(0, at + 1) && one.substr(at + 1) == other.substr(at + 1 + kData.size())) {
      return true;
    }
  }
  return false;
}

/// "kv/metadata/shop" lists what "kv/shop" does.
bool same_list(std::string_view one, std::string_view other) {
  constexpr std::string_view kMetadata = "/metadata";
  const auto at = one.find(kMetadata);
  if (at == std::string_view::npos || one.size() - kMetadata.size() != other.size()) return false;
  return one.substr(0, at) == other.substr(0, at) && one.substr(at + kMetadata.size()) == other.substr(at);
}

/// What a server gives with a secret of KV 1 unless it says otherwise: its own longest lease, 768 hours.
constexpr std::chrono::hours kAdvised{768};

/// What stands in the file for a call: under its path with the version, under its path, under KV 2's other form of it.
Document::Value value_for(const Document& values, const Call& call) {
  const std::string whole = call.version.empty() ? call.path : call.path + "?version=" + call.version;
  const bool list = call.kind == Call::Kind::list;
  Document::Value found;
  int best = 0;
  for (const auto& [name, value] : values.root().members()) {
    // A list and a secret may have one path: the list is the one with keys.
    const bool keys = value["keys"].is_array();
    const auto path = without_slashes(name);
    int fit = path == whole                ? 4
              : same_path(path, whole)     ? 3
              : path == call.path          ? 2
              : same_path(path, call.path) ? 1
                                           : 0;
    if (list && fit == 0 && (same_list(path, call.path) || same_list(call.path, path))) fit = 1;
    if (fit > 0 && list) fit = keys ? fit + (name.ends_with('/') ? 4 : 0) : 0;
    if (fit > best) {
      best = fit;
      found = value;
    }
  }
  return found;
}

}  // namespace

int run_render_template(const Options& options) {
  const auto text = read_secret_file(options.template_file, Template::kMostText);
  if (!text) return refuse(options, text.error());
  const auto values = read_values_file(options.values);
  if (!values) return refuse(options, values.error());
  const auto checked = Template::check(text->reveal(), {options.left_delimiter, options.right_delimiter});
  if (checked.good == nullptr) {
    for (const auto& mistake : checked.mistakes) say(options.template_file + ": " + mistake.text());
    return kUsage;
  }
  std::vector<Reading> made(checked.good->calls().size());
  std::vector<const Reading*> readings;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const Call& call = checked.good->calls()[i];
    const auto value = value_for(*values, call);
    if (value.exists()) made[i].document = value.text();
    const bool versioned = value["metadata"].is_object() && value["data"].exists();
    if (call.kind == Call::Kind::read && !versioned) made[i].advised = kAdvised;
    readings.push_back(value.exists() ? &made[i] : nullptr);
  }
  const auto contents = checked.good->render(readings, {options.error_on_missing_key});
  if (!contents) {
    say(options.template_file + ": " + contents.error().message());
    return kFailed;
  }
  const auto written = write_all(STDOUT_FILENO, contents->reveal(), "standard output");
  if (!written) return refuse(options, written.error());
  return kGood;
}

}  // namespace injector::cli
