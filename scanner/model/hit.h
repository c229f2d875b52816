#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scanner/model/fingerprint.h"
#include "scanner/model/rule.h"

namespace scanner {

/// One confirmed secret at one place of one entry, as `judge` leaves it: redacted, fingerprinted, located within the
/// entry. The raw bytes are gone, unless they were asked for.
struct Hit {
  std::uint32_t rule = 0;
  Severity severity = Severity::high;
  Confidence confidence = Confidence::medium;
  Fingerprint fingerprint{};
  /// HMAC over the secret alone: equal for the same value whichever rule found it. Never shown.
  Fingerprint value{};
  std::string redacted;
  /// The raw secret: only with Options::keep_secrets.
  std::string secret;

  std::uint64_t offset = 0;      ///< Of the secret's first byte within the entry.
  std::uint64_t end_offset = 0;  ///< One past its last byte.
  /// Lines and byte columns from 1; the end is exclusive. 0 for a rule that looked at the path alone.
  std::uint64_t line = 0;
  std::uint64_t column = 0;
  std::uint64_t end_line = 0;
  std::uint64_t end_column = 0;

  /// The line it stands in, every confirmed secret in it masked, cut to kFrameWidth bytes around the secret. Raw bytes
  /// otherwise: a report makes them harmless.
  std::string frame;
  std::uint32_t mark_begin = 0;  ///< What to underline in `frame`.
  std::uint32_t mark_end = 0;
  /// What a check learned, for people: "AWS account 123456789012", "expired 2024-01-31". Never part of the secret.
  std::vector<std::string> notes;

  static constexpr std::size_t kFrameWidth = 160;
};

}  // namespace scanner
