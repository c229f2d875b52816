#include "samples.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "scanner/base/hash.h"

namespace scanner::report {
namespace {

Fingerprint fingerprint_of(std::string_view text) {
  Fingerprint fingerprint{};
  const base::Sha256 digest = base::sha256(text);
  std::copy_n(digest.begin(), fingerprint.size(), fingerprint.begin());
  return fingerprint;
}

std::string digest_of(std::string_view text) { return base::to_oci_digest(base::sha256(text)); }

Layer layer(std::string created_by, std::uint64_t size, Base base, int history_index) {
  Layer out;
  out.digest = digest_of(created_by);
  out.diff_id = digest_of("tar of " + created_by);
  out.media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
  out.created_by = std::move(created_by);
  out.history_index = history_index;
  out.base = base;
  out.size = size;
  out.read = true;
  return out;
}

Image shop_image() {
  Image image;
  image.name = "registry.acme.example:5000/shop/api:1.4.2";
  image.digest = digest_of("manifest");
  image.config_digest = digest_of("config");
  image.platform = "linux/amd64";
  image.layers = {
      layer("/bin/sh -c #(nop) ADD file:5d6f in / ", 78433485, Base::yes, 0),
      layer(
          "RUN /bin/sh -c apt-get update &&     apt-get install -y --no-install-recommends ca-certificates # buildkit",
          8598323, Base::yes, 1),
      layer("COPY .env /app/.env # buildkit", 1126, Base::no, 3),
      layer("RUN |1 NPM_TOKEN=******** /bin/sh -c npm ci --omit=dev # buildkit", 42991616, Base::no, 4),
      layer("RUN /bin/sh -c rm /app/.env # buildkit", 92, Base::no, 5),
      layer("COPY dist/ /app/dist # buildkit", 19188940, Base::no, 6),
  };
  image.history = {image.layers[0].created_by, image.layers[1].created_by, "ENV DB_PASSWORD=********",
                   image.layers[2].created_by, image.layers[3].created_by, image.layers[4].created_by,
                   image.layers[5].created_by};
  return image;
}

Report report_of(std::string command, std::string target) {
  Report report;
  report.tool_version = "0.1.0";
  report.engine = "Vectorscan 5.4.8";
  report.rules_hash = base::hex(base::sha256("rules"));
  report.rules = 156;
  report.command = std::move(command);
  report.target = std::move(target);
  report.started = "2026-11-24T08:39:19Z";
  report.duration_ms = 2134;
  return report;
}

Report image_report() {
  Report report = report_of("image", "shop.tar");
  report.images = {shop_image()};
  report.coverage.layers = 6;
  report.coverage.files = 12481;
  report.coverage.texts = 25390;
  report.coverage.bytes = 415236096;
  return report;
}

Location in_file(std::string path, int layer_index, std::uint64_t line, std::string frame, std::string_view masked) {
  Location out;
  out.entry.path = std::move(path);
  out.image = 0;
  out.layer = layer_index;
  out.frame = std::move(frame);
  out.mark_begin = static_cast<std::uint32_t>(out.frame.find(masked));
  out.mark_end = out.mark_begin + static_cast<std::uint32_t>(masked.size());
  out.line = line;
  out.end_line = line;
  out.column = out.mark_begin + 1;
  out.end_column = out.mark_end + 1;
  out.offset = 40 * line;
  return out;
}

Location in_configuration(Kind kind, std::string field, int history_index, std::string frame, std::string_view masked) {
  Location out = in_file("configuration", -1, 1, std::move(frame), masked);
  out.entry.kind = kind;
  out.entry.field = std::move(field);
  out.entry.history_index = history_index;
  return out;
}

Finding aws_key() {
  Finding finding;
  finding.rule = "aws-access-key";
  finding.title = "AWS access key";
  finding.description = "An access key of an AWS account signs requests with every right of its user.";
  finding.fix =
      "Deactivate the key in IAM and make a new one. Give the build its credentials with "
      "RUN --mount=type=secret,id=env,target=/app/.env, which leaves nothing in a layer.";
  finding.docs = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html";
  finding.tags = {"aws", "cloud"};
  finding.severity = Severity::critical;
  finding.confidence = Confidence::high;
  finding.fingerprint = fingerprint_of("aws");
  finding.redacted = "AKIA************MPLE";
  finding.notes = {"AWS account 123456789012"};
  Location location = in_file("app/.env", 2, 3, "AWS_ACCESS_KEY_ID=AKIA************MPLE", "AKIA************MPLE");
  location.state = State::deleted;
  location.changed_in = 4;
  finding.locations = {location};
  return finding;
}

Finding password() {
  Finding finding;
  finding.rule = "password-in-url";
  finding.title = "Password";
  finding.description = "A password opens whatever it belongs to.";
  finding.fix = "Change it, and hand it to the container at run time.";
  finding.severity = Severity::high;
  finding.confidence = Confidence::low;
  finding.fingerprint = fingerprint_of("password");
  finding.redacted = "hu********ue";
  finding.locations = {in_configuration(Kind::env, "DB_PASSWORD", -1, "DB_PASSWORD=********", "********"),
                       in_configuration(Kind::history, "DB_PASSWORD", 2, "ENV DB_PASSWORD=********", "********"),
                       in_file("app/dist/config.js", 5, 218, "  password: \"********\",", "********")};
  return finding;
}

Finding npm_token() {
  Finding finding;
  finding.rule = "npm-access-token";
  finding.title = "npm access token";
  finding.severity = Severity::critical;
  finding.confidence = Confidence::high;
  finding.fingerprint = fingerprint_of("npm");
  finding.redacted = "npm_****************************Xy3f";
  finding.fix = "Revoke the token on npmjs.com and let the build read it from a secret mount.";
  Location location = in_file("app/node_modules/left/pkg.tgz", 3, 1,
                              std::string(60, 'x') + " //registry.npmjs.org/:_authToken=" + finding.redacted +
                                  " and the line goes on for a long while after it",
                              finding.redacted);
  location.entry.inner = {"package/.npmrc"};
  location.entry.decoding = {"gzip"};
  finding.locations = {location};
  return finding;
}

Finding private_key() {
  Finding finding;
  finding.rule = "private-key";
  finding.title = "Private key (RSA, PEM)";
  finding.severity = Severity::high;
  finding.fingerprint = fingerprint_of("key");
  finding.redacted = "-----BEGIN RSA PRIVATE KEY-----********";
  finding.fix = "Make a new key pair and put the new public key where the old one is trusted.";
  Location location = in_file("etc/ssl/private/server.key", 1, 1, finding.redacted, finding.redacted);
  location.end_line = 27;
  location.end_column = 30;
  finding.locations = {location};
  return finding;
}

}  // namespace

Report clean_report() { return image_report(); }

Report leaky_report() {
  Report report = image_report();
  report.findings = {aws_key(), npm_token(), password(), private_key()};
  report.in_baseline = 1;
  report.ignored = 3;
  report.exit_code = 1;
  return report;
}

Report incomplete_report() {
  Report report = image_report();
  report.coverage.layers = 5;
  report.images[0].layers[3].read = false;
  report.coverage.skip({SkipReason::digest_mismatch, "layer " + report.images[0].layers[3].digest,
                        "the bytes are not those that the manifest names", 42991616});
  report.coverage.skip(
      {SkipReason::truncated, "layer 6: app/dist/big.bin", "ended after 4096 of 19188940 bytes", 19184844});
  for (int i = 0; i < 14; ++i) {
    report.coverage.skip(
        {SkipReason::limit, "layer 2: var/cache/" + std::to_string(i) + ".zip", "nests deeper than 8", 0});
  }
  report.coverage.more_skipped = 3;
  report.exit_code = 3;
  return report;
}

Report long_report() {
  Report report = leaky_report();
  Finding everywhere = aws_key();
  for (int i = 0; i < 11; ++i) {
    everywhere.locations.push_back(in_file("srv/copy" + std::to_string(i) + "/.env", 5, 3,
                                           "AWS_ACCESS_KEY_ID=AKIA************MPLE", "AKIA************MPLE"));
  }
  report.findings = {everywhere};
  for (int i = 0; i < 29; ++i) {
    Finding one = private_key();
    one.fingerprint = fingerprint_of(std::to_string(i));
    report.findings.push_back(one);
  }
  report.coverage.skip({SkipReason::unreadable, "layer 1: etc/odd", "permission denied", 0});
  return report;
}

Report directory_report() {
  Report report = report_of("dir", "src");
  report.coverage.files = 41;
  report.coverage.bytes = 88123;
  report.coverage.texts = 60;
  report.coverage.skip({SkipReason::excluded, "node_modules", "matches an exclusion", 0});
  report.stale_ignores = {".gitleaksignore:4"};
  Finding finding = aws_key();
  finding.severity = Severity::medium;
  finding.locations[0] =
      in_file("src/set up/größe.py", -1, 12, "größe, key = 1, 'AKIA************MPLE'", "AKIA************MPLE");
  finding.locations[0].image = -1;
  report.findings = {finding};
  report.fail_on = Severity::high;
  return report;
}

Report platforms_report() {
  Report report = leaky_report();
  report.images.push_back(report.images[0]);
  report.images[1].platform = "linux/arm64/v8";
  report.images[1].digest = digest_of("arm");
  for (Finding& finding : report.findings) {
    Location other = finding.locations[0];
    other.image = 1;
    finding.locations.push_back(other);
  }
  report.coverage.unselected_blobs = 2;
  return report;
}

Report filled_report(const std::string& text) {
  Report report = image_report();
  report.target = text;
  report.engine = text;
  Image& image = report.images[0];
  image.name = text;
  image.platform = text;
  image.digest = text;
  image.history.assign(7, text);
  for (Layer& one : image.layers) {
    one.created_by = text;
    one.digest = text;
    one.media_type = text;
  }
  for (const Kind kind : {Kind::file, Kind::file_name, Kind::symlink_target, Kind::env, Kind::label, Kind::cmd,
                          Kind::history, Kind::annotation, Kind::attestation, Kind::config}) {
    Finding finding = aws_key();
    finding.fingerprint = fingerprint_of(to_string(kind));
    finding.rule = "rule-of-" + std::string(to_string(kind));
    finding.title = text;
    finding.description = text;
    finding.fix = text;
    finding.notes = {text};
    finding.tags = {text};
    finding.redacted = text;
    const bool configured = kind >= Kind::env;
    Location location =
        in_file(text, configured ? -1 : 3, 7, std::string(text).append("********").append(text), "********");
    location.entry.kind = kind;
    location.entry.inner = {text};
    location.entry.decoding = {text};
    location.entry.field = text;
    location.entry.history_index = kind == Kind::history ? 2 : -1;
    location.state = configured ? State::present : State::overwritten;
    location.changed_in = configured ? -1 : 5;
    finding.locations = {location, location};
    report.findings.push_back(finding);
  }
  report.coverage.skip({SkipReason::corrupt, text, text, 5});
  report.stale_ignores = {text};
  report.exit_code = 1;
  return report;
}

std::string hostile_text() {
  using namespace std::string_literals;
  return "::error file=x::no\x1b[2J\x1b]8;;http://evil.example\x07link\x1b]8;;\x07\xe2\x80\xaegnp.exe\xe2\x81\xa6 "
         "\xff\xfe\xc0\x80\xed\xa0\x80 a\0b\r\n::add-mask::x\n##vso[task.setvariable]##[command]x\xc2\x9b"
         "2J </script><!-- [link](http://evil.example) {0} ../.. %2e\xcc\x81\xe2\x80\x8b\xef\xbb\xbf \t\xc2\xa0::x"s;
}

std::vector<Sample> samples() {
  return {{"clean", clean_report()},
          {"leaky", leaky_report()},
          {"incomplete", incomplete_report()},
          {"long", long_report()},
          {"directory", directory_report()},
          {"platforms", platforms_report()},
          {"hostile", filled_report(hostile_text())},
          {"empty_strings", filled_report("")}};
}

}  // namespace scanner::report
