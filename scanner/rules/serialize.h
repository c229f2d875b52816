#pragma once

#include <string>
#include <string_view>

#include "scanner/base/result.h"
#include "scanner/model/rule.h"

namespace scanner::rules {

/// A rule set as compact bytes (CBOR), for embedding in the program and for the cache. Everything but the examples
/// survives the round trip.
std::string serialize(const RuleSet& rules);

/// `Errc::corrupt` when `bytes` is not what `serialize` of this version wrote.
base::Result<RuleSet> deserialize(std::string_view bytes);

}  // namespace scanner::rules
