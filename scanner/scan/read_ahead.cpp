#include "scanner/scan/read_ahead.h"

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace scanner::scan {

using base::fail;
using base::Result;

struct ReadAhead::State {
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };

  explicit State(std::unique_ptr<base::Stream> stream_in) : stream(std::move(stream_in)) {
    for (Block& block : blocks) block.bytes = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  }

  void run() {
    for (std::size_t next = 0;; ++next) {
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return stopped || next - taken < kBlocks; });
        if (stopped) return;
      }
      Block& block = blocks[next % kBlocks];
      auto got = stream->read(std::span(block.bytes.get(), kBlockBytes));
      const std::scoped_lock lock(mutex);
      if (got && *got > 0) {
        block.size = *got;
        filled = next + 1;
      } else {
        if (!got) error = std::move(got).error();
        ended = true;
      }
      changed.notify_all();
      if (ended) return;
    }
  }

  std::unique_ptr<base::Stream> stream;
  std::array<Block, kBlocks> blocks;
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by `mutex`. Blocks [taken, filled) are full; they are counted for ever and stand at their number modulo
  // kBlocks.
  std::size_t filled = 0;
  std::size_t taken = 0;
  bool ended = false;
  bool stopped = false;
  std::optional<base::Error> error;
  // The reader's own.
  std::size_t used = 0;  ///< Bytes of block `taken` that were given.
  std::thread thread;
};

ReadAhead::ReadAhead(std::unique_ptr<base::Stream> stream) : state_(std::make_unique<State>(std::move(stream))) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

ReadAhead::~ReadAhead() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopped = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

Result<std::size_t> ReadAhead::read(std::span<char> out) {
  State& state = *state_;
  std::size_t done = 0;
  while (done < out.size()) {
    std::size_t current = 0;
    {
      std::unique_lock lock(state.mutex);
      state.changed.wait(lock, [&] { return state.taken < state.filled || state.ended; });
      if (state.taken == state.filled) {
        if (done == 0 && state.error) return fail(*state.error);
        return done;
      }
      current = state.taken;
    }
    const State::Block& block = state.blocks[current % kBlocks];
    const std::string_view rest(block.bytes.get() + state.used, block.size - state.used);
    const std::size_t n = rest.copy(out.data() + done, out.size() - done);
    state.used += n;
    done += n;
    if (state.used == block.size) {
      state.used = 0;
      const std::scoped_lock lock(state.mutex);
      ++state.taken;
      state.changed.notify_all();
    }
  }
  return done;
}

}  // namespace scanner::scan
