#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "scanner/judge/checks.h"
#include "scanner/judge/decode.h"

namespace scanner::judge {
namespace {

using Answer = CheckResult::Answer;

CheckResult run(std::string_view check, std::string_view secret, std::string_view match, std::int64_t now = 0) {
  const Check function = find_check(check);
  EXPECT_NE(function, nullptr) << check;
  return function == nullptr ? CheckResult{} : function(secret, match, now);
}

CheckResult pem(std::string_view text) { return run("pem-private-key", text, text); }
CheckResult pgp(std::string_view text) { return run("pgp-private-key", text, text); }

/// Severity medium and a note: what every key with a passphrase gets.
void expect_protected(const CheckResult& result) {
  EXPECT_NE(result.answer, Answer::refuse);
  EXPECT_TRUE(result.has_severity);
  EXPECT_EQ(result.severity, Severity::medium);
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_EQ(result.notes[0], "protected by a passphrase");
}

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what)) {
    out += std::string(text.substr(0, at)) + std::string(with);
    text.remove_prefix(at + what.size());
  }
  return out + std::string(text);
}

/// `key` with the bytes of its body changed by `change`.
template <typename Change>
std::string with_body(std::string_view key, Change change) {
  const auto begin = key.find('\n') + 1;
  const auto end = key.rfind("\n-----END");
  std::string bytes = *decode_base64(replaced(key.substr(begin, end - begin), "\n", ""));
  change(bytes);
  return std::string(key.substr(0, begin)) + encode_base64(bytes) + std::string(key.substr(end));
}

// Throw-away keys that OpenSSL, ssh-keygen and GnuPG made for these tests.

constexpr std::string_view kEc = R"(-----BEGIN EC PRIVATE KEY-----
MHcCAQEEICnhLv97T8rW4dlexu/2BGKnnatSAyaOSMx+JUy1QC5+oAoGCCqGSM49
AwEHoUQDQgAEUH9qJW/QI/7de4a7yIJRp6rwpy0itfX1O6+4i/dECWu4KEyV9VMB
zjGf8nv4p7ejXeqP+8RPlMhc9vQOeP5ESA==
-----END EC PRIVATE KEY-----)";
constexpr std::string_view kEd25519 = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIN3AjiBQ4VeMFdjP8ai46JCbnv+WvMwJqQDlsi9NUslK
-----END PRIVATE KEY-----)";
constexpr std::string_view kRsa = R"(-----BEGIN RSA PRIVATE KEY-----
MIICXgIBAAKBgQCtG7fb92tSK5on1Wp5iW3ZKeaHyz9lHnaQI617oh9x5mpZ9OHT
hFomsDMKJeM8tKs8ijAdddBJ48zef58byoUqaiydx/KlH157l5bRscE1Kt6gAAHN
ZCXCQTUkx+IA1BU5bRP1bo7gd+2BY1nvGIVHNEqU/f+ZTSGUv+iPM0tZawIDAQAB
AoGBAKeK+kp1j3O6K7t9/U2gS6cxvKOVfcga0dn0DgZpBVIyFqD2OFOF99MWGnAp
92Nb4Zf4j1UUIAJD7pcyogY93t90hw1lMUbQ+QDODY8oKfor1ZyoB397mygDHwYe
aCgZ4zxs0LnakyZXiGA2znHblCi7SPzeo89qcPzV4YIuXfjRAkEA22vF87A10iMF
TM1idfmlkn46jvzNn+EGJGiUM6UOq1lhnK6lsawS14BJlIxefWF53udfIb0riVL7
wDHA2GSxDwJBAMn3dTKeAJQcvcnmyX6YFKk9VorPAAdRsRXN/Q0pdVXRZMoWQsDD
tORCiOzw1hrabWbAVc1niwhT4jUZpWgpmeUCQQDMo60Q42yuuR6+TGbh5J05DSUM
KlaUH8gcuLRPnkcaI9hXysKZ/APunKUDOA8AHKMO8vbUfptWDeDhlQVoTDCdAkEA
vTPALBoOqrI+La2xp5GrEVyv/TusaC7keWvOmwzyqeGOzS6LfHAavxeBlI6N1Pw5
LuARwWo1uihzKpGK/giy7QJALg421OHa5ObOgH0mnJJD4XzUu8Ux6w8hURSh3uds
9N/Wb5BCvDBIZ5gY9hRLDkp2cbcTn88tG1qd/ruAgzbj3w==
-----END RSA PRIVATE KEY-----)";
constexpr std::string_view kRsaPkcs8 = R"(-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALxzm4HVkEI34G2B
h0m7bncO+ehZvoufSas5y0tZSZZVX1KSRh3yNzpPxYtjMggMuLLESUP+7JuCr2w/
2ygDJSK3Mo4Gm3Slimts9HgABUJBOP2fK6WdA6yY7DR+/cZzAFxvtaW4c/pYQ04r
QK4u6bA3blh9AJqRnzNge3o6pCZ9AgMBAAECgYBj6MKkFc5SXP9d7xMDkxwggM8b
USEFMuDCp3RRMTgjPIW56BTGYZjIEGzB1kg7Hkt5czkIlIlqdOF9+Wi+ENTJZuZS
OGsXuXwkAiM+ONoav2NudVOGNiBhy3ta2xtDisW6jXLCwIbBHxPywGF3i2ax/utG
x1omo+gOQpKyfXm9/QJBAOKXqlDn11z+Gkk3IiLIWwXZTBFnTfvM644GCE4Pbsx4
mohhztb8Q+TII1Rgzph7Y+fnDCdx7xeXH13QAnq0P4sCQQDU6L7z8aMKd3Rg6BbN
E9oVdtwN0oWMqukgFLatEM4RdajI8I/Z9ps+EBcGQ38ICSezuxji7U+5FNxAnNPA
lXMXAkEA0UcErb7DIQcrXe3G4Fst/mPoprZDx0lHUZ/usbH9QmotR8MWF2dciYPz
ZW4XwatM5ZV2m0PWcHJKLQn+EDhD6wJAWBGSc0vfukOhUziNvfTZQAmzitArR/2m
gwuuaLZL1zMJR10i0/FLVAfJzmB7GnLXBmR9LdkmIhP764ozmTT4rwJAJyx2UPiC
147ihruwu56oq8dxd8JKcKI83BVV0vwNJQo+p94+tl45acyAg8r3Z2Ze3WhYQLlj
LFP7Zg5CqL95xw==
-----END PRIVATE KEY-----)";
constexpr std::string_view kDsa = R"(-----BEGIN DSA PRIVATE KEY-----
MIIBzAIBAAKBgQDOuu7n4k2l+j8uCsccJDcC5LLw7CJxyhnfcMcCIdCnemSKSr08
0fBxZunVb5urWRhRW/Yn62Fokn8WxacSvwTU0oujaCsdSTaU/2O38Uxg/DbXlnq0
j8WzApe3yR5JiGtqN5Vdehyu7CdJDB2eLNfyUfLPzwgPYkkGv+coOBd+pwIdAI27
0pI+tYINAlWRdm3oPKoFl1xPEJcgxidxM9UCgYBEitsf4Hg88j9mTO0JgbhXSgL0
W9egvYOnq8tst4fjJZtCBVUNT5SLNYRcA1AMcQZhdebqfp9ikUDs+blj03ArkEqd
5KG31E8cXisterFUsO88yFu2f3CCRVimMyjsvqDryQgoLqTctXuFoXu3Mi+m3RKu
f3mWdWv77WDU7Z84gAKBgQCR+0r0vwKzR/0Ru+15AHcWLzXoQHLISLKPliFBZTjV
hDWGUfsQ8HVwdrv6euUJi3cHDXxDb3GJMpbVFm86OfQi9c0Pm/WCT/h6+K6Zb+a5
ehgbWiazkPhspns2OPkfwZcaxb8BFG53AIuX7LyTbsNlk2acvzlkqtM96rf74O1P
GQIdAImnnbzloZn6ykMbk4uKXwExRX9f2t+hNQer4EY=
-----END DSA PRIVATE KEY-----)";
constexpr std::string_view kEncryptedPkcs8 = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiaHi1Jm9aYeQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEKdACQxtWeEnCiagKme6Wx0EgZDI
lKsz6dLTCvUEvsiSWCXMI5N0kY1+lTahsrhAmd7p03E1X+iyDsISWy5/pOsvtSj9
NUbvZXzmzu9TBrRH/zsH9sg0dygXWTB5P6CbS82FHohalhvQuRvOksjbraHOnn37
ttpx+wRdQxmQGMdxkzKkgyqyqRdAFmuts8PqydEQ4M5QMdWnFPJiV9D3D7fQPE4=
-----END ENCRYPTED PRIVATE KEY-----)";
constexpr std::string_view kEncryptedEc = R"(-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,FC89765DAFCC5CA5B918C665CDBA2091

LU0iQWuZhjHKZ+Ed5nUM37//YMfYAYK2WlIJUWT5TUkk1Zc3qhqMNA1t+QGH0DbG
3kBgjvPWfu58S8JGpkRfondFDk8iPDRAEArwJtZhPYn/QEdW4PgcIDSFP9AlY6NV
g0+CO3Zm/1EOfA1KkZb5/Q5r7PcnYSbGmRRR5Ofzn9M=
-----END EC PRIVATE KEY-----)";
constexpr std::string_view kOpenSsh = R"(-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACBEHuVOLclg++L5b/KLxJFeqSAcECSxTsz/P0i1+6cJqQAAAIh5DCWLeQwl
iwAAAAtzc2gtZWQyNTUxOQAAACBEHuVOLclg++L5b/KLxJFeqSAcECSxTsz/P0i1+6cJqQ
AAAEB3Wak8QqP84nzzvduQRr4gtls98CEVllHDyExCBU59KkQe5U4tyWD74vlv8ovEkV6p
IBwQJLFOzP8/SLX7pwmpAAAAAXQBAgME
-----END OPENSSH PRIVATE KEY-----)";
constexpr std::string_view kOpenSshProtected = R"(-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABA39cJPbA
6T3u3C+Mm67tVBAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIKn2r+NBqUI5QBQ/
xgLbatmDVt/gCop3jUADxhLZaha7AAAAkNTLqblXV+CKvTMR2CzUEzdRFhtwNel8K62WTm
Fw4Kneyu6tT869S2rY9U5sGoC/Fxk7xyEQN6YAvtRW6lzJgVg+yxGX/ZIQRaoVcpvhkj1k
xuGVMIhYlcPcd1L8s1L0aA0vNmA64XocUMRG74LRseBXCaB4Lle0iDcbfChcqd9JSui6Kq
c4aVkCEUszatMAJw==
-----END OPENSSH PRIVATE KEY-----)";
constexpr std::string_view kPgp = R"(-----BEGIN PGP PRIVATE KEY BLOCK-----

lFgEawVWzxYJKwYBBAHaRw8BAQdAw3HkSBINSUKz/Kn7G9N4BNnb2Bf5mejz6Oqo
CLVopBAAAQDgLq1cHA7Y6dy8kqxGPs7l6m+W/WmRWtsGDflC6p4V8RIHtAlBIDxh
QGIuYz6IkAQTFggAOBYhBCn1Iij77USgrJ2Zyf7f3rr89YfiBQJrBVbPAhsDBQsJ
CAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJEP7f3rr89YfiQsEA/2gBlWFq5sRY7n5Q
CaCEUgRLv6iY656sIKiqNHzgngQPAQDyg2xio01SQ/haewgfw2ziW1yTC4iY1dcC
b8r0K6JsBw==
=rsxf
-----END PGP PRIVATE KEY BLOCK-----)";
constexpr std::string_view kPgpProtected = R"(-----BEGIN PGP PRIVATE KEY BLOCK-----

lIYEawVWzxYJKwYBBAHaRw8BAQdAZDEhCymqBnK8O+MF05f6agoPFx6geDQ7IR5U
p53xDvX+BwMCLwfujG53i8r/VegifxJHOL0VWx9he5NOP40BXml9jkFLP45jyK/A
eze/PCWbTJh1YAxDqr3/FmjYfpXlCM2LFD7iMfDnfD0J3IzzNUz3kLQJQiA8YkBi
LmM+iJAEExYIADgWIQQbpHZnocU14bnB+8Xzt0WsXNus1QUCawVWzwIbAwULCQgH
AgYVCgkICwIEFgIDAQIeAQIXgAAKCRDzt0WsXNus1dvxAQDe0sHO5rsqVLiEVJ4U
DdUwUgrnD9t5rIqgWxWcqrcylwEA8JuwYZmVboTmeU3mu978syjilxMmTfQgU1i4
++TFrgo=
=drur
-----END PGP PRIVATE KEY BLOCK-----)";

TEST(PemPrivateKey, ConfirmsEveryFormOfKeyInTheClear) {
  for (const auto key : {kEc, kEd25519, kRsa, kRsaPkcs8, kDsa, kOpenSsh}) {
    const auto result = pem(key);
    EXPECT_EQ(result.answer, Answer::confirm) << key.substr(0, 40);
    EXPECT_FALSE(result.has_severity);
    EXPECT_TRUE(result.notes.empty());
  }
}

TEST(PemPrivateKey, LowersTheSeverityOfProtectedKeys) {
  for (const auto key : {kEncryptedPkcs8, kEncryptedEc, kOpenSshProtected}) expect_protected(pem(key));
}

TEST(PemPrivateKey, ReadsKeysAsPeopleWriteThemIntoOtherFiles) {
  const auto spelt_out = replaced(kEc, "\n", "\\n");
  const std::vector<std::string> forms = {
      replaced(kEc, "\n", "\r\n"),
      spelt_out,
      replaced(kEc, "\n", "\\\\n"),
      replaced(kEc, "\n", "\\r\\n"),
      replaced(kEc, "\n", " "),
      replaced(kEc, "\n", "\n      "),
      replaced(kEc, "\n", "\n# "),
      replaced(replaced(kEc, "+", "\\u002b"), "\n", "\\n"),
      replaced(replaced(kEc, "/", "\\/"), "\n", "\\n"),
      "key = \"" + replaced(kEc, "\n", "\\n\" +\n    \"") + "\";",
      "key = '" + replaced(kEc, "\n", "',\n  '") + "'",
      "key = \"" + replaced(kEc, "\n", "\\n\\\n") + "\"",
      R"({"key":")" + spelt_out + R"("})",
  };
  for (const auto& form : forms) EXPECT_EQ(pem(form).answer, Answer::confirm) << form;
}

TEST(PemPrivateKey, ReadsTheHeadersOfProtectedKeysWithSpeltOutLineEnds) {
  expect_protected(pem(replaced(kEncryptedEc, "\n", "\\n")));
}

TEST(PemPrivateKey, ReadsAKeyThatIsWrappedInBase64) {
  EXPECT_EQ(pem(encode_base64(kEd25519)).answer, Answer::confirm);
  EXPECT_EQ(pem(encode_base64(kEd25519).substr(0, 60)).answer, Answer::refuse);
}

TEST(PemPrivateKey, LooksIntoTheMatchWhenTheSecretIsTheBodyAlone) {
  const auto body = kEd25519.substr(28, 64);
  EXPECT_EQ(run("pem-private-key", body, kEd25519).answer, Answer::confirm);
}

TEST(PemPrivateKey, RefusesWhatIsNoWholeKey) {
  const std::vector<std::string> texts = {
      "",
      "-----BEGIN RSA PRIVATE KEY-----",
      "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
      "if (text.startsWith(\"-----BEGIN PRIVATE KEY-----\") && text.endsWith(\"-----END PRIVATE KEY-----\"))",
      "-----BEGIN PRIVATE KEY-----\nMIIEvQ...\n-----END PRIVATE KEY-----",
      "-----BEGIN PRIVATE KEY-----\n${KEY}\n-----END PRIVATE KEY-----",
      "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5IGF0IGFsbCwganVzdCB0ZXh0\n-----END PRIVATE KEY-----",
      replaced(kEc, "END EC", "END RSA"),
      std::string(kEc.substr(0, kEc.size() - 30)),
      replaced(kEc, "PRIVATE", "PUBLIC"),
      std::string(kPgp),
  };
  for (const auto& text : texts) EXPECT_EQ(pem(text).answer, Answer::refuse) << text;
}

TEST(PemPrivateKey, RefusesBodiesThatAreCutOrPadded) {
  for (const auto key : {kEc, kEd25519, kRsa, kRsaPkcs8, kDsa, kOpenSsh}) {
    EXPECT_EQ(pem(with_body(key, [](std::string& bytes) { bytes.resize(bytes.size() - 30); })).answer, Answer::refuse);
    EXPECT_EQ(pem(with_body(key, [](std::string& bytes) { bytes.erase(0, 3); })).answer, Answer::refuse);
  }
  EXPECT_EQ(pem(with_body(kEc, [](std::string& bytes) { bytes += "xyz"; })).answer, Answer::refuse);
}

TEST(PemPrivateKey, RefusesAnRsaKeyWhoseModulusIsNotTheProductOfItsPrimes) {
  constexpr std::size_t kInsideModulus = 20;
  EXPECT_EQ(pem(with_body(kRsa, [](std::string& bytes) { bytes[kInsideModulus] ^= 1; })).answer, Answer::refuse);
}

TEST(PemPrivateKey, RefusesAnOpenSshKeyWhoseCheckNumbersDiffer) {
  constexpr std::size_t kFirstCheckNumber = 98;
  EXPECT_EQ(pem(with_body(kOpenSsh, [](std::string& bytes) { bytes[kFirstCheckNumber] ^= 1; })).answer, Answer::refuse);
}

TEST(PemPrivateKey, SurvivesEveryCutAndEveryChangedByte) {
  for (const auto key : {kEc, kEd25519, kOpenSsh, kOpenSshProtected, kEncryptedPkcs8}) {
    const auto body_size = decode_base64(encode_base64(key))->size() / 2;
    for (std::size_t at = 0; at < body_size; ++at) {
      const auto mangled = with_body(key, [at](std::string& bytes) {
        bytes[at % bytes.size()] = '\xff';
        if (at % 3 == 0) bytes.resize(at % bytes.size());
      });
      EXPECT_LE(pem(mangled + "-").notes.size(), 1U);
    }
  }
}

TEST(PgpPrivateKey, ConfirmsAKeyWithItsCrc24) {
  const auto result = pgp(kPgp);
  EXPECT_EQ(result.answer, Answer::confirm);
  EXPECT_FALSE(result.has_severity);
  EXPECT_EQ(pgp(replaced(kPgp, "\n", "\\n")).answer, Answer::confirm);
  EXPECT_EQ(pgp(replaced(kPgp, "BLOCK-----\n\n", "BLOCK-----\nVersion: GnuPG v2\nComment: none\n\n")).answer,
            Answer::confirm);
}

TEST(PgpPrivateKey, LowersTheSeverityOfAProtectedKey) { expect_protected(pgp(kPgpProtected)); }

TEST(PgpPrivateKey, AcceptsAKeyWithoutACrc) { EXPECT_EQ(pgp(replaced(kPgp, "\n=rsxf", "")).answer, Answer::accept); }

TEST(PgpPrivateKey, RefusesAWrongCrcAndOtherPackets) {
  EXPECT_EQ(pgp(replaced(kPgp, "=rsxf", "=rsxg")).answer, Answer::refuse);
  EXPECT_EQ(pgp(replaced(kPgp, "lFgEa", "mFgEa")).answer, Answer::refuse);  // tag 6, a public key
  EXPECT_EQ(pgp("-----BEGIN PGP PRIVATE KEY BLOCK-----\n-----END PGP PRIVATE KEY BLOCK-----").answer, Answer::refuse);
  EXPECT_EQ(pgp("").answer, Answer::refuse);
}

TEST(PuttyKey, TellsProtectedFromUnprotected) {
  const std::string file =
      "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: me\nPublic-Lines: 2\nAAAA\nPrivate-Lines: "
      "1\nAAAA\nPrivate-MAC: 00";
  EXPECT_EQ(run("putty-key", "ssh-ed25519", file).answer, Answer::confirm);
  expect_protected(run("putty-key", file, replaced(file, "none", "aes256-cbc")));
  EXPECT_EQ(run("putty-key", "PuTTY-User-Key-File-3: ssh-rsa", "PuTTY-User-Key-File-3: ssh-rsa").answer,
            Answer::accept);
  EXPECT_EQ(run("putty-key", "Encryption: none", "Encryption: none").answer, Answer::refuse);
}

std::string service_account(std::string_view key_id, std::string_view key) {
  return R"({"type": "service_account", "project_id": "acme-prod", "private_key_id": ")" + std::string(key_id) +
         R"(", "private_key": ")" + replaced(key, "\n", "\\n") +
         R"(\n", "client_email": "robot@acme-prod.iam.gserviceaccount.com", "client_id": "1"})";
}

constexpr std::string_view kKeyId = "0b9c6f1d2e3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c";

TEST(GcpServiceAccount, ConfirmsAndNotesTheProject) {
  const auto text = service_account(kKeyId, kRsaPkcs8);
  const auto result = run("gcp-service-account", "service_account", text);
  EXPECT_EQ(result.answer, Answer::confirm);
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_EQ(result.notes[0], "service account of acme-prod.iam.gserviceaccount.com");
}

TEST(GcpServiceAccount, ReadsJsonInsideAString) {
  const auto text = replaced(replaced(service_account(kKeyId, kRsaPkcs8), "\\", "\\\\"), "\"", "\\\"");
  EXPECT_EQ(run("gcp-service-account", "service_account", text).answer, Answer::confirm);
}

TEST(GcpServiceAccount, RefusesSamplesAndOtherDocuments) {
  const auto refused = [](std::string_view text) {
    return run("gcp-service-account", text, text).answer == Answer::refuse;
  };
  EXPECT_TRUE(refused(service_account("key-id", kRsaPkcs8)));
  EXPECT_TRUE(refused(service_account(kKeyId, "-----BEGIN PRIVATE KEY-----\nPRIVATE_KEY\n-----END PRIVATE KEY-----")));
  EXPECT_TRUE(refused(replaced(service_account(kKeyId, kRsaPkcs8), "service_account", "authorized_user")));
  EXPECT_TRUE(refused(R"("type": "service_account")"));
  EXPECT_TRUE(refused(""));
}

}  // namespace
}  // namespace scanner::judge
