#include "injector/backend/vault/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "injector/backend/vault/base64.h"
#include "injector/backend/vault/cluster.h"
#include "injector/backend/vault/json_text.h"
#include "injector/backend/vault/reading_of.h"

namespace injector::backend::vault {
namespace {

using memory::Secret;
using scanner::base::Errc;
using std::chrono::seconds;
using std::chrono::system_clock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Answer answer(int status, std::string_view body) { return Answer::of(status, Secret::copy_of(body)); }

system_clock::time_point at(std::time_t time) { return system_clock::from_time_t(time); }

std::string value_of(const Reading& reading, const std::string& name) {
  for (const auto& member : reading.members) {
    if (member.name == name) return std::string(member.value.reveal());
  }
  return "(none)";
}

TEST(Answer, TakesTheEnvelopeApart) {
  const auto it = answer(200, R"({"request_id":"r-1","lease_id":"database/creds/app/x","lease_duration":3600,
      "renewable":true,"data":{"username":"u"},"warnings":["mind the gap"],"auth":null,"wrap_info":null})");
  EXPECT_TRUE(it.ok());
  EXPECT_EQ(it.request_id(), "r-1");
  ASSERT_TRUE(it.lease());
  EXPECT_EQ(it.lease()->id, "database/creds/app/x");
  EXPECT_EQ(it.lease()->duration, seconds(3600));
  EXPECT_TRUE(it.lease()->renewable);
  EXPECT_THAT(it.warnings(), ElementsAre("mind the gap"));
  EXPECT_FALSE(it.grant());
  EXPECT_FALSE(it.wrap());
}

TEST(Answer, HasNoLeaseWithoutAnId) {
  EXPECT_FALSE(answer(200, R"({"lease_id":"","lease_duration":2764800,"data":{}})").lease());
}

TEST(Answer, TakesAGrantWithNumbersOrTexts) {
  const auto it = answer(200, R"({"auth":{"client_token":"s.abc","lease_duration":"600","renewable":true,"num_uses":3,
      "token_type":"service"}})");
  const auto grant = it.grant();
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->token.reveal(), "s.abc");
  EXPECT_EQ(grant->duration, seconds(600));
  EXPECT_EQ(grant->uses, 3);
  EXPECT_FALSE(grant->batch);
}

TEST(Answer, TakesNoTokenThatWouldEndItsHeader) {
  EXPECT_FALSE(answer(200, R"({"auth":{"client_token":"s.a\r\nX-Evil: 1"}})").grant());
  EXPECT_FALSE(answer(200, R"({"auth":{"client_token":""}})").grant());
  EXPECT_FALSE(answer(200, R"({"auth":{"client_token":7}})").grant());
}

TEST(Answer, IsNotKnownWhenSomethingElseAnswers) {
  EXPECT_FALSE(answer(200, "<html>sign in</html>").known());
  EXPECT_FALSE(answer(200, "[]").known());
  EXPECT_FALSE(answer(200, R"({"data":)").known());
  EXPECT_TRUE(answer(204, "").known());
}

TEST(Answer, MapsEveryStatusToWhoMayMendIt) {
  const std::pair<int, Errc> rows[] = {
      {400, Errc::config}, {401, Errc::denied}, {403, Errc::denied}, {404, Errc::missing}, {405, Errc::config},
      {408, Errc::away},   {412, Errc::away},   {413, Errc::config}, {415, Errc::config},  {425, Errc::away},
      {429, Errc::away},   {472, Errc::away},   {473, Errc::away},   {474, Errc::away},    {500, Errc::away},
      {501, Errc::away},   {502, Errc::away},   {503, Errc::away},   {504, Errc::away},    {530, Errc::away},
      {301, Errc::away},   {302, Errc::away},   {308, Errc::away},   {201, Errc::away},    {418, Errc::away},
  };
  for (const auto& [status, code] : rows) {
    for (const auto* body : {R"({"errors":[]})", "", "<html>", R"({"errors":["x"]})"}) {
      EXPECT_EQ(error_of(answer(status, body), "reading kv/a").code(), code) << status;
    }
  }
}

TEST(Answer, SpeaksOfErrorsInItsOwnWords) {
  const auto error = error_of(
      answer(400, R"({"errors":["failed: role \"web\" could not be found; jwt was canary-7f3a9b"]})"), "logging in");
  EXPECT_EQ(error.message(), "logging in: HTTP 400, there is no such role");
  const auto other = error_of(answer(500, R"({"errors":["pq: password canary-7f3a9b is wrong"]})"), "reading db");
  EXPECT_THAT(other.message(), Not(HasSubstr("canary")));
  EXPECT_EQ(other.message(), "reading db: HTTP 500");
}

TEST(Answer, CutsWarningsAndIdentifiers) {
  const auto it = answer(200, R"({"request_id":"a\nb","lease_id":"l\u0000","warnings":["one\ntwo",3,""]})");
  EXPECT_EQ(it.request_id(), "");
  EXPECT_FALSE(it.lease());
  EXPECT_THAT(it.warnings(), ElementsAre("one?two"));
}

TEST(Durations, AreNumbersTextsAndGos) {
  const auto read = [](const std::string& json) {
    const auto it = answer(200, R"({"d":)" + json + "}");
    return duration_of(it.root()["d"]);
  };
  EXPECT_EQ(read("60"), seconds(60));
  EXPECT_EQ(read("\"60\""), seconds(60));
  EXPECT_EQ(read("\"1h2m3.5s\""), seconds(3723));
  EXPECT_EQ(read("\"500ms\""), seconds(0));
  EXPECT_EQ(read("-5"), seconds(0));
  EXPECT_EQ(read("null"), std::nullopt);
  EXPECT_EQ(read("\"soon\""), std::nullopt);
  EXPECT_EQ(read("\"1x\""), std::nullopt);
  EXPECT_EQ(read("9223372036854775807"), seconds(3'155'760'000));
  EXPECT_EQ(read("\"99999999999999h\""), seconds(3'155'760'000));
}

TEST(Times, AreReadAsGoWritesThem) {
  EXPECT_EQ(time_of("2026-11-24T12:00:00Z"), at(1'795'521'600));
  EXPECT_EQ(time_of("2026-11-24T12:00:00.123456789Z"), at(1'795'521'600));
  EXPECT_EQ(time_of("2026-11-24T14:00:00+02:00"), at(1'795'521'600));
  EXPECT_EQ(time_of("0001-01-01T00:00:00Z"), std::nullopt);
  EXPECT_EQ(time_of(""), std::nullopt);
  EXPECT_EQ(time_of("2026-11-24T12:00:00+2:00"), std::nullopt);
  EXPECT_EQ(time_of("9999-11-24T12:00:00Z"), std::nullopt);
}

TEST(HttpDates, AreReadInTheOneFormThatServersWrite) {
  EXPECT_EQ(http_date("Tue, 24 Nov 2026 12:00:20 GMT"), at(1'795'521'620));
  EXPECT_EQ(http_date("Tue, 24 Nov 2026 12:00:20 GMT+1"), std::nullopt);
  EXPECT_EQ(http_date("soon"), std::nullopt);
  EXPECT_EQ(http_date(""), std::nullopt);
}

TEST(Base64, GoesThereAndBack) {
  for (const std::string text : {"", "a", "ab", "abc", "abcd", "\xff\xfe\x00z"}) {
    const auto back = from_base64(base64(text).reveal());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->reveal(), text);
  }
  EXPECT_EQ(base64("hello").reveal(), "aGVsbG8=");
}

TEST(Base64, TakesNothingElse) {
  for (const auto* text : {"a", "ab=", "ab*d", "====", "a===", "YQ==YQ==", "Y Q="}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

TEST(JsonObject, EscapesWhatJsonWants) {
  EXPECT_EQ(json_object(Field{"a", "x\"\\\n\x01"}, Field{"n", "[1]", Field::Kind::json}).reveal(),
            R"({"a":"x\"\\\n\u0001","n":[1]})");
  EXPECT_EQ(json_object(std::span<const Field>()).reveal(), "{}");
}

// Readings.

constexpr auto kKv2 = R"({"request_id":"r","lease_id":"","renewable":false,"lease_duration":0,"data":{
    "data":{"password":"p1","port":5432,"tags":["a"]},"metadata":{"version":3,"created_time":"2026-11-24T12:00:00Z",
    "deletion_time":"","destroyed":false,"custom_metadata":null}},"warnings":null})";

TEST(ReadingOf, TakesKv2ByItsVersion) {
  const auto reading = reading_of(answer(200, kKv2), Query{.path = "kv/a"}, Engine::kv2, at(0));
  ASSERT_TRUE(reading) << reading.error().message();
  EXPECT_EQ(reading->version, "3");
  EXPECT_EQ(value_of(*reading, "password"), "p1");
  EXPECT_EQ(value_of(*reading, "port"), "5432");
  EXPECT_EQ(value_of(*reading, "tags"), R"(["a"])");
  EXPECT_EQ(reading->document.reveal(), R"({"password":"p1","port":5432,"tags":["a"]})");
  EXPECT_FALSE(reading->lease);
  EXPECT_FALSE(reading->expires);
}

TEST(ReadingOf, TellsADeletedVersionFromOneThatNeverWas) {
  const Query query{.path = "kv/a"};
  const auto deleted = absence_of(answer(404, R"({"data":{"data":null,"metadata":{"version":2,
      "deletion_time":"2026-11-24T12:00:00Z","destroyed":false}}})"),
                                  query, Engine::kv2);
  EXPECT_EQ(deleted.code(), Errc::missing);
  EXPECT_EQ(deleted.message(), "reading kv/a: version 2 was deleted, and can be brought back");
  const auto destroyed = absence_of(answer(404, R"({"data":{"data":null,"metadata":{"version":2,
      "deletion_time":"","destroyed":true}}})"),
                                    query, Engine::kv2);
  EXPECT_EQ(destroyed.message(), "reading kv/a: version 2 was destroyed");
  const auto never = absence_of(answer(404, R"({"errors":[]})"), query, Engine::kv2);
  EXPECT_EQ(never.message(), "reading kv/a: there is nothing at this path");
}

TEST(ReadingOf, NeverMakesAnEmptyReadingOfAnAnswerWithoutData) {
  for (const auto* body : {R"({})", R"({"data":null})", R"({"data":[]})", R"({"data":"x"})", R"({"data":7})"}) {
    const auto plain = reading_of(answer(200, body), Query{.path = "kv/a"}, Engine::plain, at(0));
    ASSERT_FALSE(plain) << body;
    EXPECT_EQ(plain.error().code(), Errc::away);
    EXPECT_FALSE(reading_of(answer(200, body), Query{.path = "kv/a"}, Engine::kv2, at(0)));
  }
  EXPECT_EQ(reading_of(answer(204, ""), Query{.path = "x", .write = true}, Engine::plain, at(0)).error().code(),
            Errc::config);
}

TEST(ReadingOf, TakesACertificateUntilItsExpiration) {
  const auto reading = reading_of(answer(200, R"({"lease_id":"","data":{"certificate":"C","private_key":"K",
      "ca_chain":["A","B"],"serial_number":"11:22","expiration":1795525200}})"),
                                  Query{.path = "pki/issue/web", .write = true}, Engine::plain, at(0));
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->version, "11:22");
  EXPECT_EQ(reading->expires, at(1'795'525'200));
  EXPECT_EQ(value_of(*reading, "ca_chain"), R"(["A","B"])");
}

TEST(ReadingOf, AsksForAStaticCredentialAgainASecondAfterItsRotation) {
  const auto body = R"({"data":{"username":"u","password":"p","ttl":40,"rotation_period":60,
      "last_vault_rotation":"2026-11-24T12:00:00Z"}})";
  const auto reading =
      reading_of(answer(200, body), Query{.path = "database/static-creds/app"}, Engine::plain, at(1000));
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->expires, at(1041));
  EXPECT_EQ(reading->version, "2026-11-24T12:00:00Z");
  const auto end = reading_of(answer(200, R"({"data":{"password":"p","ttl":0,"rotation_period":60}})"),
                              Query{.path = "database/static-creds/app"}, Engine::plain, at(1000));
  EXPECT_EQ(end->expires, at(1001));
}

TEST(ReadingOf, DecodesATransitPlaintext) {
  const auto body = R"({"data":{"plaintext":"aGVsbG8="}})";
  const Query query{.path = "transit/decrypt/app", .write = true};
  EXPECT_EQ(value_of(*reading_of(answer(200, body), query, Engine::plain, at(0)), "plaintext"), "hello");
  EXPECT_EQ(
      value_of(*reading_of(answer(200, body), Query{.path = "kv/decrypt/app"}, Engine::plain, at(0)), "plaintext"),
      "aGVsbG8=");
  EXPECT_FALSE(reading_of(answer(200, R"({"data":{"plaintext":"*"}})"), query, Engine::plain, at(0)));
}

TEST(Encoded, TakesNoPathThatAServerMightReadOtherwise) {
  EXPECT_EQ(*encoded("kv/shop/db"), "kv/shop/db");
  EXPECT_EQ(*encoded("kv/a b/\xc3\xa9%?#"), "kv/a%20b/%C3%A9%25%3F%23");
  for (const auto* path : {"", "/kv", "kv/", "kv//a", "kv/../sys", "kv/./a", "..", "kv/a\nb", "kv/a\x7f"}) {
    ASSERT_FALSE(encoded(path)) << path;
    EXPECT_EQ(encoded(path).error().code(), Errc::config);
  }
}

}  // namespace
}  // namespace injector::backend::vault
