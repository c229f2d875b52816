#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

#include "scanner/base/json.h"
#include "tests/support/temporary.h"

namespace tests {

/// serve.py as a child: moto over TLS, signatures enforced, and a metadata service. Ends with this.
class Moto {
 public:
  explicit Moto(const std::string& python);
  Moto(const Moto&) = delete;
  Moto& operator=(const Moto&) = delete;
  ~Moto();

  /// Empty when it did not start.
  [[nodiscard]] std::string operator[](const char* name) const { return scanner::base::string_member(facts_, name); }
  std::string tell(const std::vector<std::string>& words);
  [[nodiscard]] const TemporaryDirectory& folder() const { return folder_; }

 private:
  std::string line();
  TemporaryDirectory folder_;
  pid_t child_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
  scanner::base::Json facts_ = scanner::base::Json::object();
};

}  // namespace tests
