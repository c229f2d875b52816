#include "scanner/scan/layer_paths.h"

#include <algorithm>
#include <functional>
#include <string>

namespace scanner::scan {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

bool has(const std::vector<std::uint64_t>& sorted, std::string_view path) {
  return std::ranges::binary_search(sorted, path_hash(path));
}

}  // namespace

std::uint64_t path_hash(std::string_view path) { return std::hash<std::string_view>()(path); }

void LayerPaths::add(std::string_view path, What what) {
  const std::size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const std::string_view folder = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  if (name == kOpaque) {
    opaque_.push_back(path_hash(folder));
  } else if (name.starts_with(kWhiteout)) {
    const std::string removed =
        std::string(path.substr(0, path.size() - name.size())) + std::string(name.substr(kWhiteout.size()));
    whiteouts_.push_back(path_hash(removed));
  } else {
    (what == What::directory ? directories_ : others_).push_back(path_hash(path));
  }
}

void LayerPaths::seal() {
  for (auto* hashes : {&directories_, &others_, &whiteouts_, &opaque_}) {
    std::ranges::sort(*hashes);
    hashes->shrink_to_fit();
  }
}

State LayerPaths::effect_on(std::string_view path) const {
  // A path that is there again was replaced, whatever else the layer removed around it.
  if (has(others_, path) || has(directories_, path)) return State::overwritten;
  if (has(whiteouts_, path)) return State::deleted;
  for (std::string_view folder = path; !folder.empty();) {
    const std::size_t slash = folder.rfind('/');
    folder = slash == std::string_view::npos ? std::string_view() : folder.substr(0, slash);
    if (has(opaque_, folder)) return State::deleted;
    // A folder that was removed, or that became a file or a link, takes what was below with it.
    if (!folder.empty() && (has(whiteouts_, folder) || has(others_, folder))) return State::deleted;
  }
  return State::present;
}

}  // namespace scanner::scan
