#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "injector/pod/request.h"
#include "scanner/base/json.h"

namespace injector::pod {

/// What Kubernetes has in lists that are often not there.
enum class Part : std::uint8_t { container, init_container };

/// A container that sees the files.
struct Reader {
  Part part = Part::container;
  std::size_t index = 0;  ///< In its list, before anything is added.
  std::string name;
  std::optional<std::int64_t> user;  ///< Its runAsUser or the pod's; unknown when neither says.
};

/// Where one file stands.
struct Placed {
  const FileRequest* file = nullptr;
  RelativePath path;  ///< In the volume.
  mode_t mode = 0;
};

/// A token or a certificate that the sidecar finds beneath kReserved.
struct Source {
  enum class Kind : std::uint8_t { token, config_map, secret, annotation };
  Kind kind = Kind::token;
  std::string path;   ///< Beneath kReserved: "tokens/vault", "ca/vault.crt".
  std::string name;   ///< Of the ConfigMap, Secret or annotation; of a token its audience.
  std::string key;    ///< In that ConfigMap or Secret.
  std::string value;  ///< Of the annotation.
};

/// A volume of the pod in the sidecar.
struct Mounted {
  std::string volume;
  std::string path;
  std::string sub_path;
};

struct Variable {
  std::string name;
  std::string value;
};

/// Everything that patch and configuration are made of: a Request measured against its pod and the policy.
struct Plan {
  std::vector<std::string> roots;  ///< Where the volume is mounted in readers; the sidecar has it at the first.
  std::vector<Placed> files;       ///< By path.
  std::vector<Reader> readers;
  bool native = true;
  bool handover = false;  ///< An init container, and a sidecar that goes on where it ended.

  std::optional<std::int64_t> user;  ///< The sidecar's; not set when the pod is to say.
  std::optional<std::int64_t> group;
  std::optional<std::int64_t> supplemental_group;  ///< To be added to the pod, so that its containers may read.
  bool share_process_namespace = false;            ///< To be added.
  std::string health;                              ///< "0.0.0.0:9909"
  bool session_name = false;                       ///< Whether the pod's name does as that of a role session.

  std::vector<Source> sources;
  std::vector<Mounted> mounts;        ///< Beside those of files and sources.
  std::vector<MountRequest> volumes;  ///< Volumes to be made for some of `mounts`; their names are volume_name().
  std::vector<Variable> environment;
  std::map<std::string, std::string, std::less<>> token_files;  ///< By store: what it logs in with.
  std::map<std::string, std::string, std::less<>> authority_files;
  std::map<std::string, std::string, std::less<>>
      assumed_roles;  ///< By store: an ARN that is not that of the environment.
};

inline constexpr std::string_view kContainer = "secret-injector";
inline constexpr std::string_view kInitContainer = "secret-injector-init";
inline constexpr std::string_view kIdentityVolume = "secret-injector-identity";
/// Before Kubernetes 1.29: where the init container leaves its token and leases for the sidecar. No other has it.
inline constexpr std::string_view kHandoverVolume = "secret-injector-handover";
inline constexpr std::string_view kHandoverPath = "/run/secret-injector-handover";

/// The name of the volume that is made for `mounts[index]` of a request.
std::string volume_name(std::size_t index);

/// `pod` has the shape that `flaw_of_shape` demands. Mistakes go where the annotations' own go.
Plan make_plan(const scanner::base::Json& pod, std::string_view pod_namespace, const Policy& policy, Asked& asked);

/// What of the pod has another type than Kubernetes gives it, "spec.containers[1].env must be a list"; empty when all
/// that we look at is well. Names fields, never their content.
std::string flaw_of_shape(const scanner::base::Json& pod);

/// The member `name` of an object; null when it is not there, or null, or `object` is none.
const scanner::base::Json* find(const scanner::base::Json& object, const char* name);

}  // namespace injector::pod
