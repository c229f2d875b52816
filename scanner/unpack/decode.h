#pragma once

#include <memory>

#include "scanner/base/stream.h"
#include "scanner/model/limits.h"
#include "scanner/unpack/sniff.h"

namespace scanner::unpack {

/// The decompressed bytes of a gzip stream: all its members (RFC 1952, 2.2), zero padding after them tolerated. Ends
/// with an error, after everything that could be read: `Errc::truncated` when the stream ends inside a member,
/// `Errc::corrupt` for a wrong checksum or for bytes after the last member, `Errc::limit` beyond Limits::max_ratio.
std::unique_ptr<base::Stream> gunzip(std::unique_ptr<base::Stream> compressed, const Limits& limits);

/// The same for zstd (RFC 8878): all frames, skippable ones skipped. A frame that wants more history than
/// Limits::zstd_window_log is `Errc::limit`.
std::unique_ptr<base::Stream> unzstd(std::unique_ptr<base::Stream> compressed, const Limits& limits);

/// The one for `format`, which must be gzip or zstd.
std::unique_ptr<base::Stream> decompress(Format format, std::unique_ptr<base::Stream> compressed, const Limits& limits);

}  // namespace scanner::unpack
