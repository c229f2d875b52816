#include "scanner/match/run_finder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "scanner/base/check.h"

namespace scanner::match {
namespace {

constexpr auto kWord = static_cast<std::size_t>(Alphabet::word);
constexpr auto kToken = static_cast<std::size_t>(Alphabet::token);
constexpr std::uint32_t kBlock = 32;
constexpr std::size_t kBatch = 128;  ///< Blocks.

/// A bit for each byte of each block of a batch, the first byte's the lowest. In front stands the block before.
using Bits = std::array<std::uint32_t, kBatch + 1>;

struct Batch {
  std::array<Bits, kAlphabets> member{};   ///< The byte is of the alphabet.
  std::array<Bits, kAlphabets> reached{};  ///< And so are those before it that make it a run of kShortest.
};

/// A run that ends in a block began in that block or in the one before.
static_assert(std::ranges::all_of(RunFinder::kShortest, [](std::uint32_t least) { return least <= kBlock + 1; }));

/// The alphabets of each byte, a bit for each.
constexpr auto kAlphabetsOf = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (std::size_t i = 0; i < kAlphabets; ++i) {
      if (in_alphabet(static_cast<Alphabet>(i), static_cast<unsigned char>(byte))) {
        table[byte] = static_cast<std::uint8_t>(table[byte] | 1U << i);
      }
    }
  }
  return table;
}();

void find_members(const char* blocks, std::size_t count, Batch& batch) {
  for (std::size_t block = 1; block <= count; ++block, blocks += kBlock) {
    std::array<std::uint32_t, kAlphabets> bits{};
    for (unsigned i = 0; i < kBlock; ++i) {
      const std::uint32_t alphabets = kAlphabetsOf[static_cast<unsigned char>(blocks[i])];
      for (std::size_t k = 0; k < kAlphabets; ++k) bits[k] |= ((alphabets >> k) & 1U) << i;
    }
    for (std::size_t k = 0; k < kAlphabets; ++k) batch.member[k][block] = bits[k];
  }
}

/// Leaves the bits that end a run of kLeast, given those that end a run of kLength. No loop: it would not be
/// vectorised.
template <std::uint32_t kLeast, std::uint32_t kLength = 1>
[[gnu::always_inline]] inline std::uint64_t ends_of(std::uint64_t runs) {
  if constexpr (kLength >= kLeast) {
    return runs;
  } else {
    constexpr std::uint32_t kShift = std::min(kLength, kLeast - kLength);
    return ends_of<kLeast, kLength + kShift>(runs & runs << kShift);
  }
}

/// Inlined into each caller, to be made for its machine.
template <std::size_t kAlphabet>
[[gnu::always_inline]] inline void find_reached(Batch& batch) {
  constexpr std::uint32_t kLeast = RunFinder::kShortest[kAlphabet];
  const Bits& member = batch.member[kAlphabet];
  Bits& reached = batch.reached[kAlphabet];
  for (std::size_t block = 1; block <= kBatch; ++block) {
    const std::uint64_t members = std::uint64_t{member[block]} << kBlock | member[block - 1];
    reached[block] = static_cast<std::uint32_t>(ends_of<kLeast>(members) >> kBlock);
  }
}

void look_at(const char* blocks, std::size_t count, Batch& batch) {
  find_members(blocks, count, batch);
  find_reached<kWord>(batch);
  find_reached<kToken>(batch);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void look_at_avx2(const char* blocks, std::size_t count, Batch& batch) {
  const __m256i a = _mm256_set1_epi8('a');
  const __m256i zero = _mm256_set1_epi8('0');
  for (std::size_t block = 1; block <= count; ++block, blocks += kBlock) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(blocks));
    // What is below a range wraps to beyond its width.
    const __m256i letter = _mm256_sub_epi8(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), a);
    const __m256i digit = _mm256_sub_epi8(bytes, zero);
    const __m256i letters = _mm256_cmpeq_epi8(_mm256_min_epu8(letter, _mm256_set1_epi8(25)), letter);
    const __m256i digits = _mm256_cmpeq_epi8(_mm256_min_epu8(digit, _mm256_set1_epi8(9)), digit);
    const __m256i dashes = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('_')),
                                           _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('-')));
    // '.' and '/' are neighbours, and differ in the lowest bit alone.
    const __m256i dots = _mm256_cmpeq_epi8(_mm256_or_si256(bytes, _mm256_set1_epi8(1)), _mm256_set1_epi8('/'));
    const __m256i signs = _mm256_or_si256(_mm256_or_si256(dots, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('+'))),
                                          _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('=')),
                                                          _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('~'))));
    const __m256i word = _mm256_or_si256(_mm256_or_si256(letters, digits), dashes);
    batch.member[kWord][block] = static_cast<std::uint32_t>(_mm256_movemask_epi8(word));
    batch.member[kToken][block] = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_or_si256(word, signs)));
  }
  find_reached<kWord>(batch);
  find_reached<kToken>(batch);
}
#endif

using LookAt = void (*)(const char* blocks, std::size_t count, Batch& batch);

LookAt fastest() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return look_at_avx2;
#endif
  return look_at;
}

/// Writes down the runs of one alphabet.
class Notes {
 public:
  Notes(std::uint32_t least, std::vector<Stretch>& out) : least_(least), out_(&out) { out.clear(); }

  /// `count` blocks, of which the first begins at `offset`.
  void take(const Bits& reached, std::size_t count, std::uint32_t offset) {
    std::size_t block = 1;
    // Most blocks hold nothing: four are told apart from that at once.
    for (; block + 4 <= count + 1; block += 4) {
      if ((reached[block] | reached[block + 1] | reached[block + 2] | reached[block + 3]) == 0) continue;
      for (std::size_t i = block; i < block + 4; ++i) take(reached[i], offset_of(i, offset));
    }
    for (; block <= count; ++block) take(reached[block], offset_of(block, offset));
  }

 private:
  static std::uint32_t offset_of(std::size_t block, std::uint32_t first) {
    return first + static_cast<std::uint32_t>(block - 1) * kBlock;
  }

  void take(std::uint32_t reached, std::uint32_t offset) {
    while (reached != 0) {
      const auto begin = static_cast<std::uint32_t>(std::countr_zero(reached));
      const auto size = static_cast<std::uint32_t>(std::countr_one(reached >> begin));
      const std::uint32_t end = offset + begin + size;
      if (begin == 0 && !out_->empty() && out_->back().end == offset) {
        out_->back().end = end;  // What ended with the block before goes on.
      } else {
        out_->push_back({offset + begin + 1 - least_, end});
      }
      if (begin + size == kBlock) return;
      reached &= ~std::uint32_t{0} << (begin + size);
    }
  }

  std::uint32_t least_;
  std::vector<Stretch>* out_;
};

}  // namespace

void RunFinder::search(std::string_view bytes) {
  SCANNER_CHECK(bytes.size() < (std::uint64_t{1} << 32));
  static const LookAt kLook = fastest();
  Notes words(kShortest[kWord], found_[kWord]);
  Notes tokens(kShortest[kToken], found_[kToken]);
  Batch batch;
  std::uint32_t offset = 0;
  const auto take = [&](const char* blocks, std::size_t count) {
    kLook(blocks, count, batch);
    words.take(batch.reached[kWord], count, offset);
    tokens.take(batch.reached[kToken], count, offset);
    for (Bits& member : batch.member) member[0] = member[count];
    offset += static_cast<std::uint32_t>(count * kBlock);
  };
  while (bytes.size() >= kBlock) {
    const std::size_t count = std::min(kBatch, bytes.size() / kBlock);
    take(bytes.data(), count);
    bytes.remove_prefix(count * kBlock);
  }
  std::array<char, kBlock> end{};  // What pads it is of no alphabet.
  std::memcpy(end.data(), bytes.data(), bytes.size());
  take(end.data(), 1);
}

}  // namespace scanner::match
