#include "injector/webhook/message.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "injector/telemetry/harmless.h"

namespace injector::webhook {

using nlohmann::json;
using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using scanner::base::Result;
using telemetry::json_text;

namespace {

/// Makes a value of the events of a parser. Differs from nlohmann's own in that it refuses a key that comes twice and
/// has a limit.
class Builder {  // NOLINT(bugprone-exception-escape): nlohmann::json checks itself when it is moved.
 public:
  /// Whether the value is whole.
  [[nodiscard]] bool done() const { return begun_ && open_.empty(); }
  [[nodiscard]] bool at_member_of_metadata(std::string_view key) const {
    return open_.size() == 2 && key_of_first_ == "metadata" && key_ == key;
  }
  json take() { return std::move(root_); }

  /// Null, or why it is refused.
  const char* add(json value) { return put(std::move(value)) == nullptr ? why_ : nullptr; }
  const char* open(json container) {
    json* const place = put(std::move(container));
    if (place == nullptr) return why_;
    open_.push_back(place);
    return nullptr;
  }
  void close() { open_.pop_back(); }
  void key(std::string& key) {
    key_ = std::move(key);
    if (open_.size() == 1) key_of_first_ = key_;
  }

 private:
  json* put(json value) {
    begun_ = true;
    if (++count_ > kMaxValues) {
      why_ = "the object has more than 100,000 values";
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *open_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(value));
    const auto [place, is_new] = parent.emplace(std::move(key_), std::move(value));
    if (is_new) return &*place;
    why_ = "a key stands twice in one object";
    return nullptr;
  }

  json root_;
  std::vector<json*> open_;
  std::string key_;
  std::string key_of_first_;
  std::size_t count_ = 0;
  bool begun_ = false;
  const char* why_ = nullptr;
};

/// Hears the events of the whole message and keeps what matters: of three objects (the review, its `request`, that
/// one's `kind`) some members, of `request.object` everything. The rest is passed over.
class Reader {  // NOLINT(bugprone-exception-escape): likewise.
 public:
  using number_integer_t = json::number_integer_t;
  using number_unsigned_t = json::number_unsigned_t;
  using number_float_t = json::number_float_t;
  using string_t = json::string_t;
  using binary_t = json::binary_t;

  // The names are nlohmann's.
  bool null() { return scalar(nullptr); }
  bool boolean(bool value) {
    if (is_at(kRequest, "dryRun")) question_.dry_run = value;
    return scalar(value);
  }
  bool number_integer(number_integer_t value) { return scalar(value); }
  bool number_unsigned(number_unsigned_t value) { return scalar(value); }
  bool number_float(number_float_t value, const string_t&) { return scalar(value); }
  bool binary(binary_t&) { return refuse(Errc::corrupt, "the body is not JSON"); }
  bool string(string_t& value) {
    if (passing_ != 0) return true;
    std::string* const place = place_of_string();
    if (place == nullptr) return scalar(std::move(value));
    *place = std::move(value);
    return true;
  }
  bool start_object(std::size_t) { return start(json::value_t::object); }
  bool start_array(std::size_t) { return start(json::value_t::array); }
  bool end_object() { return end(); }
  bool end_array() { return end(); }
  bool key(string_t& key);
  bool parse_error(std::size_t byte, const std::string&, const json::exception&) {
    return refuse(Errc::corrupt, "the body is not JSON at byte " + std::to_string(byte));
  }

  Result<Question> finish();
  bool refuse(Errc code, std::string message) {
    if (!error_) error_.emplace(code, std::move(message));
    return false;
  }

 private:
  /// How many objects are open around a member, of those that are read member by member.
  enum Level : std::uint8_t { kNone, kReview, kRequest, kKind };
  /// An object that is read member by member.
  struct Open {
    std::string key;                ///< Of the member that comes.
    std::vector<std::string> seen;  ///< Those so far.
  };

  bool scalar(json value);
  bool start(json::value_t container);
  bool end();
  bool build(const char* refused) { return refused == nullptr || refuse(Errc::limit, refused); }
  /// Whether the value that comes is that member of that object.
  [[nodiscard]] bool is_at(Level level, std::string_view key) const {
    return !building_ && passing_ == 0 && open_.size() == level && open_.back().key == key;
  }
  /// Where the string that comes is kept; null where it is none of those.
  std::string* place_of_string();
  /// Null, or why the value must not be one of this type here.
  [[nodiscard]] const char* misplaced(json::value_t type);

  Question question_;
  std::string version_;
  std::string message_kind_;
  std::optional<Error> error_;
  std::vector<Open> open_;
  std::size_t depth_ = 0;
  std::size_t passing_ = 0;  ///< The depth of the container that is passed over; 0: none is.
  bool building_ = false;
  Builder builder_;
  bool skips_next_ = false;  ///< The value to come belongs to the object, but is not kept.
  bool has_request_ = false;
  bool request_is_null_ = false;
};

std::string* Reader::place_of_string() {
  if (is_at(kReview, "apiVersion")) return &version_;
  if (is_at(kReview, "kind")) return &message_kind_;
  if (is_at(kRequest, "uid")) return &question_.uid;
  if (is_at(kRequest, "operation")) return &question_.operation;
  if (is_at(kRequest, "namespace")) return &question_.pod_namespace;
  if (is_at(kRequest, "subResource")) return &question_.subresource;
  if (is_at(kKind, "group")) return &question_.group;
  if (is_at(kKind, "kind")) return &question_.kind;
  return nullptr;
}

const char* Reader::misplaced(json::value_t type) {
  const bool is_object = type == json::value_t::object;
  if (open_.empty()) return is_object ? nullptr : "the body is no object";
  if (type == json::value_t::null) return nullptr;
  if (is_at(kReview, "request") && !is_object) return "request is no object";
  if (is_at(kRequest, "kind") && !is_object) return "request.kind is no object";
  if (is_at(kRequest, "object") && !is_object) return "request.object is no object";
  return place_of_string() != nullptr ? "what must be a string is something else" : nullptr;
}

bool Reader::scalar(json value) {
  if (passing_ != 0) return true;
  if (building_) return std::exchange(skips_next_, false) || build(builder_.add(std::move(value)));
  if (const char* const why = misplaced(value.type()); why != nullptr) return refuse(Errc::corrupt, why);
  if (is_at(kReview, "request")) request_is_null_ = true;
  return true;
}

bool Reader::start(json::value_t container) {
  if (++depth_ > kMaxDepth) return refuse(Errc::limit, "the body nests deeper than 64");
  if (passing_ != 0) return true;
  if (building_ && !std::exchange(skips_next_, false)) return build(builder_.open(container));
  if (building_) {
    passing_ = depth_;
    return true;
  }
  if (const char* const why = misplaced(container); why != nullptr) return refuse(Errc::corrupt, why);
  if (is_at(kRequest, "object")) {
    building_ = true;
    return build(builder_.open(container));
  }
  has_request_ = has_request_ || is_at(kReview, "request");
  if (open_.empty() || is_at(kReview, "request") || is_at(kRequest, "kind")) {
    open_.emplace_back();
  } else {
    passing_ = depth_;
  }
  return true;
}

bool Reader::end() {
  if (passing_ == depth_) {
    passing_ = 0;
  } else if (passing_ == 0 && building_) {
    builder_.close();
    if (builder_.done()) {
      building_ = false;
      question_.object = builder_.take();
    }
  } else if (passing_ == 0) {
    open_.pop_back();
  }
  --depth_;
  return true;
}

bool Reader::key(string_t& key) {
  if (passing_ != 0) return true;
  if (building_) {
    builder_.key(key);
    // Who set which field: half of many objects, and of no use here.
    skips_next_ = builder_.at_member_of_metadata("managedFields");
    return true;
  }
  Open& object = open_.back();
  if (std::ranges::find(object.seen, key) != object.seen.end()) {
    return refuse(Errc::corrupt, "a key stands twice in one object");
  }
  // Far beyond those that the API server writes.
  if (object.seen.size() >= 64) return refuse(Errc::limit, "the review has more than 64 members");
  object.seen.push_back(key);
  object.key = std::move(key);
  return true;
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

Result<Question> Reader::finish() {
  if (error_) return fail(*error_);
  if (message_kind_ != "AdmissionReview") {
    return fail(Errc::unsupported, "the body is no AdmissionReview (kind is something else)");
  }
  if (version_ != "admission.k8s.io/v1") {
    return fail(Errc::unsupported, "only admission.k8s.io/v1 is served; set admissionReviewVersions: [v1]");
  }
  if (!has_request_) {
    return fail(Errc::corrupt, request_is_null_ ? "the review's request is null" : "the review has no request");
  }
  if (question_.uid.empty() || question_.uid.size() > 128 || !is_visible(question_.uid)) {
    return fail(Errc::corrupt, "request.uid is missing, or is none");
  }
  if (question_.operation.empty()) return fail(Errc::corrupt, "request.operation is missing");
  if (question_.kind.empty()) return fail(Errc::corrupt, "request.kind is missing");
  return std::move(question_);
}

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string_view reason_of(int code) {
  switch (code) {
    case 400:
      return "BadRequest";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 405:
      return "MethodNotAllowed";
    case 413:
      return "RequestEntityTooLarge";
    case 415:
      return "UnsupportedMediaType";
    case 422:
      return "Invalid";
    case 429:
      return "TooManyRequests";
    case 503:
      return "ServiceUnavailable";
    default:
      return code < 500 ? "BadRequest" : "InternalError";
  }
}

}  // namespace

Result<Question> read_question(std::string_view body) {
  Reader reader;
  try {
    json::sax_parse(body, &reader);
  } catch (const json::exception&) {
    reader.refuse(Errc::corrupt, "the body is not JSON");
  }
  return reader.finish();
}

std::string write_reply(std::string_view uid, const Reply& reply) {
  std::string out = R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":)";
  out += json_text(uid);
  out += reply.allowed ? R"(,"allowed":true)" : R"(,"allowed":false)";
  if (reply.allowed && !reply.patch.empty()) {
    out += R"(,"patchType":"JSONPatch","patch":")" + base64(reply.patch) + "\"";
  }
  if (!reply.allowed) {
    out += R"(,"status":{"code":)" + std::to_string(reply.code) + R"(,"reason":")" +
           std::string(reason_of(reply.code)) + R"(","message":)" + json_text(reply.message) + "}";
  }
  for (std::size_t i = 0; i < reply.warnings.size(); ++i) {
    out += (i == 0 ? R"(,"warnings":[)" : ",") + json_text(reply.warnings[i]);
  }
  if (!reply.warnings.empty()) out += "]";
  return out + "}}";
}

std::string write_status(int code, std::string_view message) {
  return R"({"apiVersion":"v1","kind":"Status","metadata":{},"status":"Failure","message":)" + json_text(message) +
         R"(,"reason":")" + std::string(reason_of(code)) + R"(","code":)" + std::to_string(code) + "}";
}

}  // namespace injector::webhook
