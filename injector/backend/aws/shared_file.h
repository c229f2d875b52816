#pragma once

#include <string>
#include <string_view>

#include "injector/memory/secret.h"
#include "scanner/base/result.h"

namespace injector::backend::aws {

/// What one profile of `~/.aws/credentials` and `~/.aws/config` says, of the little that is used here.
struct Profile {
  bool found = false;  ///< It stands in at least one of them.
  std::string access_key_id;
  memory::Secret secret_access_key;
  memory::Secret session_token;
  std::string region;
  std::string role_arn;
  std::string web_identity_token_file;
  std::string role_session_name;
  bool delegates = false;  ///< It wants a program run, a login by browser or another profile: not done in a pod.
};

enum class ProfileFile : std::uint8_t { credentials, config };

/// Adds what `text` says of the profile to `out`; what is there already stays, so the credentials file goes first.
/// Sections are "[name]", in the config file "[profile name]" but for the default one. Lines that are indented (nested
/// settings) and comments are passed over. `Errc::config` gives the line, never its text.
scanner::base::Ok read_profile(const memory::Secret& text, ProfileFile kind, const std::string& name, Profile& out);

}  // namespace injector::backend::aws
