#include "tests/unpack/reading.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace scanner::unpack {

const Unpacked* Listing::find(std::string_view path) const {
  const auto it =
      std::ranges::find(members, path, [](const Unpacked& one) { return std::string_view(one.member.path); });
  return it == members.end() ? nullptr : &*it;
}

base::Result<std::string> join(Pieces& pieces, std::size_t keep, std::vector<std::uint64_t>* starts,
                               std::uint64_t most) {
  std::string all;
  std::string before;
  std::uint64_t reached = 0;
  bool ended = true;
  for (;;) {
    auto piece = pieces.next(keep);
    if (!piece) return fail(std::move(piece).error());
    if (piece->bytes.empty()) break;
    std::string_view fresh = piece->bytes;
    if (piece->begins) {
      EXPECT_TRUE(ended) << "a stretch begins before the last one has ended";
      EXPECT_GE(piece->offset, reached);
      if (starts != nullptr) starts->push_back(piece->offset);
    } else {
      EXPECT_FALSE(ended) << "a stretch goes on after its end";
      const std::size_t repeated = std::min(keep, before.size());
      EXPECT_EQ(piece->offset, reached - repeated);
      EXPECT_EQ(piece->bytes.substr(0, repeated), std::string_view(before).substr(before.size() - repeated));
      fresh.remove_prefix(std::min(repeated, fresh.size()));
    }
    EXPECT_TRUE(!fresh.empty() || piece->ends) << "nothing new, and yet more to come";
    const std::uint64_t begin = piece->offset + piece->bytes.size() - fresh.size();
    if (begin + fresh.size() <= most) {
      all.resize(static_cast<std::size_t>(begin), '\0');
      all += fresh;
    }
    reached = piece->offset + piece->bytes.size();
    before = piece->bytes;
    ended = piece->ends;
  }
  // With nothing repeated, an end that was not known before shows as no piece at all.
  EXPECT_TRUE(ended || keep == 0) << "the last piece did not say so";
  return all;
}

Listing read_tar(std::string_view archive, const Limits& limits, std::size_t buffer, std::size_t keep,
                 std::uint64_t most) {
  Listing listing;
  base::MemoryStream stream(archive);
  std::vector<char> memory(buffer);
  Window window(stream, memory);
  TarReader reader(window, limits);
  for (;;) {
    Unpacked one;
    auto more = reader.next(one.member);
    if (!more) {
      listing.error = std::move(more).error();
      return listing;
    }
    if (!*more) return listing;
    TarPieces pieces(reader);
    auto content = join(pieces, keep, &one.starts, most);
    const bool whole = static_cast<bool>(content);
    if (whole) {
      one.content = std::move(*content);
    } else {
      listing.error = std::move(content).error();
    }
    listing.members.push_back(std::move(one));
    if (!whole) return listing;
  }
}

}  // namespace scanner::unpack
