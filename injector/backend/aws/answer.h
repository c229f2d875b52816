#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "injector/backend/aws/fault.h"
#include "injector/memory/document.h"
#include "injector/memory/secret.h"
#include "injector/model/reading.h"
#include "scanner/base/result.h"

namespace injector::backend::aws {

/// The stage that is meant when a query names none.
inline constexpr std::string_view kCurrent = "AWSCURRENT";

/// One secret out of GetSecretValue's answer, or an item of BatchGetSecretValue's. `Errc::corrupt` when it has neither
/// or both of SecretString and SecretBinary, no VersionId, or no base64. Members are there when the value is a JSON
/// object, text or binary; more than 65,536 bytes, which AWS never stores, is `Errc::limit`.
scanner::base::Result<Reading> read_secret(const memory::Document::Value& item);

/// BatchGetSecretValue's answer.
struct Batch {
  struct Item {
    std::string name;
    std::string arn;
    scanner::base::Result<Reading> reading;
  };
  struct Refusal {
    std::string id;  ///< As it was asked for, or its ARN.
    Fault fault;
  };
  std::vector<Item> items;
  std::vector<Refusal> refusals;
};
scanner::base::Result<Batch> read_batch(const memory::Document::Value& root);

/// DescribeSecret's answer.
struct Description {
  struct Version {
    std::string id;
    std::vector<std::string> stages;
  };
  std::vector<Version> versions;
  bool deleted = false;  ///< Scheduled for deletion: its value cannot be read any more.

  /// The version that bears the stage; empty when none does.
  [[nodiscard]] std::string holder(std::string_view stage) const;
  [[nodiscard]] bool has(std::string_view version) const;
};
scanner::base::Result<Description> read_description(const memory::Document::Value& root);

/// Whether an item is the one that was asked for by name, ARN, or ARN without its six random characters.
bool answers_to(std::string_view asked, std::string_view name, std::string_view arn);

/// Standard base64 with its padding; nothing for all else.
scanner::base::Result<memory::Secret> decode_base64(std::string_view text);

}  // namespace injector::backend::aws
