#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "injector/pod/request.h"

/// The annotations of vault-k8s on one pod, whichever of both domains they are of.
namespace injector::pod {

inline constexpr std::string_view kVaultDomain = "vault.hashicorp.com/";
inline constexpr std::string_view kOpenBaoDomain = "openbao.org/";

class VaultView {
 public:
  /// Borrows `asked`, for mistakes and warnings. Annotations that are no text are mistakes.
  VaultView(const nlohmann::json& pod, Asked& asked);

  struct Entry {
    std::string full;  ///< With its domain, for messages.
    std::string value;
  };
  /// By name without the domain, sorted.
  [[nodiscard]] const std::map<std::string, Entry, std::less<>>& all() const { return entries_; }

  [[nodiscard]] bool has(std::string_view name) const { return entries_.contains(name); }
  /// The value; empty when it is not there.
  [[nodiscard]] const std::string& text(std::string_view name) const;
  /// How messages call it.
  [[nodiscard]] std::string full(std::string_view name) const;

  /// The readers below note a mistake and give nothing when a value is wrong, and nothing when it is absent or empty.

  /// What Go's strconv.ParseBool takes.
  [[nodiscard]] std::optional<bool> boolean(std::string_view name);
  /// A duration as Go writes it ("1m30s", "1.5h", "300ms"), days too, or a number of seconds.
  [[nodiscard]] std::optional<std::chrono::milliseconds> duration(std::string_view name,
                                                                  std::chrono::milliseconds least,
                                                                  std::chrono::milliseconds most);
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name, std::int64_t least, std::int64_t most);

  /// "vault.hashicorp.com/role: must be ..."
  void wrong(std::string_view name, std::string_view what);
  /// "vault.hashicorp.com/agent-image: is ignored"; cut to 120 characters.
  void warn(std::string_view name, std::string_view what);
  void warn_all(std::string text);

 private:
  void take(std::string_view domain, const nlohmann::json& annotations);

  std::map<std::string, Entry, std::less<>> entries_;
  Asked* asked_;
};

/// Nothing when it is no duration, or one of more than a hundred years.
std::optional<std::chrono::milliseconds> go_duration(std::string_view text);

/// Without spaces, tabs and line ends around it.
std::string_view trimmed(std::string_view text);

}  // namespace injector::pod
