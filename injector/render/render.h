#pragma once

#include <cstddef>
#include <span>

#include "injector/memory/secret.h"
#include "injector/model/file_spec.h"
#include "injector/model/reading.h"
#include "scanner/base/result.h"

/// Values become the bytes of files. Pure: no file, no clock, no network; every byte of a value stays in the arena.
namespace injector::render {

struct Rendered {
  memory::Secret contents;
  std::size_t used = 0;  ///< Which of `from` it was drawn from: for the audit line.
};

/// The contents of `file`. `readings` are the answers to `file.from`, in its order; null where a store cannot be had.
/// The first that gives what is asked for is used: one without the key is passed over like one that is away.
///
/// Of a file with a template, all of `readings` go into it, and `used` is 0.
///
/// Equal values give equal bytes: members are sorted by name. The formats:
/// - `raw`: the value's own bytes, whatever they are; without a key, what was stored.
/// - `json`: compact. A value that is no object and no array is a string.
/// - `dotenv`: NAME='value' lines for `set -a; . FILE` in any POSIX shell, which reads back every byte. Libraries with
///   rules of their own (python-dotenv without interpolation) read the same unless a value ends with a backslash, or
///   holds a `$` or backtick and also a quote or two backslashes in a row.
/// - `properties`: java.util.Properties; ASCII alone, so that it is right in every encoding.
/// - `yaml`: one mapping that YAML 1.1 and 1.2 read alike; text always in double quotes, numbers and nesting kept.
/// - `pem`: private keys, then the certificate, then its chain, each once, whatever the members are called; then the
///   rest. From a PKI answer: private_key, certificate, ca_chain, issuing_ca. Lines that were stored with "\n" written
///   out are parted again.
///
/// `Errc::missing` when no reading has it, `Errc::unsupported` when the format cannot say it (NUL or a strange name in
/// dotenv, bytes that are no UTF-8 in text formats), `Errc::corrupt` when it is no PEM. Messages name the file and the
/// key, never the value.
scanner::base::Result<Rendered> render(const FileSpec& file, std::span<const Reading* const> readings);

}  // namespace injector::render
