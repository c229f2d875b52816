#pragma once

#include <string>

#include "injector/backend/vault/answer.h"
#include "injector/model/reading.h"
#include "scanner/base/result.h"

namespace injector::backend::vault {

/// How an engine's answers are to be read.
enum class Engine : std::uint8_t {
  plain,  ///< KV 1, database, PKI, transit, ...: `data` is what there is.
  kv2,    ///< `data.data`, with `data.metadata` beside it.
};

/// What stands in an answer of 200 to a read or a write of `query`. `now` dates what the server gives as a duration.
///
/// `version` is KV 2's number, a certificate's serial number, or when a static credential was last rotated. `expires`
/// is a certificate's end, the next rotation of a static credential (and a second), or when KV 2 deletes the version.
/// A transit plaintext is decoded in its member, and stays base64 in `document`.
/// Errors: `missing` for a deleted or destroyed version of KV 2, `away` for an answer
/// that is not what Vault sends, `config` when there was nothing to give back.
scanner::base::Result<Reading> reading_of(const Answer& answer, const Query& query, Engine engine,
                                          std::chrono::system_clock::time_point now);

/// The names that a list gave, as {"keys": [...]}; none where there is nothing to list.
scanner::base::Result<Reading> list_of(const Answer& answer, const Query& query);

/// `missing` when the query is after a key that the reading has not.
scanner::base::Ok has_key(const Reading& reading, const Query& query);

/// A 404 of KV 2: "deleted at ...", "destroyed" or "nothing was ever there", as an Error.
scanner::base::Error absence_of(const Answer& answer, const Query& query, Engine engine);

/// "reading kv/shop/db", "writing pki/issue/web": what errors begin with.
std::string naming(const Query& query);

}  // namespace injector::backend::vault
