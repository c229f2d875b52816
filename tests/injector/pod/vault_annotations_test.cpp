#include "injector/pod/vault_annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "injector/pod/review.h"
#include "injector/pod/vault_files.h"
#include "injector/pod/vault_table.h"
#include "injector/pod/vault_view.h"

namespace injector::pod {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A store of each kind, the first of them the usual one.
Policy policy() {
  Policy out;
  StorePolicy vault;
  vault.name = "vault";
  vault.addresses = {"https://vault.vault.svc:8200"};
  StorePolicy bao;
  bao.name = "bao";
  bao.provider = StorePolicy::Provider::openbao;
  bao.addresses = {"https://openbao.openbao.svc:8200"};
  out.stores = {vault, bao};
  return out;
}

json pod(const std::map<std::string, std::string>& annotations, const std::string& domain = "vault.hashicorp.com/") {
  json out = {
      {"metadata", {{"name", "shop"}}},
      {"spec",
       {{"containers",
         {{{"name", "app"}, {"image", "shop"}, {"securityContext", {{"runAsUser", 1234}}}},
          {{"name", "proxy"}, {"image", "proxy"}}}},
        {"initContainers", {{{"name", "migrate"}, {"image", "shop"}}}},
        {"volumes",
         {{{"name", "token"}, {"projected", {{"sources", {{{"serviceAccountToken", {{"path", "jwt"}}}}}}}}}}}}}};
  for (const auto& [name, value] : annotations) out["metadata"]["annotations"][domain + name] = value;
  return out;
}

/// What a working pod of vault-k8s says, and `more`.
std::map<std::string, std::string> usual(const std::map<std::string, std::string>& more = {}) {
  std::map<std::string, std::string> out = {
      {"agent-inject", "true"}, {"role", "shop"}, {"agent-inject-secret-db", "kv/data/shop/db"}};
  for (const auto& [name, value] : more) out[name] = value;
  return out;
}

Asked ask(const std::map<std::string, std::string>& more) {
  return read_vault_annotations(pod(usual(more)), "team", policy());
}

std::string all(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

const FileRequest& only_file(const Asked& asked) { return asked.request.files.at(0); }
const StoreRequest& store(const Asked& asked) { return asked.request.stores.at(0); }

/// One annotation with a value, and what must come of it.
struct Row {
  std::string name;  ///< With its suffix.
  std::string value;
  std::function<bool(const Asked&)> good;
  std::map<std::string, std::string> more{};
};

const auto kRefused = [](const Asked& asked) { return !asked.mistakes.empty(); };
const auto kWarned = [](const Asked& asked) { return asked.mistakes.empty() && asked.warnings.size() == 1; };

/// A row at least for each of the 74.
std::vector<Row> rows() {
  using Run = Request::Run;
  return {
      {"agent-inject", "true", [](const Asked& a) { return a.wanted; }},
      {"agent-inject", "false", [](const Asked& a) { return !a.wanted; }},
      {"agent-inject", "yes", kRefused},
      {"agent-inject-status", "injected", [](const Asked& a) { return !a.wanted; }},
      {"agent-inject-status", "update", [](const Asked& a) { return a.wanted; }},
      {"agent-inject-secret-db", "pki/cert/ca",
       [](const Asked& a) { return only_file(a).templ->text.find("\"pki/cert/ca\"") != std::string::npos; }},
      {"agent-inject-template-db", "{{ with secret \"kv/x\" }}{{ .Data.a }}{{ end }}",
       [](const Asked& a) { return only_file(a).templ->text == "{{ with secret \"kv/x\" }}{{ .Data.a }}{{ end }}"; }},
      {"agent-inject-template-db", "{{ with secret \"kv/x\" }}", kRefused},
      {"agent-inject-template-file-db", "/vault/custom/db.tmpl", kRefused},
      {"agent-inject-file-db", "conf.d/db.ini",
       [](const Asked& a) { return only_file(a).path.text() == "conf.d/db.ini"; }},
      {"agent-inject-file-db", "/./conf.d//db.ini",
       [](const Asked& a) { return only_file(a).path.text() == "conf.d/db.ini"; }},
      {"agent-inject-file-db", "../../etc/passwd", kRefused},
      {"agent-inject-file-db", "a/../b", kRefused},
      {"agent-inject-perms-db", "0440", [](const Asked& a) { return only_file(a).mode == 0440U; }},
      {"agent-inject-perms-db", "640", [](const Asked& a) { return only_file(a).mode == 0640U; }},
      {"agent-inject-perms-db", "0666",
       [](const Asked& a) { return only_file(a).mode == 0644U && a.warnings.size() == 1; }},
      {"agent-inject-perms-db", "u=rw", kRefused},
      {"agent-inject-perms-db", "4755", kRefused},
      {"agent-inject-perms-db", "0044", kRefused},
      {"agent-inject-command-db",
       "kill -HUP $(pidof nginx)",
       [](const Asked& a) {
         const auto* signal = std::get_if<SignalProcess>(&only_file(a).on_change->how);
         return a.mistakes.empty() && signal != nullptr && signal->process == "nginx" && signal->number == 1;
       },
       {{"agent-share-process-namespace", "true"}}},
      {"agent-inject-command-db", "kill -HUP $(pidof nginx)", kRefused},
      {"agent-inject-command-db", "cp /vault/secrets/db /data", kRefused},
      {"error-on-missing-key-db", "true", [](const Asked& a) { return only_file(a).templ->error_on_missing_key; }},
      {"error-on-missing-key-db", "perhaps", kRefused},
      {"agent-template-left-delim-db",
       "[[",
       [](const Asked& a) { return only_file(a).templ->left_delimiter == "[["; },
       {{"agent-inject-template-db", "[[ 1 }}"}}},
      {"agent-template-right-delim-db",
       "]]",
       [](const Asked& a) { return only_file(a).templ->right_delimiter == "]]"; },
       {{"agent-inject-template-db", "{{ 1 ]]"}}},
      {"secret-volume-path", "/etc/shop/", [](const Asked& a) { return a.request.directory == "/etc/shop"; }},
      {"secret-volume-path-db", "/etc/shop", [](const Asked& a) { return only_file(a).directory == "/etc/shop"; }},
      {"secret-volume-path", "secrets", kRefused},
      {"secret-volume-path-db", "/etc/../x", kRefused},
      {"preserve-secret-case",
       "true",
       [](const Asked& a) { return a.request.files.at(0).path.text() == "CA"; },
       {{"agent-inject-secret-CA", "kv/ca"}}},
      {"preserve-secret-case-CA",
       "true",
       [](const Asked& a) { return a.request.files.at(0).path.text() == "CA"; },
       {{"agent-inject-secret-CA", "kv/ca"}}},
      {"agent-inject-default-template", "JSON",
       [](const Asked& a) {
         return only_file(a).templ->text == "{{ with secret \"kv/data/shop/db\" }}{{ .Data | toJSON }}\n{{ end }}";
       }},
      {"agent-inject-default-template", "yaml", kRefused},
      {"agent-inject-containers", "proxy, app",
       [](const Asked& a) {
         return a.request.containers == std::vector<std::string>{"proxy", "app"};
       }},
      {"agent-inject-containers", "app,gone",
       [](const Asked& a) {
         return a.request.containers == std::vector<std::string>{"app"} && a.warnings.size() == 1;
       }},
      {"agent-inject-containers", "gone", kRefused},
      {"agent-inject-token", "true", kWarned},
      {"agent-inject-token", "false", [](const Asked& a) { return a.warnings.empty(); }},
      {"agent-pre-populate", "false",
       [](const Asked& a) { return !a.request.gate_start && !a.request.init_containers_too; }},
      {"agent-pre-populate-only", "true", [](const Asked& a) { return a.request.run == Run::init_only; }},
      {"agent-pre-populate-only", "true", kRefused, {{"agent-pre-populate", "false"}}},
      {"agent-init-first", "true", [](const Asked& a) { return a.mistakes.empty() && a.warnings.empty(); }},
      {"agent-init-first", "first", kRefused},
      {"agent-image", "hashicorp/vault:1.2", kWarned},
      {"agent-request-namespace", "team", [](const Asked& a) { return a.mistakes.empty() && a.warnings.empty(); }},
      {"agent-request-namespace", "other", kRefused},
      {"agent-run-as-user", "200", [](const Asked& a) { return a.request.user == 200; }},
      {"agent-run-as-user", "0", kRefused},
      {"agent-run-as-group", "300", [](const Asked& a) { return a.request.group == 300; }},
      {"agent-run-as-group", "staff", kRefused},
      {"agent-run-as-same-user", "true", [](const Asked& a) { return a.request.same_user && !a.request.user; }},
      {"agent-set-security-context", "false", [](const Asked& a) { return !a.request.security_context; }},
      {"agent-service-account-token-volume-name", "token",
       [](const Asked& a) { return a.request.token_volume == "token" && a.request.token_path == "jwt"; }},
      {"agent-service-account-token-volume-name", "gone", kRefused},
      {"agent-limits-cpu", "100m", [](const Asked& a) { return a.request.resources.cpu_limit == "100m"; }},
      {"agent-limits-cpu", "many", kRefused},
      {"agent-limits-mem", "20Mi", [](const Asked& a) { return a.request.resources.memory_limit == "20Mi"; }},
      {"agent-limits-mem", "", [](const Asked& a) { return a.request.resources.memory_limit == "0"; }},
      {"agent-limits-ephemeral", "1Gi", [](const Asked& a) { return a.request.resources.storage_limit == "1Gi"; }},
      {"agent-requests-cpu", "5m", [](const Asked& a) { return a.request.resources.cpu_request == "5m"; }},
      {"agent-requests-mem", "24Mi", [](const Asked& a) { return a.request.resources.memory_request == "24Mi"; }},
      {"agent-requests-ephemeral", "1Mi", [](const Asked& a) { return a.request.resources.storage_request == "1Mi"; }},
      {"agent-revoke-on-shutdown", "true", [](const Asked& a) { return store(a).revoke == true; }},
      {"agent-revoke-on-shutdown", "false", [](const Asked& a) { return store(a).revoke == false; }},
      {"agent-revoke-grace", "7", [](const Asked& a) { return a.request.shutdown_timeout == 7s; }},
      {"agent-revoke-grace", "-1", kRefused},
      {"agent-share-process-namespace", "true",
       [](const Asked& a) { return a.request.share_process_namespace == true; }},
      {"agent-json-patch", R"([{"op":"add","path":"/env/-","value":{"name":"A","value":"b"}}])",
       [](const Asked& a) { return a.request.container_patch.size() == 1; }},
      {"agent-json-patch", R"([{"op":"move","from":"/env","path":"/args"}])", kRefused},
      {"agent-json-patch", R"({"op":"add"})", kRefused},
      {"agent-json-patch", R"([{"op":)", kRefused},
      {"agent-init-json-patch",
       R"([{"op":"add","path":"/tty","value":true}])",
       [](const Asked& a) { return a.request.container_patch.size() == 2; },
       {{"agent-json-patch",
         R"([{"op":"add","path":"/tty","value":true},{"op":"remove","path":"/resources/limits"}])"}}},
      {"service", "https://openbao.openbao.svc:8200/", [](const Asked& a) { return store(a).name == "bao"; }},
      {"service", "https://evil.example:8200", kRefused},
      {"namespace", "/team/a/", [](const Asked& a) { return store(a).space == "team/a"; }},
      {"role", "other", [](const Asked& a) { return store(a).role == "other"; }},
      {"role", "", kRefused},
      {"auth-type", "kubernetes", [](const Asked& a) { return store(a).role == "shop" && !store(a).auth; }},
      {"auth-type",
       "jwt",
       [](const Asked& a) {
         const auto* jwt = std::get_if<config::JwtAuth>(&*store(a).auth);
         return jwt != nullptr && jwt->role == "shop" && jwt->mount == "jwt-prod" && jwt->token_file.empty();
       },
       {{"auth-path", "auth/jwt-prod"}}},
      {"auth-type",
       "approle",
       [](const Asked& a) {
         const auto* auth = std::get_if<config::AppRoleAuth>(&*store(a).auth);
         return a.mistakes.empty() && auth != nullptr && auth->role_id_file == "/vault/custom/role-id" &&
                auth->secret_id_file == "/vault/custom/secret-id" && auth->mount == "approle" &&
                a.request.mounts.at(0).name == "ids";
       },
       {{"auth-path", "auth/approle"},
        {"agent-extra-secret", "ids"},
        {"auth-config-role-id-file-path", "/vault/custom/role-id"},
        {"auth-config-secret-id-file-path", "/vault/custom/secret-id"}}},
      {"auth-type",
       "cert",
       [](const Asked& a) {
         const auto* auth = std::get_if<config::CertAuth>(&*store(a).auth);
         return a.mistakes.empty() && auth != nullptr && auth->name == "shop" && auth->mount == "cert";
       },
       {{"auth-path", "auth/cert"},
        {"auth-config-name", "shop"},
        {"tls-secret", "tls"},
        {"client-cert", "/vault/tls/tls.crt"},
        {"client-key", "/vault/tls/tls.key"}}},
      {"auth-type", "cert", kRefused},
      {"auth-type",
       "token_file",
       [](const Asked& a) {
         const auto* auth = std::get_if<config::TokenFileAuth>(&*store(a).auth);
         return auth != nullptr && auth->path == "/vault/custom/token";
       },
       {{"agent-extra-secret", "t"}, {"auth-config-token-file-path", "/vault/custom/token"}}},
      {"auth-type",
       "aws",
       [](const Asked& a) {
         const auto* auth = std::get_if<config::AwsAuth>(&*store(a).auth);
         return auth != nullptr && auth->role == "shop" && auth->mount == "aws" && auth->header == "vault.example" &&
                auth->region == "eu-west-1";
       },
       {{"auth-path", "auth/aws"},
        {"auth-config-type", "iam"},
        {"auth-config-region", "eu-west-1"},
        {"auth-config-header-value", "vault.example"}}},
      {"auth-type", "gcp", kRefused},
      {"auth-path", "/auth/k8s-prod/", [](const Asked& a) { return store(a).auth_mount == "k8s-prod"; }},
      {"auth-config-role", "deploy", [](const Asked& a) { return store(a).role == "deploy"; }, {{"role", ""}}},
      {"auth-config-secret-key",
       "hunter2",
       [](const Asked& a) { return !a.mistakes.empty() && all(a.mistakes).find("hunter2") == std::string::npos; },
       {{"auth-type", "aws"}}},
      {"auth-config-token-path", "/var/run/secrets/kubernetes.io/serviceaccount/token",
       [](const Asked& a) { return a.mistakes.empty() && !store(a).auth; }},
      {"auth-config-token-path", "/nowhere/token", kRefused},
      {"auth-config-colour", "blue", kWarned},
      {"tls-skip-verify", "true", kRefused},
      {"tls-skip-verify", "false", [](const Asked& a) { return a.mistakes.empty() && a.warnings.empty(); }},
      {"tls-secret", "vault-tls",
       [](const Asked& a) {
         return a.request.mounts.size() == 1 && a.request.mounts[0].name == "vault-tls" &&
                a.request.mounts[0].path == "/vault/tls";
       }},
      {"tls-secret", "Not A Name", kRefused},
      {"tls-server-name", "vault.example", [](const Asked& a) { return store(a).server_name == "vault.example"; }},
      {"ca-cert",
       "/vault/tls/ca.crt",
       [](const Asked& a) { return store(a).ca_file == "/vault/tls/ca.crt"; },
       {{"tls-secret", "vault-tls"}}},
      {"ca-cert", "/vault/tls/ca.crt", kRefused},
      {"ca-cert", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
       [](const Asked& a) {
         return a.mistakes.empty() && a.request.mounts.at(0).name == "kube-root-ca.crt" &&
                store(a).ca_file == a.request.mounts[0].path + "/ca.crt";
       }},
      {"ca-key", "/vault/tls/ca.key", kWarned},
      {"client-cert",
       "/vault/tls/tls.crt",
       [](const Asked& a) {
         return store(a).client_cert_file == "/vault/tls/tls.crt" && store(a).client_key_file == "/vault/tls/tls.key";
       },
       {{"tls-secret", "t"}, {"client-key", "/vault/tls/tls.key"}}},
      {"client-key", "/vault/tls/tls.key", kRefused, {{"tls-secret", "t"}}},
      {"client-timeout", "30", [](const Asked& a) { return store(a).timeout == 30s; }},
      {"client-timeout", "1m30s", [](const Asked& a) { return store(a).timeout == 90s; }},
      {"client-timeout", "1h", kRefused},
      {"client-max-retries", "5", [](const Asked& a) { return a.mistakes.empty(); }},
      {"client-max-retries", "few", kRefused},
      {"log-level", "trace", [](const Asked& a) { return a.request.log_level == "debug"; }},
      {"log-level", "loud", kRefused},
      {"log-format", "standard", [](const Asked& a) { return a.request.log_format == "text"; }},
      {"log-format", "json", [](const Asked& a) { return a.request.log_format == "json"; }},
      {"log-format", "xml", kRefused},
      {"go-max-procs", "2", kWarned},
      {"agent-cache-enable", "true", kWarned},
      {"agent-cache-use-auto-auth-token", "force", kWarned},
      {"agent-cache-listener-port",
       "8100",
       [](const Asked& a) { return a.request.quit_port == 8100; },
       {{"agent-enable-quit", "true"}}},
      {"agent-cache-listener-port", "all", kRefused},
      {"agent-enable-quit", "true", [](const Asked& a) { return a.request.quit_port == 8200; }},
      {"agent-auto-auth-exit-on-err", "true", [](const Asked& a) { return a.request.start_timeout == 30s; }},
      {"template-config-exit-on-retry-failure", "true", [](const Asked& a) { return a.request.start_timeout == 5min; }},
      {"template-config-exit-on-retry-failure", "false", [](const Asked& a) { return !a.request.start_timeout; }},
      {"auth-min-backoff", "2s", [](const Asked& a) { return store(a).login_first == 2s && !store(a).login_most; }},
      {"auth-min-backoff", "10m",
       [](const Asked& a) { return store(a).login_first == 10min && store(a).login_most == 10min; }},
      {"auth-max-backoff", "1m", [](const Asked& a) { return store(a).login_most == 1min; }},
      {"auth-max-backoff", "500ms", kRefused},
      {"proxy-address", "http://proxy.example:3128/",
       [](const Asked& a) { return store(a).proxy == "http://proxy.example:3128"; }},
      {"proxy-address", "http://user:hunter2@proxy.example", kRefused},
      {"template-lease-renewal-threshold", "0.85",
       [](const Asked& a) { return a.mistakes.empty() && a.warnings.empty(); }},
      {"template-lease-renewal-threshold", "0.5", kWarned},
      {"template-lease-renewal-threshold", "half", kRefused},
      {"agent-cache-exit-on-err", "true", kWarned},
      {"agent-copy-volume-mounts", "app", [](const Asked& a) { return a.request.copy_mounts_of == "app"; }},
      {"agent-extra-secret", "extra",
       [](const Asked& a) {
         return a.request.mounts.at(0).name == "extra" && a.request.mounts[0].path == "/vault/custom";
       }},
      {"agent-configmap", "agent-hcl", kRefused},
      {"template-static-secret-render-interval", "90s", [](const Asked& a) { return a.request.refresh == 90s; }},
      {"template-static-secret-render-interval", "30", [](const Asked& a) { return a.request.refresh == 30s; }},
      {"template-static-secret-render-interval", "often", kRefused},
      {"template-max-connections-per-host", "4", kWarned},
      {"agent-telemetry-statsd-address", "localhost:8125", kWarned},
      {"agent-disable-idle-connections", "templating", kWarned},
      {"agent-disable-keep-alives", "templating", kWarned},
  };
}

TEST(VaultTable, HoldsTheSeventyFour) {
  std::set<std::string_view> names;
  for (const auto& row : vault_annotations()) names.insert(row.name);
  EXPECT_THAT(names, SizeIs(74));
  EXPECT_THAT(vault_annotations(), SizeIs(74));
  EXPECT_TRUE(std::ranges::is_sorted(vault_annotations(), {}, &VaultAnnotation::name));
}

TEST(VaultTable, PartsTheSuffixOffTheLongestName) {
  EXPECT_EQ(vault_name("agent-inject-template-file-a").row->name, "agent-inject-template-file");
  EXPECT_EQ(vault_name("agent-inject-template-file-a").suffix, "a");
  EXPECT_EQ(vault_name("agent-inject-template-a-b").suffix, "a-b");
  EXPECT_EQ(vault_name("secret-volume-path").suffix, "");
  EXPECT_EQ(vault_name("agent-inject-secret").row, nullptr);
  EXPECT_EQ(vault_name("agent-inject-secret-").row, nullptr);
  EXPECT_EQ(vault_name("agent-injected").row, nullptr);
}

TEST(VaultTable, IsTheTableOfTheGuide) {
  std::ifstream file(PROJECT_ROOT "/injector/pod/vault-k8s.md");
  const std::string guide{std::istreambuf_iterator<char>(file), {}};
  for (const auto& row : vault_annotations()) {
    const char* suffix = row.suffix == VaultAnnotation::Suffix::none              ? ""
                         : row.suffix == VaultAnnotation::Suffix::secret          ? "-X"
                         : row.suffix == VaultAnnotation::Suffix::optional_secret ? "[-X]"
                                                                                  : "-K";
    const char* treatment = row.treatment == VaultAnnotation::Treatment::followed  ? "followed"
                            : row.treatment == VaultAnnotation::Treatment::ignored ? "ignored"
                                                                                   : "refused";
    const std::string line = "| `" + std::string(row.name) + suffix + "` | " +
                             (row.usual.empty() ? "" : "`" + std::string(row.usual) + "` ") + "| " + treatment + " | " +
                             std::string(row.what) + " |\n";
    EXPECT_THAT(guide, HasSubstr(line));
  }
}

TEST(VaultAnnotations, EachOfThemDoesWhatTheTableSays) {
  std::set<std::string_view> tried;
  for (const auto& row : rows()) {
    auto annotations = row.more;
    annotations[row.name] = row.value;
    const Asked asked = ask(annotations);
    EXPECT_TRUE(row.good(asked)) << row.name << ": " << row.value << "\n" << all(asked.mistakes) << all(asked.warnings);
    const VaultName found = vault_name(row.name);
    ASSERT_NE(found.row, nullptr) << row.name;
    tried.insert(found.row->name);
    const bool must_be_refused = found.row->treatment == VaultAnnotation::Treatment::refused;
    EXPECT_TRUE(!must_be_refused || !asked.mistakes.empty()) << row.name;
    for (const auto& warning : asked.warnings) EXPECT_LE(warning.size(), 120U) << warning;
  }
  for (const auto& row : vault_annotations()) EXPECT_TRUE(tried.contains(row.name)) << "no test of " << row.name;
}

TEST(VaultAnnotations, AskForNothingWithoutTheirTrigger) {
  EXPECT_FALSE(read_vault_annotations(pod({}), "team", policy()).wanted);
  auto without = usual({{"agent-inject-perms-db", "nonsense"}});
  without.erase("agent-inject");
  const Asked asked = read_vault_annotations(pod(without), "team", policy());
  EXPECT_FALSE(asked.wanted);
  EXPECT_THAT(asked.mistakes, IsEmpty());
  EXPECT_FALSE(read_vault_annotations(json(), "team", policy()).wanted);
  EXPECT_FALSE(read_vault_annotations(json::array(), "team", policy()).wanted);
}

TEST(VaultAnnotations, AreLeftToVaultK8sWhereThePolicySaysSo) {
  Policy other = policy();
  other.vault_annotations = false;
  EXPECT_FALSE(read_vault_annotations(pod(usual()), "team", other).wanted);
}

TEST(VaultAnnotations, GiveAPlainPodWhatVaultK8sGivesIt) {
  const Asked asked = ask({});
  ASSERT_THAT(asked.mistakes, IsEmpty());
  EXPECT_THAT(asked.warnings, IsEmpty());
  const Request& request = asked.request;
  EXPECT_EQ(request.run, Request::Run::sidecar);
  EXPECT_TRUE(request.gate_start);
  EXPECT_TRUE(request.init_containers_too);
  EXPECT_EQ(request.directory, "/vault/secrets");
  EXPECT_EQ(request.volume, "vault-secrets");
  EXPECT_THAT(request.containers, ElementsAre("app", "proxy"));
  EXPECT_EQ(request.status_annotation, "vault.hashicorp.com/agent-inject-status");
  ASSERT_THAT(request.files, SizeIs(1));
  EXPECT_EQ(only_file(asked).path.text(), "db");
  EXPECT_EQ(only_file(asked).mode, 0644U);
  EXPECT_EQ(only_file(asked).asked_by, "vault.hashicorp.com/agent-inject-secret-db");
  EXPECT_EQ(store(asked).name, "vault");
  EXPECT_EQ(store(asked).role, "shop");
  EXPECT_FALSE(store(asked).auth);
}

TEST(VaultAnnotations, OfOpenBaoAreReadLikewiseAndPreferItsStore) {
  Policy two = policy();
  const Asked asked = read_vault_annotations(pod(usual(), "openbao.org/"), "team", two);
  ASSERT_THAT(asked.mistakes, IsEmpty());
  EXPECT_EQ(store(asked).name, "bao");
  EXPECT_EQ(asked.request.directory, "/vault/secrets");
  EXPECT_EQ(asked.request.status_annotation, "openbao.org/agent-inject-status");
  EXPECT_EQ(only_file(asked).asked_by, "openbao.org/agent-inject-secret-db");
}

TEST(VaultAnnotations, OfBothDomainsAreOneUnlessTheyDisagree) {
  json mixed = pod(usual());
  mixed["metadata"]["annotations"]["openbao.org/agent-inject-perms-db"] = "0440";
  mixed["metadata"]["annotations"]["openbao.org/role"] = "shop";
  Asked asked = read_vault_annotations(mixed, "team", policy());
  EXPECT_THAT(asked.mistakes, IsEmpty());
  EXPECT_EQ(only_file(asked).mode, 0440U);
  mixed["metadata"]["annotations"]["openbao.org/role"] = "other";
  asked = read_vault_annotations(mixed, "team", policy());
  EXPECT_THAT(asked.mistakes, Contains(AllOf(HasSubstr("openbao.org/role"), HasSubstr("vault.hashicorp.com/role"))));
}

TEST(VaultAnnotations, LowerTheNamesOfFilesUnlessTold) {
  const Asked asked = ask({{"agent-inject-secret-DB-Config.JSON", "kv/x"}});
  ASSERT_THAT(asked.request.files, SizeIs(2));
  EXPECT_EQ(asked.request.files[0].path.text(), "db-config.json");
}

TEST(VaultAnnotations, AreRefusedWhenTwoSecretsAreOneFile) {
  EXPECT_THAT(ask({{"agent-inject-secret-DB", "kv/x"}}).mistakes, Contains(HasSubstr("names the same file")));
  EXPECT_THAT(ask({{"agent-inject-secret-DB", "kv/x"}, {"secret-volume-path-DB", "/etc/x"}}).mistakes, IsEmpty());
}

TEST(VaultAnnotations, WarnOfWhatVaultK8sWouldIgnore) {
  const Asked asked = ask({{"agent-inject-secretz-db", "x"}, {"agent-inject-perms-other", "0400"}, {"Rolle", "x"}});
  EXPECT_THAT(asked.mistakes, IsEmpty());
  EXPECT_THAT(asked.warnings, SizeIs(3));
  EXPECT_THAT(asked.warnings, Contains(HasSubstr("did you mean agent-inject-secret?")));
  EXPECT_THAT(asked.warnings, Contains(HasSubstr("agent-inject-perms-other: is ignored")));
}

TEST(VaultAnnotations, AreRefusedWhenNoFileComesOfThem) {
  auto none = usual({{"agent-inject-token", "true"}});
  none.erase("agent-inject-secret-db");
  EXPECT_THAT(read_vault_annotations(pod(none), "team", policy()).mistakes, Contains(HasSubstr("asks for no file")));
}

TEST(VaultAnnotations, RefuseACacheThatAContainerIsToldOf) {
  json cached = pod(usual({{"agent-cache-enable", "true"}}));
  EXPECT_THAT(read_vault_annotations(cached, "team", policy()).mistakes, IsEmpty());
  cached["spec"]["containers"][0]["env"] = {{{"name", "VAULT_ADDR"}, {"value", "http://127.0.0.1:8200"}}};
  EXPECT_THAT(read_vault_annotations(cached, "team", policy()).mistakes, Contains(HasSubstr("agent-cache-enable")));
}

TEST(VaultAnnotations, VerifyAnywayWhereThePolicySaysSo) {
  Policy other = policy();
  other.skip_verify = Policy::SkipVerify::verify_anyway;
  const Asked asked = read_vault_annotations(pod(usual({{"tls-skip-verify", "true"}})), "team", other);
  EXPECT_THAT(asked.mistakes, IsEmpty());
  EXPECT_THAT(asked.warnings, SizeIs(1));
}

TEST(VaultAnnotations, KeepToTheRolesOfThePolicyInEveryLogin) {
  Policy other = policy();
  other.stores[0].roles = {"shop", "team-*"};
  const auto mistakes = [&](const std::string& role) {
    return read_vault_annotations(pod(usual({{"role", role}, {"auth-type", "jwt"}, {"auth-path", "auth/jwt"}})), "team",
                                  other)
        .mistakes;
  };
  EXPECT_THAT(mistakes("shop"), IsEmpty());
  EXPECT_THAT(mistakes("team-a"), IsEmpty());
  EXPECT_THAT(mistakes("root"), Contains(HasSubstr("vault.hashicorp.com/role")));
}

TEST(VaultAnnotations, LeaveThePodItsPort) {
  json taken = pod(usual());
  taken["spec"]["containers"][0]["ports"] = {{{"containerPort", 9909}}, {{"containerPort", 9910}}};
  EXPECT_EQ(read_vault_annotations(taken, "team", policy()).request.health_port, 9911);
  EXPECT_FALSE(ask({}).request.health_port);
}

TEST(VaultAnnotations, NeverQuoteAValue) {
  for (const auto& row : vault_annotations()) {
    std::string name(row.name);
    if (row.suffix == VaultAnnotation::Suffix::secret) name += "-db";
    if (row.suffix == VaultAnnotation::Suffix::key) name += "-x";
    // Of a template, the name of a function that there is not is told.
    for (const char* value : {"hunter2", "../hunter2", "hunter2\n{{ \"hunter2", "[\"hunter2\"]"}) {
      for (const char* type : {"kubernetes", "approle", "aws", "hunter2"}) {
        const Asked asked = ask({{"auth-type", type}, {name, value}});
        EXPECT_EQ((all(asked.mistakes) + all(asked.warnings)).find("hunter2"), std::string::npos)
            << name << "\n"
            << all(asked.mistakes) << all(asked.warnings);
      }
    }
  }
}

/// What is accepted makes a configuration that the sidecar takes; what is not says so itself.
TEST(VaultAnnotations, BearWhateverIsWrittenInThem) {
  static constexpr const char* kPieces[] = {"hunter2",
                                            "../",
                                            "/",
                                            "/vault/custom/",
                                            "\n",
                                            "\x01",
                                            "\u2603",
                                            "$(id)",
                                            "`id`",
                                            "'",
                                            "\"",
                                            "\\",
                                            "{{",
                                            "}}",
                                            "%s",
                                            "0",
                                            "-1",
                                            "640",
                                            "99999999999999999999",
                                            "5m",
                                            "true",
                                            "kv/x",
                                            "?version=2",
                                            "#k",
                                            "http://",
                                            "https://",
                                            "auth/",
                                            ":",
                                            ",",
                                            "[",
                                            "]",
                                            "{",
                                            "}",
                                            "*",
                                            "~1",
                                            "op",
                                            " ",
                                            "\t",
                                            "a",
                                            "B",
                                            ".",
                                            "kill -HUP ",
                                            "$(pidof x)",
                                            "curl -X POST ",
                                            "http://127.0.0.1:1/"};
  std::uint64_t state = 42;
  const auto below = [&](std::size_t end) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>((state >> 33U) % end);
  };
  std::size_t accepted = 0;
  constexpr std::size_t kCases = 20'000;
  for (std::size_t i = 0; i < kCases; ++i) {
    std::map<std::string, std::string> more;
    for (std::size_t n = 1 + below(2); n > 0; --n) {
      const auto& row = vault_annotations()[below(vault_annotations().size())];
      std::string name(row.name);
      if (row.suffix == VaultAnnotation::Suffix::key) name += below(2) == 0 ? "-path" : "-role";
      if (row.suffix == VaultAnnotation::Suffix::secret) name += "-db";
      if (row.suffix == VaultAnnotation::Suffix::optional_secret && below(2) == 0) name += "-db";
      std::string value;
      for (std::size_t parts = below(4); parts > 0; --parts) value += kPieces[below(std::size(kPieces))];
      more[name] = std::move(value);
    }
    const json made = pod(usual(more));
    const Verdict verdict = review(made, "team", policy());
    const std::string told = verdict.message + all(verdict.warnings);
    accepted += verdict.allowed ? 1 : 0;
    ASSERT_EQ(told.find("configuration:"), std::string::npos)
        << json(more).dump(-1, ' ', true, json::error_handler_t::replace) << "\n"
        << told;
    ASSERT_EQ(told.find("error of the injector"), std::string::npos)
        << json(more).dump(-1, ' ', true, json::error_handler_t::replace) << "\n"
        << told;
    const bool names_a_function = more.contains("agent-inject-template-db");
    ASSERT_TRUE(names_a_function || told.find("hunter2") == std::string::npos) << told;
    if (verdict.allowed) static_cast<void>(made.patch(verdict.patch));
  }
  EXPECT_GT(accepted, kCases / 10);
  EXPECT_LT(accepted, kCases * 9 / 10);
}

TEST(VaultAnnotations, ThatAreNoTextAreMistakes) {
  json odd = pod(usual());
  odd["metadata"]["annotations"]["vault.hashicorp.com/role"] = 7;
  EXPECT_THAT(read_vault_annotations(odd, "team", policy()).mistakes,
              Contains("vault.hashicorp.com/role: must be text"));
}

TEST(VaultView, ReadsDurationsAsGoDoes) {
  EXPECT_EQ(go_duration("90"), 90s);
  EXPECT_EQ(go_duration("1m30s"), 90s);
  EXPECT_EQ(go_duration("1.5h"), 90min);
  EXPECT_EQ(go_duration(".5s"), 500ms);
  EXPECT_EQ(go_duration("250ms"), 250ms);
  EXPECT_EQ(go_duration("2d"), 48h);
  for (const char* bad : {"", "s", "1x", "-1s", "1s ", "999999999999999h", "1.s.", "."})
    EXPECT_FALSE(go_duration(bad)) << bad;
}

}  // namespace
}  // namespace injector::pod
