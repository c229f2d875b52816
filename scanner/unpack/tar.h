#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/model/limits.h"
#include "scanner/unpack/pieces.h"
#include "scanner/unpack/window.h"

namespace scanner::unpack {

/// One member of a tar archive.
struct TarMember {
  enum class Type : std::uint8_t { file, hard_link, symlink, directory, other };

  Type type = Type::file;
  /// As it stands in the archive, but without empty and "." parts, and ".." resolved: "usr/bin/x". May be empty (the
  /// root). Raw bytes.
  std::string path;
  /// The name led out of the archive ("../x"): container engines refuse such a member.
  bool escapes = false;
  std::string link;              ///< Where a link points, raw; for a hard link cleaned as `path` is.
  std::uint64_t data_bytes = 0;  ///< Stored bytes, holes not counted.
  std::uint64_t offset = 0;      ///< Of its data within the archive.
  std::string extra;             ///< PAX records that describe no part of the above (xattrs, comments), raw.
};

/// Reads a tar archive member by member: V7, ustar, GNU (long names, sparse), PAX (path, linkpath, size, sparse 0.0,
/// 0.1 and 1.0), numbers in octal or base-256. Written for layers, where libarchive was measured to cost a quarter of
/// the matching time on small files and re-encodes names; compared in the tests with GNU tar and Python's tarfile.
///
/// Sizes decide where the next header is, and are trusted no further: nothing is allocated by them.
/// Borrows the window. One thread.
class TarReader {
 public:
  TarReader(Window& window, const Limits& limits) : window_(&window), limits_(&limits) {}

  /// Goes to the next member, past what is left of this one's data. False at the end-of-archive marker.
  /// `Errc::truncated` when the archive ends without one, `Errc::corrupt` where no header can be read (the cursor of
  /// the window then stands at that place), `Errc::limit` after Limits::max_entries.
  base::Result<bool> next(TarMember& member);

  /// The next piece of the member's data, holes left out.
  base::Result<Piece> data(std::size_t keep);

 private:
  struct Header;
  struct Extended;
  struct Segment {
    std::uint64_t offset;
    std::uint64_t size;
  };

  base::Result<bool> read_header(Header& header);
  base::Result<void> read_extended(std::uint64_t size, Extended& extended);
  base::Result<std::string> read_text(std::uint64_t size, const char* what);
  base::Result<void> old_sparse_map(std::string_view block);
  base::Result<void> inline_sparse_map();
  base::Result<void> set_segments(std::uint64_t stored);

  Window* window_;
  const Limits* limits_;
  std::uint64_t entries_ = 0;
  std::uint64_t left_ = 0;         ///< Stored bytes of this member that are not consumed.
  std::uint64_t padding_ = 0;      ///< Zeros up to the next header.
  std::vector<Segment> segments_;  ///< Where the stored bytes belong in the file, last one first.
  std::uint64_t in_segment_ = 0;   ///< Bytes of the current segment already given.
  std::size_t last_piece_ = 0;     ///< Bytes of the piece given last: no more lies before the cursor.
};

/// The pieces of a reader's current member. Borrows the reader.
class TarPieces final : public Pieces {
 public:
  explicit TarPieces(TarReader& reader) : reader_(&reader) {}
  base::Result<Piece> next(std::size_t keep) override { return reader_->data(keep); }

 private:
  TarReader* reader_;
};

/// Whether `block` (512 bytes or more) starts with a tar header whose checksum is right.
bool is_tar_header(std::string_view block);

/// `path` without empty and "." parts and with ".." resolved; sets `escapes` when ".." led above the start.
std::string clean_path(std::string_view path, bool& escapes);

}  // namespace scanner::unpack
