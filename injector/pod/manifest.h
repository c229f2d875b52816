#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "injector/pod/yaml_text.h"
#include "scanner/base/result.h"

namespace injector::pod {

/// One document of a file of manifests.
struct Manifest {        // NOLINT(bugprone-exception-escape): nlohmann::json checks itself when it is moved.
  std::size_t line = 1;  ///< Where it begins.
  std::string text;      ///< As it stands, with its "---" when it has one.
  OrderedJson value;     ///< Null for one that is empty.
  std::map<std::string, std::size_t, std::less<>> lines;  ///< Of each key, by JSON Pointer.
};

/// Reads YAML of several documents, or JSON, as Kubernetes' own tools do: anchors and merge keys are followed, words
/// such as `yes` are truth values, a key that is there twice is an error. `Errc::config` with "name:12: ..." for what
/// is no YAML; `Errc::limit` beyond kMostManifests bytes, 64 of nesting, or a million nodes after anchors were
/// followed.
scanner::base::Result<std::vector<Manifest>> read_manifests(std::string_view text, const std::string& name);

inline constexpr std::size_t kMostManifests = 16UL << 20;

/// A name as a part of a JSON Pointer.
std::string pointer_part(std::string_view name);

}  // namespace injector::pod
