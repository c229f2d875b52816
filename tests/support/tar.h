#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tests {

// Tar archives in every dialect that readers meet, honest or not. An archive is put together from these pieces by
// appending them; `tar_end` closes it.

enum class Dialect : std::uint8_t { v7, ustar, gnu };

struct TarHeader {
  std::string name;
  char type = '0';
  std::uint64_t size = 0;
  std::string link = {};
  std::string prefix = {};  ///< ustar's.
  Dialect dialect = Dialect::ustar;
  std::string size_field = {};  ///< Raw, instead of `size`.
  std::string at_345 = {};      ///< Raw bytes of the header's last part: old GNU sparse maps start at byte 386.
};

/// One block of 512 bytes with a right checksum.
std::string tar_header(const TarHeader& header);
/// `bytes`, filled up to whole blocks.
std::string tar_padded(std::string_view bytes);

std::string tar_file(const std::string& name, std::string_view content);
std::string tar_directory(const std::string& name);
std::string tar_symlink(const std::string& name, const std::string& target);
std::string tar_hard_link(const std::string& name, const std::string& target);

/// "17 path=usr/bin/x\n".
std::string pax_record(const std::string& key, const std::string& value);
/// A PAX member with `records` for the member that follows (type 'x') or for all that follow ('g').
std::string tar_pax(std::string_view records, char type = 'x');
/// GNU's long name ('L') or long link ('K') for the member that follows.
std::string tar_long(char type, std::string_view text);
/// A size in GNU's base-256 form.
std::string tar_base256(std::uint64_t value);
/// An old GNU sparse member: (offset, data) pairs, extension blocks as needed.
std::string tar_old_sparse(const std::string& name, const std::vector<std::pair<std::uint64_t, std::string>>& parts);

/// The end-of-archive marker.
std::string tar_end();

}  // namespace tests
