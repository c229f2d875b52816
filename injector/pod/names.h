#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What Kubernetes demands of the texts that end up in a pod. Each `flaw_of_` says what is wrong, to follow a name
/// ("must be ..."), or null.
namespace injector::pod {

/// A container, a volume, a namespace: RFC 1123 label.
const char* flaw_of_label(std::string_view name);
/// A Secret, a ConfigMap: RFC 1123 subdomain.
const char* flaw_of_object_name(std::string_view name);
/// A key of a Secret or ConfigMap.
const char* flaw_of_data_key(std::string_view key);
/// A folder that containers get the files in: absolute, no ':', no empty part, "." or ".."; not '/' itself, nor where
/// the kernel, the kubelet or the sidecar have their own (/proc, /sys, /dev, the service account's, kReserved).
const char* flaw_of_directory(std::string_view path);
/// A path to mount something at in the sidecar: likewise, but not within its own program and libraries either.
const char* flaw_of_sidecar_path(std::string_view path);
/// An image's reference, by its letters.
const char* flaw_of_image(std::string_view image);
const char* flaw_of_quantity(std::string_view text);

/// A quantity's size; nothing when it is none. Exact below 2^53, which is what comparing needs.
std::optional<double> quantity(std::string_view text);

/// Where the sidecar finds tokens and certificates; in no other container.
inline constexpr std::string_view kReserved = "/run/secret-injector";

/// Whether one of the two is the other, or lies beneath it.
bool nested(std::string_view a, std::string_view b);

/// Whether `text` is `pattern`, or begins with what stands before its closing '*'.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace injector::pod
