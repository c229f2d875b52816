#pragma once

#include <cstddef>
#include <cstdint>

namespace scanner {

/// Bounds on what one run spends on hostile or broken input. Reaching one is reported, never silent. The defaults are
/// part of the command's documentation.
struct Limits {
  std::uint64_t max_entries = 2'000'000;        ///< Entries of one layer or archive.
  std::uint64_t max_entry_bytes = 64ULL << 30;  ///< Bytes of one entry, after decompression.
  std::uint64_t max_ratio = 1200;               ///< Decompressed to compressed, beyond the first 64 MiB. Deflate's
                                                ///< own ceiling is 1032.
  std::uint64_t max_nested_bytes = 4ULL << 30;  ///< Bytes that the archives within one entry may expand to.
  std::uint32_t max_archive_depth = 8;          ///< Archives within archives.
  std::size_t max_document_bytes = 4U << 20;    ///< A manifest, an index, a configuration.
  std::size_t max_documents_bytes = 16U << 20;  ///< All of them together.
  std::uint32_t max_index_depth = 4;            ///< Indexes within indexes.
  std::uint32_t max_manifests = 10'000;         ///< Manifests of one target.
  std::uint32_t zstd_window_log = 25;           ///< A frame may ask for 2^this bytes of history.
  std::uint64_t max_hits_per_entry = 10'000;    ///< Confirmed secrets of one entry.
  std::uint64_t max_hits = 50'000;              ///< Confirmed secrets of one run.
};

}  // namespace scanner
