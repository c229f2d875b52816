#include "tests/support/tar.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tests {
namespace {

constexpr std::size_t kBlock = 512;

std::string octal(std::uint64_t value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%0*llo", digits, static_cast<unsigned long long>(value));
  return text.data();
}

void put(std::string& block, std::size_t at, std::string_view text, std::size_t most) {
  text.substr(0, most).copy(block.data() + at, most);
}

std::string sparse_pair(std::uint64_t offset, std::uint64_t size) {
  return octal(offset, 11) + '\0' + octal(size, 11) + '\0';
}

}  // namespace

std::string tar_header(const TarHeader& header) {
  std::string block(kBlock, '\0');
  put(block, 0, header.name, 100);
  put(block, 100, "0000644", 8);
  put(block, 108, "0000000", 8);
  put(block, 116, "0000000", 8);
  put(block, 124, header.size_field.empty() ? octal(header.size, 11) : header.size_field, 12);
  put(block, 136, "00000000000", 12);
  block[156] = header.type;
  put(block, 157, header.link, 100);
  if (header.dialect == Dialect::ustar) put(block, 257, std::string_view("ustar\00000", 8), 8);
  if (header.dialect == Dialect::gnu) put(block, 257, std::string_view("ustar  \0", 8), 8);
  put(block, 345, header.prefix, 155);
  put(block, 345, header.at_345, 167);
  put(block, 148, "        ", 8);
  std::uint64_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(block, 148, octal(sum, 6) + '\0' + ' ', 8);
  return block;
}

std::string tar_padded(std::string_view bytes) {
  return std::string(bytes) + std::string((kBlock - bytes.size() % kBlock) % kBlock, '\0');
}

std::string tar_file(const std::string& name, std::string_view content) {
  std::string before;
  if (name.size() > 100) before = tar_long('L', name);
  return before + tar_header({.name = name, .size = content.size()}) + tar_padded(content);
}

std::string tar_directory(const std::string& name) { return tar_header({.name = name + "/", .type = '5'}); }

std::string tar_symlink(const std::string& name, const std::string& target) {
  return tar_header({.name = name, .type = '2', .link = target});
}

std::string tar_hard_link(const std::string& name, const std::string& target) {
  return tar_header({.name = name, .type = '1', .link = target});
}

std::string pax_record(const std::string& key, const std::string& value) {
  const std::string body = " " + key + "=" + value + "\n";
  std::size_t size = body.size() + 1;
  while (std::to_string(size).size() + body.size() != size) ++size;
  return std::to_string(size) + body;
}

std::string tar_pax(std::string_view records, char type) {
  return tar_header({.name = "PaxHeaders/x", .type = type, .size = records.size()}) + tar_padded(records);
}

std::string tar_long(char type, std::string_view text) {
  const std::string ended = std::string(text) + '\0';
  return tar_header({.name = "././@LongLink", .type = type, .size = ended.size(), .dialect = Dialect::gnu}) +
         tar_padded(ended);
}

std::string tar_base256(std::uint64_t value) {
  std::string field(12, '\0');
  field[0] = '\x80';
  for (std::size_t i = 11; i >= 4; --i, value >>= 8) field[i] = static_cast<char>(value & 255);
  return field;
}

std::string tar_old_sparse(const std::string& name, const std::vector<std::pair<std::uint64_t, std::string>>& parts) {
  constexpr std::size_t kInHeader = 4;
  constexpr std::size_t kInBlock = 21;
  std::string data;
  std::uint64_t real_size = 0;
  for (const auto& [offset, bytes] : parts) {
    data += bytes;
    real_size = offset + bytes.size();
  }
  TarHeader header{.name = name, .type = 'S', .size = data.size(), .dialect = Dialect::gnu};
  header.at_345.assign(386 - 345, '\0');
  std::size_t at = 0;
  for (; at < std::min(parts.size(), kInHeader); ++at) {
    header.at_345 += sparse_pair(parts[at].first, parts[at].second.size());
  }
  header.at_345.resize(482 - 345, '\0');
  header.at_345 += parts.size() > kInHeader ? '\1' : '\0';
  header.at_345 += octal(real_size, 11);
  std::string all = tar_header(header);
  while (at < parts.size()) {
    std::string block;
    for (std::size_t i = 0; i < kInBlock && at < parts.size(); ++i, ++at) {
      block += sparse_pair(parts[at].first, parts[at].second.size());
    }
    block.resize(kInBlock * 24, '\0');
    block += at < parts.size() ? '\1' : '\0';
    block.resize(kBlock, '\0');
    all += block;
  }
  return all + tar_padded(data);
}

std::string tar_end() { return std::string(2 * kBlock, '\0'); }

}  // namespace tests
