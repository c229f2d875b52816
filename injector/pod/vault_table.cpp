#include "injector/pod/vault_table.h"

#include <array>

namespace injector::pod {
namespace {

using Suffix = VaultAnnotation::Suffix;
using Treatment = VaultAnnotation::Treatment;

constexpr auto kNone = Suffix::none;
constexpr auto kSecret = Suffix::secret;
constexpr auto kOptional = Suffix::optional_secret;
constexpr auto kKey = Suffix::key;
constexpr auto kFollowed = Treatment::followed;
constexpr auto kIgnored = Treatment::ignored;
constexpr auto kRefused = Treatment::refused;

constexpr std::array<VaultAnnotation, 74> kRows{{
    {"agent-auto-auth-exit-on-err", kNone, kFollowed, "false",
     "True: the sidecar ends when nothing is delivered 30 s after its start."},
    {"agent-cache-enable", kNone, kIgnored, "false", "there is no listener for applications; files need none."},
    {"agent-cache-exit-on-err", kNone, kIgnored, "false", "nothing is cached outside of memory."},
    {"agent-cache-listener-port", kNone, kFollowed, "8200", "Where agent-enable-quit listens; nothing else does."},
    {"agent-cache-use-auto-auth-token", kNone, kIgnored, "true", "there is no listener that would use it."},
    {"agent-configmap", kNone, kRefused, "", "HCL files are not read: write what they say as annotations."},
    {"agent-copy-volume-mounts", kNone, kFollowed, "", "The sidecar sees what this container mounts, read-only."},
    {"agent-disable-idle-connections", kNone, kIgnored, "", "idle connections are closed after 5 s anyway."},
    {"agent-disable-keep-alives", kNone, kIgnored, "", "idle connections are closed after 5 s anyway."},
    {"agent-enable-quit", kNone, kFollowed, "false", "POST /agent/v1/quit to loopback ends the sidecar."},
    {"agent-extra-secret", kNone, kFollowed, "", "A Secret, mounted in the sidecar at /vault/custom."},
    {"agent-image", kNone, kIgnored, "hashicorp/vault", "the sidecar runs its own image."},
    {"agent-init-first", kNone, kFollowed, "false", "The sidecar starts before all init containers anyway."},
    {"agent-init-json-patch", kNone, kFollowed, "", "Goes to our container; add, replace and remove."},
    {"agent-inject", kNone, kFollowed, "", "True asks for injection."},
    {"agent-inject-command", kSecret, kFollowed, "", "A signal to a process, or a POST to loopback; no shell."},
    {"agent-inject-containers", kNone, kFollowed, "all", "Which containers see the files."},
    {"agent-inject-default-template", kNone, kFollowed, "map", "map or json, for secrets without a template."},
    {"agent-inject-file", kSecret, kFollowed, "X", "The name of the file, with folders."},
    {"agent-inject-perms", kSecret, kFollowed, "0644", "Its mode; nobody but the sidecar may write."},
    {"agent-inject-secret", kSecret, kFollowed, "", "Where the secret stands in the store."},
    {"agent-inject-status", kNone, kFollowed, "", "injected: nothing is done."},
    {"agent-inject-template", kSecret, kFollowed, "", "What stands in the file."},
    {"agent-inject-template-file", kSecret, kRefused, "",
     "a template cannot be checked unseen: put its text into agent-inject-template-X."},
    {"agent-inject-token", kNone, kIgnored, "false", "the token never stands in a file."},
    {"agent-json-patch", kNone, kFollowed, "", "Goes to our container; add, replace and remove."},
    {"agent-limits-cpu", kNone, kFollowed, "500m", "The sidecar's; ours has none."},
    {"agent-limits-ephemeral", kNone, kFollowed, "", "The sidecar's."},
    {"agent-limits-mem", kNone, kFollowed, "128Mi", "The sidecar's; the operator's policy has the usual one."},
    {"agent-pre-populate", kNone, kFollowed, "true", "False: containers do not wait for the files."},
    {"agent-pre-populate-only", kNone, kFollowed, "false", "True: delivered once, by an init container."},
    {"agent-request-namespace", kNone, kFollowed, "the pod's", "The pod's own namespace; another one is refused."},
    {"agent-requests-cpu", kNone, kFollowed, "250m", "The sidecar's; the operator's policy has the usual one."},
    {"agent-requests-ephemeral", kNone, kFollowed, "", "The sidecar's."},
    {"agent-requests-mem", kNone, kFollowed, "64Mi", "The sidecar's; the operator's policy has the usual one."},
    {"agent-revoke-grace", kNone, kFollowed, "5", "Seconds that giving the token back may take."},
    {"agent-revoke-on-shutdown", kNone, kFollowed, "false", "Whether the token is given back; true unless set."},
    {"agent-run-as-group", kNone, kFollowed, "1000", "The sidecar's."},
    {"agent-run-as-same-user", kNone, kFollowed, "false", "True: as the first container that sees the files."},
    {"agent-run-as-user", kNone, kFollowed, "100", "The sidecar's; never root."},
    {"agent-service-account-token-volume-name", kNone, kFollowed, "",
     "A projected volume with the token to log in by."},
    {"agent-set-security-context", kNone, kFollowed, "true",
     "False: the pod says the user; the rest stays restricted."},
    {"agent-share-process-namespace", kNone, kFollowed, "", "Of the pod; signals need it."},
    {"agent-telemetry", kKey, kIgnored, "", "metrics stand at /metrics of the sidecar, for Prometheus."},
    {"agent-template-left-delim", kSecret, kFollowed, "{{", "Of the template."},
    {"agent-template-right-delim", kSecret, kFollowed, "}}", "Of the template."},
    {"auth-config", kKey, kFollowed, "", "Parameters of the login; files, never a secret itself."},
    {"auth-max-backoff", kNone, kFollowed, "5m", "The longest wait after a failure."},
    {"auth-min-backoff", kNone, kFollowed, "1s", "The first wait after a failure."},
    {"auth-path", kNone, kFollowed, "auth/kubernetes", "Where the method is mounted."},
    {"auth-type", kNone, kFollowed, "kubernetes", "kubernetes, jwt, approle, cert, token_file or aws."},
    {"ca-cert", kNone, kFollowed, "", "A file of the sidecar, mounted by tls-secret or agent-extra-secret."},
    {"ca-key", kNone, kIgnored, "", "no key of an authority is needed; ca-cert names its certificate."},
    {"client-cert", kNone, kFollowed, "", "A file of the sidecar; goes with client-key."},
    {"client-key", kNone, kFollowed, "", "A file of the sidecar; goes with client-cert."},
    {"client-max-retries", kNone, kFollowed, "2", "At least so many: requests are tried again until they succeed."},
    {"client-timeout", kNone, kFollowed, "60s", "Of one request; 100ms to 5m, 10s unless set."},
    {"error-on-missing-key", kSecret, kFollowed, "false", "Whether a template may lack a key."},
    {"go-max-procs", kNone, kIgnored, "", "the sidecar has one thread and no Go."},
    {"log-format", kNone, kFollowed, "standard", "standard or json."},
    {"log-level", kNone, kFollowed, "info", "trace, debug, info, warn or error."},
    {"namespace", kNone, kFollowed, "", "Of the store; the policy lists those that are allowed."},
    {"preserve-secret-case", kOptional, kFollowed, "false", "Whether capitals stay in the file's name."},
    {"proxy-address", kNone, kFollowed, "", "An HTTP proxy to the store, by CONNECT."},
    {"role", kNone, kFollowed, "", "To log in as; the policy may list those that are allowed."},
    {"secret-volume-path", kOptional, kFollowed, "/vault/secrets", "The folder of the files."},
    {"service", kNone, kFollowed, "the operator's", "The store's address: one of the policy's."},
    {"template-config-exit-on-retry-failure", kNone, kFollowed, "true",
     "True, when it is set: the sidecar ends when nothing is delivered 5 min after its start; else it goes on trying."},
    {"template-lease-renewal-threshold", kNone, kFollowed, "0.90",
     "Leases that cannot be renewed are replaced at 80 to 90 % of their time; another value is a warning."},
    {"template-max-connections-per-host", kNone, kIgnored, "", "the sidecar has one connection to the store."},
    {"template-static-secret-render-interval", kNone, kFollowed, "5m", "How often other values are looked for."},
    {"tls-secret", kNone, kFollowed, "", "A Secret, mounted in the sidecar at /vault/tls."},
    {"tls-server-name", kNone, kFollowed, "", "The name in the store's certificate."},
    {"tls-skip-verify", kNone, kFollowed, "false", "Certificates are always verified; the policy says what true does."},
}};

/// Whether `name` is of this row, and with what suffix.
bool fits(const VaultAnnotation& row, std::string_view name, std::string_view& suffix) {
  suffix = {};
  if (name == row.name) return row.suffix == kNone || row.suffix == kOptional;
  if (row.suffix == kNone || !name.starts_with(row.name)) return false;
  const std::string_view rest = name.substr(row.name.size());
  if (rest.size() < 2 || rest[0] != '-') return false;
  suffix = rest.substr(1);
  return true;
}

}  // namespace

std::span<const VaultAnnotation> vault_annotations() { return kRows; }

VaultName vault_name(std::string_view name) {
  VaultName best;
  for (const auto& row : kRows) {
    std::string_view suffix;
    if (!fits(row, name, suffix)) continue;
    if (best.row == nullptr || row.name.size() > best.row->name.size()) best = {&row, suffix};
  }
  return best;
}

}  // namespace injector::pod
