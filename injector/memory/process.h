#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "injector/memory/secret.h"
#include "scanner/base/result.h"

namespace injector::memory {

/// The first lines of main. No core dump, no debugger and no reader of /proc/PID/{mem,environ} of the same user
/// (PR_SET_DUMPABLE 0), no new privileges, umask 077. Root with CAP_SYS_PTRACE can still read everything but a
/// secretmem arena. `Errc::io` names the step that was refused.
scanner::base::Ok harden_process();

/// Variables of the environment by name, their values in the arena.
using Environment = std::map<std::string, Secret, std::less<>>;

/// What programs that are started may need, and nothing decides by.
inline const std::vector<std::string_view> kHarmlessVariables = {"PATH", "TZ", "LANG", "LC_ALL", "TERM", "HOSTNAME"};

/// Takes every variable out of the process' environment: where it stood is overwritten, so that /proc/PID/environ shows
/// it no more, and neither libraries nor programs that are started find it. Left in place is what `keep` names.
///
/// So nothing is heeded of SSLKEYLOGFILE, *_proxy, CURL_CA_BUNDLE, SSL_CERT_FILE and _DIR, OPENSSL_CONF, _MODULES and
/// _ENGINES, HOME's .netrc, HOSTALIASES, RES_OPTIONS, LOCALDOMAIN, MALLOC_*, GCONV_PATH, and credentials (AWS_*,
/// VAULT_TOKEN) are got from the map alone. What the dynamic linker reads (LD_*, GLIBC_TUNABLES) has had its effect
/// before main. Before any library or thread is started, for pointers from getenv() become invalid.
Environment take_environment(const std::vector<std::string_view>& keep = kHarmlessVariables);

/// Unmaps the pages of code and constants of every program file that is loaded; those that are used come back by faults
/// of microseconds, from the page cache. For once after the start: a process that waits for the rest of its life then
/// holds what waiting needs, and what only the start needed is the kernel's to reclaim. Pages that may be written to
/// (data, relocated constants) stay as they are.
void let_go_of_start();

}  // namespace injector::memory
