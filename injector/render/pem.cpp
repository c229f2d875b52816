#include <algorithm>
#include <cctype>
#include <optional>

#include "injector/render/value.h"

namespace injector::render {
namespace {

using memory::Secret;
using memory::Text;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Result;

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kMostBlocks = 1000;

/// Where a block comes in the bundle.
enum class Place : std::uint8_t { key, certificate, chain, authority, other };

struct Block {
  Place place;
  Secret text;
};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Whether the certificates of a member stand for the holder, the way up, or the top. Names of Vault's PKI, of
/// Kubernetes and cert-manager, of certbot.
Place place_of(std::string_view member) {
  std::string name(member);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (contains(name, "chain") || contains(name, "intermediate")) return Place::chain;
  if (name.starts_with("ca") || contains(name, "issuing_ca") || contains(name, "root")) return Place::authority;
  return Place::certificate;
}

/// Line ends that were written out (\n, also in JSON), as line ends. PEM itself has no backslash.
Secret unescaped(std::string_view text) {
  Text out(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.append(text[i]);
      continue;
    }
    const char next = text[++i];
    if (next == '/') out.append('/');
    if (next == 'n') out.append('\n');
  }
  return out.finish();
}

bool base64(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

bool space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// Headers of an old encrypted key ("Proc-Type: 4,ENCRYPTED"), up to the empty line after them: copied line by line.
void take_headers(std::string_view& body, Text& out) {
  const auto colon = body.find(':');
  if (colon == std::string_view::npos) return;
  bool any = false;
  while (!body.empty()) {
    const auto end = std::min(body.size(), body.find('\n'));
    std::string_view line = body.substr(0, end);
    while (!line.empty() && space(line.back())) line.remove_suffix(1);
    if (any && line.empty()) break;
    if (!line.empty()) {
      if (!contains(line, ":") && !any) return;
      out.append(line).append('\n');
      any = true;
    }
    body.remove_prefix(std::min(body.size(), end + 1));
  }
  if (any) out.append('\n');
}

/// One block in the form of RFC 7468: 64 characters a line. Nothing when it is damaged.
std::optional<Secret> normal(std::string_view label, std::string_view body) {
  Text out(body.size() + 128);
  out.append(kBegin).append(label).append(kDashes).append('\n');
  take_headers(body, out);
  std::size_t column = 0;
  std::size_t total = 0;
  for (const char c : body) {
    if (space(c)) continue;
    if (!base64(c)) return std::nullopt;
    out.append(c);
    ++total;
    if (++column == 64) {
      out.append('\n');
      column = 0;
    }
  }
  if (total == 0 || total % 4 != 0) return std::nullopt;
  if (column != 0) out.append('\n');
  out.append(kEnd).append(label).append(kDashes).append('\n');
  return out.finish();
}

/// Adds the blocks of one member. What stands between blocks is commentary.
scanner::base::Ok gather(std::string_view name, std::string_view bytes, std::vector<Block>& blocks) {
  const Secret whole = unescaped(bytes);
  std::string_view text = whole.reveal();
  const std::string what = name.empty() ? "the value" : "key " + shown(name);
  for (auto at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin)) {
    text.remove_prefix(at + kBegin.size());
    const auto label_end = text.find(kDashes);
    if (label_end > 64) return fail(Errc::corrupt, what + " holds a damaged PEM block");  // npos, too
    const std::string_view label = text.substr(0, label_end);
    const auto end = text.find(kEnd, label_end);
    if (end == std::string_view::npos || !text.substr(end + kEnd.size()).starts_with(label)) {
      return fail(Errc::corrupt, what + " holds a PEM block without its end");
    }
    auto block = normal(label, text.substr(label_end + kDashes.size(), end - label_end - kDashes.size()));
    if (!block || blocks.size() == kMostBlocks) return fail(Errc::corrupt, what + " holds a damaged PEM block");
    Place place = Place::other;
    if (label.ends_with("PRIVATE KEY")) place = Place::key;
    if (label.ends_with("CERTIFICATE")) place = place_of(name);
    text.remove_prefix(end);
    const bool known = std::ranges::any_of(blocks, [&](const Block& other) { return other.text.equals(*block); });
    if (!known) blocks.push_back({place, std::move(*block)});
  }
  return {};
}

}  // namespace

Result<Secret> to_pem(const Value& value) {
  // Those nearest to the holder first, so that of a certificate in two members the nearer one counts.
  auto members = value.members();
  std::ranges::stable_sort(members, {}, [](const auto& member) { return place_of(member.name); });
  if (members.empty()) members.push_back({"", value.bytes()});
  std::vector<Block> blocks;
  for (const auto& [name, bytes] : members) {
    if (auto gathered = gather(name, bytes, blocks); !gathered) return fail(std::move(gathered).error());
  }
  if (blocks.empty()) {
    return fail(Errc::corrupt,
                (value.single() ? "key " + shown(members.front().name) : std::string("the value")) + " holds no PEM");
  }
  std::ranges::stable_sort(blocks, {}, &Block::place);
  Text out(4096);
  for (const auto& block : blocks) out.append(block.text);
  return out.finish();
}

}  // namespace injector::render
