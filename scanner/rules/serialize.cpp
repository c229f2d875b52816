#include "scanner/rules/serialize.h"

#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "scanner/base/hash.h"
#include "scanner/base/json.h"
#include "scanner/rules/fields.h"
#include "scanner/rules/loader.h"

namespace scanner::rules {
namespace {

using base::Errc;
using base::Json;

// Changes whenever fields.h does.
constexpr std::string_view kMagic = "scan-secrets rules\n2\n";
constexpr std::size_t kChecksumBytes = sizeof(base::Sha256);
// Set, rules, rule, allowlists, allowlist, regexes; one spare.
constexpr std::size_t kMaxDepth = 7;

/// Fields as a CBOR array in their order.
class Writer {
 public:
  template <typename T>
  void text(const T& value) {
    (*this)(value);
  }
  template <typename T>
  void operator()(const T& value) {
    out_.push_back(encoded(value));
  }

  Json take() { return std::move(out_); }

 private:
  static Json encoded(const std::string& value) { return value; }
  static Json encoded(bool value) { return value; }
  static Json encoded(std::uint32_t value) { return value; }
  static Json encoded(double value) { return value; }
  template <typename T>
    requires std::is_enum_v<T>
  static Json encoded(T value) {
    return static_cast<std::uint32_t>(value);
  }
  static Json encoded(const std::optional<std::uint32_t>& value) { return value ? Json(*value) : Json(nullptr); }
  static Json encoded(const Required& value) {
    Writer writer;
    required_fields(writer, value);
    return writer.take();
  }
  static Json encoded(const Allowlist& value) {
    Writer writer;
    allowlist_fields(writer, value);
    return writer.take();
  }
  static Json encoded(const Rule& value) {
    Writer writer;
    rule_fields(writer, value);
    return writer.take();
  }
  template <typename T>
  static Json encoded(const std::vector<T>& values) {
    Json list = Json::array();
    for (const T& value : values) list.push_back(encoded(value));
    return list;
  }

  Json out_ = Json::array();
};

std::uint32_t last_of(Severity) { return static_cast<std::uint32_t>(Severity::critical); }
std::uint32_t last_of(Confidence) { return static_cast<std::uint32_t>(Confidence::high); }
std::uint32_t last_of(Allowlist::Condition) { return static_cast<std::uint32_t>(Allowlist::Condition::all); }
std::uint32_t last_of(Allowlist::Target) { return static_cast<std::uint32_t>(Allowlist::Target::line); }

/// Takes fields from an array in their order. `good` turns false at the first that is missing or of another type.
class Reader {
 public:
  explicit Reader(Json& fields) : fields_(fields) {}

  template <typename T>
  void text(T& value) {
    (*this)(value);
  }
  template <typename T>
  void operator()(T& value) {
    good_ = good_ && fields_.is_array() && next_ < fields_.size() && decode(fields_[next_], value);
    ++next_;
  }

  /// Every field was there, and there were no others.
  [[nodiscard]] bool good() const { return good_ && next_ == fields_.size(); }

 private:
  static bool decode(Json& in, std::string& out) {
    if (!in.is_string()) return false;
    out = std::move(in.get_ref<std::string&>());
    return true;
  }
  static bool decode(Json& in, bool& out) {
    if (!in.is_boolean()) return false;
    out = in.get<bool>();
    return true;
  }
  static bool decode(Json& in, std::uint32_t& out) {
    if (!in.is_number_unsigned() || in.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) return false;
    out = in.get<std::uint32_t>();
    return true;
  }
  static bool decode(Json& in, double& out) {
    if (!in.is_number_float() || !std::isfinite(in.get<double>())) return false;
    out = in.get<double>();
    return true;
  }
  template <typename T>
    requires std::is_enum_v<T>
  static bool decode(Json& in, T& out) {
    std::uint32_t value = 0;
    if (!decode(in, value) || value > last_of(T{})) return false;
    out = static_cast<T>(value);
    return true;
  }
  static bool decode(Json& in, std::optional<std::uint32_t>& out) {
    if (in.is_null()) return true;
    return decode(in, out.emplace());
  }
  static bool decode(Json& in, Required& out) {
    Reader reader(in);
    required_fields(reader, out);
    return reader.good();
  }
  static bool decode(Json& in, Allowlist& out) {
    Reader reader(in);
    allowlist_fields(reader, out);
    return reader.good();
  }
  static bool decode(Json& in, Rule& out) {
    Reader reader(in);
    rule_fields(reader, out);
    return reader.good();
  }
  template <typename T>
  static bool decode(Json& in, std::vector<T>& out) {
    if (!in.is_array()) return false;
    for (Json& item : in) {
      if (!decode(item, out.emplace_back())) return false;
    }
    return true;
  }

  Json& fields_;
  std::size_t next_ = 0;
  bool good_ = true;
};

/// Builds arrays and plain values out of CBOR, and refuses whatever else `serialize` never writes: maps, byte strings,
/// nesting that would exhaust the stack. (nlohmann's own `from_cbor` recurses as deep as the bytes say.)
// NOLINTNEXTLINE(bugprone-exception-escape): the destructor of nlohmann::json allocates.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Json root;

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t) override { return false; }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return false; }
  bool key(string_t&) override { return false; }
  bool end_object() override { return false; }
  bool start_array(std::size_t) override {
    if (open_.size() >= kMaxDepth || !put(Json::array())) return false;
    open_.push_back(open_.empty() ? &root : &open_.back()->back());
    return true;
  }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool put(Json value) {
    if (open_.empty()) {
      root = std::move(value);
    } else {
      open_.back()->push_back(std::move(value));
    }
    return true;
  }

  // Only the innermost list grows, so the addresses of the others hold.
  std::vector<Json*> open_;
};

std::string checksum_of(std::string_view payload) {
  const base::Sha256 sum = base::sha256(payload);
  return {sum.begin(), sum.end()};
}

base::Failure corrupt() { return base::fail(Errc::corrupt, "not a rule set that this version has stored"); }

}  // namespace

std::string serialize(const RuleSet& rules) {
  Writer writer;
  rule_set_fields(writer, rules);
  std::string payload;
  Json::to_cbor(writer.take(), payload);
  return std::string(kMagic) + checksum_of(payload) + payload;
}

base::Result<RuleSet> deserialize(std::string_view bytes) {
  if (!bytes.starts_with(kMagic) || bytes.size() < kMagic.size() + kChecksumBytes) return corrupt();
  const std::string_view checksum = bytes.substr(kMagic.size(), kChecksumBytes);
  const std::string_view payload = bytes.substr(kMagic.size() + kChecksumBytes);
  if (checksum != checksum_of(payload)) return corrupt();
  RuleSet rules;
  try {
    Builder builder;
    if (!Json::sax_parse(payload, &builder, Json::input_format_t::cbor)) return corrupt();
    Reader reader(builder.root);
    rule_set_fields(reader, rules);
    if (!reader.good()) return corrupt();
  } catch (const Json::exception&) {
    return corrupt();
  }
  rules.hash = hash_of(rules);
  return rules;
}

}  // namespace scanner::rules
