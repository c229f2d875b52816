#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "scanner/base/stream.h"

namespace scanner::scan {

/// Reads a stream on a thread of its own, a few blocks ahead of whoever reads this one: so that reading, hashing,
/// decompressing and searching overlap. Holds kBlocks blocks of kBlockBytes and no more. Joins the thread when
/// destroyed; what was not asked for by then stays unread in the stream.
class ReadAhead final : public base::Stream {
 public:
  explicit ReadAhead(std::unique_ptr<base::Stream> stream);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead() override;

  base::Result<std::size_t> read(std::span<char> out) override;

  static constexpr std::size_t kBlocks = 8;
  static constexpr std::size_t kBlockBytes = 256UL << 10;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace scanner::scan
