// Our tar reader against Python's, on archives that GNU tar and Python write.

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <sstream>

#include "scanner/base/hash.h"
#include "tests/support/temporary.h"
#include "tests/unpack/reading.h"

namespace scanner::unpack {
namespace {

std::string from_hex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string_view name_of(TarMember::Type type) {
  static constexpr std::array<std::string_view, 5> kNames = {"file", "hard_link", "symlink", "directory", "other"};
  return kNames[static_cast<std::size_t>(type)];
}

void compare(const std::string& archive, std::istream& expected, std::size_t buffer) {
  const Listing ours = read_tar(archive, {}, buffer, buffer / 4);
  ASSERT_FALSE(ours.error) << ours.error->message();
  std::string kind;
  std::string digest;
  std::string name;
  std::string link;
  std::size_t size = 0;
  std::size_t number = 0;
  for (; expected >> kind >> size >> digest >> name >> link; ++number) {
    ASSERT_LT(number, ours.members.size()) << "members are missing";
    const Unpacked& one = ours.members[number];
    bool escapes = false;
    EXPECT_EQ(one.member.path, clean_path(from_hex(name), escapes));
    EXPECT_EQ(name_of(one.member.type), kind);
    const bool hard = kind == "hard_link";
    EXPECT_EQ(one.member.link, hard ? clean_path(from_hex(link), escapes) : from_hex(link));
    std::string content = one.content;
    ASSERT_LE(content.size(), size);
    content.resize(size, '\0');  // a hole at the end
    EXPECT_EQ(base::hex(base::sha256(content)), digest) << one.member.path;
  }
  EXPECT_EQ(number, ours.members.size()) << "members that nobody else sees";
}

/// The archives of both writers, made once.
class TarDifferential : public ::testing::Test {
 protected:
  static constexpr int kArchives = 300;

  static void SetUpTestSuite() {
    directory_ = std::make_unique<tests::TemporaryDirectory>();
    const std::string command = "LC_ALL=C.UTF-8 /usr/bin/python3 " PROJECT_ROOT "/tests/unpack/make_tars.py '" +
                                directory_->path() + "' " + std::to_string(kArchives) + " 20261124";
    ASSERT_EQ(std::system(command.c_str()), 0) << "needs /usr/bin/python3 and tar";
  }
  static void TearDownTestSuite() { directory_.reset(); }

  static std::string archive(int number) { return tests::contents_of(*directory_ / (std::to_string(number) + ".tar")); }
  static std::string listing(int number) {
    return tests::contents_of(*directory_ / (std::to_string(number) + ".list"));
  }

  static std::unique_ptr<tests::TemporaryDirectory> directory_;
};
std::unique_ptr<tests::TemporaryDirectory> TarDifferential::directory_;

TEST_F(TarDifferential, ReadsWhatPythonReadsInArchivesOfGnuTarAndPython) {
  for (int i = 0; i < kArchives && !HasFailure(); ++i) {
    SCOPED_TRACE("archive " + std::to_string(i));
    std::istringstream expected(listing(i));
    compare(archive(i), expected, i % 2 == 0 ? 65536 : 777);
  }
}

TEST_F(TarDifferential, SurvivesArchivesWithDamagedBytes) {
  std::mt19937 random(1);
  constexpr std::string_view kTelling("0179 \n=\0\xff\x80", 10);
  std::size_t refused = 0;
  Limits limits;
  limits.max_entries = 1000;
  for (int i = 0; i < kArchives; ++i) {
    const std::string good = archive(i).substr(0, 200'000);
    for (int round = 0; round < 12; ++round) {
      std::string bad = good;
      const auto damages = 1 + random() % 8;
      for (std::size_t k = 0; k < damages; ++k) {
        // Most of it in what steers: headers stand at whole blocks, and their fields matter more than names.
        const std::size_t block = random() % (bad.size() / 512) * 512;
        const std::size_t at = random() % 4 == 0 ? random() % bad.size() : block + random() % 512;
        bad[at] = random() % 3 == 0 ? static_cast<char>(random() % 256) : kTelling[random() % kTelling.size()];
      }
      const Listing listing = read_tar(bad, limits, 2048, 100, 1U << 20);
      if (listing.error) ++refused;
      for (const Unpacked& one : listing.members)
        EXPECT_TRUE(("/" + one.member.path + "/").find("/../") == std::string::npos);
    }
  }
  EXPECT_GT(refused, 1000U);
}

}  // namespace
}  // namespace scanner::unpack
