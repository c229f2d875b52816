#include "injector/cli/stores.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "injector/backend/aws/secrets_manager.h"
#include "injector/backend/file/file_store.h"
#include "injector/backend/vault/vault.h"
#include "injector/cli/aws_identity.h"
#include "injector/net/https_client.h"
#include "injector/watch/group.h"

namespace injector::cli {

namespace asio = boost::asio;
namespace aws = backend::aws;
namespace vault = backend::vault;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

namespace {

struct Ground {
  asio::any_io_executor executor;
  const aws::Environment* environment;
};

Result<std::unique_ptr<net::HttpsClient>> client(const Ground& ground, net::ClientSettings settings) {
  return net::HttpsClient::create(ground.executor, std::move(settings));
}

/// "http://[::1]:8200/x" -> "[::1]". The configuration has judged it: it is loopback where it is plain.
std::string host_of(const std::string& url) {
  const std::string rest = url.substr(std::min(url.size(), url.find("://") + 3));
  const auto end = rest.starts_with('[') ? rest.find(']') + 1 : rest.find_first_of(":/");
  return rest.substr(0, end);
}

vault::Auth auth_of(const config::VaultAuth& auth) {
  struct Convert {
    vault::Auth operator()(const config::KubernetesAuth& a) const {
      return vault::KubernetesAuth{.mount = a.mount, .role = a.role, .token_file = a.token_file};
    }
    vault::Auth operator()(const config::JwtAuth& a) const {
      return vault::JwtAuth{.mount = a.mount, .role = a.role, .token_file = a.token_file};
    }
    vault::Auth operator()(const config::AppRoleAuth& a) const {
      using SecretId = vault::AppRoleAuth::SecretId;
      const SecretId kind = a.secret_id_file.empty() ? SecretId::none
                            : a.secret_id_wrapped    ? SecretId::wrapped
                                                     : SecretId::plain;
      return vault::AppRoleAuth{.mount = a.mount,
                                .role_id_file = a.role_id_file,
                                .secret_id_file = a.secret_id_file,
                                .secret_id = kind,
                                .creation_path = a.creation_path};
    }
    vault::Auth operator()(const config::CertAuth& a) const {
      return vault::CertAuth{.mount = a.mount, .name = a.name};
    }
    vault::Auth operator()(const config::AwsAuth& a) const {
      return vault::AwsAuth{.mount = a.mount, .role = a.role, .server_id = a.header};
    }
    vault::Auth operator()(const config::TokenFileAuth& a) const { return vault::TokenFileAuth{a.path}; }
  };
  return std::visit(Convert(), auth);
}

Ok open_kind(const config::VaultStore& from, const Ground& ground, Store& store) {
  net::ClientSettings tls;
  tls.ca_file = from.ca_file;
  tls.ca_path = from.ca_dir;
  tls.cert_file = from.client_cert_file;
  tls.key_file = from.client_key_file;
  tls.server_name = from.server_name;
  tls.proxy = from.proxy;
  for (const std::string& address : from.addresses) {
    if (address.starts_with("http://")) tls.plain_hosts.push_back(host_of(address));
  }
  auto http = client(ground, std::move(tls));
  if (!http) return fail(std::move(http).error());

  vault::IdentitySigner signer;
  if (const auto* auth = std::get_if<config::AwsAuth>(&from.auth)) {
    auto identity = AwsIdentity::create(ground.executor, auth->region, *ground.environment);
    if (!identity) return fail(std::move(identity).error());
    signer = [shared = std::shared_ptr<AwsIdentity>(std::move(*identity))](std::string server_id) {
      return shared->sign(std::move(server_id));
    };
  }
  vault::Settings settings;
  settings.addresses = from.addresses;
  settings.auth_space = from.auth_space;
  settings.space = from.space;
  settings.auth = auth_of(from.auth);
  settings.timeout = from.timeout;
  settings.revoke = from.revoke;
  settings.login_first = from.login_backoff.first;
  settings.login_most = from.login_backoff.most;
  store.transport = std::move(*http);
  auto made = vault::VaultBackend::create(std::move(settings), store.transport, std::move(signer));
  if (!made) return fail(std::move(made).error());
  store.kind = "vault";
  store.backend = std::move(*made);
  return {};
}

Result<std::vector<std::string>> regions_of(const config::AwsStore& from, const aws::Environment& environment) {
  std::vector<std::string> regions;
  if (!from.region.empty()) regions.push_back(from.region);
  if (from.failover_regions.empty()) return regions;
  if (regions.empty()) {
    for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
      if (regions.empty() && !aws::text_of(environment, name).empty())
        regions.push_back(aws::text_of(environment, name));
    }
  }
  if (regions.empty()) return fail(Errc::config, "failover_regions needs a region, here or as AWS_REGION");
  regions.insert(regions.end(), from.failover_regions.begin(), from.failover_regions.end());
  return regions;
}

aws::Source source_of(config::AwsStore::Source source) {
  using From = config::AwsStore::Source;
  switch (source) {
    case From::environment:
      return aws::Source::environment;
    case From::web_identity:
      return aws::Source::web_identity;
    case From::profile:
      return aws::Source::profile;
    case From::container:
      return aws::Source::container;
    case From::instance:
      return aws::Source::instance;
  }
  return aws::Source::environment;
}

Ok open_kind(const config::AwsStore& from, const Ground& ground, Store& store) {
  aws::Settings settings;
  settings.name = store.settings.name;
  auto regions = regions_of(from, *ground.environment);
  if (!regions) return fail(std::move(regions).error());
  settings.regions = std::move(*regions);
  settings.fips = from.fips;
  settings.dual_stack = from.dual_stack;
  settings.endpoint = from.endpoint;
  settings.sts_endpoint = from.sts_endpoint;
  settings.profile = from.profile;
  settings.role_arn = from.role_arn;
  settings.web_identity_token_file = from.web_identity_token_file;
  settings.role_session_name = from.role_session_name;
  for (const auto source : from.credentials) settings.sources.push_back(source_of(source));
  settings.timeout = from.timeout;

  net::ClientSettings tls;
  tls.ca_file = from.ca_file;
  tls.plain_hosts = aws::plain_hosts(settings, *ground.environment);
  auto http = client(ground, std::move(tls));
  if (!http) return fail(std::move(http).error());
  auto made = aws::SecretsManager::create(settings, *ground.environment, **http);
  if (!made) return fail(std::move(made).error());
  store.kind = "aws";
  store.transport = std::move(*http);
  store.backend = std::move(*made);
  return {};
}

Ok open_kind(const config::DirectoryStore& from, const Ground&, Store& store) {
  auto made = backend::file::FileStore::create({store.settings.name, from.directory});
  if (!made) return fail(std::move(made).error());
  store.kind = "file";
  store.backend = std::move(*made);
  return {};
}

bool holds(const Stores* stores, const std::shared_ptr<Store>& store) {
  return stores != nullptr && std::ranges::find(stores->all(), store) != stores->all().end();
}

}  // namespace

Result<Stores> Stores::open(asio::any_io_executor executor, const config::Config& config,
                            const aws::Environment& environment, const Stores* before) {
  const Ground ground{std::move(executor), &environment};
  Stores out;
  std::string problems;
  for (const config::Store& settings : config.stores) {
    if (before != nullptr) {
      const auto same = std::ranges::find(before->stores_, settings, [](const auto& store) { return store->settings; });
      if (same != before->stores_.end()) {
        out.stores_.push_back(*same);
        continue;
      }
    }
    auto store = std::make_shared<Store>();
    store->settings = settings;
    const Ok opened = std::visit([&](const auto& kind) { return open_kind(kind, ground, *store); }, settings.kind);
    if (!opened) {
      problems += (problems.empty() ? "store " : "; store ") + settings.name + ": " + opened.error().message();
      continue;
    }
    out.stores_.push_back(std::move(store));
  }
  if (!problems.empty()) return fail(Errc::config, std::move(problems));
  return out;
}

std::vector<watch::NamedBackend> Stores::named() const {
  std::vector<watch::NamedBackend> out;
  out.reserve(stores_.size());
  for (const auto& store : stores_) out.push_back({store->settings.name, store->kind, store->backend.get()});
  return out;
}

void Stores::close_idle() {
  for (const auto& store : stores_) {
    if (store->transport) store->transport->close_idle(std::chrono::seconds(5));
  }
}

asio::awaitable<void> Stores::close(const Stores* kept) {
  const auto executor = co_await asio::this_coro::executor;
  watch::Group closing(executor);
  for (const auto& store : stores_) {
    if (!holds(kept, store)) closing.start(store->backend->close());
  }
  co_await closing.join();
}

}  // namespace injector::cli
