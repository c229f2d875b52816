#include "scanner/unpack/tar.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace scanner::unpack {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kBlock = 512;
/// A long name or a set of PAX records that is larger is no honest one; Linux paths end at 4 KiB.
constexpr std::uint64_t kMaxHeaderText = 1U << 20;
constexpr std::size_t kMaxSegments = 1U << 20;

std::uint64_t padding_of(std::uint64_t size) { return (kBlock - size % kBlock) % kBlock; }

/// A NUL-terminated or full-length text field.
std::string_view text_field(std::string_view block, std::size_t offset, std::size_t size) {
  const std::string_view field = block.substr(offset, size);
  return field.substr(0, field.find('\0'));
}

/// A number in octal digits with spaces and NULs around, or in base-256 (GNU) when the first bit is set.
std::optional<std::uint64_t> number_field(std::string_view block, std::size_t offset, std::size_t size) {
  std::string_view field = block.substr(offset, size);
  if ((static_cast<unsigned char>(field[0]) & 0x80U) != 0) {
    if ((static_cast<unsigned char>(field[0]) & 0x40U) != 0) return std::nullopt;  // negative
    std::uint64_t value = static_cast<unsigned char>(field[0]) & 0x3FU;
    for (const char c : field.substr(1)) {
      if (value >> 55 != 0) return std::nullopt;
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  field = field.substr(std::min(field.find_first_not_of(' '), field.size()));
  field = field.substr(0, field.find_first_of(std::string_view(" \0", 2)));
  std::uint64_t value = 0;
  for (const char c : field) {
    if (c < '0' || c > '7' || value >> 60 != 0) return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool is_zero(std::string_view block) { return block.find_first_not_of('\0') == std::string_view::npos; }

bool decimal(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string clean_path(std::string_view path, bool& escapes) {
  std::string clean;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (clean.empty()) escapes = true;
      const std::size_t parent = clean.rfind('/');
      clean.resize(parent == std::string::npos ? 0 : parent);
      continue;
    }
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

bool is_tar_header(std::string_view block) {
  if (block.size() < kBlock) return false;
  block = block.substr(0, kBlock);
  const auto claimed = number_field(block, 148, 8);
  if (!claimed) return false;
  std::uint64_t sum = 8 * static_cast<std::uint64_t>(' ');
  std::int64_t signed_sum = 8 * static_cast<std::int64_t>(' ');
  for (std::size_t i = 0; i < kBlock; ++i) {
    if (i >= 148 && i < 156) continue;
    sum += static_cast<unsigned char>(block[i]);
    signed_sum += static_cast<signed char>(block[i]);
  }
  // Some old writers summed signed bytes; every reader takes both.
  return *claimed == sum || (signed_sum >= 0 && *claimed == static_cast<std::uint64_t>(signed_sum));
}

struct TarReader::Header {
  std::string_view block;  ///< Valid until the window moves.
  char type = '0';
  std::uint64_t size = 0;
  std::string path;
  std::string link;
};

/// What GNU long-name members and PAX records say of the member that follows them.
struct TarReader::Extended {
  std::optional<std::string> path;
  std::optional<std::string> link;
  std::optional<std::uint64_t> size;
  std::optional<std::string> sparse_name;
  std::vector<Segment> sparse;  ///< PAX 0.0 and 0.1, in file order.
  bool has_sparse = false;
  bool sparse_inline = false;  ///< PAX 1.0: the map stands in front of the data.
  std::uint64_t pending_offset = 0;
  std::string extra;
};

Result<bool> TarReader::read_header(Header& header) {
  auto peeked = window_->peek(kBlock);
  if (!peeked) return fail(std::move(peeked).error());
  std::string_view block = *peeked;
  if (block.size() < kBlock) {
    return fail(Errc::truncated,
                block.empty() ? "the tar ends without its end marker" : "the tar ends inside a header");
  }
  block = block.substr(0, kBlock);
  if (is_zero(block)) {
    window_->consume(kBlock);
    peeked = window_->peek(kBlock);
    if (!peeked) return fail(std::move(peeked).error());
    // One zero block is the end for every reader; the second is only consumed if it is there.
    if (peeked->size() >= kBlock && is_zero(peeked->substr(0, kBlock))) window_->consume(kBlock);
    return false;
  }
  if (!is_tar_header(block)) return fail(Errc::corrupt, "no tar header where one must be");
  const auto size = number_field(block, 124, 12);
  if (!size) return fail(Errc::corrupt, "the size in a tar header is no number");
  header.block = block;
  header.type = block[156];
  header.size = *size;
  header.path = text_field(block, 0, 100);
  header.link = text_field(block, 157, 100);
  const bool ustar = block.substr(257, 6) == std::string_view("ustar\0", 6);
  if (const auto prefix = text_field(block, 345, 155); ustar && !prefix.empty()) {
    header.path = std::string(prefix) + "/" + header.path;
  }
  return true;
}

Result<std::string> TarReader::read_text(std::uint64_t size, const char* what) {
  if (size > kMaxHeaderText) return fail(Errc::limit, std::string(what) + " is longer than 1 MiB");
  std::string text;
  while (text.size() < size) {
    auto piece = window_->take(size - text.size(), 0);
    if (!piece) return fail(std::move(piece).error());
    if (piece->empty()) return fail(Errc::truncated, std::string("the tar ends inside ") + what);
    text += *piece;
    window_->consume(piece->size());
  }
  auto skipped = window_->skip(padding_of(size));
  if (!skipped) return fail(std::move(skipped).error());
  return text;
}

Result<void> TarReader::read_extended(std::uint64_t size, Extended& extended) {
  auto text = read_text(size, "PAX records");
  if (!text) return fail(std::move(text).error());
  std::string_view rest = *text;
  const auto bad = [] { return fail(Errc::corrupt, "a PAX record is malformed"); };
  while (!rest.empty() && rest.front() != '\0') {
    const std::size_t space = rest.find(' ');
    std::uint64_t length = 0;
    if (space == std::string_view::npos || !decimal(rest.substr(0, space), length)) return bad();
    if (length <= space + 1 || length > rest.size() || rest[length - 1] != '\n') return bad();
    const std::string_view record = rest.substr(space + 1, length - space - 2);
    rest.remove_prefix(length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) return bad();
    const std::string_view key = record.substr(0, equals);
    const std::string_view value = record.substr(equals + 1);
    std::uint64_t number = 0;
    if (key == "path") {
      extended.path = value;
    } else if (key == "linkpath") {
      extended.link = value;
    } else if (key == "size") {
      if (!decimal(value, number)) return bad();
      extended.size = number;
    } else if (key == "GNU.sparse.name") {
      extended.sparse_name = value;
    } else if (key == "GNU.sparse.major") {
      if (value == "1") extended.sparse_inline = true;
    } else if (key == "GNU.sparse.offset") {
      if (!decimal(value, extended.pending_offset)) return bad();
    } else if (key == "GNU.sparse.numbytes") {
      if (!decimal(value, number) || extended.sparse.size() >= kMaxSegments) return bad();
      extended.sparse.push_back({extended.pending_offset, number});
      extended.has_sparse = true;
    } else if (key == "GNU.sparse.map") {
      extended.has_sparse = true;
      std::string_view map = value;
      bool is_size = false;
      while (!map.empty()) {
        const std::size_t comma = std::min(map.find(','), map.size());
        if (!decimal(map.substr(0, comma), number) || extended.sparse.size() >= kMaxSegments) return bad();
        map.remove_prefix(std::min(comma + 1, map.size()));
        if (is_size) {
          extended.sparse.push_back({extended.pending_offset, number});
        } else {
          extended.pending_offset = number;
        }
        is_size = !is_size;
      }
    } else if (!key.starts_with("GNU.sparse.")) {
      extended.extra += record;
      extended.extra += '\n';
    }
  }
  return {};
}

// GNU's own sparse members (type S): four segments in the header, more in blocks that follow it.
Result<void> TarReader::old_sparse_map(std::string_view block) {
  segments_.clear();
  std::size_t at = 386;
  std::size_t count = 4;
  bool more = block[482] != '\0';
  for (;;) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto offset = number_field(block, at + i * 24, 12);
      const auto size = number_field(block, at + i * 24 + 12, 12);
      if (!offset || !size || segments_.size() >= kMaxSegments) return fail(Errc::corrupt, "a sparse map is malformed");
      if (*size > 0) segments_.push_back({*offset, *size});
    }
    window_->consume(kBlock);
    if (!more) return {};
    auto peeked = window_->peek(kBlock);
    if (!peeked) return fail(std::move(peeked).error());
    if (peeked->size() < kBlock) return fail(Errc::truncated, "the tar ends inside a sparse map");
    block = peeked->substr(0, kBlock);
    at = 0;
    count = 21;
    more = block[504] != '\0';
  }
}

// PAX sparse 1.0: lines of decimals in front of the data, filled up to a block.
Result<void> TarReader::inline_sparse_map() {
  segments_.clear();
  std::uint64_t used = 0;
  const auto line = [&]() -> Result<std::uint64_t> {
    std::uint64_t value = 0;
    for (int digits = 0;; ++digits) {
      auto peeked = window_->peek(1);
      if (!peeked) return fail(std::move(peeked).error());
      if (peeked->empty()) return fail(Errc::truncated, "the tar ends inside a sparse map");
      const char c = peeked->front();
      if (used >= left_) return fail(Errc::corrupt, "a sparse map is longer than its file");
      window_->consume(1);
      ++used;
      if (c == '\n' && digits > 0) return value;
      if (c < '0' || c > '9' || digits > 18) return fail(Errc::corrupt, "a sparse map is malformed");
      value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
  };
  auto count = line();
  if (!count) return fail(std::move(count).error());
  if (*count > kMaxSegments) return fail(Errc::limit, "a sparse map has more than a million parts");
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto offset = line();
    if (!offset) return fail(std::move(offset).error());
    auto size = line();
    if (!size) return fail(std::move(size).error());
    if (*size > 0) segments_.push_back({*offset, *size});
  }
  const std::uint64_t pad = std::min(padding_of(used), left_ - used);
  auto skipped = window_->skip(pad);
  if (!skipped) return fail(std::move(skipped).error());
  left_ -= used + pad;
  return {};
}

/// Checks the segments against what is stored, and turns them round so that the next one is the last.
Result<void> TarReader::set_segments(std::uint64_t stored) {
  std::uint64_t total = 0;
  std::uint64_t reached = 0;
  for (const Segment& one : segments_) {
    if (one.offset < reached || one.offset + one.size < one.offset)
      return fail(Errc::corrupt, "a sparse map runs backwards");
    reached = one.offset + one.size;
    total += one.size;
  }
  if (total != stored) return fail(Errc::corrupt, "a sparse map does not fit its data");
  std::ranges::reverse(segments_);
  return {};
}

Result<bool> TarReader::next(TarMember& member) {
  const std::uint64_t rest = left_ + padding_;
  auto skipped = window_->skip(rest);
  if (!skipped) return fail(std::move(skipped).error());
  if (*skipped < left_) return fail(Errc::truncated, "the tar ends inside a file");
  left_ = padding_ = in_segment_ = 0;
  segments_.clear();

  Extended extended;
  for (;;) {
    Header header;
    auto found = read_header(header);
    if (!found || !*found) return found;
    if (++entries_ > limits_->max_entries) {
      return fail(Errc::limit, "more than " + std::to_string(limits_->max_entries) + " entries");
    }
    if (header.type == 'x' || header.type == 'g' || header.type == 'L' || header.type == 'K') {
      window_->consume(kBlock);
      if (header.type == 'x' || header.type == 'g') {
        Extended global;
        if (auto read = read_extended(header.size, header.type == 'x' ? extended : global); !read) {
          return fail(std::move(read).error());
        }
        // Global records set no names or sizes for the engines that read layers; their text is searched all the same.
        extended.extra += global.extra;
        continue;
      }
      auto name = read_text(header.size, "a long name");
      if (!name) return fail(std::move(name).error());
      name->resize(std::min(name->find('\0'), name->size()));
      (header.type == 'L' ? extended.path : extended.link) = std::move(*name);
      continue;
    }

    const std::string raw_path = extended.sparse_name.value_or(extended.path.value_or(header.path));
    member = {};
    member.path = clean_path(raw_path, member.escapes);
    member.link = extended.link.value_or(header.link);
    member.extra = std::move(extended.extra);
    left_ = extended.size.value_or(header.size);
    switch (header.type) {
      case '0':
      case '\0':
      case '7':
      case 'S':
        // V7 tar had no type for directories: a name that ends in a slash is one.
        member.type =
            raw_path.ends_with('/') && header.type != 'S' ? TarMember::Type::directory : TarMember::Type::file;
        break;
      case '1':
        member.type = TarMember::Type::hard_link;
        break;
      case '2':
        member.type = TarMember::Type::symlink;
        break;
      case '5':
        member.type = TarMember::Type::directory;
        break;
      default:
        member.type = TarMember::Type::other;
    }
    // Links, devices and directories have no data, whatever their size says (POSIX ustar; Go's archive/tar agrees).
    if (header.type >= '1' && header.type <= '6') left_ = 0;
    if (member.type == TarMember::Type::hard_link) {
      bool ignored = false;
      member.link = clean_path(member.link, ignored);
    }

    padding_ = padding_of(left_);
    if (header.type == 'S') {
      if (auto read = old_sparse_map(header.block); !read) return fail(std::move(read).error());
    } else {
      window_->consume(kBlock);
      if (extended.sparse_inline) {
        if (auto read = inline_sparse_map(); !read) return fail(std::move(read).error());
      } else if (extended.has_sparse) {
        std::erase_if(extended.sparse, [](const Segment& one) { return one.size == 0; });
        segments_ = std::move(extended.sparse);
      } else if (left_ > 0) {
        segments_.push_back({0, left_});
      }
    }
    if (auto set = set_segments(left_); !set) return fail(std::move(set).error());
    member.data_bytes = left_;
    member.offset = window_->position();
    return true;
  }
}

Result<Piece> TarReader::data(std::size_t keep) {
  while (!segments_.empty() && in_segment_ == segments_.back().size) {
    segments_.pop_back();
    in_segment_ = 0;
  }
  if (segments_.empty()) return Piece{};
  const Segment& segment = segments_.back();
  const std::size_t repeat = in_segment_ == 0 ? 0 : std::min(keep, last_piece_);
  auto taken = window_->take(segment.size - in_segment_, repeat);
  if (!taken) return fail(std::move(taken).error());
  const std::size_t fresh = taken->size() - repeat;
  if (fresh == 0) return fail(Errc::truncated, "the tar ends inside a file");
  Piece piece;
  piece.bytes = *taken;
  piece.offset = segment.offset + in_segment_ - repeat;
  piece.begins = in_segment_ == 0;
  in_segment_ += fresh;
  last_piece_ = taken->size();
  left_ -= fresh;
  piece.ends = in_segment_ == segment.size;
  window_->consume(fresh);
  return piece;
}

}  // namespace scanner::unpack
