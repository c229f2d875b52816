#include "scanner/base/hash.h"

#include <array>
#include <bit>
#include <concepts>
#include <optional>
#include <type_traits>

#include "scanner/rules/fields.h"
#include "scanner/rules/loader.h"

namespace scanner::rules {
namespace {

/// Feeds fields to SHA-256, each with its length in front, so that no two rule sets give the same bytes.
class Digest {
 public:
  Digest() { (*this)(std::string("scan-secrets rules 1")); }

  template <typename T>
  void text(const T&) {}

  void operator()(const std::string& value) {
    number(value.size());
    sha_.update(value);
  }
  template <std::unsigned_integral T>
  void operator()(T value) {
    number(value);
  }
  void operator()(double value) { number(std::bit_cast<std::uint64_t>(value + 0.0)); }
  template <typename T>
    requires std::is_enum_v<T>
  void operator()(T value) {
    number(static_cast<std::uint64_t>(value));
  }
  void operator()(const std::optional<std::uint32_t>& value) {
    number(value.has_value() ? 1 : 0);
    number(value.value_or(0));
  }
  void operator()(const Required& required) { required_fields(*this, required); }
  void operator()(const Allowlist& list) { allowlist_fields(*this, list); }
  void operator()(const Rule& rule) { rule_fields(*this, rule); }
  template <typename T>
  void operator()(const std::vector<T>& values) {
    number(values.size());
    for (const T& value : values) (*this)(value);
  }

  std::string finish() { return base::hex(sha_.finish()); }

 private:
  void number(std::uint64_t value) {
    std::array<char, 8> bytes{};
    for (char& byte : bytes) {
      byte = static_cast<char>(static_cast<unsigned char>(value & 0xff));
      value >>= 8;
    }
    sha_.update({bytes.data(), bytes.size()});
  }

  base::Sha256Stream sha_;
};

}  // namespace

std::string hash_of(const RuleSet& rules) {
  Digest digest;
  rule_set_fields(digest, rules);
  return digest.finish();
}

}  // namespace scanner::rules
