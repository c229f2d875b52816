#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/json.h"
#include "scanner/base/result.h"
#include "scanner/source/documents.h"

namespace scanner::source {

// How the documents of an image are read. Members are looked up as the tools that write and run images do (Go's
// encoding/json: without regard to case), so that a document cannot mean one thing to them and another to us: what they
// would have to guess is `Errc::corrupt`. `where` names the place for messages: "layers[2]".

/// Parses a document of at most `max_bytes` and 250 000 values: more would cost memory out of proportion.
/// An object with the same member twice is `Errc::corrupt`: readers differ on which one counts.
base::Result<base::Json> parse_document(std::string_view json, std::size_t max_bytes);

base::Result<DocumentKind> kind_of(const base::Json& document);

/// Equal but for the case of ASCII letters.
bool same_name(std::string_view left, std::string_view right);
bool has_member(const base::Json& object, std::string_view name);

/// Null when `object` has no such member or it is null; fails when it is no object, or when two members differ in case
/// only.
base::Result<const base::Json*> find_member(const base::Json& object, std::string_view name, const std::string& where);

/// Absent and null are empty; anything but a string (an array, an object) fails.
base::Result<std::string> read_string(const base::Json& object, std::string_view name, const std::string& where);
base::Result<std::vector<std::string>> read_strings(const base::Json& object, std::string_view name,
                                                    const std::string& where);
base::Result<const base::Json*> read_array(const base::Json& object, std::string_view name, const std::string& where);
base::Result<const base::Json*> read_object(const base::Json& object, std::string_view name, const std::string& where);

/// The string as a digest of the only algorithm that is read, sha256; another one is `Errc::unsupported`.
base::Ok check_digest(std::string_view text, const std::string& where);

/// "os/architecture[/variant]" of the members of `object`; empty when there is neither. Each is a word of at most 16
/// letters, digits and "._-": shorter than any credential, so that it need not be searched.
base::Result<std::string> read_platform(const base::Json& object, const std::string& where);

}  // namespace scanner::source
