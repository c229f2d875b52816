#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "pods.h"

namespace injector::pod::test {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What people see of a verdict: the pod as it will be, or why not, and the warnings.
std::string told(const Json& pod, const Verdict& verdict) {
  std::string out;
  for (const auto& warning : verdict.warnings) out += "warning: " + warning + "\n";
  if (!verdict.allowed) return out + "refused:\n" + verdict.message + "\n";
  Json after = pod.patch(verdict.patch);
  for (Json* each : {&after["spec"]["initContainers"], &after["spec"]["containers"]}) {
    for (Json& container : *each) {
      if (!container.contains("env")) continue;
      for (Json& variable : container["env"]) {
        // A text of many lines is read line by line.
        if (variable["name"] != "SECRET_INJECTOR_CONFIG") continue;
        Json lines = Json::array();
        std::string line;
        for (const char c : variable["value"].get<std::string>()) {
          if (c == '\n')
            lines.push_back(std::exchange(line, {}));
          else
            line += c;
        }
        if (!line.empty()) lines.push_back(line);
        variable["value"] = lines;
      }
    }
  }
  return out + after.dump(2) + "\n";
}

/// golden/NAME.yaml, a pod, and golden/NAME.golden, what becomes of it; written anew with
/// SECRET_INJECTOR_WRITE_GOLDEN=1 in the environment, to be read by a person.
TEST(Golden, PodsOfVaultK8sBecomeWhatTheyAlwaysDid) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(PROJECT_ROOT "/tests/injector/pod/golden")) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    const Json pod = yaml(read(entry.path()));
    const std::string got = told(pod, reviewed(pod));
    fs::path golden = entry.path();
    golden.replace_extension(".golden");
    if (std::getenv("SECRET_INJECTOR_WRITE_GOLDEN") != nullptr) std::ofstream(golden) << got;
    EXPECT_EQ(got, read(golden)) << entry.path();
  }
  EXPECT_GE(count, 4U);
}

}  // namespace
}  // namespace injector::pod::test
