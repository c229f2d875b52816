#include "scanner/scan/assemble.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "scanner/scan/mask.h"

namespace scanner::scan {
namespace {

using source::BlobUse;

/// By secret: which rule's finding it is in.
using Key = std::pair<Fingerprint, std::uint32_t>;

struct Placed {
  Hit hit;
  Location location;
};

class Assembly {
 public:
  Assembly(const RuleSet& rules, source::Description description, std::vector<Outcome> outcomes, Report& report)
      : rules_(&rules), description_(std::move(description)), outcomes_(std::move(outcomes)), report_(&report) {
    by_blob_.resize(description_.uses.size(), nullptr);
    for (const Outcome& outcome : outcomes_) {
      if (outcome.blob.blob >= 0) by_blob_[static_cast<std::size_t>(outcome.blob.blob)] = &outcome;
    }
    index_layers();
  }

  void run(Secrets secrets) {
    for (Outcome& outcome : outcomes_) place(outcome);
    for (Skipped& skipped : description_.skipped) report_->coverage.skip(std::move(skipped));
    if (secrets == Secrets::mask) mask();
    merge();
    report_->images = std::move(description_.images);
  }

 private:
  /// For each image, what each of its layers did to paths; null where a layer was not read.
  void index_layers() {
    layers_.resize(description_.images.size());
    for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i].resize(description_.images[i].layers.size(), nullptr);
    for (std::size_t blob = 0; blob < description_.uses.size(); ++blob) {
      if (by_blob_[blob] == nullptr) continue;
      for (const auto& [image, layer] : description_.uses[blob].layers) {
        layers_[static_cast<std::size_t>(image)][static_cast<std::size_t>(layer)] = &by_blob_[blob]->paths;
      }
    }
  }

  void place(Outcome& outcome) {
    const BlobUse* use =
        outcome.blob.blob >= 0 ? &description_.uses[static_cast<std::size_t>(outcome.blob.blob)] : nullptr;
    if (use != nullptr && use->kind == BlobUse::Kind::unselected) {
      ++report_->coverage.unselected_blobs;
      return;
    }
    if (use != nullptr && use->kind == BlobUse::Kind::layer) {
      // A person knows a layer by its place in the image better than by its blob.
      const auto [image, layer] = use->layers.front();
      const std::string name =
          "layer " + std::to_string(layer + 1) + " (" +
          description_.images[static_cast<std::size_t>(image)].layers[static_cast<std::size_t>(layer)].digest + ")";
      for (Skipped& one : outcome.coverage.skipped) {
        if (one.place.starts_with(outcome.name)) one.place = name + one.place.substr(outcome.name.size());
      }
    }
    report_->coverage.add(std::move(outcome.coverage));
    report_->ignored += outcome.ignored;
    for (Found& found : outcome.found) {
      for (const std::string& path : paths_of(outcome, found.entry)) {
        Found one = found;
        one.entry.path = path;
        place(outcome, use, std::move(one));
      }
    }
  }

  /// The path of an entry and of its hard links.
  static std::vector<std::string> paths_of(const Outcome& outcome, const Entry& entry) {
    std::vector<std::string> paths = {entry.path};
    if (entry.kind != Kind::file) return paths;
    if (const auto it = outcome.hard_links.find(path_hash(entry.path)); it != outcome.hard_links.end()) {
      paths.insert(paths.end(), it->second.begin(), it->second.end());
    }
    return paths;
  }

  void place(const Outcome& outcome, const BlobUse* use, Found found) {
    Location location;
    location.entry = std::move(found.entry);
    location.image = outcome.image;
    location.offset = found.hit.offset;
    location.line = found.hit.line;
    location.column = found.hit.column;
    location.end_line = found.hit.end_line;
    location.end_column = found.hit.end_column;
    location.frame = std::move(found.hit.frame);
    location.mark_begin = found.hit.mark_begin;
    location.mark_end = found.hit.mark_end;
    if (use == nullptr) {
      add_configuration_layer(location);
      placed_.push_back({std::move(found.hit), std::move(location)});
      return;
    }
    if (use->kind == BlobUse::Kind::loose) {
      if (location.entry.path != outcome.name) {
        location.entry.inner.insert(location.entry.inner.begin(), location.entry.path);
        location.entry.path = outcome.name;
      }
      placed_.push_back({std::move(found.hit), std::move(location)});
      return;
    }
    for (const auto& [image, layer] : use->layers) {
      Location one = location;
      one.image = image;
      one.layer = layer;
      settle_state(one);
      placed_.push_back({found.hit, std::move(one)});
    }
  }

  /// A history entry that made a layer belongs to it.
  void add_configuration_layer(Location& location) const {
    if (location.entry.kind != Kind::history || location.image < 0) return;
    const Image& image = description_.images[static_cast<std::size_t>(location.image)];
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      if (image.layers[i].history_index == location.entry.history_index) location.layer = static_cast<int>(i);
    }
  }

  void settle_state(Location& location) const {
    const auto& layers = layers_[static_cast<std::size_t>(location.image)];
    for (std::size_t above = static_cast<std::size_t>(location.layer) + 1; above < layers.size(); ++above) {
      if (layers[above] == nullptr) continue;
      const State effect = layers[above]->effect_on(location.entry.path);
      if (effect == State::present) continue;
      // A name outlives what stands under it.
      if (effect == State::overwritten && location.entry.kind == Kind::file_name) continue;
      location.state = effect;
      location.changed_in = static_cast<int>(above);
      return;
    }
  }

  /// Takes the raw secrets out of everything that a report may print.
  void mask() {
    Mask settings;
    Mask names;
    for (const Placed& one : placed_) {
      const Kind kind = one.location.entry.kind;
      if (kind == Kind::file_name || kind == Kind::symlink_target) names.add(one.hit.secret);
      if (kind != Kind::file) settings.add(one.hit.secret);
    }
    for (Placed& one : placed_) {
      std::ranges::fill(one.hit.secret, '\0');
      one.hit.secret.clear();
      settings.apply(one.location.entry.field);
      names.apply(one.location.entry.path);
      for (std::string& member : one.location.entry.inner) names.apply(member);
    }
    for (Skipped& skipped : report_->coverage.skipped) settings.apply(skipped.place);
    for (Image& image : description_.images) {
      for (std::string& instruction : image.history) settings.apply(instruction);
      for (Layer& layer : image.layers) settings.apply(layer.created_by);
      settings.apply(image.name);
    }
  }

  /// Which rule's finding a value belongs to: a rule that names the issuer takes it from the catch-alls.
  [[nodiscard]] bool better(std::uint32_t one, std::uint32_t other) const {
    const Rule& a = rules_->rules[one];
    const Rule& b = rules_->rules[other];
    return std::tuple(a.generic, b.confidence, b.severity, one) <
           std::tuple(b.generic, a.confidence, a.severity, other);
  }

  void merge() {
    std::map<Fingerprint, std::uint32_t> best;
    for (const Placed& one : placed_) {
      const auto [it, added] = best.try_emplace(one.hit.value, one.hit.rule);
      if (!added && better(one.hit.rule, it->second)) it->second = one.hit.rule;
    }
    std::map<Key, std::vector<Placed*>> findings;
    for (Placed& one : placed_) {
      const bool generic = rules_->rules[one.hit.rule].generic;
      findings[{one.hit.value, generic ? best[one.hit.value] : one.hit.rule}].push_back(&one);
    }
    for (auto& [key, places] : findings) report_->findings.push_back(finding_of(key.second, places));
    std::ranges::sort(report_->findings, [](const Finding& a, const Finding& b) {
      return std::tie(b.severity, b.confidence, a.rule, a.fingerprint) <
             std::tie(a.severity, a.confidence, b.rule, b.fingerprint);
    });
  }

  Finding finding_of(std::uint32_t number, std::vector<Placed*>& places) const {
    const Rule& rule = rules_->rules[number];
    // The hit of the finding's own rule speaks for it, the surest of them.
    const auto speaker = std::ranges::max_element(places, {}, [&](const Placed* one) {
      return std::tuple(one->hit.rule == number, one->hit.confidence, one->hit.severity);
    });
    const Hit& hit = (*speaker)->hit;
    Finding finding;
    finding.rule = rule.id;
    finding.title = rule.title;
    finding.description = rule.description;
    finding.fix = rule.fix;
    finding.docs = rule.docs;
    finding.tags = rule.tags;
    finding.severity = hit.severity;
    finding.confidence = hit.confidence;
    finding.fingerprint = hit.fingerprint;
    finding.redacted = hit.redacted;
    finding.secret = hit.secret;
    finding.notes = hit.notes;
    for (Placed* one : places) finding.locations.push_back(std::move(one->location));
    tidy(finding.locations);
    return finding;
  }

  static auto order(const Location& one) {
    return std::tie(one.image, one.layer, one.entry.kind, one.entry.path, one.entry.inner, one.entry.history_index,
                    one.entry.field, one.line, one.column);
  }

  /// Sorts places, and leaves out those that say the same twice: a whole history entry beside its build argument, one
  /// place that several rules found.
  static void tidy(std::vector<Location>& locations) {
    std::ranges::sort(locations, [](const Location& a, const Location& b) { return order(a) < order(b); });
    const auto same =
        std::ranges::unique(locations, [](const Location& a, const Location& b) { return order(a) == order(b); });
    locations.erase(same.begin(), same.end());
    std::map<std::pair<int, int>, bool> named;
    for (const Location& one : locations) {
      if (one.entry.kind == Kind::history && !one.entry.field.empty())
        named[{one.image, one.entry.history_index}] = true;
    }
    std::erase_if(locations, [&](const Location& one) {
      return one.entry.kind == Kind::history && one.entry.field.empty() &&
             named.contains({one.image, one.entry.history_index});
    });
  }

  const RuleSet* rules_;
  source::Description description_;
  std::vector<Outcome> outcomes_;
  Report* report_;
  std::vector<const Outcome*> by_blob_;
  std::vector<std::vector<const LayerPaths*>> layers_;
  std::vector<Placed> placed_;
};

}  // namespace

void assemble(const RuleSet& rules, source::Description description, std::vector<Outcome> outcomes, Secrets secrets,
              Report& report) {
  Assembly(rules, std::move(description), std::move(outcomes), report).run(secrets);
}

}  // namespace scanner::scan
