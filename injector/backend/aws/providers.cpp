#include <utility>

#include "injector/backend/aws/file_text.h"
#include "injector/backend/aws/provider.h"
#include "injector/backend/aws/shared_file.h"

namespace injector::backend::aws {
namespace {

using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;

constexpr std::size_t kLargestProfileFile = 1UL << 20;
constexpr std::chrono::minutes kReread{5};

class EnvironmentProvider final : public Provider {
 public:
  explicit EnvironmentProvider(const Environment& environment)
      : id_(text_of(environment, "AWS_ACCESS_KEY_ID")),
        key_(Secret::copy_of(value_of(environment, "AWS_SECRET_ACCESS_KEY"))),
        token_(Secret::copy_of(value_of(environment, "AWS_SESSION_TOKEN"))) {}

  [[nodiscard]] std::string name() const override { return "environment"; }

  net::Task<Credentials> fetch() override {
    if (id_.empty() && key_.empty()) co_return fail(Errc::missing, "AWS_ACCESS_KEY_ID is not set");
    if (id_.empty() || key_.empty()) {
      co_return fail(Errc::config, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together");
    }
    Credentials credentials;
    credentials.access_key_id = id_;
    credentials.secret_access_key = key_.clone();
    credentials.session_token = token_.clone();
    co_return credentials;
  }

 private:
  std::string id_;
  Secret key_;
  Secret token_;
};

class ProfileProvider final : public Provider {
 public:
  ProfileProvider(ProfilePlace place, WebIdentity identity, net::Http& http)
      : place_(std::move(place)), identity_(std::move(identity)), http_(&http) {}

  [[nodiscard]] std::string name() const override { return "profile " + place_.profile; }

  net::Task<Credentials> fetch() override {
    Profile profile;
    const std::pair<const std::string*, ProfileFile> files[] = {{&place_.credentials_file, ProfileFile::credentials},
                                                                {&place_.config_file, ProfileFile::config}};
    for (const auto& [path, kind] : files) {
      if (Ok read = add(*path, kind, profile); !read) co_return fail(std::move(read).error());
    }
    if (!profile.access_key_id.empty() && !profile.secret_access_key.empty()) {
      Credentials credentials;
      credentials.access_key_id = std::move(profile.access_key_id);
      credentials.secret_access_key = std::move(profile.secret_access_key);
      credentials.session_token = std::move(profile.session_token);
      credentials.reread = kReread;
      co_return credentials;
    }
    if (!profile.role_arn.empty() && !profile.web_identity_token_file.empty()) {
      WebIdentity identity = identity_;
      identity.role_arn = profile.role_arn;
      identity.token_file = profile.web_identity_token_file;
      if (!profile.role_session_name.empty()) identity.session_name = profile.role_session_name;
      const std::unique_ptr<Provider> delegate = web_identity_provider(std::move(identity), *http_);
      auto credentials = co_await delegate->fetch();
      co_return credentials;
    }
    if (profile.delegates) {
      co_return fail(Errc::config, name() +
                                       " asks for a program, a browser or another profile: only keys and web "
                                       "identity are used here");
    }
    if (profile.found && (!profile.access_key_id.empty() || !profile.secret_access_key.empty())) {
      co_return fail(Errc::config, name() + ": aws_access_key_id and aws_secret_access_key go together");
    }
    co_return fail(Errc::missing, "no " + name() + " with keys");
  }

 private:
  Ok add(const std::string& path, ProfileFile kind, Profile& out) const {
    if (path.empty()) return {};
    auto text = read_secret_file(path, kLargestProfileFile);
    if (!text) {
      // Of the two files either may be absent.
      if (text.error().code() == Errc::missing) return {};
      return fail(Errc::config, text.error().message());
    }
    Ok read = read_profile(*text, kind, place_.profile, out);
    if (!read) return fail(read.error().during(path));
    return {};
  }

  ProfilePlace place_;
  WebIdentity identity_;
  net::Http* http_;
};

}  // namespace

std::unique_ptr<Provider> environment_provider(const Environment& environment) {
  return std::make_unique<EnvironmentProvider>(environment);
}

std::unique_ptr<Provider> profile_provider(ProfilePlace place, WebIdentity identity, net::Http& http) {
  return std::make_unique<ProfileProvider>(std::move(place), std::move(identity), http);
}

std::vector<std::unique_ptr<Provider>> providers(const Resolved& resolved, const Environment& environment,
                                                 net::Http& http) {
  const WebIdentity identity{resolved.regions.front().sts_url, resolved.role_arn, resolved.web_identity_token_file,
                             resolved.role_session_name, resolved.timeout};
  const ProfilePlace place{resolved.profile, resolved.credentials_file, resolved.config_file};
  std::vector<std::unique_ptr<Provider>> out;
  for (const Source source : resolved.sources) {
    switch (source) {
      case Source::environment:
        out.push_back(environment_provider(environment));
        break;
      case Source::web_identity:
        out.push_back(web_identity_provider(identity, http));
        break;
      case Source::profile:
        out.push_back(profile_provider(place, identity, http));
        break;
      case Source::container:
        out.push_back(container_provider(environment, http));
        break;
      case Source::instance:
        out.push_back(instance_provider(environment, http));
        break;
    }
  }
  return out;
}

}  // namespace injector::backend::aws
