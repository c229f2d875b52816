#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scanner/base/result.h"
#include "scanner/model/candidate.h"
#include "scanner/model/chunk.h"
#include "scanner/model/entry.h"
#include "scanner/model/hit.h"
#include "scanner/model/rule.h"
#include "scanner/model/skipped.h"

namespace scanner::judge {

struct Options {
  /// Hit::secret keeps the raw bytes: so that the scan can mask them wherever else a report would quote them, or show
  /// them when it is told to.
  bool keep_secrets = false;
  /// Whether `gitleaks:allow` and `scan-secrets:allow` on a line of the secret suppress it.
  bool inline_ignores = true;
  /// Key of Hit::fingerprint and Hit::value.
  std::string fingerprint_key;
  std::uint64_t max_hits_per_entry = 10'000;
};

/// The rules, ready to decide: compiled regexes, allowlists, checks. Immutable after `create`, shared by all threads;
/// regexes are compiled on first use.
class Judge {
 public:
  /// Borrows `rules`, which must outlive it. `Errc::config` names the rule and its origin when a check is unknown.
  static base::Result<Judge> create(const RuleSet& rules, Options options);
  Judge(Judge&&) noexcept;
  Judge& operator=(Judge&&) noexcept;
  ~Judge();

  /// Compiles every regex now. `Errc::config` lists those that do not compile, with origin and rule.
  [[nodiscard]] base::Result<void> compile_all() const;

  struct Impl;
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  explicit Judge(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What came of one entry.
struct Verdict {
  std::vector<Hit> hits;  ///< By offset.
  /// "rule acme.token undecided at byte 12: match limit"; each makes the scan incomplete.
  std::vector<std::string> doubts;
  std::uint64_t ignored = 0;  ///< Secrets that an inline comment suppressed.
};

enum class Interest : std::uint8_t { search, excluded };

/// How many bytes to each side of a match may weigh in: context words, `line` allowlists, inline comments, and what a
/// frame shows. A bound, because a line can be as long as its entry. Where a window ends nearer than that, less of
/// the surroundings is seen; windows that hold kReach bytes before own_begin and kReach more than the widest match
/// after own_end make a decision independent of where they were cut.
inline constexpr std::size_t kReach = 1024;

/// Decides for one entry after another. `begin`, then `decide` for each of its chunks in order, then `finish`.
///
/// The matches of a rule are those of a PCRE2 find-all over the whole entry (leftmost, not overlapping, none empty),
/// however it is cut into windows; of a rule without a bound, those no longer than its candidates. Path regexes, of
/// rules and of allowlists, are for files, their names and links: searched in the path with the members of archives
/// behind it, separated by '!', and in the innermost member's path.
///
/// Not thread-safe: one session per worker. Borrows the judge.
class Session {
 public:
  explicit Session(const Judge& judge);
  Session(Session&&) noexcept;
  ~Session();

  /// `excluded`: a global path allowlist says not to look into this entry; then no chunk need be given.
  Interest begin(const Entry& entry);

  /// Says no to most of `candidates`, and keeps the rest for `finish`. Reorders `candidates`. What starts outside the
  /// chunk's own range is left to the chunk that owns it. A chunk that is not the first owns nothing at its first
  /// byte, whose context it lacks. A candidate of a rule with a bound begins at 0 or is as wide as the rule's widest
  /// match.
  void decide(const Chunk& chunk, std::vector<Candidate>& candidates);

  /// Applies what needs the whole entry: companions, generic rules giving way. A path-only rule's hit has line 0 and
  /// the path as its redacted text.
  Verdict finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Names of the offline checks, for rule authors and for validation.
struct CheckInfo {
  std::string_view name;
  std::string_view help;
};
std::span<const CheckInfo> checks();

}  // namespace scanner::judge
