#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "scanner/base/fd.h"
#include "scanner/base/hash.h"
#include "scanner/base/json.h"
#include "scanner/base/result.h"
#include "tests/support/temporary.h"

namespace scanner::base {
namespace {

TEST(Hash, KnowsThePublishedTestVectors) {
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
}

TEST(Hash, IsTheSameInPieces) {
  Sha256Stream stream;
  stream.update("a");
  stream.update("");
  stream.update("bc");
  EXPECT_EQ(stream.finish(), sha256("abc"));
}

TEST(Hash, TakesOciDigestsInTheirOneForm) {
  const std::string digest = to_oci_digest(sha256("abc"));
  Sha256 parsed{};
  EXPECT_TRUE(parse_oci_digest(digest, parsed));
  EXPECT_EQ(parsed, sha256("abc"));
  std::string upper = digest;
  upper[8] = 'A';
  for (const std::string& wrong : {upper, digest + "0", digest.substr(0, 70), digest.substr(7),
                                   std::string("sha512:") + digest.substr(7), std::string()}) {
    EXPECT_FALSE(parse_oci_digest(wrong, parsed)) << wrong;
  }
}

TEST(Json, RefusesWhatNestsTooDeep) {
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']')));
  const auto deep = parse_json(std::string(65, '[') + std::string(65, ']'));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code(), Errc::limit);
  EXPECT_EQ(parse_json(std::string(1'000'000, '[')).error().code(), Errc::limit);
}

TEST(Json, DoesNotTakeBracketsInTextsForNesting) {
  EXPECT_TRUE(parse_json("\"" + std::string(100, '[') + "\\\"" + std::string(100, '{') + "\""));
}

TEST(Json, SaysWhereAndNotWhatIsWrong) {
  const auto wrong = parse_json(R"({"password": hunter2})");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), Errc::corrupt);
  EXPECT_EQ(wrong.error().message().find("hunter"), std::string::npos);
}

TEST(Json, TakesTheLastOfTwoMembersOfOneName) {
  EXPECT_EQ(string_member(*parse_json(R"({"a":"1","a":"2"})"), "a"), "2");
  EXPECT_EQ(string_member(*parse_json(R"({"a":1})"), "a"), "");
  EXPECT_EQ(string_member(*parse_json("[]"), "a"), "");
}

TEST(Json, WritesBytesThatAreNoUtf8) { EXPECT_EQ(dump_json(Json("a\xff")), "\"a\xEF\xBF\xBD\""); }

TEST(File, IsReadUpToALimit) {
  const tests::TemporaryDirectory directory;
  const std::string path = directory.write("file", std::string(100'000, 'x'));
  EXPECT_EQ(read_file(path, 100'000)->size(), 100'000U);
  EXPECT_EQ(read_file(path, 99'999).error().code(), Errc::limit);
  EXPECT_EQ(read_file(directory / "none", 10).error().code(), Errc::io);
}

TEST(File, IsReplacedWholeAndReadableByItsOwnerAlone) {
  const tests::TemporaryDirectory directory;
  const std::string path = directory.write("file", "old");
  ASSERT_TRUE(write_file(path, "new"));
  EXPECT_EQ(tests::contents_of(path), "new");
  struct stat st {};
  ASSERT_EQ(::stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1) << "a temporary file is left";
}

TEST(File, ThatIsADeviceIsWrittenInPlace) {
  ASSERT_TRUE(write_file("/dev/null", "gone"));
  struct stat st {};
  ASSERT_EQ(::stat("/dev/null", &st), 0);
  EXPECT_TRUE(S_ISCHR(st.st_mode));
}

TEST(Fd, ClosesWhatItOwnsOnce) {
  int number = -1;
  {
    auto opened = open_for_reading("/dev/null");
    ASSERT_TRUE(opened);
    number = opened->get();
    Fd other = std::move(*opened);
    EXPECT_EQ(other.get(), number);
    EXPECT_NE(::fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST(Error, NamesTheStepsFromTheOutside) {
  const Error error = Error(Errc::corrupt, "bad").during("inner").during("outer");
  EXPECT_EQ(error.message(), "outer: inner: bad");
  EXPECT_EQ(error.code(), Errc::corrupt);
}

TEST(ResultDeathTest, StopsWhenAnErrorIsTakenForAValue) {
  const Result<int> failed = fail(Errc::io, "no");
  EXPECT_DEATH(static_cast<void>(*failed), "internal error");
}

}  // namespace
}  // namespace scanner::base
