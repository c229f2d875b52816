#include "injector/render/template/template.h"

#include <gmock/gmock.h>

#include <string>

#include "injector/memory/arena.h"

namespace injector::render::templates {
namespace {

using scanner::base::Errc;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> mistakes(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& mistake : Template::check(text).mistakes) out.push_back(mistake.text());
  return out;
}

std::vector<std::string> asked(std::string_view text) {
  const auto checked = Template::check(text);
  std::vector<std::string> out;
  if (checked.good == nullptr) return {"(refused: " + checked.mistakes.front().text() + ")"};
  for (const auto& call : checked.good->calls()) {
    static constexpr const char* kKinds[] = {"read ", "list ", "write ", "certificate "};
    std::string line = kKinds[static_cast<int>(call.kind)] + call.path;
    if (!call.version.empty()) line += "@" + call.version;
    for (const auto& [name, value] : call.data) line += " " + name + "=" + value;
    out.push_back(std::move(line));
  }
  return out;
}

/// Rendered with this answer to all that is asked; an error as "! CODE MESSAGE".
std::string rendered(std::string_view text, std::string_view data = "{}", std::string_view metadata = "",
                     Options options = {}) {
  const auto checked = Template::check(text);
  if (checked.good == nullptr) return "! " + checked.mistakes.front().text();
  Reading reading;
  reading.document = memory::Secret::copy_of(data);
  reading.metadata = memory::Secret::copy_of(metadata);
  const std::vector<const Reading*> readings(checked.good->calls().size(), &reading);
  const auto made = checked.good->render(readings, options);
  return made ? std::string(made->reveal()) : "! " + made.error().message();
}

TEST(Templates, ShowTheDataOfBothKvs) {
  EXPECT_EQ(rendered(R"({{ with secret "a" }}{{ .Data.x }}{{ end }})", R"({"x":"1"})"), "1");
  EXPECT_EQ(rendered(R"({{ with secret "a" }}{{ .Data.data.x }} {{ .Data.metadata.version }}{{ end }})", R"({"x":"1"})",
                     R"({"version":7})"),
            "1 7");
}

TEST(Templates, TellWhatTheyAskAndThatOnce) {
  EXPECT_THAT(
      asked(R"({{ with secret "kv/b" }}{{ end }}{{ secret "/kv/a/?version=3" }}{{ with secret "kv/b" }}{{ end }})"),
      ElementsAre("read kv/a@3", "read kv/b"));
  EXPECT_THAT(asked(R"({{ range secrets "kv/" }}{{ end }}{{ pkiCert "pki/issue/w" "common_name=x" "ttl=1h" }})"),
              ElementsAre("list kv", "certificate pki/issue/w common_name=x ttl=1h"));
  EXPECT_THAT(asked(R"({{ secret "pki/issue/w" "common_name=x" }})"), ElementsAre("write pki/issue/w common_name=x"));
}

TEST(Templates, AskWhatTheirConstantsComeTo) {
  EXPECT_THAT(asked(R"({{ $p := "kv" }}{{ range split "," "a,b" }}{{ secret (printf "%s/%s" $p .) }}{{ end }})"),
              ElementsAre("read kv/a", "read kv/b"));
  EXPECT_THAT(asked(R"({{ define "t" }}{{ secret . }}{{ end }}{{ template "t" "kv/a" }})"), ElementsAre("read kv/a"));
}

TEST(Templates, AskInBothBranchesOfWhatASecretDecides) {
  EXPECT_THAT(
      asked(R"({{ with secret "a" }}{{ if .Data.x }}{{ secret "b" }}{{ else }}{{ secret "c" }}{{ end }}{{ end }})"),
      ElementsAre("read a", "read b", "read c"));
  EXPECT_THAT(asked(R"({{ range secrets "a" }}{{ if eq . "x" }}{{ break }}{{ end }}{{ secret "b" }}{{ end }})"),
              ElementsAre("read b", "list a"));
}

TEST(Templates, AreRefusedWhenASecretDecidesWhatIsAsked) {
  EXPECT_THAT(mistakes(R"({{ range secrets "kv" }}
{{ with secret (print "kv/" .) }}{{ end }}{{ end }})"),
              ElementsAre(HasSubstr("line 2: what secret asks for hangs on a secret")));
  EXPECT_THAT(
      mistakes(
          R"({{ $p := "a" }}{{ with secret "x" }}{{ if .Data.y }}{{ $p = "b" }}{{ end }}{{ end }}{{ secret $p }})"),
      ElementsAre(HasSubstr("hangs on a secret")));
}

TEST(Templates, TellEveryForbiddenFunctionByNameAndLine) {
  EXPECT_THAT(mistakes("{{ env \"HOME\" }}\n{{ file \"/etc/passwd\" }}\n{{ quote \"a\" }}\n{{ plugin \"x\" }}"),
              ElementsAre(HasSubstr("line 1: the function \"env\" is refused"),
                          HasSubstr("line 2: the function \"file\" is refused"),
                          HasSubstr("line 3: there is no function \"quote\": is sprig_quote meant?"),
                          HasSubstr("line 4: the function \"plugin\" is refused")));
}

TEST(Templates, AreRefusedForWhatMustFail) {
  EXPECT_THAT(mistakes("a\n{{ toUpper }}"), ElementsAre(HasSubstr("line 2: toUpper wants 1 argument, and got 0")));
  EXPECT_THAT(mistakes(R"({{ with secret "a" }}{{ .Dta }}{{ end }})"), ElementsAre(HasSubstr("no field .Dta")));
  // Not for what may.
  EXPECT_THAT(mistakes(R"({{ with secret "a" }}{{ if .Data.x }}{{ toUpper }}{{ end }}{{ end }})"), IsEmpty());
}

TEST(Templates, NameTheLineAndNeverTheValue) {
  const auto said = rendered("\n\n{{ with secret \"a\" }}{{ parseInt .Data.x }}{{ end }}", R"({"x":"canary-value"})");
  EXPECT_THAT(said, HasSubstr("line 3: parseInt: a text is no whole number"));
  EXPECT_THAT(said, ::testing::Not(HasSubstr("canary")));
}

TEST(Templates, FailOnlyWhereTheyGetToWhatIsMissing) {
  const auto checked =
      Template::check(R"({{ if false }}{{ secret "a" }}{{ end }}{{ range secrets "b" }}x{{ else }}none{{ end }})");
  ASSERT_NE(checked.good, nullptr);
  const std::vector<const Reading*> nothing(checked.good->calls().size(), nullptr);
  const auto made = checked.good->render(nothing, {});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->reveal(), "none");
  const auto other = Template::check(R"({{ with secret "a" }}x{{ else }}y{{ end }})");
  const std::vector<const Reading*> none(1, nullptr);
  EXPECT_EQ(other.good->render(none, {}).error().code(), Errc::missing);
}

TEST(Templates, TakeAMissingKeyAsTheyAreTold) {
  EXPECT_EQ(rendered(R"({{ with secret "a" }}{{ .Data.x }}{{ end }})"), "<no value>");
  EXPECT_THAT(rendered(R"({{ with secret "a" }}{{ .Data.x }}{{ end }})", "{}", "", {true}), HasSubstr("no key .x"));
}

TEST(Templates, TakeAValueThatIsNoObject) {
  EXPECT_EQ(rendered(R"({{ with secret "a" }}{{ .Data.value }}{{ end }})", "plain"), "plain");
}

TEST(Templates, MakeAFileOfACertificate) {
  EXPECT_EQ(
      rendered(
          R"({{ with pkiCert "pki/issue/w" "common_name=x" }}{{ .Cert }}{{ .Key }}{{ .CA }}{{ .Data.Cert }}{{ end }})",
          R"({"certificate":"C","private_key":"K","issuing_ca":"A","ca_chain":["A"]})"),
      "C\nK\nA\nC\n");
}

TEST(Templates, CannotExhaustTheProcess) {
  for (const std::string_view hostile :
       {R"({{ range loop 1000000000 }}x{{ end }})", R"({{ range 1000000000000 }}{{ end }})",
        R"({{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" }})",
        R"({{ $x := "aaaaaaaaaaaaaaaa" }}{{ range loop 64 }}{{ $x = print $x $x }}{{ end }})",
        R"({{ sprig_repeat 1000000000 "abcdefgh" }})", R"({{ printf "%1000000d" 1 | sprig_repeat 100 }})",
        R"({{ sprig_until 100000000 }})", R"x({{ regexMatch "(((a{1000}){1000}){1000})" "a" }})x",
        R"({{ $l := sprig_list }}{{ range loop 100000 }}{{ $l = sprig_append $l . }}{{ end }})",
        R"({{ $d := sprig_dict }}{{ $_ := sprig_set $d "d" $d }}{{ toJSON $d }})",
        R"({{ $d := sprig_dict }}{{ $_ := sprig_set $d "d" $d }}{{ $d }})",
        R"({{ $d := sprig_dict }}{{ $_ := sprig_set $d "d" $d }}{{ toYAML $d }}{{ sprig_deepCopy $d }})"}) {
    EXPECT_THAT(rendered(hostile), ::testing::StartsWith("!")) << hostile;
  }
  EXPECT_THAT(rendered(std::string(100'000, '(').insert(0, "{{")), HasSubstr("nested too deeply"));
  EXPECT_LT(memory::Arena::status().used_bytes, 1U << 20U);
}

TEST(Templates, ReadOtherDelimiters) {
  const auto checked = Template::check(R"([[ "a" ]]{{ b }})", {"[[", "]]"});
  ASSERT_NE(checked.good, nullptr);
  EXPECT_EQ(checked.good->render({}, {})->reveal(), "a{{ b }}");
}

}  // namespace
}  // namespace injector::render::templates
