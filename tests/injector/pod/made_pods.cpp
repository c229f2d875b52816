#include "made_pods.h"

namespace injector::pod {

using nlohmann::json;

/// SplitMix64.
std::uint64_t Pods::random() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

/// A field that no version of Kubernetes has, with a name that a JSON Pointer must escape.
void Pods::odd(json& object) {
  if (known_ || !one_in(6)) return;
  object[pick({"x/y~z", "futureField", "\u00fcml\u00e4ut", "", "a b"})] =
      one_in(2) ? json{{"deep", json::array({1, nullptr, "\u2603", json::object()})}}
                : json(static_cast<int>(below(9)));
}

json Pods::container_security() {
  if (restricted_) {
    json out = {{"allowPrivilegeEscalation", false}, {"capabilities", {{"drop", {"ALL"}}}}};
    if (one_in(4)) out["capabilities"]["add"] = {"NET_BIND_SERVICE"};
    if (one_in(2)) out["runAsNonRoot"] = true;
    if (one_in(2)) out["seccompProfile"] = {{"type", "RuntimeDefault"}};
    if (one_in(2)) out["runAsUser"] = 1000 + static_cast<int>(below(3));
    if (one_in(3)) out["runAsGroup"] = 2000;
    if (one_in(2)) out["readOnlyRootFilesystem"] = true;
    return out;
  }
  switch (below(6)) {
    case 0:
      return json::object();
    case 1:
      return {{"runAsUser", 0}};
    case 2:
      return {{"privileged", true}};
    case 3:
      return {{"runAsUser", 1000 + static_cast<int>(below(3))}, {"runAsGroup", 1000}};
    case 4:
      return {{"capabilities", {{"add", {"NET_ADMIN"}}}}};
    default:
      return {{"allowPrivilegeEscalation", false}, {"procMount", "Default"}};
  }
}

json Pods::pod_security() {
  if (restricted_) {
    json out = {{"runAsNonRoot", true}, {"seccompProfile", {{"type", "RuntimeDefault"}}}};
    if (one_in(3)) out["runAsUser"] = 1000;
    if (one_in(3)) out["fsGroup"] = 3000;
    if (one_in(4)) out["supplementalGroups"] = {4000, 65532};
    if (one_in(5)) out["supplementalGroups"] = json::array();
    return out;
  }
  json out = json::object();
  if (one_in(3)) out["runAsUser"] = static_cast<int>(below(3)) * 500;
  if (one_in(4)) out["fsGroup"] = static_cast<int>(below(2)) * 1000;
  if (one_in(4)) out["supplementalGroups"] = {1};
  if (one_in(5)) out["sysctls"] = {{{"name", "net.core.somaxconn"}, {"value", "1024"}}};
  odd(out);
  return out;
}

json Pods::volumes() {
  json out = json::array();
  const std::size_t count = below(4);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = "v" + std::to_string(i);
    volumes_.push_back(name);
    switch (below(restricted_ ? 5 : 6)) {
      case 0:
        out.push_back({{"name", name}, {"emptyDir", json::object()}});
        break;
      case 1:
        out.push_back({{"name", name}, {"configMap", {{"name", "settings"}}}});
        break;
      case 2:
        out.push_back({{"name", name}, {"secret", {{"secretName", "tls"}}}});
        break;
      case 3:
        out.push_back({{"name", name}, {"persistentVolumeClaim", {{"claimName", "data"}}}});
        break;
      case 4:
        out.push_back(
            {{"name", name},
             {"projected",
              {{"sources",
                {{{"serviceAccountToken", {{"path", "token"}, {"audience", "vault"}}}},
                 {{"downwardAPI",
                   {{"items", {{{"path", "labels"}, {"fieldRef", {{"fieldPath", "metadata.labels"}}}}}}}}}}}}}});
        break;
      default:
        out.push_back({{"name", name}, {"hostPath", {{"path", "/var/log"}}}});
    }
    odd(out.back());
  }
  if (one_in(40)) {
    volumes_.emplace_back(pick({"secrets", "vault-secrets", "secret-injector-identity"}));
    out.push_back({{"name", volumes_.back()}, {"emptyDir", json::object()}});
  }
  return out;
}

json Pods::mounts() {
  json out = json::array();
  for (const auto& volume : volumes_) {
    if (!one_in(2)) continue;
    json mount = {{"name", volume}, {"mountPath", "/mnt/" + volume}};
    if (one_in(3)) mount["readOnly"] = true;
    if (one_in(5)) mount["subPath"] = "part";
    if (one_in(40)) mount["mountPath"] = pick({"/vault/secrets", "/run/secrets/app", "/run", "/vault"});
    odd(mount);
    out.push_back(std::move(mount));
  }
  return out;
}

json Pods::env() {
  json out = json::array();
  for (std::size_t i = below(4); i > 0; --i) {
    json each = {{"name", "V" + std::to_string(i)}};
    if (one_in(3))
      each["valueFrom"] = {{"fieldRef", {{"fieldPath", "status.podIP"}}}};
    else
      each["value"] = pick({kCanary, "$(V1)-x", "\u00e9\n\"quoted\"", "", "127.0.0.1:8200"});
    out.push_back(std::move(each));
  }
  if (one_in(10)) {
    out.push_back({{"name", "AWS_ROLE_ARN"}, {"value", "arn:aws:iam::111122223333:role/shop"}});
    out.push_back({{"name", "AWS_WEB_IDENTITY_TOKEN_FILE"},
                   {"value", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"}});
  }
  return out;
}

json Pods::container(std::size_t index, const char* prefix) {
  json out = {{"name", prefix + std::to_string(index)}, {"image", "registry.example/shop:1"}};
  names_.push_back(out["name"]);
  if (restricted_ || one_in(2)) out["securityContext"] = container_security();
  if (one_in(2)) out["volumeMounts"] = mounts();
  if (one_in(2)) out["env"] = env();
  if (one_in(4)) out["resources"] = {{"requests", {{"cpu", "10m"}}}, {"limits", {{"memory", "64Mi"}}}};
  if (one_in(4)) out["ports"] = {{{"containerPort", one_in(20) ? 9909 : 8080}}};
  if (one_in(5)) out["args"] = {"--flag", "a~b/c"};
  if (one_in(6)) out["lifecycle"] = {{"preStop", {{"exec", {{"command", {"sleep", "1"}}}}}}};
  if (one_in(60)) out["volumeMounts"] = nullptr;
  if (one_in(400)) out["name"] = pick({"secret-injector", "secret-injector-init"});
  odd(out);
  return out;
}

void Pods::ours(json& annotations) {
  const std::string domain = "secret-injector.io/";
  const auto set = [&](const std::string& name, const std::string& value) { annotations[domain + name] = value; };
  set("secret.db", pick({"kv/shop/db#password", "kv/shop/db", "vault:kv/shop/db#user", "kv/shop/db?version=3#user"}));
  if (!one_in(20)) set("role", pick({"shop", "api"}));
  if (one_in(3)) set("template.app.env", "{{ with secret \"kv/shop/app\" }}A={{ .Data.data.a }}\n{{ end }}");
  if (one_in(3)) set("mode.db", one_in(8) ? "0400" : pick({"0440", "0444", "0640"}));
  if (one_in(4)) set("path.db", pick({"conf/db", "db.txt"}));
  if (one_in(4)) set("mount-path", pick({"/etc/shop", "/run/secrets/app", "/opt/shop-1.0/x"}));
  if (one_in(4)) set("containers", names_[below(names_.size())]);
  if (one_in(5)) set("refresh", pick({"30s", "5m", "1h"}));
  if (one_in(5)) set("max-stale", pick({"1h unready", "10m warn"}));
  if (one_in(5)) set("on-change", one_in(6) ? "signal:HUP:nginx" : pick({"http:127.0.0.1:8080/-/reload", "none"}));
  if (one_in(6)) set("init-only", pick({"true", "false"}));
  if (one_in(6)) set("store", pick({"vault", "openbao"}));
  if (one_in(6)) set("size-limit", "32Mi");
  if (one_in(6)) set("resources", "requests.cpu=20m, limits.memory=128Mi");
  if (one_in(6)) set("log-level", "debug");
  if (one_in(8)) set("secret.third", "aws:prod/shop#key");
  if (one_in(8)) set("role.aws", "arn:aws:iam::111122223333:role/shop");
  // What must be refused.
  if (one_in(12))
    set(pick({"mode", "refresh", "secret.bad", "mount-path", "colour", "image", "containers"}),
        pick({kCanary, "../../hunter2-canary", "x\nhunter2-canary", "{{ hunter2-canary", "-1"}));
}

void Pods::theirs(json& annotations, const std::string& domain) {
  const auto set = [&](const std::string& name, const std::string& value) { annotations[domain + name] = value; };
  set("agent-inject", pick({"true", "true", "1", "T"}));
  if (!one_in(25)) set("role", "shop");
  set("agent-inject-secret-db", pick({"kv/data/shop/db", "secret/db?version=2", "database/creds/app", "a\"b\\c"}));
  if (one_in(3))
    set("agent-inject-template-app.env",
        "{{- with secret \"kv/data/shop/app\" -}}\nexport A=\"{{ .Data.data.a }}\"\n{{- end }}\n");
  if (one_in(4)) set("agent-inject-secret-CA-Chain", "pki/cert/ca_chain");
  if (one_in(4)) set("preserve-secret-case", pick({"true", "false"}));
  if (one_in(4)) set("agent-inject-file-db", pick({"conf.d/db.ini", "/db", "db"}));
  if (one_in(4)) set("agent-inject-perms-db", pick({"0400", "0440", "0644", "0660"}));
  if (one_in(4)) set("secret-volume-path", pick({"/etc/shop", "/vault/secrets/", "/app/secrets"}));
  if (one_in(6)) set("secret-volume-path-db", pick({"/etc/db", "/vault/secrets/inner"}));
  if (one_in(5)) set("agent-inject-containers", one_in(8) ? "gone" : "app-0");
  if (one_in(5)) set("agent-inject-default-template", pick({"map", "json"}));
  if (one_in(5)) set("agent-pre-populate-only", pick({"true", "false"}));
  if (one_in(6)) set("agent-pre-populate", pick({"true", "false"}));
  if (one_in(6)) set("agent-init-first", "true");
  if (one_in(6)) set("agent-limits-mem", pick({"64Mi", "20Mi", ""}));
  if (one_in(6)) set("agent-requests-cpu", "5m");
  if (one_in(6)) set("agent-run-as-user", pick({"100", "1000"}));
  if (one_in(30)) set("agent-run-as-same-user", "true");
  if (one_in(8)) set("agent-set-security-context", "false");
  const bool signal = one_in(20);
  if (signal || one_in(30)) set("agent-share-process-namespace", "true");
  if (signal)
    set("agent-inject-command-db", "kill -HUP $(pidof nginx)");
  else if (one_in(8))
    set("agent-inject-command-db", "curl -X POST http://127.0.0.1:8080/x");
  if (one_in(8)) set("agent-copy-volume-mounts", names_[below(names_.size())]);
  if (one_in(30) && !volumes_.empty()) set("agent-service-account-token-volume-name", volumes_[0]);
  const bool tls = one_in(6);
  if (tls) set("tls-secret", "vault-tls");
  if (one_in(8)) set("ca-cert", tls ? "/vault/tls/ca.crt" : "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
  if (one_in(8)) set("agent-extra-secret", "extra");
  if (one_in(8)) set("auth-path", pick({"auth/kubernetes", "auth/k8s-prod"}));
  if (one_in(8)) set("auth-type", pick({"kubernetes", "jwt"}));
  if (one_in(8)) set("agent-json-patch", R"([{"op":"add","path":"/env/-","value":{"name":"EXTRA","value":"1"}}])");
  if (one_in(12)) set("agent-init-json-patch", R"([{"op":"add","path":"/imagePullPolicy","value":"Always"}])");
  if (one_in(8)) set("agent-revoke-on-shutdown", "true");
  if (one_in(8)) set("template-static-secret-render-interval", "1m");
  if (one_in(8)) set("log-level", pick({"debug", "trace"}));
  if (one_in(8)) set("log-format", pick({"json", "standard"}));
  if (one_in(10)) set("agent-inject-status", pick({"update", "injected"}));
  if (one_in(10)) set("service", pick({"https://vault.vault.svc:8200", "https://openbao.openbao.svc:8200/"}));
  if (one_in(8)) set(pick({"agent-image", "go-max-procs", "agent-telemetry-x", "agent-inject-token"}), "2");
  if (one_in(12)) set("agent-inject-secrets-typo", kCanary);
  // What must be refused.
  if (one_in(12))
    set(pick({"agent-inject-perms-db", "agent-run-as-user", "service", "agent-configmap", "agent-json-patch",
              "auth-type", "agent-inject-file-db", "agent-inject-template-db", "client-timeout", "secret-volume-path"}),
        pick({kCanary, "../hunter2-canary", "0",
              "[{\"op\":\"add\",\"path\":\"/securityContext/privileged\",\"value\":true}]", "{{ hunter2-canary"}));
}

void Pods::annotate(json& metadata) {
  json annotations = json::object();
  if (one_in(2)) annotations["example.com/a~b"] = "kept";
  const std::size_t family = below(40);
  if (family < 15) {
    metadata["labels"]["secret-injector.io/inject"] = one_in(25) ? pick({"false", "yes", ""}) : "true";
    ours(annotations);
  } else if (family < 28) {
    theirs(annotations, "vault.hashicorp.com/");
  } else if (family < 34) {
    theirs(annotations, "openbao.org/");
  } else if (family == 34) {
    metadata["labels"]["secret-injector.io/inject"] = "true";
    ours(annotations);
    theirs(annotations, "vault.hashicorp.com/");
  } else if (family == 35) {
    annotations["secret-injector.io/status"] = "injected";  // Said by somebody, and not true.
    metadata["labels"]["secret-injector.io/inject"] = "true";
    ours(annotations);
  }
  if (!annotations.empty() || one_in(2)) metadata["annotations"] = std::move(annotations);
}

Pods::Made Pods::next() {
  restricted_ = one_in(2);
  known_ = one_in(2);
  names_.clear();
  volumes_.clear();

  json spec = json::object();
  if (one_in(2)) spec["volumes"] = volumes();
  json containers = json::array();
  for (std::size_t i = 0, count = 1 + below(3); i < count; ++i) containers.push_back(container(i, "app-"));
  spec["containers"] = std::move(containers);
  if (one_in(2)) {
    json init = json::array();
    for (std::size_t i = 0, count = below(3); i < count; ++i) {
      init.push_back(container(i, "init-"));
      if (one_in(3)) init.back()["restartPolicy"] = "Always";
    }
    spec["initContainers"] = std::move(init);
  }
  if (restricted_ || one_in(2)) spec["securityContext"] = pod_security();
  if (one_in(3)) spec["serviceAccountName"] = "shop";
  if (one_in(4)) spec["restartPolicy"] = pick({"Always", "OnFailure", "Never"});
  if (one_in(5)) spec["automountServiceAccountToken"] = false;
  if (one_in(5)) spec["shareProcessNamespace"] = one_in(2);
  if (one_in(6)) spec["tolerations"] = {{{"operator", "Exists"}}};
  if (one_in(40)) spec["os"] = {{"name", restricted_ || one_in(2) ? "linux" : "windows"}};
  if (!restricted_ && one_in(8)) spec["hostNetwork"] = true;
  if (!restricted_ && one_in(12)) spec["hostPID"] = true;
  odd(spec);

  json metadata = json::object();
  if (one_in(2))
    metadata["name"] = "shop-7d9";
  else
    metadata["generateName"] = "shop-";
  if (one_in(2)) metadata["labels"] = {{"app", "shop"}};
  annotate(metadata);
  odd(metadata);

  Made made;
  made.pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
  if (one_in(10) && !known_) made.pod["status"] = {{"phase", "Pending"}};

  made.known = known_;
  return made;
}

}  // namespace injector::pod
