#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/base/stream.h"
#include "scanner/model/limits.h"
#include "scanner/source/blob_store.h"
#include "scanner/source/plan.h"
#include "scanner/source/source.h"

namespace scanner::source {

/// Images in a store that can be read in any order: their layers are searched several at once, the largest first.
/// `Errc::usage` when the selection fits nothing, `Errc::unsupported` when the store holds no image.
base::Result<std::unique_ptr<Source>> images_in(std::unique_ptr<BlobStore> store, const Selection& selection,
                                                const Limits& limits);

/// Images in an archive that comes through a pipe: read once, front to back, layers searched as they come, told apart
/// by their bytes; what they are is known when the archive has ended. `name` is for messages.
std::unique_ptr<Source> images_from(std::unique_ptr<base::Stream> archive, std::string name, Selection selection,
                                    const Limits& limits);

/// The diffIDs of the layers of the one image in `store`, bottom first: what `--base FILE` needs.
base::Result<std::vector<std::string>> diff_ids_in(BlobStore& store, const Limits& limits);

}  // namespace scanner::source
