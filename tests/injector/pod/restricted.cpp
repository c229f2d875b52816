#include "restricted.h"

#include <algorithm>
#include <set>

namespace injector::pod {
namespace {

using nlohmann::json;

const json& at(const json& object, const char* name) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

bool listed(const json& value, const std::set<std::string>& allowed) {
  return value.is_string() && allowed.contains(value.get<std::string>());
}

class Checker {
 public:
  explicit Checker(const json& pod) : spec_(at(pod, "spec")) {}

  std::vector<std::string> check() {
    for (const char* name : {"hostNetwork", "hostPID", "hostIPC"})
      if (at(spec_, name) == json(true)) violation(name);
    for (const json& volume : elements(at(spec_, "volumes"))) volume_type(volume);
    const json& pod_security = at(spec_, "securityContext");
    common(pod_security, "pod");
    for (const json& sysctl : elements(at(pod_security, "sysctls")))
      if (!listed(at(sysctl, "name"), kSafeSysctls)) violation("sysctl");
    for (const char* kind : {"containers", "initContainers", "ephemeralContainers"})
      for (const json& each : elements(at(spec_, kind))) container(each, pod_security);
    return std::move(violations_);
  }

 private:
  static const std::set<std::string> kSafeSysctls;

  static std::vector<json> elements(const json& list) {
    return list.is_array() ? std::vector<json>(list.begin(), list.end()) : std::vector<json>();
  }
  void violation(const std::string& what) { violations_.push_back(what); }

  void volume_type(const json& volume) {
    static const std::set<std::string> kAllowed = {
        "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"};
    if (!volume.is_object()) return;
    for (const auto& [name, value] : volume.items()) {
      if (name == "name" || value.is_null()) continue;
      if (!kAllowed.contains(name)) violation("volume type " + name);
    }
  }

  /// What pods and containers have in common.
  void common(const json& security, const std::string& where) {
    const json& seccomp = at(at(security, "seccompProfile"), "type");
    if (!seccomp.is_null() && !listed(seccomp, {"RuntimeDefault", "Localhost"})) violation("seccomp of " + where);
    if (at(security, "runAsNonRoot") == json(false)) violation("runAsNonRoot of " + where);
    if (at(security, "runAsUser") == json(0)) violation("runAsUser of " + where);
    const json& selinux = at(security, "seLinuxOptions");
    if (selinux.is_object()) {
      const json& type = at(selinux, "type");
      if (!type.is_null() &&
          !listed(type, {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}))
        violation("SELinux type of " + where);
      for (const char* name : {"user", "role"})
        if (!at(selinux, name).is_null() && at(selinux, name) != json("")) violation("SELinux of " + where);
    }
    const json& apparmor = at(at(security, "appArmorProfile"), "type");
    if (!apparmor.is_null() && !listed(apparmor, {"RuntimeDefault", "Localhost"})) violation("AppArmor of " + where);
    if (at(at(security, "windowsOptions"), "hostProcess") == json(true)) violation("hostProcess of " + where);
  }

  void container(const json& each, const json& pod_security) {
    const std::string where = at(each, "name").is_string() ? at(each, "name").get<std::string>() : "?";
    const json& security = at(each, "securityContext");
    common(security, where);
    if (at(security, "privileged") == json(true)) violation("privileged " + where);
    if (at(security, "allowPrivilegeEscalation") != json(false)) violation("allowPrivilegeEscalation of " + where);
    const json& proc = at(security, "procMount");
    if (!proc.is_null() && proc != json("Default")) violation("procMount of " + where);
    capabilities(at(security, "capabilities"), where);
    if (at(security, "runAsNonRoot") != json(true) && at(pod_security, "runAsNonRoot") != json(true))
      violation("runAsNonRoot of " + where);
    if (at(security, "seccompProfile").is_null() && at(pod_security, "seccompProfile").is_null())
      violation("seccomp of " + where);
    for (const json& port : elements(at(each, "ports")))
      if (!at(port, "hostPort").is_null() && at(port, "hostPort") != json(0)) violation("hostPort of " + where);
    for (const char* name : {"livenessProbe", "readinessProbe", "startupProbe"}) probe(at(each, name), where);
    for (const char* name : {"postStart", "preStop"}) probe(at(at(each, "lifecycle"), name), where);
  }

  void probe(const json& what, const std::string& where) {
    for (const char* kind : {"httpGet", "tcpSocket"}) {
      const json& host = at(at(what, kind), "host");
      if (!host.is_null() && host != json("")) violation("host of a probe of " + where);
    }
  }

  void capabilities(const json& what, const std::string& where) {
    const auto drop = elements(at(what, "drop"));
    if (std::ranges::find(drop, json("ALL")) == drop.end()) violation("capabilities of " + where);
    for (const json& added : elements(at(what, "add")))
      if (added != json("NET_BIND_SERVICE")) violation("capability added to " + where);
  }

  const json& spec_;
  std::vector<std::string> violations_;
};

const std::set<std::string> Checker::kSafeSysctls = {
    "kernel.shm_rmid_forced",       "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",      "net.ipv4.ping_group_range",    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",  "net.ipv4.tcp_fin_timeout",     "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes"};

}  // namespace

std::vector<std::string> restricted_violations(const json& pod) { return Checker(pod).check(); }

}  // namespace injector::pod
