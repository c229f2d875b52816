#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"

/// AdmissionReview of admission.k8s.io/v1, as it comes and as it goes. Pure.
namespace injector::webhook {

/// What the API server asks, as far as it concerns us. What stands in it else (the user, the old object, the options,
/// the managedFields of the object) is passed over and takes no memory.
struct Question {   // NOLINT(bugprone-exception-escape): nlohmann::json checks itself when it is moved.
  std::string uid;  ///< Visible ASCII, at most 128 bytes.
  std::string operation;
  std::string group;  ///< Of `kind`; empty for the core group.
  std::string kind;
  std::string subresource;
  std::string pod_namespace;
  bool dry_run = false;
  nlohmann::json object;  ///< null when there is none.

  [[nodiscard]] bool is_new_pod() const {
    return operation == "CREATE" && group.empty() && kind == "Pod" && subresource.empty();
  }
};

/// How deep the whole may nest. nlohmann recurses when it copies or prints.
inline constexpr std::size_t kMaxDepth = 64;
/// How many values an object may have: about 100 bytes of memory each. The largest pods that etcd takes (1.5 MiB) have
/// some tens of thousands.
inline constexpr std::size_t kMaxValues = 100'000;

/// Reads one. `Errc::limit` beyond the limits above, `Errc::unsupported` for another version or kind of message,
/// `Errc::corrupt` for what is no JSON (by byte offset), has a key twice, or lacks what the API server always says; the
/// message never holds what was read. Throws nothing but std::bad_alloc.
scanner::base::Result<Question> read_question(std::string_view body);

/// What is said to it.
struct Reply {
  bool allowed = true;
  int code = 403;                     ///< Of a denial: the HTTP status that the API server's client gets.
  std::string message;                ///< Of a denial.
  std::vector<std::string> warnings;  ///< The API server cuts them at 120 characters each.
  std::string patch;                  ///< A JSON Patch; empty: none.
};

/// The AdmissionReview that answers `uid`.
std::string write_reply(std::string_view uid, const Reply& reply);

/// A Status of meta/v1, which is what clients of Kubernetes read from an answer that is not 200.
std::string write_status(int code, std::string_view message);

}  // namespace injector::webhook
