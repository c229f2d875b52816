#include "injector/backend/aws/shared_file.h"

#include <algorithm>

namespace injector::backend::aws {
namespace {

using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// Whether a section's heading, without its brackets, is the profile's.
bool is_section(std::string_view heading, ProfileFile kind, std::string_view name) {
  heading = trimmed(heading);
  if (kind == ProfileFile::credentials || name == "default") {
    if (heading == name) return true;
    if (kind == ProfileFile::credentials) return false;
  }
  if (!heading.starts_with("profile ") && !heading.starts_with("profile\t")) return false;
  heading = trimmed(heading.substr(8));
  if (heading.size() >= 2 && heading.front() == '"' && heading.back() == '"') {
    heading = heading.substr(1, heading.size() - 2);
  }
  return heading == name;
}

void put(std::string& field, std::string_view value) {
  if (field.empty()) field = std::string(value);
}

void put(Secret& field, std::string_view value) {
  if (field.empty()) field = Secret::copy_of(value);
}

void take(Profile& out, std::string_view key, std::string_view value) {
  if (key == "aws_access_key_id") put(out.access_key_id, value);
  if (key == "aws_secret_access_key") put(out.secret_access_key, value);
  if (key == "aws_session_token") put(out.session_token, value);
  if (key == "region") put(out.region, value);
  if (key == "role_arn") put(out.role_arn, value);
  if (key == "web_identity_token_file") put(out.web_identity_token_file, value);
  if (key == "role_session_name") put(out.role_session_name, value);
  if (key == "credential_process" || key == "source_profile" || key == "credential_source" || key == "sso_session" ||
      key == "sso_start_url") {
    out.delegates = true;
  }
}

}  // namespace

Ok read_profile(const Secret& text, ProfileFile kind, const std::string& name, Profile& out) {
  // A pair of keys is taken from one file, never half from each.
  const bool has_keys = !out.access_key_id.empty() || !out.secret_access_key.empty();
  Profile read;
  std::string_view rest = text.reveal();
  bool inside = false;
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view whole = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::string_view content = trimmed(whole);
    const auto wrong = [&](const char* what) {
      return fail(Errc::config, "line " + std::to_string(line) + ": " + what);
    };
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    if (content.find('\0') != content.npos) return wrong("a zero byte");
    if (content.front() == '[') {
      const std::size_t close = content.find(']');
      if (close == content.npos) return wrong("a section without its closing bracket");
      inside = is_section(content.substr(1, close - 1), kind, name);
      read.found = read.found || inside;
      continue;
    }
    if (!inside || whole.front() == ' ' || whole.front() == '\t') continue;
    const std::size_t equals = content.find('=');
    if (equals == content.npos) return wrong("neither a section nor `name = value`");
    std::string key(trimmed(content.substr(0, equals)));
    std::transform(key.begin(), key.end(), key.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    std::string_view value = trimmed(content.substr(equals + 1));
    // Not so in a key, which may hold neither.
    const std::size_t comment = std::min(value.find(" #"), value.find(" ;"));
    value = trimmed(value.substr(0, comment));
    take(read, key, value);
  }

  out.found = out.found || read.found;
  out.delegates = out.delegates || read.delegates;
  if (!has_keys) {
    out.access_key_id = std::move(read.access_key_id);
    out.secret_access_key = std::move(read.secret_access_key);
    out.session_token = std::move(read.session_token);
  }
  put(out.region, read.region);
  put(out.role_arn, read.role_arn);
  put(out.web_identity_token_file, read.web_identity_token_file);
  put(out.role_session_name, read.role_session_name);
  return {};
}

}  // namespace injector::backend::aws
