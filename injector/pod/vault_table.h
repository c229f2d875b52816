#pragma once

#include <cstdint>
#include <span>
#include <string_view>

/// What becomes of each annotation of vault-k8s: the 74 of its release 1.7, as data. The reader, its tests and
/// vault-k8s.md go by these rows.
namespace injector::pod {

struct VaultAnnotation {
  enum class Suffix : std::uint8_t {
    none,
    secret,           ///< "-X" names a secret.
    optional_secret,  ///< For all secrets, or with "-X" for one.
    key,              ///< "-K" names a parameter.
  };
  enum class Treatment : std::uint8_t {
    followed,
    ignored,  ///< Accepted with a warning, which is `what`.
    refused,  ///< Of any value but an empty one; `what` says why, and what to do.
  };
  std::string_view name;  ///< Without the domain and the suffix.
  Suffix suffix = Suffix::none;
  Treatment treatment = Treatment::followed;
  std::string_view usual;  ///< What vault-k8s takes where it is absent; empty: nothing.
  std::string_view what;   ///< One sentence.
};

/// All of them, by name.
std::span<const VaultAnnotation> vault_annotations();

/// An annotation that was found, with its suffix parted off.
struct VaultName {
  const VaultAnnotation* row = nullptr;  ///< Null: vault-k8s knows none of this name.
  std::string_view suffix;               ///< Without its '-'.
};

/// Which row a name without its domain belongs to: the longest that fits. "agent-inject-template-file-x" is a
/// template-file of x, and "agent-inject-secret-" nothing.
VaultName vault_name(std::string_view name);

}  // namespace injector::pod
