#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "injector/memory/document.h"
#include "injector/memory/secret.h"
#include "scanner/base/result.h"

namespace injector::cli {

/// A file or a pipe, into the arena; "-" is standard input. `Errc::limit` beyond `most` bytes.
scanner::base::Result<memory::Secret> read_secret_file(const std::string& path, std::size_t most);

/// A file of values, at most 16 MiB: a JSON object. Errors name the file and the offset, never what is there.
scanner::base::Result<memory::Document> read_values_file(const std::string& path);

/// Everything, or `Errc::io`, which says `shown`.
scanner::base::Ok write_all(int fd, std::string_view bytes, const std::string& shown);

}  // namespace injector::cli
