#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/unpack/tar.h"

namespace scanner::unpack {

/// A member with its content, holes as zeros.
struct Unpacked {
  TarMember member;
  std::string content;
  std::vector<std::uint64_t> starts;  ///< Where stored parts begin in the file.
};

struct Listing {
  std::vector<Unpacked> members;
  std::optional<base::Error> error;
  [[nodiscard]] const Unpacked* find(std::string_view path) const;
};

/// Everything in `archive`, read through a window of `buffer` bytes with `keep` repeated. Checks the contract of Piece.
/// Content beyond `most` bytes is not collected.
Listing read_tar(std::string_view archive, const Limits& limits = {}, std::size_t buffer = 4096, std::size_t keep = 0,
                 std::uint64_t most = 64U << 20);

/// Puts `pieces` together, holes as zeros; checks that each piece repeats what it must and begins and ends where it
/// says.
base::Result<std::string> join(Pieces& pieces, std::size_t keep, std::vector<std::uint64_t>* starts = nullptr,
                               std::uint64_t most = 64U << 20);

}  // namespace scanner::unpack
