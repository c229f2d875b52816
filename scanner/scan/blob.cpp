#include "scanner/scan/blob.h"

#include <optional>
#include <utility>

#include "scanner/scan/hashing.h"
#include "scanner/scan/read_ahead.h"
#include "scanner/unpack/decode.h"
#include "scanner/unpack/window.h"

namespace scanner::scan {
namespace {

using base::Result;
using unpack::Format;

std::unique_ptr<base::Stream> ahead(std::unique_ptr<base::Stream> stream, bool worth_it) {
  if (!worth_it) return stream;
  return std::make_unique<ReadAhead>(std::move(stream));
}

/// Searches decoded bytes, as a layer or as a file.
Result<void> search_decoded(base::Stream& stream, const Entry& entry, Searcher& searcher, Work& work, Outcome& out) {
  unpack::Window window(stream, searcher.window_buffer());
  auto head = window.peek(unpack::kSniffBytes);
  if (!head) return fail(std::move(head).error());
  // An empty tar archive has nothing but its end marker.
  const bool empty_tar = head->size() >= unpack::kSniffBytes &&
                         head->substr(0, unpack::kSniffBytes).find_first_not_of('\0') == std::string_view::npos;
  if (empty_tar || unpack::sniff(*head) == Format::tar) {
    out.blob.tar = true;
    ++out.coverage.layers;
    return searcher.layer(window, work, out);
  }
  unpack::StreamPieces pieces(window);
  return searcher.file(entry, pieces, work, out);
}

}  // namespace

void search_blob(source::Item& item, Searcher& searcher, const Limits& limits, Cores cores, Work& work, Outcome& out) {
  const bool large = item.size >= kWorthAThread && cores == Cores::spare;
  const bool digest_is_known = item.expected.has_value();
  out.name = item.entry.path;
  out.blob.blob = item.blob;

  HashingStream hash(ahead(std::move(item.data), large && item.pipe));
  Result<void> read;
  {
    std::unique_ptr<base::Stream> raw = ahead(std::make_unique<base::LentStream>(hash), large);
    auto head = base::read_up_to(*raw, unpack::kSniffBytes);
    if (!head) {
      read = fail(std::move(head).error());
    } else {
      const Format format = unpack::sniff(*head);
      raw = std::make_unique<base::PrefixedStream>(std::move(*head), std::move(raw));
      out.blob.compressed = format == Format::gzip || format == Format::zstd;
      if (out.blob.compressed) {
        auto decoded = unpack::decompress(format, std::make_unique<base::LentStream>(*raw), limits);
        // A registry's digest vouches for what is in the blob; where there is none, the diffID must.
        std::optional<HashingStream> content_hash;
        if (!digest_is_known) {
          content_hash.emplace(std::move(decoded));
          decoded = std::make_unique<base::LentStream>(*content_hash);
        }
        auto stream = ahead(std::move(decoded), large);
        read = search_decoded(*stream, item.entry, searcher, work, out);
        if (read && content_hash && base::drain(*stream)) {
          stream.reset();
          out.blob.diff_id = content_hash->digest();
        }
      } else {
        read = search_decoded(*raw, item.entry, searcher, work, out);
      }
    }
    // The digest is of the whole blob, whatever became of its inside.
    if (auto rest = base::drain(*raw); !rest && read) read = fail(std::move(rest).error());
  }
  if (!read) out.coverage.skip({reason_of(read.error()), out.name, read.error().message(), 0});

  out.blob.digest = hash.digest();
  out.blob.size = hash.bytes();
  const bool as_named = !digest_is_known || out.blob.digest == *item.expected;
  if (!as_named)
    out.coverage.skip({SkipReason::digest_mismatch, out.name, "its bytes have another digest than its name", 0});
  out.blob.complete = read && as_named;
  if (!out.blob.complete) out.coverage.layers = 0;
}

void search_file(source::Item& item, Searcher& searcher, Cores cores, Work& work, Outcome& out) {
  const bool large = cores == Cores::spare && (item.size >= kWorthAThread || item.pipe);
  auto stream = ahead(std::move(item.data), large);
  unpack::Window window(*stream, searcher.window_buffer());
  unpack::StreamPieces pieces(window);
  if (auto read = searcher.file(item.entry, pieces, work, out); !read) {
    out.coverage.skip({reason_of(read.error()), item.entry.path, read.error().message(), 0});
  }
}

}  // namespace scanner::scan
