#include "scanner/unpack/decode.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <string>
#include <vector>

#include "scanner/base/check.h"

namespace scanner::unpack {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kInputBytes = 128UL << 10;
/// A small file may compress very well; only beyond this much output does a ratio tell a bomb.
constexpr std::uint64_t kFreeOutput = 64ULL << 20;

/// Compressed input in pieces, and how much came out of how much.
class Input {
 public:
  Input(std::unique_ptr<base::Stream> stream, std::uint64_t max_ratio)
      : stream_(std::move(stream)), max_ratio_(max_ratio), buffer_(kInputBytes) {}

  [[nodiscard]] std::string_view rest() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t n) { begin_ += n; }

  /// Reads the next piece when the last one is used up. False at the end.
  Result<bool> fill() {
    if (begin_ < end_) return true;
    auto got = stream_->read(buffer_);
    if (!got) return fail(std::move(got).error());
    begin_ = 0;
    end_ = *got;
    in_ += *got;
    return *got > 0;
  }

  /// Counts output; fails when it is too much for the input so far.
  Result<void> produced(std::size_t n) {
    out_ += n;
    if (out_ > kFreeOutput && out_ / max_ratio_ > in_) {
      return fail(Errc::limit, "expands more than " + std::to_string(max_ratio_) + " times");
    }
    return {};
  }

 private:
  std::unique_ptr<base::Stream> stream_;
  std::uint64_t max_ratio_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t in_ = 0;
  std::uint64_t out_ = 0;
};

/// Turns "one step at a time" into Stream::read: fills, and holds an error back until all that came before is given.
class Decoder : public base::Stream {
 public:
  Result<std::size_t> read(std::span<char> out) final {
    std::size_t done = 0;
    while (done < out.size() && !error_ && !ended_) {
      auto got = step(out.subspan(done));
      if (got) {
        done += *got;
        if (auto within = input_.produced(*got); !within) error_ = std::move(within).error();
      } else {
        error_ = std::move(got).error();
      }
    }
    if (done == 0 && error_) return fail(*error_);
    return done;
  }

 protected:
  explicit Decoder(Input input) : input_(std::move(input)) {}

  /// Decodes something into `out` (0 bytes is progress too), or sets `ended_`.
  virtual Result<std::size_t> step(std::span<char> out) = 0;

  Input input_;
  bool ended_ = false;

 private:
  std::optional<base::Error> error_;
};

class Gunzip final : public Decoder {
 public:
  explicit Gunzip(Input input) : Decoder(std::move(input)), state_(std::make_unique<inflate_state>()) {
    begin_member();
  }

 private:
  void begin_member() {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
    isal_gzip_header_init(&header_);
  }

  Result<std::size_t> step(std::span<char> out) override {
    auto more = input_.fill();
    if (!more) return fail(std::move(more).error());
    if (between_) return next_member(*more);
    if (!*more && state_->block_state != ISAL_BLOCK_FINISH && state_->avail_in == 0 && drained_) {
      return fail(Errc::truncated, "the gzip stream ends too early");
    }
    const std::string_view in = input_.rest();
    state_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(in.data()));
    state_->avail_in = static_cast<std::uint32_t>(in.size());
    state_->next_out = reinterpret_cast<std::uint8_t*>(out.data());
    state_->avail_out = static_cast<std::uint32_t>(std::min<std::size_t>(out.size(), 1U << 30));
    const std::uint32_t room = state_->avail_out;
    const int code = isal_inflate(state_.get());
    input_.consume(in.size() - state_->avail_in);
    const std::size_t made = room - state_->avail_out;
    if (code != ISAL_DECOMP_OK) {
      return fail(Errc::corrupt,
                  code == ISAL_INCORRECT_CHECKSUM ? "wrong checksum in the gzip stream" : "bad gzip stream");
    }
    if (state_->block_state == ISAL_BLOCK_FINISH) between_ = true;
    drained_ = made == 0;
    return made;
  }

  /// After a member: another one, zero padding, or the end.
  Result<std::size_t> next_member(bool more) {
    std::string_view in = input_.rest();
    if (!more) {
      ended_ = true;
    } else if (in.front() == '\0') {
      padding_ = true;
      input_.consume(std::min(in.find_first_not_of('\0'), in.size()));
    } else if (in.front() == '\x1f' && !padding_) {
      between_ = false;
      drained_ = false;
      begin_member();
    } else {
      return fail(Errc::corrupt, "bytes follow the gzip stream");
    }
    return std::size_t{0};
  }

  std::unique_ptr<inflate_state> state_;
  isal_gzip_header header_{};
  bool between_ = false;
  bool padding_ = false;
  bool drained_ = false;
};

class Unzstd final : public Decoder {
 public:
  Unzstd(Input input, std::uint32_t window_log) : Decoder(std::move(input)), context_(ZSTD_createDCtx()) {
    SCANNER_CHECK(context_ != nullptr);
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, static_cast<int>(window_log));
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };

  Result<std::size_t> step(std::span<char> out) override {
    auto more = input_.fill();
    if (!more) return fail(std::move(more).error());
    if (!*more && between_) {
      ended_ = true;
      return std::size_t{0};
    }
    const std::string_view in = input_.rest();
    ZSTD_inBuffer source{in.data(), in.size(), 0};
    ZSTD_outBuffer target{out.data(), out.size(), 0};
    const std::size_t code = ZSTD_decompressStream(context_.get(), &target, &source);
    input_.consume(source.pos);
    if (ZSTD_isError(code) != 0) {
      const bool too_wide = ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge;
      return too_wide ? fail(Errc::limit, "the zstd frame wants a longer history than --zstd-window-log allows")
                      : fail(Errc::corrupt, std::string("bad zstd stream: ") + ZSTD_getErrorName(code));
    }
    between_ = code == 0;
    if (!*more && target.pos == 0 && !between_) return fail(Errc::truncated, "the zstd stream ends too early");
    return target.pos;
  }

  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool between_ = true;
};

}  // namespace

std::unique_ptr<base::Stream> gunzip(std::unique_ptr<base::Stream> compressed, const Limits& limits) {
  return std::make_unique<Gunzip>(Input(std::move(compressed), limits.max_ratio));
}

std::unique_ptr<base::Stream> unzstd(std::unique_ptr<base::Stream> compressed, const Limits& limits) {
  // zstd has no ceiling of its own on how far a frame of one repeated byte expands, so the ratio is a bomb's only mark.
  return std::make_unique<Unzstd>(Input(std::move(compressed), limits.max_ratio), limits.zstd_window_log);
}

std::unique_ptr<base::Stream> decompress(Format format, std::unique_ptr<base::Stream> compressed,
                                         const Limits& limits) {
  SCANNER_CHECK(format == Format::gzip || format == Format::zstd);
  return format == Format::gzip ? gunzip(std::move(compressed), limits) : unzstd(std::move(compressed), limits);
}

}  // namespace scanner::unpack
