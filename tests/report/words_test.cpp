#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "samples.h"
#include "scanner/report/amounts.h"
#include "scanner/report/instruction.h"
#include "scanner/report/place.h"
#include "scanner/report/uri.h"

namespace scanner::report {
namespace {

TEST(Instruction, ReadsAsInADockerfile) {
  EXPECT_EQ(instruction("/bin/sh -c #(nop)  CMD [\"bash\"]"), "CMD [\"bash\"]");
  EXPECT_EQ(instruction("/bin/sh -c apt-get update"), "RUN apt-get update");
  EXPECT_EQ(instruction("RUN /bin/sh -c make # buildkit"), "RUN make");
  EXPECT_EQ(instruction("RUN |2 A=x y B=z /bin/sh -c make # buildkit"), "RUN make");
  EXPECT_EQ(instruction("|1 A=x /bin/sh -c make"), "RUN make");
  EXPECT_EQ(instruction("COPY . /app # buildkit"), "COPY . /app");
  EXPECT_EQ(instruction("RUN [\"/app/setup\"]"), "RUN [\"/app/setup\"]");
}

TEST(Instruction, StandsOnOneLine) {
  EXPECT_EQ(instruction("RUN /bin/sh -c a \\\n\t && b\n"), "RUN a \\ && b");
  EXPECT_EQ(instruction(" \n "), "");
}

TEST(Amounts, AreEasyToRead) {
  EXPECT_EQ(grouped(7), "7");
  EXPECT_EQ(grouped(1234), "1,234");
  EXPECT_EQ(grouped(12345678), "12,345,678");
  EXPECT_EQ(counted(1, "layer"), "1 layer");
  EXPECT_EQ(counted(0, "layer"), "0 layers");
  EXPECT_EQ(size_of(1023), "1023 B");
  EXPECT_EQ(size_of(1126), "1.1 KiB");
  EXPECT_EQ(size_of(78433485), "74.8 MiB");
  EXPECT_EQ(size_of(415236096), "396 MiB");
  EXPECT_EQ(size_of(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
  EXPECT_EQ(time_of(35), "35 ms");
  EXPECT_EQ(time_of(2134), "2.1 s");
  EXPECT_EQ(time_of(250000), "4 min 10 s");
}

TEST(Amounts, OfSizesTakeEightColumnsAtMost) {
  for (std::uint64_t size = 1; size < (1ULL << 62); size = size * 3 / 2 + 1) {
    EXPECT_LE(size_of(size).size(), 8U) << size;
  }
}

TEST(Place, ShortensDigestsForPeople) {
  const std::string digits(64, 'a');
  EXPECT_EQ(shortened_digests("layer sha256:" + digits + ": app/x"), "layer sha256:aaaaaaaaaaaa: app/x");
  EXPECT_EQ(shortened_digests("sha256:" + digits), "sha256:aaaaaaaaaaaa");
  EXPECT_EQ(shortened_digests("sha256:abc and sha256:"), "sha256:abc and sha256:");
}

TEST(Place, OfAFileNameIsItsRedactedForm) {
  Location location;
  location.entry.kind = Kind::file_name;
  location.entry.path = "keys/" + std::string(kSecret);
  location.frame = "keys/********";
  EXPECT_EQ(path_of(location), "keys/********");
}

TEST(Uri, IsPercentEncoded) {
  EXPECT_EQ(encoded_path("a b/c:d?e#f%"), "a%20b/c%3Ad%3Fe%23f%25");
  EXPECT_EQ(encoded_path("gr\xc3\xb6\xc3\x9f"
                         "e\xff"),
            "gr%C3%B6%C3%9Fe%FF");
}

TEST(Uri, HasNoEmptyAndNoDotSegments) {
  EXPECT_EQ(encoded_path("//a/./b//../c/"), "a/%252E/b/%252E%252E/c");
  EXPECT_EQ(encoded_path("/"), "");
}

TEST(Uri, OfAnImageHasNoTagAndNoDigest) {
  Report report = clean_report();
  Image& image = report.images[0];
  EXPECT_EQ(repository_of(report, image), "registry.acme.example:5000/shop/api");
  image.name = "localhost:5000/app";
  EXPECT_EQ(repository_of(report, image), "localhost:5000/app");
  image.name = "app:1@sha256:abc";
  EXPECT_EQ(repository_of(report, image), "app");
  image.name.clear();
  report.target = "/tmp/x/shop.tar.gz";
  EXPECT_EQ(repository_of(report, image), "shop");
  report.target = "-";
  EXPECT_EQ(repository_of(report, image), "image");
}

TEST(Uri, OfAProcessVariableIsTheSameForEveryProcess) {
  Report report;
  Location location;
  location.entry = {.kind = Kind::env, .path = "process 17 (sh)", .inner = {}, .decoding = {}, .field = "TOKEN"};
  EXPECT_EQ(uri_of(report, location), ".config/env/TOKEN");
}

}  // namespace
}  // namespace scanner::report
