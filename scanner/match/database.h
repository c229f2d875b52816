#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "scanner/base/result.h"
#include "scanner/model/rule.h"

namespace scanner::match {

/// Every regex of a rule set, compiled to be searched at once. Immutable; any number of matchers share one.
///
/// Not every rule is searched everywhere. Those whose matches hold a long run of token characters (Rule::runs), as most
/// tokens do, go into databases of their own that are searched around such runs alone: a few hundredths of ordinary
/// content. Of the others, those whose regex holds no fixed text (Rule::literal is short) would slow the whole search
/// down several times; their database is searched only where one of their keywords stands; without keywords, always.
class Database {
 public:
  /// Takes seconds for hundreds of rules. `Errc::config` names the rule, its origin and the engine's reason.
  static base::Result<Database> compile(const RuleSet& rules);

  /// What `serialize` wrote, for the same rules and the same engine: ready in milliseconds. `Errc::corrupt` for
  /// anything else, a damaged one included: compile again then.
  static base::Result<Database> deserialize(std::string_view bytes, const RuleSet& rules);
  [[nodiscard]] base::Result<std::string> serialize() const;

  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  /// Bytes that successive windows of an entry must share: the widest rule and a byte of context on each side. Rules
  /// without a bound count as kUnboundedWidth wide.
  [[nodiscard]] std::size_t overlap() const;

  /// Bytes a match of the widest rule can span; what a window does not own at its end.
  [[nodiscard]] std::size_t width() const;

  /// The library that does the work, with its version: "libhs 5.4.9".
  static std::string engine();

  static constexpr std::size_t kUnboundedWidth = 16384;

  struct Impl;
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace scanner::match
