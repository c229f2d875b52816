#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "injector/render/template/encode.h"
#include "injector/render/template/format.h"
#include "injector/render/template/function.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/text.h"
#include "scanner/base/hash.h"

/// Sprig's JSON, base64, hashes and paths.
namespace injector::render::templates {
namespace {

using Arguments = std::span<const Value>;

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

template <Escape escape, Layout layout>
Value to_json(Context& context, Arguments arguments) {
  Builder out;
  write_json(out, arguments[0], escape, layout);
  return keep(*context.pool, out);
}

template <bool must>
Value from_json(Context& context, Arguments arguments) {
  Value out;
  if (read_json(*context.pool, arguments[0].text(), out)) return out;
  if (must) stop("a text is no JSON");
  return nil();
}

Value b64dec(Context& context, Arguments arguments) {
  Builder out;
  std::size_t wrong = 0;
  if (!read_base64(out, arguments[0].text(), false, wrong)) stop("a text is not in base64, or lacks its padding");
  return keep(*context.pool, out);
}
Value b64enc(Context& context, Arguments arguments) {
  Builder out;
  write_base64(out, arguments[0].text(), false);
  return keep(*context.pool, out);
}

Value b32enc(Context& context, Arguments arguments) {
  Builder out;
  const auto bytes = arguments[0].text();
  for (std::size_t i = 0; i < bytes.size(); i += 5) {
    const auto left = bytes.size() - i;
    std::uint64_t group = 0;
    for (std::size_t k = 0; k < 5; ++k)
      group = group << 8U | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    const std::size_t digits = left >= 5 ? 8 : (left * 8 + 4) / 5;
    for (std::size_t k = 0; k < 8; ++k) out.add(k < digits ? kBase32[group >> (35 - 5 * k) & 31U] : '=');
  }
  return keep(*context.pool, out);
}

Value b32dec(Context& context, Arguments arguments) {
  Builder out;
  std::string_view text = arguments[0].text();
  const auto wrong = [] { stop("a text is not in base32, or lacks its padding"); };
  std::uint64_t group = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const auto value = kBase32.find(c);
    if (value == std::string_view::npos || padding > 0) wrong();
    group = group << 5U | value;
    if (++digits == 8) {
      for (std::size_t k = 5; k-- > 0;) out.add(static_cast<char>(group >> (8 * k) & 0xffU));
      digits = 0;
      group = 0;
    }
  }
  if (digits == 0 && padding == 0) return keep(*context.pool, out);
  if (digits + padding != 8 || digits == 1 || digits == 3 || digits == 6) wrong();
  group <<= 5 * (8 - digits);
  for (std::size_t k = 0; k < digits * 5 / 8; ++k) out.add(static_cast<char>(group >> (32 - 8 * k) & 0xffU));
  return keep(*context.pool, out);
}

Value sha1_sum(Context& context, Arguments arguments) {
  Builder out;
  sha1(arguments[0].text(), out);
  return keep(*context.pool, out);
}
Value sha256_sum(Context& context, Arguments arguments) {
  const auto digest = scanner::base::sha256(arguments[0].text());
  Builder out;
  write_hex(out, {reinterpret_cast<const char*>(digest.data()), digest.size()});
  return keep(*context.pool, out);
}
Value adler32(Context& context, Arguments arguments) {
  constexpr std::uint32_t kModulus = 65521;
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char c : arguments[0].text()) {
    a = (a + static_cast<unsigned char>(c)) % kModulus;
    b = (b + a) % kModulus;
  }
  Builder out;
  print_int(out, static_cast<std::int64_t>(b << 16U | a));
  return keep(*context.pool, out);
}

// --- Paths, with slashes ---

std::string_view cleaned(Context& context, std::string_view path) {
  if (path.empty()) return ".";
  const bool rooted = path[0] == '/';
  std::vector<std::string_view> parts;
  for (const auto part : split(path, "/")) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!rooted) {
      parts.push_back(part);
    }
  }
  Builder out;
  if (rooted) out.add('/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out.add('/');
    out.add(parts[i]);
  }
  if (out.empty()) return ".";
  return out.keep_in(*context.pool);
}

Value base(Context&, Arguments arguments) {
  auto path = arguments[0].text();
  if (path.empty()) return of_text(".");
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/") return of_text("/");
  const auto slash = path.rfind('/');
  return of_text(slash == std::string_view::npos ? path : path.substr(slash + 1));
}
Value dir(Context& context, Arguments arguments) {
  const auto path = arguments[0].text();
  const auto slash = path.rfind('/');
  return of_text(cleaned(context, slash == std::string_view::npos ? std::string_view() : path.substr(0, slash + 1)));
}
Value clean(Context& context, Arguments arguments) { return of_text(cleaned(context, arguments[0].text())); }
Value ext(Context&, Arguments arguments) {
  const auto path = arguments[0].text();
  const auto at = path.find_last_of("./");
  return of_text(at == std::string_view::npos || path[at] == '/' ? std::string_view() : path.substr(at));
}
Value is_absolute(Context&, Arguments arguments) { return of_bool(arguments[0].text().starts_with('/')); }

constexpr auto kFunctions = std::to_array<Function>({
    {"sprig_toJson", "a", to_json<Escape::html, Layout::compact>},
    {"sprig_mustToJson", "a", to_json<Escape::html, Layout::compact>},
    {"sprig_toPrettyJson", "a", to_json<Escape::html, Layout::indented>},
    {"sprig_mustToPrettyJson", "a", to_json<Escape::html, Layout::indented>},
    {"sprig_toRawJson", "a", to_json<Escape::plain, Layout::compact>},
    {"sprig_mustToRawJson", "a", to_json<Escape::plain, Layout::compact>},
    {"sprig_fromJson", "s", from_json<false>},
    {"sprig_mustFromJson", "s", from_json<true>},
    {"sprig_b64enc", "s", b64enc},
    {"sprig_b64dec", "s", b64dec},
    {"sprig_b32enc", "s", b32enc},
    {"sprig_b32dec", "s", b32dec},
    {"sprig_sha1sum", "s", sha1_sum},
    {"sprig_sha256sum", "s", sha256_sum},
    {"sprig_adler32sum", "s", adler32},
    {"sprig_base", "s", base},
    {"sprig_dir", "s", dir},
    {"sprig_clean", "s", clean},
    {"sprig_ext", "s", ext},
    {"sprig_isAbs", "s", is_absolute},
    {"sprig_osBase", "s", base},
    {"sprig_osDir", "s", dir},
    {"sprig_osClean", "s", clean},
    {"sprig_osExt", "s", ext},
    {"sprig_osIsAbs", "s", is_absolute},
});

}  // namespace

std::span<const Function> sprig_encoding_functions() { return kFunctions; }

}  // namespace injector::render::templates
