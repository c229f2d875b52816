#pragma once

#include <hs.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "scanner/match/database.h"

namespace scanner::match {

struct FreeDatabase {
  void operator()(hs_database_t* database) const { hs_free_database(database); }
};
using HsDatabase = std::unique_ptr<hs_database_t, FreeDatabase>;

/// Pattern numbers from here on are keywords that open the second database, not rules.
inline constexpr unsigned kFirstKeyword = 1U << 24;
/// A pattern that nothing needs: see database.cpp.
inline constexpr unsigned kSentinel = 1U << 25;
inline constexpr std::uint32_t kUnbounded = 0xFFFFFFFFU;

struct Database::Impl {
  HsDatabase main;
  HsDatabase rare;                    ///< Null when every rule has a literal.
  bool rare_always = false;           ///< Some rule in `rare` has no keyword.
  std::vector<std::uint32_t> widths;  ///< A rule's widest match in bytes, or kUnbounded; 0 for rules without regex.
  std::size_t width = 1;
  std::string rules_hash;
};

}  // namespace scanner::match
