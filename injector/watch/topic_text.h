#pragma once

#include <cstdint>

#include "injector/memory/document.h"
#include "injector/memory/text.h"
#include "injector/watch/topic.h"

namespace injector::watch {

/// What is known of a topic as JSON, for another process of this pod.
void write_topic(memory::Text& out, const Topic& topic);

/// Puts what write_topic wrote into a topic of the same query; `session` is the store's now. One that was not known
/// stays as it is.
void read_topic(memory::Document::Value value, Topic& topic, std::uint64_t session);

}  // namespace injector::watch
