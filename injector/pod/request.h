#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "injector/config/config.h"
#include "injector/model/file_spec.h"
#include "injector/pod/policy.h"
#include "scanner/base/json.h"

/// What one pod wants, whichever annotations said so. Readers of annotations fill it; review.cpp checks what they share
/// and makes the sidecar's configuration and the patch of it.
namespace injector::pod {

/// A store that the pod uses, and how.
struct StoreRequest {
  std::string name;                  ///< In queries; a store of the policy.
  std::string role;                  ///< Empty: the policy's.
  std::optional<std::string> space;  ///< Vault's namespace, checked by review against the policy's list.
  std::optional<std::string> auth_space;
  std::optional<std::string> auth_mount;  ///< In the place of the policy's, without "auth/".
  /// In the place of the policy's login: one of the ways that need files, from `mounts` below. Whole: `role` and
  /// `auth_mount` are not looked at. A KubernetesAuth or JwtAuth whose token_file is empty gets the projected token.
  std::optional<config::VaultAuth> auth;
  std::string ca_file;  ///< In the place of the policy's; a path in the sidecar.
  std::string ca_dir;
  std::string server_name;
  std::string client_cert_file;
  std::string client_key_file;
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<std::chrono::milliseconds> login_first;  ///< The waits after refused logins, as the configuration's
  std::optional<std::chrono::milliseconds> login_most;   ///< login_backoff has them.
  std::string proxy;                                     ///< "http://host:port".
  std::optional<bool> revoke;
};

/// Text in Go's template language.
struct TemplateRequest {
  std::string text;
  std::string left_delimiter = "{{";
  std::string right_delimiter = "}}";
  bool error_on_missing_key = false;
  std::string store;  ///< The StoreRequest that its paths belong to.
};

struct FileRequest {
  std::string asked_by;     ///< The annotation, whole, for messages: "secret-injector.io/secret.db".
  std::string directory;    ///< Where containers see it: an absolute path; empty: Request::directory.
  RelativePath path;        ///< Beneath that.
  std::vector<Query> from;  ///< Empty with a template.
  std::optional<TemplateRequest> templ;
  std::optional<Format> format;  ///< Absent: raw with a key, json without one.
  std::optional<mode_t> mode;    ///< Absent: 0400 where the sidecar runs as the user that reads it, else 0440.
  std::optional<uid_t> owner;
  std::optional<gid_t> group;
  std::optional<std::chrono::milliseconds> refresh;
  std::optional<MaxStale> max_stale;
  std::optional<OnChange> on_change;
};

/// A volume of the pod, or a Secret or ConfigMap of its namespace, mounted read-only in the sidecar.
struct MountRequest {
  enum class Kind : std::uint8_t { volume, secret, config_map };
  Kind kind = Kind::secret;
  std::string name;
  std::string path;  ///< Absolute.
  bool optional = false;
};

struct Request {
  enum class Run : std::uint8_t {
    sidecar,    ///< Delivers before the containers start, and keeps the files right.
    init_only,  ///< Delivers once, and ends.
  };
  Run run = Run::sidecar;
  bool gate_start = true;  ///< Whether containers wait for the first delivery.

  std::vector<StoreRequest> stores;  ///< Those that `files` use, each once.
  std::vector<FileRequest> files;    ///< At least one.

  std::string directory;                         ///< Empty: the policy's mount_path.
  std::string volume = "secret-injector-files";  ///< Its name in the pod.
  std::vector<std::string> containers;  ///< Who sees the files, by name, init containers too; empty: all of both.
  /// Whether init containers see them although `containers` does not name them.
  bool init_containers_too = false;

  std::string image;    ///< Empty: the policy's. Checked against it by review.
  Resources resources;  ///< What is set here takes the place of the policy's; "0" takes it away.
  std::string size_limit;
  std::optional<std::int64_t> user;  ///< What the sidecar runs as; never 0.
  std::optional<std::int64_t> group;
  bool same_user = false;  ///< Run as the first container that sees the files does; a mistake where it says no uid.
  bool security_context = true;  ///< false: leave the user to the pod; the rest of *restricted* stays.
  std::optional<bool> share_process_namespace;

  std::vector<MountRequest> mounts;
  std::string copy_mounts_of;  ///< A container whose volume mounts the sidecar gets, too, read-only.
  std::string token_volume;    ///< A volume of the pod that holds the token to log in with, in place of our own.
  std::string token_path;      ///< The file in it; "token" when empty.
  nlohmann::json
      container_patch;  ///< RFC 6902, for the sidecar's container alone, where the policy allows; null: none.

  std::optional<std::chrono::milliseconds> refresh;
  std::optional<std::chrono::milliseconds> start_jitter;
  std::optional<MaxStale> max_stale;                       ///< Of files that have none of their own.
  std::optional<std::chrono::milliseconds> start_timeout;  ///< Ends when not everything was delivered by then.
  std::optional<std::uint16_t> quit_port;                  ///< POST /agent/v1/quit on loopback ends the sidecar.
  std::optional<std::chrono::milliseconds> shutdown_timeout;
  std::string log_level;   ///< debug, info, warn, error; empty: the policy's.
  std::string log_format;  ///< json or text; likewise.
  Requirements require;
  std::optional<std::uint16_t> health_port;  ///< 9909 unless set; a pod on its node's network gets one of its own.

  std::string status_annotation;  ///< Set to "injected" beside our own; empty: ours alone.
};

/// What a reader of annotations comes back with.
struct Asked {
  bool wanted = false;                ///< Whether these annotations ask for anything.
  Request request;                    ///< Good when `mistakes` is empty.
  std::vector<std::string> mistakes;  ///< A sentence each, which says how to mend it; never quotes a value.
  std::vector<std::string> warnings;
};

}  // namespace injector::pod
