#include "scanner/unpack/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "tests/support/temporary.h"

namespace scanner::unpack {
namespace {

using base::Errc;
using ::testing::Contains;

struct Archive {
  std::map<std::string, std::string> files;
  std::vector<std::string> directories;
  std::vector<std::string> encrypted;
  std::optional<base::Error> error;
};

Archive read_zip(std::string_view bytes, const Limits& limits = {}) {
  Archive archive;
  base::MemoryStream stream(bytes);
  ZipReader reader(stream, limits);
  ZipMember member;
  for (;;) {
    auto more = reader.next(member);
    if (!more) archive.error = std::move(more).error();
    if (archive.error || !*more) return archive;
    if (member.directory) archive.directories.push_back(member.path);
    if (member.encrypted) archive.encrypted.push_back(member.path);
    if (member.directory || member.encrypted) continue;
    auto text = base::read_up_to(reader.data(), 8U << 20);
    if (!text) {
      archive.error = std::move(text).error();
      return archive;
    }
    archive.files[member.path] = std::move(*text);
  }
}

class Zip : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const tests::TemporaryDirectory directory;
    const std::string command =
        "/usr/bin/python3 " PROJECT_ROOT "/tests/unpack/make_zips.py '" + directory.path() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0) << "needs /usr/bin/python3";
    for (const std::string name : {"stored", "deflated", "stored_piped", "deflated_piped"}) {
      archives_[name] = tests::contents_of(directory / (name + ".zip"));
    }
  }
  static std::map<std::string, std::string> archives_;
};
std::map<std::string, std::string> Zip::archives_;

void expect_all(const Archive& archive) {
  EXPECT_FALSE(archive.error) << archive.error->message();
  EXPECT_EQ(archive.files.size(), 5U);
  const auto content = [&](const std::string& name) {
    return archive.files.contains(name) ? archive.files.at(name) : "(none)";
  };
  EXPECT_EQ(content("plain.txt"), "hello");
  EXPECT_EQ(content("folder/inner.txt").size(), 6000U);
  EXPECT_EQ(content("empty"), "");
  EXPECT_EQ(content("nam\u00e9.txt"), "accent");
  EXPECT_EQ(content("big.bin").size(), 512'000U);
  EXPECT_THAT(archive.directories, Contains("folder/"));
}

TEST_F(Zip, ReadsStoredMembers) { expect_all(read_zip(archives_["stored"])); }
TEST_F(Zip, ReadsDeflatedMembers) { expect_all(read_zip(archives_["deflated"])); }
TEST_F(Zip, ReadsDeflatedMembersWhoseSizesFollowThem) { expect_all(read_zip(archives_["deflated_piped"])); }
TEST_F(Zip, ReadsStoredMembersWhoseSizesFollowThem) { expect_all(read_zip(archives_["stored_piped"])); }

TEST_F(Zip, SaysWhichMembersAreEncrypted) {
  std::string bytes = archives_["stored"];
  const std::size_t header = bytes.find("plain.txt") - 30;
  bytes[header + 6] = static_cast<char>(bytes[header + 6] | 1);
  const Archive archive = read_zip(bytes);
  EXPECT_THAT(archive.encrypted, Contains("plain.txt"));
  EXPECT_TRUE(archive.files.contains("big.bin")) << "what follows is still read";
}

TEST_F(Zip, NeverTakesACutMemberForAWholeOne) {
  const std::string& whole = archives_["deflated"];
  for (std::size_t at = 30; at < whole.find("PK\1\2"); at += 13) {
    const Archive archive = read_zip(std::string_view(whole).substr(0, at));
    for (const auto& [name, text] : archive.files) {
      EXPECT_TRUE(name != "plain.txt" || text == "hello") << "cut at " << at;
      EXPECT_TRUE(name != "folder/inner.txt" || text.size() == 6000U) << "cut at " << at;
    }
  }
  EXPECT_TRUE(read_zip(whole.substr(0, whole.find("inner.txt") + 20)).error);
}

TEST_F(Zip, BoundsTheNumberOfMembers) {
  Limits limits;
  limits.max_entries = 3;
  EXPECT_EQ(read_zip(archives_["stored"], limits).error->code(), Errc::limit);
  limits.max_entries = 6;
  EXPECT_FALSE(read_zip(archives_["stored"], limits).error);
}

TEST_F(Zip, PassesAnErrorOfItsSourceOn) {
  class Breaking final : public base::Stream {
   public:
    base::Result<std::size_t> read(std::span<char>) override { return base::fail(Errc::io, "broken"); }
  };
  Breaking stream;
  const Limits limits;
  ZipReader reader(stream, limits);
  ZipMember member;
  const auto more = reader.next(member);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code(), Errc::io);
}

}  // namespace
}  // namespace scanner::unpack
