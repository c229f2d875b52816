#pragma once

#include <memory>
#include <string>
#include <vector>

#include "injector/backend/aws/credentials.h"
#include "injector/backend/aws/environment.h"
#include "injector/backend/aws/pace.h"
#include "injector/backend/aws/settings.h"
#include "injector/net/http.h"

namespace injector::backend::aws {

/// One place where a pod's credentials may come from.
class Provider {
 public:
  virtual ~Provider() = default;
  /// "web identity", for logs and the preflight.
  [[nodiscard]] virtual std::string name() const = 0;
  /// Asks for credentials, with the retries that its protocol has. `Errc::missing`: it is not set up here, try the next
  /// place. Any other error is final, because it is set up and the pod is meant to use it: `away` ask again later,
  /// `denied` it refuses us, `config` it is set up wrongly.
  virtual net::Task<Credentials> fetch() = 0;
};

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
std::unique_ptr<Provider> environment_provider(const Environment& environment);

/// AssumeRoleWithWebIdentity at `sts_url` with the token in a file (IRSA), which is read again each time: unsigned, so
/// that a pod needs no other credentials. Three attempts; a token that has expired is read once more.
struct WebIdentity {
  std::string sts_url;
  std::string role_arn;
  std::string token_file;
  std::string session_name;  ///< Empty: "secret-injector". 2 to 64 of [A-Za-z0-9_+=,.@-].
  Milliseconds timeout{10'000};
};
std::unique_ptr<Provider> web_identity_provider(WebIdentity identity, net::Http& http);

/// Keys out of the shared files, read again every five minutes; or the web identity that the profile names. A profile
/// that wants a program run, a browser or another profile is `Errc::config`.
std::unique_ptr<Provider> profile_provider(ProfilePlace place, WebIdentity identity, net::Http& http);

/// ECS and EKS Pod Identity: GET of AWS_CONTAINER_CREDENTIALS_FULL_URI, or of ..._RELATIVE_URI at 169.254.170.2, with
/// the token of ..._AUTHORIZATION_TOKEN_FILE (read again each time, no line breaks) or ..._AUTHORIZATION_TOKEN. Plain
/// http only to loopback and the three link-local addresses of ECS and EKS. 2 s, three attempts.
std::unique_ptr<Provider> container_provider(const Environment& environment, net::Http& http);

/// EC2's metadata service, version 2 only: a session token first, 1 s, one attempt. AWS_EC2_METADATA_DISABLED,
/// AWS_EC2_METADATA_SERVICE_ENDPOINT, AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE.
std::unique_ptr<Provider> instance_provider(const Environment& environment, net::Http& http);

/// Those that `resolved.sources` names, in its order.
std::vector<std::unique_ptr<Provider>> providers(const Resolved& resolved, const Environment& environment,
                                                 net::Http& http);

/// Whether a container endpoint may be asked for credentials in plain http: 127.0.0.0/8, [::1], localhost,
/// 169.254.170.2, 169.254.170.23, [fd00:ec2::23], with any port. No other name is resolved or trusted.
bool plain_http_allowed(const std::string& url);

/// The credentials in an answer of the container endpoint or of EC2's metadata service. `Errc::corrupt` says what is
/// missing; `Errc::denied` when it carries a code other than "Success".
scanner::base::Result<Credentials> read_metadata_credentials(const memory::Secret& body);

/// The credentials in an answer of AssumeRoleWithWebIdentity.
scanner::base::Result<Credentials> read_sts_credentials(const memory::Secret& body);

}  // namespace injector::backend::aws
