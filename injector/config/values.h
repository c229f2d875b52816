#pragma once

#include <chrono>
#include <string>

#include "injector/config/config.h"
#include "injector/config/grammar.h"

/// The scalars of the configuration that are more than plain text.
namespace injector::config {

/// "1h30m", "5m", "30s", "500ms", "2d"; larger units first, each once; within bounds.
Type<std::chrono::milliseconds> duration(std::chrono::milliseconds least, std::chrono::milliseconds most);

/// Quoted octal permission bits: "0400". Its owner must be able to read, nobody else to write.
Type<mode_t> mode();

/// A path from the root.
Type<std::string> absolute_path();

Type<RelativePath> relative_path();

/// "https://host" or "https://host:port"; http for loopback only; nothing after it but a slash, which is dropped.
Type<std::string> address();

/// A URL on loopback that is posted to: "http://127.0.0.1:8080/-/reload".
Type<std::string> loopback_url();

/// A path in a store: parts between slashes, none of them empty, "." or ".."; no '?', no control characters.
const char* flaw_of_store_path(std::string_view path);

/// A name from `stores:`: small letters, digits, '-' and '_'.
bool is_store_name(std::string_view name);

/// "store:path#key".
Type<Query> short_query();

/// "host:port" with an address as host, ":port", or "none".
Type<Health> listen();

/// A signal by name, with or without SIG.
Type<int> signal_name();

}  // namespace injector::config
