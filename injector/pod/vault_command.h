#pragma once

#include <string_view>

#include "injector/model/file_spec.h"
#include "scanner/base/result.h"

namespace injector::pod {

/// A command that vault-k8s would hand to a shell once a file has changed, as what we can do without one:
///
///     kill -HUP $(pidof nginx)      pkill -HUP -x nginx      killall -s HUP nginx       a signal to a process
///     kill -HUP $(cat /run/nginx.pid)                                                   the same, by its pid file
///     curl -s -X POST http://127.0.0.1:8080/-/reload                                    a POST to loopback
///
/// in any spelling of the signal, with backticks, pgrep, "sh -c '...'" around it and "|| true" behind it.
/// `Errc::unsupported` says what of a command cannot be done and what can; `Errc::config` when it makes no sense.
/// Neither quotes it.
scanner::base::Result<OnChange> on_change_of_command(std::string_view command);

}  // namespace injector::pod
