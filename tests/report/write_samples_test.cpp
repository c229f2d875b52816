#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "samples.h"
#include "scanner/base/fd.h"
#include "scanner/report/formats.h"

namespace scanner::report {
namespace {

// validate.sh runs this with SCAN_SECRETS_SAMPLES and gives what it wrote to the schema and to a SARIF validator.
TEST(Samples, AreWrittenInEveryFormatForTheValidators) {
  const char* const asked = std::getenv("SCAN_SECRETS_SAMPLES");
  const std::filesystem::path folder =
      asked != nullptr ? std::filesystem::path(asked) : std::filesystem::path(testing::TempDir()) / "report-samples";
  std::filesystem::create_directories(folder);
  for (const Sample& sample : samples()) {
    for (const Format& format : formats()) {
      const std::string path = folder / (sample.name + "." + std::string(format.name));
      const base::Ok written = base::write_file(path, format.render(sample.report, {.width = 80}));
      ASSERT_TRUE(written) << path;
      EXPECT_GT(std::filesystem::file_size(path), 100U) << path;
    }
  }
  ASSERT_TRUE(base::write_file(folder / "report.schema", json_schema()));
}

}  // namespace
}  // namespace scanner::report
