#include "scanner/unpack/tar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/tar.h"
#include "tests/unpack/reading.h"

namespace scanner::unpack {
namespace {

using base::Errc;
using namespace tests;  // NOLINT(google-build-using-namespace)
using ::testing::ElementsAre;
using Type = TarMember::Type;

/// The one member of an archive that is whole.
Unpacked only(const std::string& archive) {
  const Listing listing = read_tar(archive + tar_end());
  EXPECT_FALSE(listing.error) << listing.error->message();
  EXPECT_EQ(listing.members.size(), 1U);
  return listing.members.empty() ? Unpacked() : listing.members.front();
}

std::optional<Errc> error_of(const std::string& archive, const Limits& limits = {}) {
  const Listing listing = read_tar(archive, limits);
  return listing.error ? std::optional(listing.error->code()) : std::nullopt;
}

TEST(Tar, ReadsV7) {
  const auto one =
      only(tar_header({.name = "usr/bin/x", .type = '\0', .size = 5, .dialect = Dialect::v7}) + tar_padded("hello"));
  EXPECT_EQ(one.member.path, "usr/bin/x");
  EXPECT_EQ(one.member.type, Type::file);
  EXPECT_EQ(one.content, "hello");
  EXPECT_EQ(only(tar_header({.name = "usr/", .type = '\0', .dialect = Dialect::v7})).member.type, Type::directory);
}

TEST(Tar, DoesNotTakeAPrefixFromADialectThatHasNone) {
  EXPECT_EQ(only(tar_header({.name = "x", .prefix = "junk", .dialect = Dialect::v7})).member.path, "x");
  EXPECT_EQ(only(tar_header({.name = "x", .prefix = "junk", .dialect = Dialect::gnu})).member.path, "x");
  EXPECT_EQ(only(tar_header({.name = "x", .prefix = "a/b", .dialect = Dialect::ustar})).member.path, "a/b/x");
}

TEST(Tar, ReadsNamesThatFillTheirFields) {
  const std::string name(100, 'n');
  const std::string prefix(155, 'p');
  EXPECT_EQ(only(tar_header({.name = name, .prefix = prefix})).member.path, prefix + "/" + name);
}

TEST(Tar, ReadsGnuLongNamesAndLinks) {
  const std::string name = std::string(300, 'n') + "/x";
  const std::string link = "../" + std::string(300, 'l');
  const auto one =
      only(tar_long('K', link) + tar_long('L', name) + tar_header({.name = "short", .type = '2', .link = "short"}));
  EXPECT_EQ(one.member.path, name);
  EXPECT_EQ(one.member.link, link);
  EXPECT_EQ(one.member.type, Type::symlink);
}

TEST(Tar, ReadsPaxPathLinkAndSize) {
  const auto one =
      only(tar_pax(pax_record("path", "long/name") + pax_record("size", "5") + pax_record("mtime", "1.5")) +
           tar_header({.name = "short", .size = 0}) + tar_padded("hello"));
  EXPECT_EQ(one.member.path, "long/name");
  EXPECT_EQ(one.content, "hello");
  EXPECT_EQ(only(tar_pax(pax_record("linkpath", "far/away")) + tar_symlink("x", "near")).member.link, "far/away");
}

TEST(Tar, AppliesPaxRecordsToOneMemberAlone) {
  const Listing listing =
      read_tar(tar_pax(pax_record("path", "first")) + tar_file("a", "1") + tar_file("b", "2") + tar_end());
  ASSERT_EQ(listing.members.size(), 2U);
  EXPECT_EQ(listing.members[0].member.path, "first");
  EXPECT_EQ(listing.members[1].member.path, "b");
}

TEST(Tar, KeepsPaxRecordsThatAreNoPartOfTheMember) {
  const std::string value = std::string("token=acme\n") + '\0' + "9 path=z\n";
  const auto one =
      only(tar_pax(pax_record("SCHILY.xattr.user.note", value) + pax_record("path", "x")) + tar_file("y", ""));
  EXPECT_EQ(one.member.path, "x");
  EXPECT_EQ(one.member.extra, "SCHILY.xattr.user.note=" + value + "\n");
  EXPECT_EQ(only(tar_pax(pax_record("comment", "hi"), 'g') + tar_file("y", "")).member.extra, "comment=hi\n");
}

TEST(Tar, DoesNotLetGlobalRecordsRenameMembers) {
  EXPECT_EQ(only(tar_pax(pax_record("path", "evil"), 'g') + tar_file("y", "")).member.path, "y");
}

TEST(Tar, ReadsSizesInBase256) {
  EXPECT_EQ(only(tar_header({.name = "x", .size_field = tar_base256(5)}) + tar_padded("hello")).content, "hello");
  const Listing listing =
      read_tar(tar_header({.name = "x", .size_field = tar_base256(1ULL << 40)}) + tar_padded("hello"));
  ASSERT_EQ(listing.members.size(), 1U);
  EXPECT_EQ(listing.members[0].member.data_bytes, 1ULL << 40);
  EXPECT_EQ(listing.error->code(), Errc::truncated);
}

TEST(Tar, RefusesSizesThatAreNone) {
  EXPECT_EQ(error_of(tar_header({.name = "x", .size_field = std::string(12, '\xff')})), Errc::corrupt) << "negative";
  EXPECT_EQ(error_of(tar_header({.name = "x", .size_field = "-5"})), Errc::corrupt);
  EXPECT_EQ(error_of(tar_header({.name = "x", .size_field = "99999999999"})), Errc::corrupt) << "no octal digits";
  EXPECT_EQ(error_of(tar_header({.name = "x", .size_field = "\x80\x7f" + std::string(10, '\xff')})), Errc::corrupt)
      << "too large";
  EXPECT_EQ(error_of(tar_pax(pax_record("size", "-1")) + tar_file("x", "")), Errc::corrupt);
  EXPECT_EQ(error_of(tar_pax(pax_record("size", "99999999999999999999")) + tar_file("x", "")), Errc::corrupt);
}

TEST(Tar, IsNotLedAstrayBySizesNearTheTopOfTheRange) {
  for (const char* size : {"18446744073709551615", "18446744073709551104", "9223372036854775807"}) {
    const auto error = error_of(tar_pax(pax_record("size", size)) + tar_file("x", "hello") + tar_end());
    EXPECT_TRUE(error == Errc::truncated || error == Errc::corrupt) << size;
  }
}

TEST(Tar, ReadsOldGnuSparseFiles) {
  std::vector<std::pair<std::uint64_t, std::string>> parts = {{0, "begin"}, {4096, "middle"}, {1 << 20, "end"}};
  const auto one = only(tar_old_sparse("x", parts));
  EXPECT_EQ(one.member.data_bytes, 14U);
  EXPECT_THAT(one.starts, ElementsAre(0, 4096, 1 << 20));
  EXPECT_EQ(one.content.size(), (1U << 20) + 3);
  EXPECT_EQ(one.content.substr(4096, 6), "middle");
}

TEST(Tar, ReadsOldGnuSparseMapsThatGoOnInFurtherBlocks) {
  for (const std::size_t count : {4U, 5U, 25U, 26U, 60U}) {
    std::vector<std::pair<std::uint64_t, std::string>> parts;
    for (std::size_t i = 0; i < count; ++i) parts.emplace_back(i * 1000, "part" + std::to_string(i));
    const Listing listing = read_tar(tar_old_sparse("x", parts) + tar_file("after", "1") + tar_end());
    ASSERT_EQ(listing.members.size(), 2U) << count;
    EXPECT_EQ(listing.members[0].starts.size(), count);
    for (const auto& [offset, text] : parts) EXPECT_EQ(listing.members[0].content.substr(offset, text.size()), text);
    EXPECT_EQ(listing.members[1].content, "1");
  }
}

std::string sparse_00() {
  return tar_pax(pax_record("GNU.sparse.size", "2000") + pax_record("GNU.sparse.numblocks", "2") +
                 pax_record("GNU.sparse.offset", "100") + pax_record("GNU.sparse.numbytes", "5") +
                 pax_record("GNU.sparse.offset", "1500") + pax_record("GNU.sparse.numbytes", "5")) +
         tar_file("x", "helloworld");
}
std::string sparse_01() {
  return tar_pax(pax_record("GNU.sparse.size", "2000") + pax_record("GNU.sparse.name", "real/x") +
                 pax_record("GNU.sparse.map", "100,5,1500,5")) +
         tar_file("GNUSparseFile.0/x", "helloworld");
}
std::string sparse_10(const std::string& map = "2\n100\n5\n1500\n5\n") {
  return tar_pax(pax_record("GNU.sparse.major", "1") + pax_record("GNU.sparse.minor", "0") +
                 pax_record("GNU.sparse.name", "real/x") + pax_record("GNU.sparse.realsize", "2000")) +
         tar_file("GNUSparseFile.0/x", tar_padded(map) + "helloworld");
}

TEST(Tar, ReadsPaxSparseFilesOfAllVersions) {
  for (const std::string& archive : {sparse_00(), sparse_01(), sparse_10()}) {
    const auto one = only(archive);
    EXPECT_TRUE(one.member.path == "x" || one.member.path == "real/x") << one.member.path;
    EXPECT_THAT(one.starts, ElementsAre(100, 1500));
    EXPECT_EQ(one.content, std::string(100, '\0') + "hello" + std::string(1395, '\0') + "world");
    EXPECT_EQ(one.member.data_bytes, 10U);
    EXPECT_EQ(one.member.extra, "");
  }
}

TEST(Tar, RefusesSparseMapsThatDoNotFit) {
  EXPECT_EQ(error_of(sparse_10("1\n0\n5\n")), Errc::corrupt) << "data left over";
  EXPECT_EQ(error_of(sparse_10("1\n0\n500\n")), Errc::corrupt) << "data missing";
  EXPECT_EQ(error_of(sparse_10("2\n100\n5\n50\n5\n")), Errc::corrupt) << "backwards";
  EXPECT_EQ(error_of(sparse_10("2\n100\n5\n102\n5\n")), Errc::corrupt) << "overlap";
  EXPECT_EQ(error_of(sparse_10("x\n")), Errc::corrupt);
  EXPECT_EQ(error_of(sparse_10("\n")), Errc::corrupt);
  EXPECT_EQ(error_of(sparse_10("5000000\n")), Errc::limit);
  EXPECT_EQ(error_of(sparse_10("1\n18446744073709551615\n10\n")), Errc::corrupt);
  EXPECT_TRUE(error_of(sparse_10("1000\n1\n1\n"))) << "a map longer than the file";
  EXPECT_EQ(error_of(tar_pax(pax_record("GNU.sparse.map", "1,2,3,a")) + tar_file("x", "12")), Errc::corrupt);
  EXPECT_EQ(error_of(tar_old_sparse("x", {{100, "hello"}, {50, "world"}})), Errc::corrupt);
}

TEST(Tar, TellsLinksDirectoriesAndDevicesApart) {
  std::string archive = tar_directory("d") + tar_symlink("d/s", "../t") + tar_hard_link("./d/h", "./d/../f");
  for (const char type : {'3', '4', '6'}) archive += tar_header({.name = std::string("dev") + type, .type = type});
  const Listing listing = read_tar(archive + tar_file("f", "1") + tar_end());
  ASSERT_EQ(listing.members.size(), 7U);
  EXPECT_EQ(listing.members[0].member.type, Type::directory);
  EXPECT_EQ(listing.members[0].member.path, "d");
  EXPECT_EQ(listing.members[1].member.type, Type::symlink);
  EXPECT_EQ(listing.members[1].member.link, "../t");
  EXPECT_EQ(listing.members[2].member.type, Type::hard_link);
  EXPECT_EQ(listing.members[2].member.link, "f");
  for (int i = 3; i < 6; ++i) EXPECT_EQ(listing.members[static_cast<std::size_t>(i)].member.type, Type::other);
}

TEST(Tar, TakesNoDataForLinksWhateverTheirSizeSays) {
  const Listing listing =
      read_tar(tar_header({.name = "l", .type = '1', .size = 512, .link = "f"}) + tar_file("f", "1") + tar_end());
  ASSERT_EQ(listing.members.size(), 2U);
  EXPECT_EQ(listing.members[1].content, "1");
}

TEST(Tar, GivesTheDataOfTypesThatItDoesNotKnow) {
  EXPECT_EQ(only(tar_header({.name = "x", .type = 'Z', .size = 5}) + tar_padded("hello")).content, "hello");
}

TEST(Tar, CleansNamesAndSaysWhichLeadOut) {
  const std::vector<std::tuple<std::string, std::string, bool>> names = {
      {"./a/b", "a/b", false}, {"/etc/x", "etc/x", false}, {"a//b/./c", "a/b/c", false},
      {"a/../b", "b", false},  {"../x", "x", true},        {"a/../../x", "x", true},
      {"..", "", true},        {"./", "", false},          {"a/..b/c", "a/..b/c", false}};
  for (const auto& [raw, clean, escapes] : names) {
    bool led_out = false;
    EXPECT_EQ(clean_path(raw, led_out), clean) << raw;
    EXPECT_EQ(led_out, escapes) << raw;
    const auto one = only(tar_file(raw, ""));
    EXPECT_EQ(one.member.path, clean);
    EXPECT_EQ(one.member.escapes, escapes);
  }
}

TEST(Tar, NeverTakesACutForTheEnd) {
  std::string archive = tar_directory("d") + tar_file("d/a", std::string(1300, 'a')) +
                        tar_long('L', std::string(600, 'n')) + tar_file("x", "1") + tar_pax(pax_record("path", "p")) +
                        tar_file("x", "2") + sparse_10() +
                        tar_old_sparse("s", {{0, "1"}, {5, "1"}, {10, "1"}, {15, "1"}, {20, "1"}, {25, "1"}});
  const Listing whole = read_tar(archive + tar_end());
  ASSERT_FALSE(whole.error);
  ASSERT_EQ(whole.members.size(), 6U);
  for (std::size_t at = 0; at < archive.size(); at += at % 512 == 0 || at % 512 == 511 ? 1U : 85U) {
    const Listing cut = read_tar(std::string_view(archive).substr(0, at));
    ASSERT_TRUE(cut.error) << "cut at " << at;
    ASSERT_EQ(cut.error->code(), Errc::truncated) << "cut at " << at << ": " << cut.error->message();
  }
  EXPECT_TRUE(read_tar(archive).error) << "no marker at all";
}

TEST(Tar, TakesOneZeroBlockForTheEndAsEveryReaderDoes) {
  EXPECT_FALSE(error_of(tar_file("x", "1") + std::string(512, '\0')));
  EXPECT_FALSE(error_of(tar_file("x", "1") + std::string(512, '\0') + tar_file("y", "2")));
}

TEST(Tar, StopsWhereNoHeaderIsWithTheCursorThere) {
  const std::string archive = tar_file("x", "1") + std::string(600, 'j') + "tail";
  base::MemoryStream stream(archive);
  std::vector<char> memory(2048);
  Window window(stream, memory);
  const Limits limits;
  TarReader reader(window, limits);
  TarMember member;
  ASSERT_TRUE(*reader.next(member));
  const auto next = reader.next(member);
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code(), Errc::corrupt);
  EXPECT_EQ(window.position(), 1024U);
  StreamPieces rest(window);
  EXPECT_EQ(*join(rest, 8), std::string(600, 'j') + "tail");
}

TEST(Tar, BoundsNamesAndRecordsAndEntries) {
  EXPECT_FALSE(error_of(tar_long('L', std::string(500'000, 'n')) + tar_file("x", "") + tar_end()));
  EXPECT_EQ(error_of(tar_long('L', std::string((1U << 20) + 1, 'n')) + tar_file("x", "") + tar_end()), Errc::limit);
  EXPECT_EQ(error_of(tar_header({.name = "x", .type = 'x', .size_field = tar_base256(1ULL << 40)})), Errc::limit);
  Limits limits;
  limits.max_entries = 3;
  const std::string archive = tar_file("1", "") + tar_file("2", "") + tar_file("3", "");
  EXPECT_EQ(error_of(archive + tar_file("4", "") + tar_end(), limits), Errc::limit);
}

TEST(Tar, TakesAnArchiveWithAsManyEntriesAsTheLimitSays) {
  Limits limits;
  limits.max_entries = 3;
  EXPECT_FALSE(error_of(tar_file("1", "") + tar_file("2", "") + tar_file("3", "") + tar_end(), limits));
}

TEST(Tar, RefusesBrokenPaxRecords) {
  for (const std::string& records :
       {std::string("x"), std::string("5 a=b"), std::string("0 a=b\n"), std::string("99 a=b\n"), std::string("6 a=bX"),
        std::string("5 ab\n"), std::string("18446744073709551615 a=b\n"), std::string("-6 a=b\n"),
        std::string("1 \n")}) {
    EXPECT_EQ(error_of(tar_pax(records) + tar_file("x", "") + tar_end()), Errc::corrupt) << records;
  }
}

TEST(Tar, TakesChecksumsOverSignedBytesToo) {
  std::string header = tar_header({.name = "\xe4\xf6\xfc"});
  std::int64_t sum = 8 * ' ';
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? 0 : static_cast<signed char>(header[i]);
  std::snprintf(header.data() + 148, 8, "%06llo", static_cast<unsigned long long>(sum));
  EXPECT_EQ(only(header).member.path, "\xe4\xf6\xfc");
}

TEST(TarPieces, RepeatAndOverlapForEveryBufferAndOverlap) {
  std::string content;
  for (int i = 0; content.size() < 5000; ++i) content += std::to_string(i) + ",";
  const std::string archive = tar_file("a", content) + tar_file("b", "") + sparse_10() +
                              tar_old_sparse("s", {{0, content}, {9000, content.substr(0, 700)}}) + tar_file("c", "x") +
                              tar_end();
  for (const std::size_t buffer : {512U, 513U, 600U, 1000U, 1024U, 1025U, 4096U, 65536U}) {
    for (std::size_t keep = 0; keep <= buffer / 2; keep += 1 + keep * 3 / 2) {
      SCOPED_TRACE("buffer " + std::to_string(buffer) + ", keep " + std::to_string(keep));
      const Listing listing = read_tar(archive, {}, buffer, keep);
      ASSERT_FALSE(listing.error);
      ASSERT_EQ(listing.members.size(), 5U);
      EXPECT_EQ(listing.members[0].content, content);
      EXPECT_EQ(listing.members[2].content.substr(1500), "world");
      EXPECT_EQ(listing.members[3].content.substr(9000), content.substr(0, 700));
    }
  }
}

}  // namespace
}  // namespace scanner::unpack
