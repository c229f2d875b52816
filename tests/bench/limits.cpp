// Measures what a scan cannot be faster than: one stage alone, on given files, one thread.
//
// usage: bench_limits read|sha256|inflate|zstd FILE...
//        bench_limits match RULES FILE...      RULES: rule files, separated by ':'
//        bench_limits load RULES               the time until a compiled database is ready to match
//
// Prints one line: wall seconds, CPU seconds, bytes that the stage took in, bytes that came out (0 where nothing does).

#include <isa-l/igzip_lib.h>
#include <openssl/evp.h>
#include <sys/resource.h>
#include <zstd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/fd.h"
#include "scanner/base/stream.h"
#include "scanner/match/database.h"
#include "scanner/match/matcher.h"
#include "scanner/rules/loader.h"

namespace {

using scanner::base::FdStream;

constexpr std::size_t kPiece = 256U << 10;

struct Amount {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
};

using Stage = std::function<Amount(FdStream& file)>;

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "bench_limits: %s\n", message.c_str());
  std::exit(2);
}

template <typename T>
T must(scanner::base::Result<T> result) {
  if (!result) die(result.error().message());
  return *std::move(result);
}

std::uint64_t each_piece(FdStream& file, const std::function<void(std::span<char>)>& take) {
  std::vector<char> buffer(kPiece);
  std::uint64_t total = 0;
  while (const std::size_t size = must(file.read(buffer))) {
    take(std::span(buffer).first(size));
    total += size;
  }
  return total;
}

Amount read_alone(FdStream& file) {
  return {each_piece(file, [](std::span<char>) {}), 0};
}

Amount sha256(FdStream& file) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) die("no SHA-256");
  const std::uint64_t in =
      each_piece(file, [&](std::span<char> piece) { EVP_DigestUpdate(context.get(), piece.data(), piece.size()); });
  unsigned char digest[EVP_MAX_MD_SIZE];
  EVP_DigestFinal_ex(context.get(), digest, nullptr);
  return {in, 0};
}

Amount inflate(FdStream& file) {
  inflate_state state;
  isal_inflate_init(&state);
  state.crc_flag = ISAL_GZIP;
  std::vector<std::uint8_t> out(kPiece);
  Amount amount;
  amount.in = each_piece(file, [&](std::span<char> piece) {
    state.next_in = reinterpret_cast<std::uint8_t*>(piece.data());
    state.avail_in = static_cast<std::uint32_t>(piece.size());
    do {
      state.next_out = out.data();
      state.avail_out = static_cast<std::uint32_t>(out.size());
      if (isal_inflate(&state) != ISAL_DECOMP_OK) die("bad gzip");
      amount.out += out.size() - state.avail_out;
    } while (state.avail_out == 0 && state.block_state != ISAL_BLOCK_FINISH);
  });
  if (state.block_state != ISAL_BLOCK_FINISH) die("gzip of several members, or cut");
  return amount;
}

Amount zstd(FdStream& file) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  std::vector<char> out(kPiece);
  Amount amount;
  amount.in = each_piece(file, [&](std::span<char> piece) {
    ZSTD_inBuffer from = {piece.data(), piece.size(), 0};
    bool full = false;
    while (from.pos < from.size || full) {
      ZSTD_outBuffer to = {out.data(), out.size(), 0};
      const std::size_t status = ZSTD_decompressStream(context.get(), &to, &from);
      if (ZSTD_isError(status) != 0) die(ZSTD_getErrorName(status));
      amount.out += to.pos;
      full = to.pos == to.size;
    }
  });
  return amount;
}

// The files' bytes in the windows that a scan would search them in, but as one entry each: candidates are counted.
Stage match(const scanner::match::Database& database) {
  auto matcher = std::make_shared<scanner::match::Matcher>(must(scanner::match::Matcher::create(database)));
  return [matcher, overlap = database.overlap()](FdStream& file) {
    std::vector<char> buffer(kPiece + overlap);
    std::vector<scanner::Candidate> found;
    Amount amount;
    scanner::Chunk chunk;
    std::size_t kept = 0;
    while (const std::size_t size = must(file.read(std::span(buffer).subspan(kept)))) {
      chunk.bytes = {buffer.data(), kept + size};
      chunk.own_end = chunk.bytes.size() + 1;
      chunk.last = false;
      if (const auto done = matcher->find(chunk, found); !done) die(done.error().message());
      amount.in += size;
      amount.out += found.size();
      const std::size_t keep = std::min(overlap, chunk.bytes.size());
      std::memmove(buffer.data(), buffer.data() + chunk.bytes.size() - keep, keep);
      chunk.offset += chunk.bytes.size() - keep;
      chunk.first = false;
      kept = keep;
    }
    return amount;
  };
}

scanner::RuleSet load_rules(std::string_view names) {
  std::vector<std::string> paths;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(':'), names.size());
    paths.emplace_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return must(scanner::rules::load_files(paths, {.known_check = [](std::string_view) { return true; }})).rules;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void measure(const std::function<Amount()>& work) {
  const double cpu = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  const Amount amount = work();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  std::printf("%.6f %.6f %llu %llu\n", wall.count(), cpu_seconds() - cpu, static_cast<unsigned long long>(amount.in),
              static_cast<unsigned long long>(amount.out));
}

Amount over(std::span<char*> files, const Stage& stage) {
  Amount total;
  for (const char* const name : files) {
    FdStream file(must(scanner::base::open_for_reading(name)), name);
    const Amount one = stage(file);
    total.in += one.in;
    total.out += one.out;
  }
  return total;
}

}  // namespace

int main(int count, char** words) {
  const std::span arguments(words, static_cast<std::size_t>(count));
  if (arguments.size() < 3) die("usage: bench_limits read|sha256|inflate|zstd|match|load [RULES] FILE...");
  const std::string_view mode = arguments[1];
  const auto run = [&](const Stage& stage, std::size_t files) {
    measure([&] { return over(arguments.subspan(files), stage); });
  };
  if (mode == "read")
    run(read_alone, 2);
  else if (mode == "sha256")
    run(sha256, 2);
  else if (mode == "inflate")
    run(inflate, 2);
  else if (mode == "zstd")
    run(zstd, 2);
  else if (mode == "match" || mode == "load") {
    const scanner::RuleSet rules = load_rules(arguments[2]);
    const auto compiled = must(scanner::match::Database::compile(rules));
    if (mode == "match")
      run(match(compiled), 3);
    else
      measure([bytes = must(compiled.serialize()), &rules] {
        const auto database = must(scanner::match::Database::deserialize(bytes, rules));
        must(scanner::match::Matcher::create(database));
        return Amount{bytes.size(), 0};
      });
  } else {
    die("no such mode");
  }
  return 0;
}
