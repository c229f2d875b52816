#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace scanner::judge {

/// A block between a BEGIN and an END line (RFC 7468, OpenPGP, ssh.com), as it is found in files and as people paste
/// it into source code: with `\n` spelt out once or twice, with JSON escapes, indented, quoted, in pieces that a
/// program joins, behind the marks of comments and quotations.
struct Armor {
  std::string label;       ///< "RSA PRIVATE KEY"
  std::string body;        ///< Everything else, without white space: base64 when nothing is wrong.
  std::string checksum;    ///< OpenPGP: the characters after the = of the last line, or empty.
  bool encrypted = false;  ///< A header says so ("Proc-Type: 4,ENCRYPTED").
};

/// The first block whose label ends in `label_end` and whose END line carries the same label.
std::optional<Armor> find_armor(std::string_view text, std::string_view label_end);

}  // namespace scanner::judge
