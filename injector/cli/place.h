#pragma once

#include <memory>
#include <string>

#include "injector/config/config.h"
#include "injector/deliver/delivery.h"
#include "injector/deliver/mount.h"
#include "injector/telemetry/log.h"
#include "scanner/base/result.h"

namespace injector::cli {

/// Where the files go: the mount, attested, and what is published there.
struct Place {
  std::string path;
  std::unique_ptr<deliver::Delivery> delivery;
};

/// Attests the mount of the configuration, logs what is to be warned of, and takes over what is published there. All
/// refusals are in the error, parted by "; ".
scanner::base::Result<Place> open_place(const config::Config& config, telemetry::Log& log);

/// The mount is still what the configuration demands, which may be more than before.
scanner::base::Ok attest(const deliver::Mount& mount, const Requirements& require, telemetry::Log& log);

}  // namespace injector::cli
