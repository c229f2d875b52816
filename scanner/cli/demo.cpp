#include "scanner/cli/demo.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "scanner/base/hash.h"
#include "scanner/base/json.h"

namespace scanner::cli {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

class Inventor {
 public:
  std::string text(std::string_view alphabet, std::size_t length) {
    std::string text;
    while (text.size() < length) text += alphabet[random_() % alphabet.size()];
    return text;
  }

  /// A token of GitHub's and npm's form: 30 random characters and their CRC-32 in base 62.
  std::string checked_token(const std::string& prefix) {
    const std::string body = text(kBase62, 30);
    std::string checksum;
    for (std::uint32_t rest = base::crc32(body); checksum.size() < 6; rest /= 62)
      checksum.insert(0, 1, kBase62[rest % 62]);
    return prefix + body + checksum;
  }

 private:
  std::mt19937 random_{20261124};  // NOLINT(bugprone-random-generator-seed,cert-msc51-cpp): the same demo every time
};

void add_file(std::string& tar, const std::string& path, std::string_view contents) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t offset, std::string_view value) { header.replace(offset, value.size(), value); };
  const auto octal = [](std::uint64_t value, int digits) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%0*llo", digits, static_cast<unsigned long long>(value));
    return std::string(text.data());
  };
  put(0, path);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(contents.size(), 11));
  put(136, "00000000000");
  put(148, "        ");
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  tar += header;
  tar += contents;
  tar.resize((tar.size() + 511) / 512 * 512);
}

std::string layer_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string tar;
  for (const auto& [path, contents] : files) add_file(tar, path, contents);
  tar.resize(tar.size() + 1024);
  return tar;
}

}  // namespace

Result<base::Fd> demo_image() {
  Inventor inventor;
  const std::string aws_id = "AKIA" + inventor.text(kBase32, 16);
  const std::string aws_secret = inventor.text(kBase64, 40);
  const std::string github = inventor.checked_token("ghp_");
  const std::string npm = inventor.checked_token("npm_");
  const std::string password = inventor.text(kBase62, 18);

  const std::vector<std::string> layers = {
      layer_of({{"etc/os-release", "NAME=\"Demo Linux\"\n"}, {"usr/share/doc/readme", "nothing to see here\n"}}),
      layer_of({{"app/.env",
                 "NODE_ENV=production\nAWS_ACCESS_KEY_ID=" + aws_id + "\nAWS_SECRET_ACCESS_KEY=" + aws_secret + "\n"}}),
      layer_of({{"app/config.json", "{\n  \"name\": \"shop\",\n  \"githubToken\": \"" + github + "\"\n}\n"},
                {"app/main.js", "console.log('hello');\n"}}),
      layer_of({{"app/.wh..env", ""}}),
  };
  const auto step = [](const std::string& by, bool empty) {
    base::Json entry = {{"created", "2026-01-01T00:00:00Z"}, {"created_by", by}};
    if (empty) entry["empty_layer"] = true;
    return entry;
  };
  base::Json config = {
      {"architecture", "amd64"},
      {"os", "linux"},
      {"config",
       {{"Env", {"PATH=/usr/bin", "DATABASE_URL=postgres://shop:" + password + "@db.internal:5432/shop"}},
        {"Cmd", {"node", "/app/main.js"}}}},
      {"history",
       {step("ADD rootfs.tar.xz /", false), step("COPY .env /app/.env", false),
        step("ENV DATABASE_URL=postgres://shop:" + password + "@db.internal:5432/shop", true),
        step("|1 NPM_TOKEN=" + npm + " /bin/sh -c npm ci && cp -r src /app", false), step("RUN rm /app/.env", false)}},
      {"rootfs", {{"type", "layers"}, {"diff_ids", base::Json::array()}}}};
  base::Json names = base::Json::array();
  std::string archive;
  for (const std::string& layer : layers) {
    const std::string digest = base::hex(base::sha256(layer));
    config["rootfs"]["diff_ids"].push_back("sha256:" + digest);
    names.push_back(digest + ".tar");
    add_file(archive, digest + ".tar", layer);
  }
  const std::string config_text = base::dump_json(config);
  const std::string config_name = base::hex(base::sha256(config_text)) + ".json";
  add_file(archive, config_name, config_text);
  add_file(archive, "manifest.json",
           base::dump_json({{{"Config", config_name}, {"RepoTags", {"demo/shop:1.0"}}, {"Layers", names}}}));
  archive.resize(archive.size() + 1024);

  base::Fd fd(::memfd_create("demo", MFD_CLOEXEC));
  if (!fd) return fail(Errc::io, "no memory for the demo image");
  for (std::string_view rest = archive; !rest.empty();) {
    const ssize_t n = ::write(fd.get(), rest.data(), rest.size());
    if (n <= 0) return fail(Errc::io, "no memory for the demo image");
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  return fd;
}

}  // namespace scanner::cli
