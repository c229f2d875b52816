#include "injector/render/template/function.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "scanner/base/edit_distance.h"

namespace injector::render::templates {
namespace {

/// All functions, sorted by name.
const std::vector<const Function*>& all() {
  static const std::vector<const Function*> kAll = [] {
    std::vector<const Function*> found;
    for (const auto functions : {go_functions(), text_functions(), number_functions(), collection_functions(),
                                 encoding_functions(), sprig_text_functions(), sprig_number_functions(),
                                 sprig_collection_functions(), sprig_encoding_functions(), regex_functions()}) {
      for (const Function& function : functions) found.push_back(&function);
    }
    std::ranges::sort(found, {}, [](const Function* function) { return function->name; });
    return found;
  }();
  return kAll;
}

constexpr Refusal kEnvironment = {"a template has no part in the environment of the sidecar",
                                  "let the application read its own environment"};
constexpr Refusal kFile = {"a template reads no files but secrets of the store", {}};
constexpr Refusal kRuns = {"a template starts no programs and writes no files", {}};
constexpr Refusal kNetwork = {"a template asks nobody but the store", {}};
constexpr Refusal kConsul = {"it asks Consul or Nomad, which is no store of secrets here", {}};
constexpr Refusal kTime = {"the file would be another one at each look, and be delivered each time",
                           "read the time where the file is used"};
constexpr Refusal kRandom = {"the file would be another one at each look, and be delivered each time",
                             "keep a value that was drawn once in the store"};
constexpr Refusal kKeys = {"keys and certificates are made by the store, not by a template", "use pkiCert"};
constexpr Refusal kAddress = {"it prints addresses in memory, which are other ones each time", "use printf or toJSON"};
constexpr Refusal kText = {"it is not in the subset", "parse where the file is used"};
constexpr Refusal kNoCall = {"no value of a template can be called", {}};
constexpr Refusal kRarely = {"it is not in the subset", {}};

struct Refused {
  std::string_view name;
  const Refusal* why;
};

constexpr auto kRefused = std::to_array<Refused>({
    {"env", &kEnvironment},
    {"envOrDefault", &kEnvironment},
    {"mustEnv", &kEnvironment},
    {"sprig_env", &kEnvironment},
    {"sprig_expandenv", &kEnvironment},
    {"file", &kFile},
    {"plugin", &kRuns},
    {"writeToFile", &kRuns},
    {"sockaddr", &kNetwork},
    {"sprig_getHostByName", &kNetwork},
    {"caLeaf", &kConsul},
    {"caRoots", &kConsul},
    {"connect", &kConsul},
    {"datacenters", &kConsul},
    {"exportedServices", &kConsul},
    {"key", &kConsul},
    {"keyExists", &kConsul},
    {"keyExistsGet", &kConsul},
    {"keyOrDefault", &kConsul},
    {"ls", &kConsul},
    {"safeLs", &kConsul},
    {"node", &kConsul},
    {"nodes", &kConsul},
    {"partitions", &kConsul},
    {"peerings", &kConsul},
    {"service", &kConsul},
    {"services", &kConsul},
    {"tree", &kConsul},
    {"safeTree", &kConsul},
    {"byKey", &kConsul},
    {"byTag", &kConsul},
    {"byMeta", &kConsul},
    {"explode", &kConsul},
    {"nomadServices", &kConsul},
    {"nomadService", &kConsul},
    {"nomadVarList", &kConsul},
    {"nomadVarListSafe", &kConsul},
    {"nomadVar", &kConsul},
    {"nomadVarExists", &kConsul},
    {"timestamp", &kTime},
    {"sprig_ago", &kTime},
    {"sprig_date", &kTime},
    {"sprig_date_in_zone", &kTime},
    {"sprig_date_modify", &kTime},
    {"sprig_dateInZone", &kTime},
    {"sprig_dateModify", &kTime},
    {"sprig_duration", &kTime},
    {"sprig_durationRound", &kTime},
    {"sprig_htmlDate", &kTime},
    {"sprig_htmlDateInZone", &kTime},
    {"sprig_must_date_modify", &kTime},
    {"sprig_mustDateModify", &kTime},
    {"sprig_mustToDate", &kTime},
    {"sprig_now", &kTime},
    {"sprig_toDate", &kTime},
    {"sprig_unixEpoch", &kTime},
    {"sprig_randAlphaNum", &kRandom},
    {"sprig_randAlpha", &kRandom},
    {"sprig_randAscii", &kRandom},
    {"sprig_randNumeric", &kRandom},
    {"sprig_randBytes", &kRandom},
    {"sprig_randInt", &kRandom},
    {"sprig_shuffle", &kRandom},
    {"sprig_uuidv4", &kRandom},
    {"sprig_bcrypt", &kRandom},
    {"sprig_htpasswd", &kRandom},
    {"sprig_encryptAES", &kRandom},
    {"sprig_decryptAES", &kKeys},
    {"sprig_derivePassword", &kKeys},
    {"sprig_genPrivateKey", &kKeys},
    {"sprig_buildCustomCert", &kKeys},
    {"sprig_genCA", &kKeys},
    {"sprig_genCAWithKey", &kKeys},
    {"sprig_genSelfSignedCert", &kKeys},
    {"sprig_genSelfSignedCertWithKey", &kKeys},
    {"sprig_genSignedCert", &kKeys},
    {"sprig_genSignedCertWithKey", &kKeys},
    {"spew_dump", &kAddress},
    {"spew_sdump", &kAddress},
    {"spew_printf", &kAddress},
    {"spew_sprintf", &kAddress},
    {"parseYAML", &kText},
    {"call", &kNoCall},
    {"sprig_hello", &kRarely},
    {"sprig_urlParse", &kText},
    {"sprig_urlJoin", &kText},
    {"sprig_semver", &kText},
    {"sprig_semverCompare", &kText},
    {"sprig_addf", &kRarely},
    {"sprig_add1f", &kRarely},
    {"sprig_subf", &kRarely},
    {"sprig_divf", &kRarely},
    {"sprig_mulf", &kRarely},
    {"sprig_snakecase", &kRarely},
    {"sprig_camelcase", &kRarely},
    {"sprig_kebabcase", &kRarely},
});

}  // namespace

const Function* find_function(std::string_view name) {
  const auto at = std::ranges::lower_bound(all(), name, {}, [](const Function* function) { return function->name; });
  return at != all().end() && (*at)->name == name ? *at : nullptr;
}

std::optional<Refusal> refusal_of(std::string_view name) {
  const auto* const found = std::ranges::find(kRefused, name, &Refused::name);
  if (found == std::end(kRefused)) return std::nullopt;
  return *found->why;
}

std::string_view near_function(std::string_view name) {
  if (name.size() > 40) return {};
  // Helm's and sprig's own names have no prefix.
  const std::string prefixed = "sprig_" + std::string(name);
  if (const auto* const found = find_function(prefixed)) return found->name;
  if (name == "toYaml") return "toYAML";
  std::string_view nearest;
  std::size_t least = 1 + name.size() / 4;
  for (const Function* function : all()) {
    const auto distance = scanner::base::edit_distance(name, function->name);
    if (distance > least || (distance == least && !nearest.empty())) continue;
    least = distance;
    nearest = function->name;
  }
  return nearest;
}

}  // namespace injector::render::templates
