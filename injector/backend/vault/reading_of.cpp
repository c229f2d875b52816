#include "injector/backend/vault/reading_of.h"

#include <algorithm>
#include <utility>

#include "injector/backend/vault/base64.h"
#include "injector/model/members.h"

namespace injector::backend::vault {
namespace {

using memory::Document;
using memory::Secret;
using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using scanner::base::Result;
using std::chrono::seconds;
using std::chrono::system_clock;

/// "transit/decrypt/app" answers with base64.
bool decrypts(const Query& query) {
  const auto last = query.path.rfind('/');
  if (!query.write || last == std::string::npos) return false;
  return query.path.substr(0, last).ends_with("/decrypt");
}

/// A text or a number, if it is fit to name a version.
std::string name_of(Document::Value value) {
  if (const auto number = value.integer()) return std::to_string(*number);
  const auto text = value.string();
  const bool fit =
      text.size() <= 100 && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  return fit ? std::string(text) : "";
}

void describe_static_credential(Document::Value data, system_clock::time_point now, Reading& reading) {
  const auto ttl = duration_of(data["ttl"]);
  if (!data["rotation_period"].exists() && !data["rotation_schedule"].exists()) return;
  for (const char* key : {"last_vault_rotation", "last_openbao_rotation"}) {
    if (data[key].is_string()) reading.version = name_of(data[key]);
  }
  // At the end of its period a ttl of 0 comes with the old password until the server has rotated: asked again then.
  if (ttl) reading.expires = now + *ttl + seconds(1);
}

void describe_certificate(Document::Value data, Reading& reading) {
  if (!data["certificate"].is_string() || !data["serial_number"].is_string()) return;
  reading.version = name_of(data["serial_number"]);
  const auto end = data["expiration"].integer();
  // Beyond the year 2200 there is no end that a clock of nanoseconds can name.
  if (end && *end > 0 && *end < 7'258'118'400) reading.expires = system_clock::from_time_t(*end);
}

std::string state_of_version(Document::Value metadata) {
  if (metadata["destroyed"].boolean().value_or(false)) return "was destroyed";
  if (time_of(metadata["deletion_time"].string())) return "was deleted, and can be brought back";
  return {};
}

}  // namespace

std::string naming(const Query& query) {
  std::string what = query.write ? "writing " : query.list ? "listing " : "reading ";
  if (!query.space.empty()) what += query.space + ":";
  return what + query.path;
}

scanner::base::Ok has_key(const Reading& reading, const Query& query) {
  const auto& members = reading.members;
  const auto named = [&](const Reading::Member& member) { return member.name == query.key; };
  if (query.key.empty() || std::any_of(members.begin(), members.end(), named)) return {};
  return fail(Errc::missing, naming(query) + ": it has no key " + query.key);
}

Error absence_of(const Answer& answer, const Query& query, Engine engine) {
  const auto what = naming(query);
  if (engine == Engine::kv2) {
    const auto metadata = answer.data()["metadata"];
    if (const auto state = state_of_version(metadata); !state.empty()) {
      return {Errc::missing, what + ": version " + name_of(metadata["version"]) + " " + state};
    }
    if (!query.version.empty()) return {Errc::missing, what + ": there is no version " + query.version};
  }
  auto error = error_of(answer, what);
  if (error.message() == what + ": HTTP 404") return {Errc::missing, what + ": there is nothing at this path"};
  return error;
}

Result<Reading> list_of(const Answer& answer, const Query& query) {
  Reading reading;
  if (answer.status() == 404) {
    reading.document = Secret::copy_of(R"({"keys":[]})");
  } else {
    if (!answer.data()["keys"].is_array()) return fail(Errc::away, naming(query) + ": the answer holds no list");
    reading.document = answer.data().text();
  }
  add_members(reading);
  reading.request_id = answer.request_id();
  reading.warnings = answer.warnings();
  return reading;
}

Result<Reading> reading_of(const Answer& answer, const Query& query, Engine engine, system_clock::time_point now) {
  const auto what = naming(query);
  if (answer.status() == 204) return fail(Errc::config, what + ": the server gives nothing back for it");
  auto data = answer.data();
  Reading reading;
  if (engine == Engine::kv2) {
    const auto metadata = data["metadata"];
    reading.version = name_of(metadata["version"]);
    data = data["data"];
    if (!data.is_object()) {
      const auto state = state_of_version(metadata);
      if (!state.empty()) return fail(Errc::missing, what + ": version " + reading.version + " " + state);
    }
    reading.expires = time_of(metadata["deletion_time"].string());
    if (metadata.is_object()) reading.metadata = metadata.text();
  }
  if (!data.is_object()) return fail(Errc::away, what + ": the answer holds no data");
  if (engine == Engine::plain) {
    describe_static_credential(data, now, reading);
    describe_certificate(data, reading);
  }
  reading.document = data.text();
  for (const auto& [name, value] : data.members()) {
    Secret bytes = bytes_of(value);
    if (name == "plaintext" && decrypts(query)) {
      auto plain = from_base64(bytes.reveal());
      if (!plain) return fail(Errc::away, what + ": the plaintext is not in base64");
      bytes = std::move(*plain);
    }
    reading.members.push_back({std::string(name), std::move(bytes)});
  }
  reading.lease = answer.lease();
  const auto advised = duration_of(answer.root()["lease_duration"]);
  if (!reading.lease && advised) reading.advised = *advised;
  reading.request_id = answer.request_id();
  reading.warnings = answer.warnings();
  return reading;
}

}  // namespace injector::backend::vault
