#include "injector/cli/place.h"

#include <utility>

namespace injector::cli {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

Ok attest(const deliver::Mount& mount, const Requirements& require, telemetry::Log& log) {
  const deliver::Attestation attestation = mount.attest(require);
  for (const std::string& warning : attestation.warnings) log.warn(warning);
  if (attestation.refusals.empty()) return {};
  std::string all;
  for (const std::string& refusal : attestation.refusals) all += (all.empty() ? "" : "; ") + refusal;
  return fail(Errc::config, "mount refused: " + all);
}

Result<Place> open_place(const config::Config& config, telemetry::Log& log) {
  auto mount = deliver::Mount::open(config.mount);
  if (!mount) return fail(std::move(mount).error());
  if (auto well = attest(*mount, config.require, log); !well) return fail(std::move(well).error());
  // The very directory that was attested, whatever is mounted over its path meanwhile.
  auto directory = mount->another();
  if (!directory) return fail(std::move(directory).error());
  auto delivery = deliver::Delivery::open(std::move(*directory), config.mount);
  if (!delivery) return fail(std::move(delivery).error());
  return Place{config.mount, std::make_unique<deliver::Delivery>(std::move(*delivery))};
}

}  // namespace injector::cli
