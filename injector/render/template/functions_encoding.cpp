#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "injector/memory/document.h"
#include "injector/render/template/answers.h"
#include "injector/render/template/encode.h"
#include "injector/render/template/format.h"
#include "injector/render/template/function.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/text.h"
#include "scanner/base/hash.h"

namespace injector::render::templates {
namespace {

using Arguments = std::span<const Value>;

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The blocks of 64 bytes that MD5 and SHA-1 work on, the last padded.
template <typename Block>
void each_block(std::string_view bytes, bool big_endian, Block block) {
  std::array<unsigned char, 64> room{};
  const std::uint64_t bits = 8 * static_cast<std::uint64_t>(bytes.size());
  const auto whole = bytes.size() / 64 * 64;
  for (std::size_t at = 0; at < whole; at += 64) {
    for (std::size_t i = 0; i < 64; ++i) room[i] = static_cast<unsigned char>(bytes[at + i]);
    block(room);
  }
  room.fill(0);
  const auto rest = bytes.size() - whole;
  for (std::size_t i = 0; i < rest; ++i) room[i] = static_cast<unsigned char>(bytes[whole + i]);
  room[rest] = 0x80;
  if (rest >= 56) {
    block(room);
    room.fill(0);
  }
  for (std::size_t i = 0; i < 8; ++i) {
    room[56 + i] = static_cast<unsigned char>(bits >> (8 * (big_endian ? 7 - i : i)));
  }
  block(room);
  room.fill(0);
}

void add_word(Builder& out, std::uint32_t word, bool big_endian) {
  for (std::size_t i = 0; i < 4; ++i) {
    const auto byte = word >> (8 * (big_endian ? 3 - i : i)) & 0xffU;
    out.add(kHex[byte >> 4U]).add(kHex[byte & 15U]);
  }
}

}  // namespace

void md5(std::string_view bytes, Builder& out) {
  static constexpr std::array<int, 16> kTurns = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};
  // floor(2^32 * abs(sin(i + 1))), RFC 1321.
  static constexpr std::array<std::uint32_t, 64> kSines = {
      0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
      0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
      0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
      0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
      0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
      0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
      0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
      0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
  std::array<std::uint32_t, 4> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  each_block(bytes, false, [&](const std::array<unsigned char, 64>& block) {
    auto [a, b, c, d] = state;
    for (std::size_t i = 0; i < 64; ++i) {
      const auto round = i / 16;
      const std::uint32_t mixed = round == 0   ? (b & c) | (~b & d)
                                  : round == 1 ? (d & b) | (~d & c)
                                  : round == 2 ? b ^ c ^ d
                                               : c ^ (b | ~d);
      const auto place = (round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i) % 16;
      std::uint32_t word = 0;
      for (std::size_t k = 0; k < 4; ++k) word |= static_cast<std::uint32_t>(block[4 * place + k]) << (8 * k);
      const std::uint32_t sum = a + mixed + kSines[i] + word;
      a = d;
      d = c;
      c = b;
      b += std::rotl(sum, kTurns[4 * round + i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
  });
  for (const auto word : state) add_word(out, word, false);
}

void sha1(std::string_view bytes, Builder& out) {
  std::array<std::uint32_t, 5> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  each_block(bytes, true, [&](const std::array<unsigned char, 64>& block) {
    std::array<std::uint32_t, 80> words{};
    for (std::size_t i = 0; i < 64; ++i) words[i / 4] = words[i / 4] << 8U | block[i];
    for (std::size_t i = 16; i < 80; ++i) {
      words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    auto [a, b, c, d, e] = state;
    for (std::size_t i = 0; i < 80; ++i) {
      const auto round = i / 20;
      const std::uint32_t mixed = round == 0   ? (b & c) | (~b & d)
                                  : round == 2 ? (b & c) | (b & d) | (c & d)
                                               : b ^ c ^ d;
      static constexpr std::array<std::uint32_t, 4> kRounds = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
      const std::uint32_t sum = std::rotl(a, 5) + mixed + e + kRounds[round] + words[i];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = sum;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
  });
  for (const auto word : state) add_word(out, word, true);
}

void write_hex(Builder& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.add(kHex[byte >> 4U]).add(kHex[byte & 15U]);
  }
}

void write_base64(Builder& out, std::string_view bytes, bool url) {
  const auto alphabet = url ? kUrl : kStandard;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto left = bytes.size() - i;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8U | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    out.add(alphabet[group >> 18U & 63U]).add(alphabet[group >> 12U & 63U]);
    out.add(left > 1 ? alphabet[group >> 6U & 63U] : '=').add(left > 2 ? alphabet[group & 63U] : '=');
  }
}

bool read_base64(Builder& out, std::string_view text, bool url, std::size_t& wrong_at) {
  const auto alphabet = url ? kUrl : kStandard;
  const auto line_end = [](char c) { return c == '\n' || c == '\r'; };
  std::size_t at = 0;
  const auto skip = [&] {
    while (at < text.size() && line_end(text[at])) ++at;
  };
  for (;;) {
    std::uint32_t group = 0;
    std::size_t digits = 0;
    for (; digits < 4; ++digits) {
      skip();
      if (at == text.size()) {
        if (digits == 0) return true;
        wrong_at = at - digits;
        return false;
      }
      const char c = text[at++];
      const auto value = alphabet.find(c);
      if (value != std::string_view::npos) {
        group = group << 6U | static_cast<std::uint32_t>(value);
        continue;
      }
      wrong_at = at - 1;
      if (c != '=' || digits < 2) return false;
      if (digits == 2) {
        skip();
        if (at == text.size()) {
          wrong_at = text.size();
          return false;
        }
        if (text[at] != '=') {
          wrong_at = at;
          return false;
        }
        ++at;
      }
      skip();
      if (at != text.size()) {
        wrong_at = at;
        return false;
      }
      break;
    }
    group <<= 6 * (4 - digits);
    for (std::size_t k = 1; k < digits; ++k) out.add(static_cast<char>(group >> (24 - 8 * k) & 0xffU));
    if (digits < 4) return true;
  }
}

namespace {

template <bool url>
Value encode64(Context& context, Arguments arguments) {
  Builder out;
  write_base64(out, arguments[0].text(), url);
  return keep(*context.pool, out);
}

template <bool url>
Value decode64(Context& context, Arguments arguments) {
  Builder out;
  std::size_t wrong = 0;
  if (!read_base64(out, arguments[0].text(), url, wrong)) stop("a text is not in base64, or lacks its padding");
  return keep(*context.pool, out);
}

template <Escape escape, Layout layout>
Value to_json(Context& context, Arguments arguments) {
  Builder out;
  write_json(out, arguments[0], escape, layout);
  return keep(*context.pool, out);
}

Value to_yaml(Context& context, Arguments arguments) {
  Builder out;
  write_yaml(out, arguments[0]);
  return of_text(trim_space(out.keep_in(*context.pool)));
}

Value to_toml(Context& context, Arguments arguments) {
  Builder out;
  write_toml(out, arguments[0]);
  return of_text(trim_space(out.keep_in(*context.pool)));
}

Value parse_json(Context& context, Arguments arguments) {
  if (arguments[0].size == 0) return of_map(new_map(*context.pool));
  Value out;
  if (!read_json(*context.pool, arguments[0].text(), out)) stop("a text is no JSON");
  return out;
}

Value sha256_hex(Context& context, Arguments arguments) {
  const auto digest = scanner::base::sha256(arguments[0].text());
  Builder out;
  write_hex(out, {reinterpret_cast<const char*>(digest.data()), digest.size()});
  return keep(*context.pool, out);
}

Value hmac_sha256_hex(Context& context, Arguments arguments) {
  const auto digest = scanner::base::hmac_sha256(arguments[1].text(), arguments[0].text());
  Builder out;
  write_hex(out, {reinterpret_cast<const char*>(digest.data()), digest.size()});
  return keep(*context.pool, out);
}

Value md5_sum(Context& context, Arguments arguments) {
  Builder out;
  md5(arguments[0].text(), out);
  return keep(*context.pool, out);
}

constexpr auto kFunctions = std::to_array<Function>({
    {"base64Encode", "s", encode64<false>},
    {"base64Decode", "s", decode64<false>},
    {"base64URLEncode", "s", encode64<true>},
    {"base64URLDecode", "s", decode64<true>},
    {"toJSON", "a", to_json<Escape::html, Layout::compact>},
    {"toJSONPretty", "a", to_json<Escape::html, Layout::indented>},
    {"toUnescapedJSON", "a", to_json<Escape::plain, Layout::compact>},
    {"toUnescapedJSONPretty", "a", to_json<Escape::plain, Layout::indented>},
    {"toYAML", "a", to_yaml},
    {"toTOML", "a", to_toml},
    {"parseJSON", "s", parse_json},
    {"sha256Hex", "s", sha256_hex},
    {"md5sum", "s", md5_sum},
    {"hmacSHA256Hex", "ss", hmac_sha256_hex},
});

}  // namespace

std::span<const Function> encoding_functions() { return kFunctions; }

}  // namespace injector::render::templates
