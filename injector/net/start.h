#pragma once

namespace injector::net {

/// Readies libcurl and OpenSSL with allocators that wipe what they free. Both keep their allocator for the life of the
/// process, so main calls this before anything else uses OpenSSL (a hash is enough) and after the environment was
/// scrubbed; clients call it, too, which is right in tests. Gives false when OpenSSL was in use already and keeps its
/// own allocator. Ignores SIGPIPE, which a peer that goes away would raise. Further calls do nothing and give the same.
bool start();

}  // namespace injector::net
