#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace scanner::source {

/// Names of build arguments that the history has declared so far.
using ArgumentNames = std::set<std::string, std::less<>>;

/// The build arguments with a value in one `created_by` of a history, each as "NAME=value" within it; `declared` takes
/// the names that it declares. Known forms:
///
///     |2 A=x B=y /bin/sh -c make                        Docker's classic builder; buildah, which counts words
///     RUN |2 A=x B=y /bin/sh -c make # buildkit         BuildKit
///     /bin/sh -c #(nop)  ARG A=x    ARG A=x             their ARG instructions
///
/// Nothing there is quoted and values may hold spaces, so that "A=x B=y" is one argument or two. The count and the
/// declared names decide where they can; otherwise each NAME= after a space starts an argument. The last one ends where
/// a shell with its -c stands, or with the text. Take the whole text as well: it alone is sure to hold every value
/// unbroken.
std::vector<std::string_view> build_arguments(std::string_view created_by, ArgumentNames& declared);

}  // namespace scanner::source
