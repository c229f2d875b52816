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

/// Rules whose matches hold a run of at least `least` bytes of `alphabet`: searched around such runs alone.
struct Lane {
  HsDatabase database;
  Alphabet alphabet = Alphabet::word;
  std::uint32_t least = 0;
  std::uint32_t before = 0;  ///< Bytes of a match in front of its run, at most; and those behind it.
  std::uint32_t after = 0;
};

struct Database::Impl {
  HsDatabase main;  ///< Searched everywhere.
  std::vector<Lane> lanes;
  HsDatabase rare;                    ///< Searched where a keyword stands. Null when there is no rule for it.
  bool rare_always = false;           ///< Some rule in `rare` has no keyword.
  std::vector<std::uint32_t> widths;  ///< A rule's widest match in bytes, or kUnbounded; 0 for rules without regex.
  std::size_t width = 1;
  std::string rules_hash;
};

}  // namespace scanner::match
