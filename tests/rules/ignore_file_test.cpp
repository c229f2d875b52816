#include "scanner/rules/ignore_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace scanner::rules {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const std::string kFingerprint = "v1:00112233445566778899aabbccddeeff";
const std::string kOther = "v1:ffeeddccbbaa99887766554433221100";

TEST(IgnoreFile, NamesAFindingByFileRuleAndLine) {
  const auto file = IgnoreFile::parse("src/app.env:acme.token:12\n", ".gitleaksignore");
  EXPECT_THAT(file.problems(), IsEmpty());
  EXPECT_THAT(file.matching("src/app.env", "acme.token", 12, kFingerprint), ElementsAre(0));
  EXPECT_THAT(file.matching("src/app.env", "acme.token", 13, kFingerprint), IsEmpty());
  EXPECT_THAT(file.matching("src/app.env", "acme.other", 12, kFingerprint), IsEmpty());
  EXPECT_THAT(file.matching("app.env", "acme.token", 12, kFingerprint), IsEmpty());
}

TEST(IgnoreFile, NamesAFindingByFingerprintWhereverItStands) {
  const auto file = IgnoreFile::parse(kFingerprint + "   # rotated in May\n", "f");
  EXPECT_THAT(file.problems(), IsEmpty());
  EXPECT_THAT(file.matching("any", "acme.token", 1, kFingerprint), ElementsAre(0));
  EXPECT_THAT(file.matching("any", "acme.token", 1, kOther), IsEmpty());
}

TEST(IgnoreFile, GivesEveryLineThatNamesTheFinding) {
  const auto file = IgnoreFile::parse("a:r:1\n" + kFingerprint + "\na:r:1\n", "f");
  EXPECT_THAT(file.matching("a", "r", 1, kFingerprint), UnorderedElementsAre(0, 1, 2));
}

TEST(IgnoreFile, SkipsCommentsAndEmptyLinesAndRemembersWhereEachLineStands) {
  const auto file = IgnoreFile::parse("# why\r\n\n  a:r:1  \r\n#b:r:2\nc:r:3", "ignores");
  ASSERT_THAT(file.ignores(), SizeIs(2));
  EXPECT_EQ(file.ignores()[0].origin.file, "ignores");
  EXPECT_EQ(file.ignores()[0].origin.line, 3U);
  EXPECT_EQ(file.ignores()[1].origin.line, 5U);
}

TEST(IgnoreFile, KeepsACommitForTheHistoryOfARepositoryAlone) {
  const std::string commit(40, 'a');
  const auto file = IgnoreFile::parse(commit + ":src/app.env:r:1\n", "f");
  ASSERT_THAT(file.ignores(), SizeIs(1));
  EXPECT_EQ(file.ignores()[0].commit, commit);
  EXPECT_EQ(file.ignores()[0].path, "src/app.env");
  EXPECT_THAT(file.matching("src/app.env", "r", 1, kFingerprint), IsEmpty());
}

TEST(IgnoreFile, TakesPathsAsPeopleWriteThem) {
  const auto file = IgnoreFile::parse("./a\\b.env:r:1\n/etc/x:r:2\nc:d.env:r:3\nlib.jar!META/x#1:r:4\n", "f");
  EXPECT_THAT(file.problems(), IsEmpty());
  EXPECT_THAT(file.matching("a/b.env", "r", 1, ""), ElementsAre(0));
  EXPECT_THAT(file.matching("etc/x", "r", 2, ""), ElementsAre(1));
  EXPECT_THAT(file.matching("c:d.env", "r", 3, ""), ElementsAre(2));
  EXPECT_THAT(file.matching("lib.jar!META/x#1", "r", 4, ""), ElementsAre(3));
}

TEST(IgnoreFile, ReportsLinesItDoesNotUnderstandAndKeepsTheOthers) {
  const auto file =
      IgnoreFile::parse("a:r:x\nb:2\n:r:1\na::1\n" + kFingerprint + "0\nc:r:1\n" + kFingerprint + " x\n", "f");
  ASSERT_THAT(file.problems(), SizeIs(6));
  EXPECT_EQ(to_string(file.problems()[0]), "f:1: neither file:rule:line, commit:file:rule:line nor a fingerprint");
  ASSERT_THAT(file.ignores(), SizeIs(1));
  EXPECT_EQ(file.ignores()[0].path, "c");
}

}  // namespace
}  // namespace scanner::rules
