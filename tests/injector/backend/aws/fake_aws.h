#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "injector/net/http.h"
#include "scanner/base/json.h"

namespace tests {

/// AWS as far as a pod sees it, on no network: Secrets Manager, STS, the container endpoint and EC2's metadata, by
/// host. It keeps state and checks every signature, so that what a client sends matters. It can do what moto cannot:
/// AWS' own status codes, clocks that differ, throttling, regions that are away, staging labels in motion.
class FakeAws final : public injector::net::Http {
 public:
  struct Version {
    std::string id;
    std::string value;
    bool binary = false;
    std::vector<std::string> stages;
  };
  struct Secret {
    std::vector<Version> versions;
    bool deleted = false;
    std::string refusal;  ///< A code that every read of it is answered with.
  };
  struct Key {
    std::string secret;
    std::string token;
    bool expired = false;
  };

  injector::net::Task<injector::net::Response> send(injector::net::Request request) override;

  /// Adds a secret of one version that is AWSCURRENT, in every region; gives its VersionId.
  std::string put(const std::string& name, const std::string& value, bool binary = false);

  std::map<std::string, Secret> secrets;
  std::map<std::string, Key> keys;  ///< By access key id.
  std::chrono::seconds clock{0};    ///< Ahead of ours.
  bool batch_allowed = true;
  bool describe_allowed = true;
  bool date_header = true;

  /// What a host answers before anything else, used up one after the other; nullopt is no answer (the network).
  using Scripted = std::function<std::optional<injector::net::Response>()>;
  std::map<std::string, std::deque<Scripted>> script;
  std::map<std::string, bool> away;  ///< Hosts that cannot be had.

  // STS, container endpoint and metadata hand out keys of their own.
  std::string web_identity_token = "eyJ.token.1";
  std::string container_token;
  std::chrono::seconds lifetime{3600};
  std::string instance_role = "app-role";  ///< Empty: the instance has none.
  int issued = 0;

  struct Seen {
    std::string host;
    std::string what;  ///< The operation, or method and path.
    std::string body;
    std::string key_id;
  };
  std::vector<Seen> seen;
  [[nodiscard]] int count(const std::string& what) const;
  std::chrono::milliseconds latency{1};

 private:
  injector::net::Response answer(const injector::net::Request& request, const std::string& host);
  injector::net::Response secrets_manager(const injector::net::Request& request, const std::string& host);
  injector::net::Response sts(const injector::net::Request& request);
  injector::net::Response metadata(const injector::net::Request& request, const std::string& host);
  scanner::base::Json issue(bool container);
  std::string refusal_of_signature(const injector::net::Request& request, const std::string& host);
};

/// An answer with a JSON body, or an error of the JSON protocol.
injector::net::Response json_answer(int status, const std::string& body);
injector::net::Response aws_error(int status, const std::string& code);

}  // namespace tests
