#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "scanner/judge/checks.h"
#include "scanner/judge/checks_azure.h"
#include "scanner/judge/decode.h"

namespace scanner::judge {
namespace {

using Answer = CheckResult::Answer;

CheckResult run(std::string_view check, std::string_view secret, std::string_view match, std::int64_t now = 0) {
  const Check function = find_check(check);
  EXPECT_NE(function, nullptr) << check;
  return function == nullptr ? CheckResult{} : function(secret, match, now);
}

Answer answer(std::string_view check, std::string_view secret) { return run(check, secret, secret).answer; }

/// `value` with the character at `at` replaced by another of the same class.
std::string altered(std::string value, std::size_t at) {
  char& c = value.at(at);
  if (c >= '0' && c <= '9') {
    c = c == '7' ? '3' : '7';
  } else if (c >= 'A' && c <= 'Z') {
    c = c == 'K' ? 'D' : 'K';
  } else {
    c = c == 'c' ? 'e' : 'c';
  }
  return value;
}

/// The checksum holds, and does not when any character of the body or of the checksum is another one.
void expect_checksum(std::string_view check, const std::string& value, std::size_t body) {
  EXPECT_EQ(answer(check, value), Answer::confirm) << check << " " << value;
  for (std::size_t at = body; at < value.size(); ++at) {
    EXPECT_NE(answer(check, altered(value, at)), Answer::confirm) << check << " altered at " << at;
  }
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_NE(answer(check, value.substr(0, size)), Answer::confirm) << check << " cut at " << size;
  }
}

// The values below were made of random bodies and checksums that Python's zlib, hashlib and plain transcriptions of the
// published algorithms computed.

TEST(Checksums, Crc32InBase62ConfirmsGithubStyleTokens) {
  expect_checksum("crc32-base62", "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", 4);
}

TEST(Checksums, Crc32InBase62IsPaddedWithZeros) {
  expect_checksum("crc32-base62", "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", 4);
}

TEST(Checksums, Crc32InBase62RefusesAMadeUpToken) {
  EXPECT_EQ(answer("crc32-base62", "ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), Answer::refuse);
  EXPECT_EQ(answer("crc32-base62", "ghp_000000"), Answer::refuse);
  EXPECT_EQ(answer("crc32-base62", "npm_"), Answer::refuse);
}

TEST(Checksums, Crc32InHexConfirmsWithAndWithoutAnUnderscoreOfItsOwn) {
  expect_checksum("crc32-hex", "cfut_0zkukGWmBWw6teJreWcC9NmAYznxXw0cKV17xNur5f022230", 5);
  expect_checksum("crc32-hex", "zpka_971722f244f58d669cbee3772a077021_bbd7311a", 5);
}

TEST(Checksums, Crc32InHexRefusesUpperCaseDigits) {
  std::string value = "zpka_971722f244f58d669cbee3772a077021_bbd7311a";
  value.replace(value.size() - 8, 8, "BBD7311A");
  EXPECT_EQ(answer("crc32-hex", value), Answer::refuse);
}

TEST(Checksums, GrafanaTokensCarryTheirCrc32LittleEndian) {
  expect_checksum("grafana-crc32", "glsa_E4v2tL4WFHgVDY8kxuaaUFoUpQC66gRM_8cd03f78", 0);
}

TEST(Checksums, AtlassianTokensCarryTheCrc32OfEverythingThroughTheEqualsSign) {
  expect_checksum("atlassian-crc32",
                  "ATATT3sqx6C7phDVOOvHsNZxV9uC61BULq-zRp7Lm0nXwas-JObR77e76zK7AN88UpFV5AreXQeUXoGcwe91wC9RXG"
                  "i8VlaKuc1cDHXEDJYaQhQX-W6BsZ50gGXKus1E9J4lItG5dk5jQVDjqJUKMq3MgqVYKDm4ySPwidTS3OpgZ8Zi=675A8D50",
                  0);
}

TEST(Checksums, ConfluentSecretsEndInTheBase64OfTheirCrc32) {
  expect_checksum("confluent-crc32", "cfltzqDOhWhEN3so3OxYgF3AZu3IqoPmn0pzlQY1wWmzAmka3p744b8VKk9D7bBw", 0);
}

TEST(Checksums, GitlabRoutableTokensCarryLengthAndCrc32OfAllBefore) {
  expect_checksum("gitlab-routable", "glpat-qy94nnNlSwwXffMl6dRjxG86MQp1OjQyCA.01.0y02uijsg", 0);
  expect_checksum("gitlab-routable", "glpat-qy94nnNlSwwXffMl6dRjxG86MQp1OjQyCA.0y11subuf", 0);
  expect_checksum("gitlab-routable", "glrt-t1_qy94nnNlSwwXffMl6dRjxG86MQp1OjQyCA.01.0y0qwxbus", 0);
}

TEST(Checksums, AzureDevOpsTokensCarryTheirCrc32InScatteredBytes) {
  // The last base32 character holds no bit of the 32 bytes, and the one before only some.
  for (const std::string value : {"7xgcmsycg3mvtihndf7t52ke5wrofwxekhzz7bd6rx4hvdhbe6ja",
                                  "7xgnmsycg3m7smhndf7t52ke5wrofwxekhzzzbd6rx4hvdhbe6ja"}) {
    EXPECT_EQ(answer("azure-devops-pat", value), Answer::confirm);
    for (std::size_t at = 0; at + 2 < value.size(); ++at) {
      std::string other = value;
      other[at] = other[at] == 'q' ? 'r' : 'q';
      EXPECT_EQ(answer("azure-devops-pat", other), Answer::refuse) << at;
    }
  }
  EXPECT_EQ(answer("azure-devops-pat", "7xgcmsycg3mvtihndf7t52ke5wrofwxekhzz7bd6rx4hvdhbe6j"), Answer::refuse);
}

TEST(Checksums, Marvin32GivesThePublishedVector) {
  EXPECT_EQ(marvin32("abc", 0xd53cd9cecd0893b7), 0x22c74339U ^ 0x492769bfU);
}

TEST(Checksums, AzureKeysConfirmByTheSeedOfTheirSignature) {
  for (const std::string value : {
           "i6ujKUZNdsRObSDU0Knu1B9p18cKwvQDtJjH1nD5cIvf+A7HrM9U70ENyQ0q20XsXRmFwqds6Kes+ASthsz44g==",
           "GrNyIxQPfmYKTnpA8jpv7oO8VTpTnzcNn8DLZSZ8NJo9FbHbvSOuBtf6Nt25607eWor37t+JpX0sACDba9dmiA==",
           "/aZd+Wy1hK6PjQVhK3vQ+nvz++UIL5Zxz3ycvPKw2am0AzFu87Hibw==",
           "oT1eYm73jZAzY5d0uFuaB0CMFxuVQPs0BpHw9eGuXhAzSeqpKj4R",
           "G01Mmyt/PNVzwubimNucHjJqbIcpUHpYJlAB0ebwlR+ACRAs7Plg",
           "Zdk6c0yISCQeVJ2T4D/vm86L/OApFN2lg+ASbc9d0+s=",
           "8OKOXN/7LvCy0aqkNVKo0v2TzRLoLaGBpAIoTEurzP4=",
       }) {
    EXPECT_EQ(answer("azure-marvin32", value), Answer::confirm) << value;
    std::string other = value;
    other[3] = other[3] == 'x' ? 'y' : 'x';
    EXPECT_EQ(answer("azure-marvin32", other), Answer::accept) << value;
  }
  EXPECT_EQ(answer("azure-marvin32", ""), Answer::accept);
}

TEST(Checksums, AzureAnnotatedKeysConfirmInBothEncodingsAndAreNeverRefused) {
  const std::string base64 = "XNdmVeSm3DHZ8xISuiV71ecpFjAJZ0ZQ5Erw7Ty7fr9VxjIWjHQrJQQJ99BCUUFTZ9OCwcWlAAAAAZMPVwbq";
  const std::string base62 = "XNdmVeSm3DHZ8xISuiV71ecpFjAJZ0ZQ5Erw7Ty7fr9VxjIWjHQrJQQJ99BCUUFTZ9OCwcWlAAAAAZMP2NVM";
  EXPECT_EQ(answer("azure-annotated-key", base64), Answer::confirm);
  EXPECT_EQ(answer("azure-annotated-key", base62), Answer::confirm);
  EXPECT_EQ(answer("azure-annotated-key", altered(base64, 83)), Answer::accept);
  EXPECT_EQ(answer("azure-annotated-key", altered(base64, 5)), Answer::accept);
  EXPECT_EQ(answer("azure-annotated-key", "short"), Answer::accept);
}

TEST(Checksums, EntraClientSecretsEndInThreeDigitsOfTheirMarvin32) {
  expect_checksum("entra-secret", "aB38Q~riJ2R_IaKM.t60SQW7PyEXD1fO9WXt-dh_", 0);
  EXPECT_EQ(answer("entra-secret",
                   "aB3"
                   "7Q~riJ2R_IaKM.t60SQW7PyEXD1fO9WXt-"),
            Answer::accept);
  EXPECT_EQ(answer("entra-secret",
                   "aB3"
                   "7Q~riJ2R_IaKM.t60SQW7PyEXD1fO9WXt-ab"),
            Answer::refuse);
}

TEST(Checksums, Bech32HoldsInEitherCaseAndInBothVersions) {
  const std::string age = "AGE-SECRET-KEY-1ZG4XUXAQF6FY7S4E94C5LZY0JW9MXXU2NPZ5RJKHMF06T2T9C0LFXGHV7A";
  EXPECT_EQ(answer("bech32", age), Answer::confirm);
  EXPECT_EQ(answer("bech32", "nsec1zg4xuxaqf6fy7s4e94c5lzy0jw9mxxu2npz5rjkhmf06t2t9c0lf0f0sdq"), Answer::confirm);
  EXPECT_EQ(answer("bech32", "nsec1zg4xuxaqf6fy7s4e94c5lzy0jw9mxxu2npz5rjkhmf06t2t9c0lf64lugz"), Answer::confirm);
  // BIP-173 and BIP-350.
  EXPECT_EQ(answer("bech32", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"), Answer::confirm);
  EXPECT_EQ(answer("bech32", "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx"), Answer::confirm);
  for (std::size_t at = 16; at < age.size(); ++at) {
    std::string other = age;
    other[at] = other[at] == 'Q' ? 'P' : 'Q';
    EXPECT_EQ(answer("bech32", other), Answer::refuse) << at;
  }
}

TEST(Checksums, Bech32RefusesMixedCaseAndWhatHasNoChecksum) {
  EXPECT_EQ(answer("bech32",
                   "a"
                   "sec1zg4xuxaqf6fy7s4e94c5lzy0jw9mxxu2npz5rjkhmf06t2t9c0lf0f0sdq"),
            Answer::refuse);
  EXPECT_EQ(answer("bech32",
                   "N"
                   "sec1zg4xuxaqf6fy7s4e94c5lzy0jw9mxxu2npz5rjkhmf06t2t9c0lf0f0sdq"),
            Answer::refuse);
  for (const auto* value : {"", "1", "nsec1", "1qqqqqq", "nsec1qqqqq", "nsec1bbbbbbbbbbbb", "nsec\x80q1qqqqqqqq"}) {
    EXPECT_EQ(answer("bech32", value), Answer::refuse) << value;
  }
}

TEST(Checksums, Base58CheckHoldsInBothAlphabets) {
  expect_checksum("base58check", "5JifLDra8nqvekMio9aLgXTuZLxNFTVKwz8wSbqGh8SqbBDDVDn", 0);
  expect_checksum("base58check", "L1CtBqjoFPLwocNTUgr9sTTkym5Nnov2dhC3Hzk4G7s3TSwVbCTM", 0);
  expect_checksum("base58check", "shMPA1RBzXTpZugpbA2NxtMubCQNb", 0);
}

TEST(Checksums, Base58CheckCountsLeadingZeros) {
  const std::string value = "11uNkYQV4LGwPjySkx8SbUinLk8T3KdFEB5ADRnXTFbCRZ1W5PS";
  EXPECT_EQ(answer("base58check", value), Answer::confirm);
  EXPECT_EQ(answer("base58check", value.substr(1)), Answer::refuse);
  EXPECT_EQ(answer("base58check", "1" + value), Answer::refuse);
}

TEST(Checksums, Base58CheckConfirmsThePublishedBip32Vector) {
  expect_checksum(
      "base58check",
      "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33"
      "yuGBxrMPHi",
      0);
}

TEST(Checksums, StellarSeedsConfirmAndPublicKeysAreRefused) {
  expect_checksum("strkey", "SB3OZAXLQICO5E2QEXRLBGOZQDUZUZOE643HTQ5XS6LQXSUMAQM743AK", 0);
  EXPECT_EQ(answer("strkey", "GB3OZAXLQICO5E2QEXRLBGOZQDUZUZOE643HTQ5XS6LQXSUMAQM757TV"), Answer::refuse);
}

TEST(Checksums, LuhnAcceptsARightSumAndRefusesTheOtherNineDigits) {
  // 4000 0012 3456 789x: from the right 18 16 .. as the algorithm of ISO 7812 sums them; 9 is the digit that fits.
  int accepted = 0;
  for (char digit = '0'; digit <= '9'; ++digit) {
    if (answer("luhn", "400000123456789" + std::string(1, digit)) == Answer::accept) ++accepted;
  }
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(answer("luhn", "4242 4242-4242 4242"), Answer::accept);
  EXPECT_EQ(answer("luhn", "4242424242424241"), Answer::refuse);
  EXPECT_EQ(answer("luhn", "0000000000000000"), Answer::refuse);
  EXPECT_EQ(answer("luhn", "42x2424242424242"), Answer::refuse);
  EXPECT_EQ(answer("luhn", "0"), Answer::refuse);
}

TEST(Decode, Base64TakesBothAlphabetsPaddedOrNot) {
  EXPECT_EQ(decode_base64("+/-_"), "\xfb\xff\xbf");
  EXPECT_EQ(decode_base64("Zm9vYg=="), "foob");
  EXPECT_EQ(decode_base64("Zm9vYg"), "foob");
  EXPECT_EQ(decode_base64(""), "");
  for (const auto* text : {"Z", "Zm9vY", "Zm 9v", "Zm9v=Zg", "Zm9v====", "Zm\x80v"})
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  EXPECT_EQ(encode_base64("foob"), "Zm9vYg==");
  EXPECT_EQ(encode_base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encode_base64("\xfb\xff\xbf"), "+/+/");
}

TEST(Decode, Base32GivesTheVectorsOfRfc4648) {
  EXPECT_EQ(decode_base32("MZXW6YTBOI"), "foobar");
  EXPECT_EQ(decode_base32("mzxw6ytb"), "fooba");
  EXPECT_EQ(decode_base32("MZXW1"), std::nullopt);
}

TEST(Decode, Base58GivesPublishedVectorsAndStopsAtItsLimit) {
  EXPECT_EQ(decode_base58("2NEpo7TZRRrLZSi2U"), "Hello World!");
  EXPECT_EQ(decode_base58("11233QC4"), std::string("\0\0\x28\x7f\xb4\xcd", 6));
  EXPECT_EQ(decode_base58("0"), std::nullopt);
  EXPECT_EQ(decode_base58(std::string(1001, 'z')), std::nullopt);
  EXPECT_NE(decode_base58(std::string(1000, 'z')), std::nullopt);
}

TEST(Decode, PercentLeavesWhatIsNoEscape) { EXPECT_EQ(decode_percent("a%2Bb%2fc%zz%4"), "a+b/c%zz%4"); }

TEST(Decode, NumbersAreBounded) {
  EXPECT_EQ(parse_number("zz", 36), 35U * 36 + 35);
  EXPECT_EQ(parse_number("18446744073709551615", 10), UINT64_MAX);
  EXPECT_EQ(parse_number("18446744073709551616", 10), std::nullopt);
  EXPECT_EQ(parse_number("", 10), std::nullopt);
  EXPECT_EQ(parse_number("1a", 10), std::nullopt);
}

}  // namespace
}  // namespace scanner::judge
