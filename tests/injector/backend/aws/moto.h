#pragma once

#include <string>
#include <vector>

#include "scanner/base/json.h"
#include "tests/support/talking_child.h"
#include "tests/support/temporary.h"

namespace tests {

/// serve.py: moto over TLS, signatures enforced, and a metadata service. Ends with this.
class Moto {
 public:
  explicit Moto(const std::string& python)
      : child_({python, PROJECT_ROOT "/tests/injector/backend/aws/serve.py", folder_.path()}) {
    const auto facts = scanner::base::parse_json(child_.line());
    if (facts && facts->is_object()) facts_ = *facts;
  }

  /// "url", "ca", "id", "key", "role", "metadata"; empty when it did not start.
  [[nodiscard]] std::string operator[](const char* name) const { return scanner::base::string_member(facts_, name); }
  std::string tell(const std::vector<std::string>& words) {
    return child_.tell(scanner::base::dump_json(scanner::base::Json(words)));
  }
  [[nodiscard]] const TemporaryDirectory& folder() const { return folder_; }

 private:
  TemporaryDirectory folder_;
  TalkingChild child_;
  scanner::base::Json facts_ = scanner::base::Json::object();
};

}  // namespace tests
