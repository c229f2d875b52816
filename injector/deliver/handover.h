#pragma once

#include <string>

#include "injector/memory/secret.h"
#include "scanner/base/result.h"

/// What one process of a pod leaves for the next: on clusters without native sidecars the init container, for the
/// sidecar. It holds tokens, so it stands on a tmpfs of its own that no other container has, and for seconds.
namespace injector::deliver {

/// Whether something may be left in `directory`: `Errc::config` when it is no tmpfs, or not to be written to.
scanner::base::Ok may_hand_over(const std::string& directory);

/// Leaves `text`, mode 0600, whole or not at all, in the place of what was left before. `Errc::io` when the mount
/// refuses.
scanner::base::Ok leave_handover(const std::string& directory, const memory::Secret& text);

/// Takes what was left; it is gone then, whatever becomes of us. `Errc::missing` when there is nothing.
scanner::base::Result<memory::Secret> take_handover(const std::string& directory);

}  // namespace injector::deliver
