#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "injector/render/template/pool.h"
#include "injector/render/template/value.h"

/// What functions on text share: Go's package strings, on the pool.
namespace injector::render::templates {

Value keep(Pool& pool, const Builder& builder);

/// Of all Unicode white space, as strings.TrimSpace.
std::string_view trim_space(std::string_view text);
/// Of all runes that `set` holds.
std::string_view trim(std::string_view text, std::string_view set);
/// strings.Split: every character on its own when `separator` is empty; at most `most` parts when it is not negative.
std::vector<std::string_view> split(std::string_view text, std::string_view separator, long most = -1);
std::string_view replace_all(Pool& pool, std::string_view text, std::string_view from, std::string_view to);
std::string_view upper(Pool& pool, std::string_view text);
std::string_view lower(Pool& pool, std::string_view text);
/// cases.Title without the lowering of the rest: the first cased letter of each word, where an apostrophe, a point or a
/// colon within a word does not end it.
std::string_view title_words(Pool& pool, std::string_view text);
/// strings.Title: the first letter of each word, the others as they are.
std::string_view title(Pool& pool, std::string_view text);

Value texts_of(Pool& pool, const std::vector<std::string_view>& texts);

}  // namespace injector::render::templates
