#include "scanner/scan/searcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <thread>

#include "scanner/base/hash.h"
#include "scanner/scan/batch.h"
#include "scanner/scan/work.h"
#include "tests/scan/engine.h"
#include "tests/support/compress.h"
#include "tests/support/tar.h"

namespace scanner::scan {
namespace {

using namespace tests;  // NOLINT(google-build-using-namespace)
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

struct Searched {
  Outcome out;
  std::optional<base::Error> error;
  [[nodiscard]] std::vector<std::string> at(int number) const { return places(out.found, secret(number)); }
  [[nodiscard]] std::vector<SkipReason> reasons() const {
    std::vector<SkipReason> all;
    for (const Skipped& one : out.coverage.skipped) all.push_back(one.reason);
    return all;
  }
};

/// Everything is searched by one worker alone, and shared with one that has nothing to do: the same must come of both.
class SearcherTest : public ::testing::Test {
 protected:
  static Searched file(std::string_view bytes, const Limits& limits = {}, const std::string& path = "f") {
    return both(limits, [&](Searcher& searcher, Work& work, Outcome& out) {
      base::MemoryStream stream(bytes);
      return file(stream, path, searcher, work, out);
    });
  }

  static Searched layer(std::string_view bytes, const Limits& limits = {}) {
    return both(limits, [&](Searcher& searcher, Work& work, Outcome& out) {
      base::MemoryStream stream(bytes);
      unpack::Window window(stream, searcher.window_buffer());
      return searcher.layer(window, work, out);
    });
  }

  static base::Result<void> file(base::Stream& stream, const std::string& path, Searcher& searcher, Work& work,
                                 Outcome& out) {
    unpack::Window window(stream, searcher.window_buffer());
    unpack::StreamPieces pieces(window);
    Entry entry;
    entry.path = path;
    return searcher.file(entry, pieces, work, out);
  }

  template <class Search>
  static Searched both(const Limits& limits, Search search) {
    const auto once = [&](Work& work) {
      Searched result;
      Progress progress;
      auto searcher = Searcher::create(acme().engine(), limits, progress);
      auto read = search(*searcher, work, result.out);
      if (!read) result.error = std::move(read).error();
      return result;
    };
    Work alone(1);
    const Searched result = once(alone);
    Work work(2);
    std::thread helper([&] {
      Progress progress;
      auto searcher = Searcher::create(acme().engine(), limits, progress);
      for (;;) {
        Work::Next next = work.take();
        auto* task = std::get_if<std::shared_ptr<Task>>(&next);
        if (task == nullptr) return;
        (*task)->run(*searcher);
        work.done(**task);
      }
    });
    while (!work.takes_tasks()) std::this_thread::yield();
    Searched shared = once(work);
    work.close();
    helper.join();
    EXPECT_EQ(text_of(result), text_of(shared));
    return shared;
  }

 private:
  static std::string text_of(const Searched& searched) {
    const Coverage& coverage = searched.out.coverage;
    std::string text = searched.error ? searched.error->message() + "\n" : "";
    text += std::to_string(coverage.files) + " " + std::to_string(coverage.texts) + " " +
            std::to_string(coverage.bytes) + " " + std::to_string(searched.out.ignored) + "\n";
    for (const Skipped& one : coverage.skipped) text += one.place + ": " + one.detail + "\n";
    std::vector<std::string> found;
    for (const Found& one : searched.out.found)
      found.push_back(place_of("", one.entry) + " " + std::to_string(one.hit.offset) + " " + one.hit.secret);
    std::ranges::sort(found);
    for (const std::string& one : found) text += one + "\n";
    return text;
  }
};

TEST_F(SearcherTest, FindsASecretInAFileWithItsLineAndColumn) {
  const Searched result = file("first\n  token=" + secret(1) + "\n");
  EXPECT_FALSE(result.error);
  EXPECT_THAT(result.at(1), ElementsAre("f 2:9"));
  EXPECT_EQ(result.out.coverage.files, 1U);
  EXPECT_TRUE(result.out.coverage.complete());
}

TEST_F(SearcherTest, FindsASecretInTheNameOfAFile) {
  EXPECT_THAT(file("", {}, "a/" + secret(1)).at(1), ElementsAre("a/" + secret(1) + " (file_name) 1:3"));
}

TEST_F(SearcherTest, LooksIntoArchivesWithinArchives) {
  const std::string inner = tar_file("deep/x", secret(1)) + tar_file("y", secret(2)) + tar_end();
  const std::string outer =
      tar_file("inner.tar.gz", gzipped(inner)) + tar_file("z.zst", zstd("\n" + secret(3))) + tar_end();
  const Searched result = file(outer);
  EXPECT_FALSE(result.error);
  EXPECT_THAT(result.at(1), ElementsAre("f!inner.tar.gz!deep/x +gzip 1:1"));
  EXPECT_THAT(result.at(2), ElementsAre("f!inner.tar.gz!y +gzip 1:1"));
  EXPECT_THAT(result.at(3), ElementsAre("f!z.zst +zstd 2:1"));
  EXPECT_THAT(result.reasons(), IsEmpty());
}

TEST_F(SearcherTest, ShowsASecretOfAnArchiveWhereItsMemberIsAndNotInItsRawBytesToo) {
  EXPECT_THAT(file(tar_file("m", "x=" + secret(1)) + tar_end()).at(1), ElementsAre("f!m 1:3"));
}

TEST_F(SearcherTest, ShowsWhatNoMemberHoldsInTheRawBytes) {
  const std::string archive = tar_file("m", secret(1)) + tar_end() + "behind the end: " + secret(2);
  const Searched result = file(archive);
  EXPECT_THAT(result.at(1), ElementsAre("f!m 1:1"));
  EXPECT_EQ(result.at(2).size(), 1U);
}

TEST_F(SearcherTest, SearchesABrokenArchiveAsItIsAndStaysComplete) {
  const std::string archive = tar_file("m", secret(1)) + std::string(700, 'j') + secret(2) + std::string(500, 'k');
  const Searched result = file(archive);
  EXPECT_FALSE(result.error);
  EXPECT_THAT(result.at(1), ElementsAre("f!m 1:1"));
  EXPECT_EQ(result.at(2).size(), 1U);
  EXPECT_THAT(result.reasons(), ElementsAre(SkipReason::raw_only));
  EXPECT_TRUE(result.out.coverage.complete());
}

TEST_F(SearcherTest, GivesWhatABrokenCompressedFileHeldUpToTheBreak) {
  std::string noise;
  for (int i = 0; i < 20'000; ++i) noise += std::to_string(i * 7919) + "\n";
  for (const std::string& whole : {gzipped(secret(1) + noise), zstd(secret(1) + noise)}) {
    const Searched result = file(std::string_view(whole).substr(0, whole.size() - 20));
    EXPECT_EQ(result.at(1).size(), 1U) << to_string(unpack::sniff(whole));
    EXPECT_THAT(result.reasons(), ElementsAre(SkipReason::raw_only));
    EXPECT_TRUE(result.out.coverage.complete());
  }
}

TEST_F(SearcherTest, StopsAtTheDepthLimitAndSaysSo) {
  std::string bytes = secret(1);
  for (int i = 0; i < 3; ++i) bytes = gzipped(bytes);
  Limits limits;
  limits.max_archive_depth = 3;
  EXPECT_THAT(file(bytes, limits).at(1), ElementsAre("f +gzip +gzip +gzip 1:1"));
  limits.max_archive_depth = 2;
  const Searched result = file(bytes, limits);
  EXPECT_THAT(result.at(1), Not(Contains("f +gzip +gzip +gzip 1:1")));
  EXPECT_THAT(result.reasons(), ElementsAre(SkipReason::limit));
  EXPECT_FALSE(result.out.coverage.complete());
}

TEST_F(SearcherTest, StopsAtTheByteLimitOfNestedArchivesAndSaysSo) {
  Limits limits;
  limits.max_nested_bytes = 4U << 20;
  const std::string bytes = gzipped(secret(1) + std::string(16U << 20, 'a') + secret(2));
  const Searched result = file(bytes, limits);
  EXPECT_EQ(result.at(1).size(), 1U);
  EXPECT_THAT(result.at(2), IsEmpty());
  EXPECT_THAT(result.reasons(), ElementsAre(SkipReason::limit));
  EXPECT_FALSE(result.out.coverage.complete());
}

TEST_F(SearcherTest, CountsTheBytesOfAllMembersOfANestedArchiveTogether) {
  Limits limits;
  limits.max_nested_bytes = 3U << 20;
  std::string archive;
  for (int i = 0; i < 6; ++i) archive += tar_file("m" + std::to_string(i), std::string(1U << 20, 'a'));
  const Searched result = file(gzipped(archive + tar_end()), limits);
  EXPECT_FALSE(result.out.coverage.complete());
}

TEST_F(SearcherTest, ReadsNothingMoreOfANestedArchiveOnceItsByteLimitIsReached) {
  Limits limits;
  limits.max_nested_bytes = 4U << 20;
  for (const std::string& inner :
       {tar_file("m", std::string(64U << 20, 'a')) + tar_end(), tar_file("m", "1") + std::string(64U << 20, 'j')}) {
    const Searched result = file(gzipped(inner), limits);
    EXPECT_THAT(result.reasons(), Contains(SkipReason::limit));
    EXPECT_LT(result.out.coverage.bytes, 24U << 20);
  }
}

TEST_F(SearcherTest, StopsAtTheSizeLimitOfOneFileAndSaysSo) {
  Limits limits;
  limits.max_entry_bytes = 2U << 20;
  const Searched result = file(std::string(8U << 20, 'a') + secret(1), limits);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code(), base::Errc::limit);
}

TEST_F(SearcherTest, FindsASecretInTheLastBytesOfAFileThatBreaksOff) {
  class Breaking final : public base::Stream {
   public:
    explicit Breaking(std::string text) : text_(std::move(text)), rest_(text_) {}
    base::Result<std::size_t> read(std::span<char> out) override {
      auto got = rest_.read(out);
      if (*got == 0) return base::fail(base::Errc::io, "broken");
      return got;
    }

   private:
    std::string text_;
    base::MemoryStream rest_;
  };
  for (const std::size_t before : {0U, 5U, 1'000'000U, 1'048'560U, 3'000'000U}) {
    const Searched result = both({}, [&](Searcher& searcher, Work& work, Outcome& out) {
      Breaking stream(std::string(before, '.') + secret(1));
      return file(stream, "f", searcher, work, out);
    });
    EXPECT_TRUE(result.error);
    EXPECT_THAT(result.at(1), ElementsAre("f 1:" + std::to_string(before + 1)));
  }
}

TEST_F(SearcherTest, FindsSecretsInEveryPartOfALayer) {
  const std::string bytes = tar_directory("d") + tar_file("d/f", "\n " + secret(1)) +
                            tar_symlink("d/l", "/x/" + secret(2)) + tar_file(secret(3), "") + tar_directory(secret(4)) +
                            tar_pax(pax_record("SCHILY.xattr.user.token", secret(5))) + tar_file("d/x", "") + tar_end();
  const Searched result = layer(bytes);
  EXPECT_FALSE(result.error);
  EXPECT_THAT(result.at(1), ElementsAre("d/f 2:2"));
  EXPECT_THAT(result.at(2), ElementsAre("d/l (symlink_target) 1:4"));
  EXPECT_THAT(result.at(3), ElementsAre(secret(3) + " (file_name) 1:1"));
  EXPECT_THAT(result.at(4), ElementsAre(secret(4) + " (file_name) 1:1"));
  ASSERT_EQ(result.at(5).size(), 1U);
  EXPECT_TRUE(result.at(5)[0].starts_with("d/x PAX"));
}

TEST_F(SearcherTest, SharesTheWindowsOfALargeFile) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += std::string(20'011, i % 3 == 0 ? ' ' : '.') + "\n" + secret(i) + " ";
  EXPECT_EQ(file(text).out.found.size(), 400U);
  EXPECT_EQ(layer(tar_file("a", text) + tar_file("b", text) + tar_end()).out.found.size(), 800U);
  EXPECT_EQ(file(gzipped(text)).out.found.size(), 400U);
}

TEST(Batch, IsFullOfEmptyFilesToo) {
  Outcome out;
  Batch batch(out, {});
  int files = 0;
  for (; !batch.full() && files < 100'000; ++files) {
    base::MemoryStream nothing("");
    std::array<char, 4096> buffer{};
    unpack::Window window(nothing, buffer);
    unpack::StreamPieces pieces(window);
    Entry entry;
    entry.path = std::string(200, 'p');
    ASSERT_TRUE(batch.add(std::move(entry), pieces, {}));
  }
  EXPECT_LT(files, 3000);
}

TEST_F(SearcherTest, SharesALayerOfManyFilesAndKeepsItsOrder) {
  std::string bytes;
  for (int i = 0; i < 3000; ++i) {
    const std::string name = "d/" + std::to_string(i);
    bytes += tar_file(name, std::string(static_cast<std::size_t>(i % 7) * 700, '.') + (i % 100 == 0 ? secret(i) : ""));
    if (i % 500 == 0) bytes += tar_file("../" + name, "x");  // a skip of the layer's own
    if (i % 600 == 0) bytes += tar_file(name + ".gz", gzipped("x").substr(0, 15) + "damage");  // and one of a file
    if (i == 1500) bytes += tar_file("large", std::string(3U << 20, '.') + secret(5000));
  }
  const Searched result = layer(bytes + tar_end());
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.out.found.size(), 31U);
  EXPECT_EQ(result.out.coverage.skipped.size(), 11U);
}

TEST_F(SearcherTest, SearchesTheDataOfMembersOfUnknownTypes) {
  for (const char type : {'Z', 'D', 'M', '7'}) {
    const std::string bytes =
        tar_header({.name = "x", .type = type, .size = secret(1).size()}) + tar_padded(secret(1)) + tar_end();
    EXPECT_EQ(layer(bytes).at(1).size(), 1U) << type;
  }
  const std::string folder = tar_header({.name = "x/", .type = '\0', .size = secret(1).size(), .dialect = Dialect::v7});
  EXPECT_EQ(layer(folder + tar_padded(secret(1)) + tar_end()).at(1).size(), 1U) << "a directory with data";
}

TEST_F(SearcherTest, FindsASecretInTheLastBytesOfATruncatedLayer) {
  const std::string whole =
      tar_file("a", "1") + tar_header({.name = "b", .size = 4000}) + std::string(200, '.') + secret(1);
  const Searched result = layer(whole);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code(), base::Errc::truncated);
  EXPECT_THAT(result.at(1), ElementsAre("b 1:201"));
}

TEST_F(SearcherTest, SearchesWhatFollowsALayersEnd) {
  const Searched result = layer(tar_file("a", "1") + tar_end() + std::string(3000, '\0') + secret(1));
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.at(1).size(), 1U);
}

TEST_F(SearcherTest, SearchesWhatCannotBeReadAsALayer) {
  const Searched result = layer(tar_file("a", secret(1)) + std::string(600, 'j') + secret(2));
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code(), base::Errc::corrupt);
  EXPECT_EQ(result.at(1).size(), 1U);
  EXPECT_EQ(result.at(2).size(), 1U);
}

TEST_F(SearcherTest, GivesOffsetsAndColumnsAfterTheHolesOfASparseFile) {
  const std::string text = "one\n" + secret(1) + " ";
  const Searched result =
      layer(tar_old_sparse("s", {{100, text}, {50'000, "x" + secret(2) + "\n" + secret(3)}}) + tar_end());
  EXPECT_FALSE(result.error);
  EXPECT_THAT(result.at(1), ElementsAre("s 2:1"));
  const std::uint64_t line_begin = 100 + 4;
  EXPECT_THAT(result.at(2), ElementsAre("s 2:" + std::to_string(50'001 - line_begin + 1)));
  EXPECT_THAT(result.at(3), ElementsAre("s 3:1"));
  for (const Found& one : result.out.found) {
    EXPECT_TRUE(one.hit.secret != secret(2) || one.hit.offset == 50'001U);
  }
}

TEST_F(SearcherTest, SurvivesASparseFileThatIsCutAfterAHole) {
  const std::string whole = tar_old_sparse("s", {{100, "begin"}, {50'000, "x" + secret(1) + std::string(3000, '.')}});
  for (std::size_t left = 2900; left < 3100; ++left) {
    const Searched result = layer(std::string_view(whole).substr(0, whole.size() - left));
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code(), base::Errc::truncated);
  }
}

TEST_F(SearcherTest, DoesNotJoinASecretAcrossAHole) {
  const std::string token = secret(1);
  const Searched result = layer(tar_old_sparse("s", {{0, token.substr(0, 12)}, {5000, token.substr(12)}}) + tar_end());
  EXPECT_THAT(result.out.found, IsEmpty());
}

TEST_F(SearcherTest, RemembersHardLinksOfALayer) {
  const Searched result =
      layer(tar_file("a", secret(1)) + tar_hard_link("b", "a") + tar_hard_link("c", "./a") + tar_end());
  const auto links = result.out.hard_links.find(path_hash("a"));
  ASSERT_NE(links, result.out.hard_links.end());
  EXPECT_THAT(links->second, UnorderedElementsAre("b", "c"));
}

TEST_F(SearcherTest, SaysThatAMemberLeadsOutOfItsArchive) {
  const Searched result = layer(tar_file("../../etc/x", secret(1)) + tar_end());
  EXPECT_THAT(result.at(1), ElementsAre("etc/x 1:1"));
  EXPECT_THAT(result.reasons(), ElementsAre(SkipReason::corrupt));
}

TEST_F(SearcherTest, KeepsNoMoreSecretsThanTheRunMayHave) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += secret(i) + "\n";
  Limits limits;
  limits.max_hits = 5;
  const Searched result = file(text, limits);
  EXPECT_EQ(result.out.found.size(), 5U);
  EXPECT_THAT(result.reasons(), ElementsAre(SkipReason::limit));
}

TEST(SearcherRules, LeaveOutAPathThatAnAllowlistNamesAndSaySo) {
  const TestEngine engine(rule_text("acme.token", "acme_[a-z0-9]{24}") + "[[allowlists]]\npaths = ['''^vendor/''']\n");
  Progress progress;
  const Limits limits;
  auto searcher = Searcher::create(engine.engine(), limits, progress);
  const std::string text = secret(1);
  base::MemoryStream stream(text);
  unpack::Window window(stream, searcher->window_buffer());
  unpack::StreamPieces pieces(window);
  Entry entry;
  entry.path = "vendor/x";
  Outcome out;
  Work alone(1);
  ASSERT_TRUE(searcher->file(entry, pieces, alone, out));
  EXPECT_THAT(out.found, IsEmpty());
  ASSERT_EQ(out.coverage.skipped.size(), 1U);
  EXPECT_EQ(out.coverage.skipped[0].reason, SkipReason::excluded);
  EXPECT_TRUE(out.coverage.complete());
}

TEST(PlaceOf, NamesBlobPathMembersAndField) {
  Entry entry;
  entry.path = "a/b.tar";
  entry.inner = {"c", "d"};
  EXPECT_EQ(place_of("sha256:1", entry), "sha256:1: a/b.tar!c!d");
  entry.field = "NAME";
  EXPECT_EQ(place_of("", entry), "a/b.tar!c!d NAME");
}

}  // namespace
}  // namespace scanner::scan
