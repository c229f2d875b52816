#include "tests/support/compress.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <memory>

#include "scanner/base/check.h"

namespace tests {

std::string gzipped(std::string_view bytes) {
  std::string input(bytes);
  std::string out(bytes.size() + bytes.size() / 1000 * 12 + 1024, '\0');
  const auto stream = std::make_unique<isal_zstream>();
  isal_deflate_stateless_init(stream.get());
  stream->gzip_flag = IGZIP_GZIP;
  stream->end_of_stream = 1;
  stream->next_in = reinterpret_cast<std::uint8_t*>(input.data());
  stream->avail_in = static_cast<std::uint32_t>(input.size());
  stream->next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream->avail_out = static_cast<std::uint32_t>(out.size());
  SCANNER_CHECK(isal_deflate_stateless(stream.get()) == COMP_OK);
  out.resize(out.size() - stream->avail_out);
  return out;
}

std::string zstd(std::string_view bytes, int window_log) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  if (window_log != 0) {
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 0);
  }
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer target{out.data(), out.size(), 0};
  SCANNER_CHECK(ZSTD_compressStream2(context.get(), &target, &in, ZSTD_e_continue) <= ZSTD_compressBound(bytes.size()));
  SCANNER_CHECK(ZSTD_compressStream2(context.get(), &target, &in, ZSTD_e_end) == 0);
  out.resize(target.pos);
  return out;
}

}  // namespace tests
