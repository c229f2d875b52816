#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "injector/render/render.h"
#include "tests/injector/render/readings.h"
#include "tests/support/temporary.h"

namespace injector::render {
namespace {

using ::testing::HasSubstr;
using tests::contents_of;
using tests::file_of;
using tests::reading;

std::string output_of(const std::string& command) {
  std::string out;
  std::array<char, 4096> buffer{};
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) out += buffer.data();
  return ::pclose(pipe) == 0 ? out : "failed: " + out;
}

/// A root, an intermediate and a leaf, made by openssl.
struct Chain {
  Chain() {
    const std::string at = "cd " + folder.path() + " && ";
    const auto run = [&](const std::string& command) {
      good = good && std::system((at + command + " 2>/dev/null").c_str()) == 0;
    };
    const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";
    run("openssl req -x509 " + key + "-keyout root.key -out root.crt -subj /CN=root -days 2");
    run("openssl req -x509 " + key + "-keyout mid.key -out mid.crt -subj /CN=mid -days 2 -CA root.crt -CAkey root.key");
    run("openssl req -x509 -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.crt -subj /CN=leaf -days 2 -CA mid.crt "
        "-CAkey mid.key");
    run("openssl ecparam -name prime256v1 -genkey -out ec.key");
    run("openssl rsa -in leaf.key -traditional -aes256 -passout pass:x -out encrypted.key");
  }
  [[nodiscard]] std::string of(const std::string& name) const { return contents_of(folder / name); }
  tests::TemporaryDirectory folder;
  bool good = true;
};

class Pem : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!chain_.good) GTEST_SKIP() << "SKIPPED: needs the openssl program";
  }

  /// The bundle of these members, or of one of them.
  std::string bundle(const std::map<std::string, std::string>& members, const std::string& key = "") {
    const Reading answer = reading(members);
    const Reading* readings[] = {&answer};
    const auto out = render(file_of(Format::pem, key), readings);
    return out ? std::string(out->contents.reveal()) : "error: " + out.error().message();
  }

  /// What openssl finds in it: the subjects in order, whether the key is the first certificate's.
  std::string seen(const std::string& bundle) {
    const std::string file = chain_.folder.write("bundle.pem", bundle);
    std::string out =
        output_of("openssl crl2pkcs7 -nocrl -certfile " + file + " | openssl pkcs7 -print_certs -noout | grep subject");
    if (bundle.find("PRIVATE KEY") == std::string::npos) return out;
    const bool fits = output_of("openssl pkey -passin pass:x -pubout -in " + file) ==
                      output_of("openssl x509 -noout -pubkey -in " + file);
    return out + (fits ? "key fits" : "key does not fit");
  }

  static std::string escaped(std::string text) {
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) text.replace(at, 1, "\\n");
    return text;
  }

  Chain chain_;
};

constexpr const char* kAll = "subject=CN = leaf\nsubject=CN = mid\nsubject=CN = root\nkey fits";

TEST_F(Pem, BundlesTheAnswerOfAPki) {
  const std::string list =
      R"([")" + escaped(chain_.of("mid.crt")) + R"(",")" + escaped(chain_.of("root.crt")) + R"("])";
  const std::string out = bundle({{"ca_chain", list},
                                  {"certificate", chain_.of("leaf.crt")},
                                  {"expiration", "1764000000"},
                                  {"issuing_ca", chain_.of("mid.crt")},
                                  {"private_key", chain_.of("leaf.key")},
                                  {"serial_number", "01:02"}});
  EXPECT_EQ(seen(out), kAll);
  EXPECT_TRUE(out.starts_with("-----BEGIN PRIVATE KEY-----\n"));
  EXPECT_EQ(out, chain_.of("leaf.key") + chain_.of("leaf.crt") + chain_.of("mid.crt") + chain_.of("root.crt"));
}

TEST_F(Pem, KnowsTheNamesThatOthersGive) {
  const std::string leaf = chain_.of("leaf.crt");
  const std::string mid = chain_.of("mid.crt");
  const std::string root = chain_.of("root.crt");
  const std::string key = chain_.of("leaf.key");
  EXPECT_EQ(seen(bundle({{"tls.key", key}, {"tls.crt", leaf + mid}, {"ca.crt", root}})), kAll);
  EXPECT_EQ(seen(bundle({{"privkey.pem", key},
                         {"fullchain.pem", leaf + mid},
                         {"chain.pem", mid},
                         {"cert.pem", leaf},
                         {"root.pem", root}})),
            kAll);
  EXPECT_EQ(seen(bundle({{"all", root.substr(0, 0) + leaf + key + mid + root}})), kAll);
  EXPECT_EQ(seen(bundle({{"certificate", key + leaf + mid}, {"issuing_ca", root}, {"private_key", key}})), kAll);
  EXPECT_EQ(seen(bundle({{"x", leaf}, {"intermediate", mid}, {"CA", root}})),
            "subject=CN = leaf\nsubject=CN = mid\nsubject=CN = root\n");
}

TEST_F(Pem, MendsWhatPastingDidToLines) {
  const std::string whole =
      chain_.of("leaf.key") + chain_.of("leaf.crt") + chain_.of("mid.crt") + chain_.of("root.crt");
  std::string spaces = whole;
  for (char& c : spaces) c = c == '\n' ? ' ' : c;
  std::string windows;
  for (const char c : whole) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(bundle({{"k", escaped(whole)}}, "k"), whole);
  EXPECT_EQ(bundle({{"k", spaces}}, "k"), whole);
  EXPECT_EQ(bundle({{"k", windows}}, "k"), whole);
  EXPECT_EQ(bundle({{"k", "Bag Attributes\n  friendlyName: x\n" + whole + "trailing"}}, "k"), whole);
}

TEST_F(Pem, KeepsKeysOfEveryKind) {
  const std::string encrypted = chain_.of("encrypted.key");
  EXPECT_EQ(bundle({{"k", encrypted}}), encrypted);
  EXPECT_THAT(encrypted, HasSubstr("Proc-Type: 4,ENCRYPTED"));
  const std::string ec = bundle({{"k", chain_.of("ec.key")}});
  EXPECT_TRUE(ec.starts_with("-----BEGIN EC PRIVATE KEY-----"));
  EXPECT_THAT(output_of("openssl pkey -noout -text -in " + chain_.folder.write("ec.pem", ec)), HasSubstr("prime256v1"));
}

}  // namespace
}  // namespace injector::render
