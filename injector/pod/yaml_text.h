#pragma once

#include <string>

#include "scanner/base/json.h"

namespace injector::pod {

/// JSON whose members keep the order that they were written in.
using OrderedJson = nlohmann::ordered_json;

/// YAML as people write it for Kubernetes: block style, two spaces, lists at the level of their key, text of several
/// lines as a block, quotes where a YAML reader could take a text for something else. Whoever reads it gets `value`
/// again. Ends with a line feed.
std::string yaml_text(const OrderedJson& value);

}  // namespace injector::pod
