#include "scanner/source/config_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace scanner::source {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> arguments(const std::string& created_by, ArgumentNames declared = {}) {
  const auto found = build_arguments(created_by, declared);
  return {found.begin(), found.end()};
}

TEST(BuildArguments, AreFoundInTheHistoryOfTheClassicBuilder) {
  EXPECT_THAT(arguments("|2 NOTE=ab TOKEN=tok123 /bin/sh -c echo hi > /f"), ElementsAre("NOTE=ab", "TOKEN=tok123"));
}

TEST(BuildArguments, AreFoundInTheHistoryOfBuildKit) {
  EXPECT_THAT(arguments("RUN |2 TOKEN=tok123 NOTE=ab /bin/sh -c echo hi # buildkit"),
              ElementsAre("TOKEN=tok123", "NOTE=ab"));
}

TEST(BuildArguments, MayHoldSpacesAndLines) {
  EXPECT_THAT(arguments("|2 KEY=-----BEGIN\nx y\n-----END NOTE=a b /bin/sh -c make"),
              ElementsAre("KEY=-----BEGIN\nx y\n-----END", "NOTE=a b"));
}

TEST(BuildArguments, EndWhereTheShellBeginsWhicheverItIs) {
  EXPECT_THAT(arguments("|1 A=x y /bin/ash -o pipefail -c B=2 make"), ElementsAre("A=x y"));
  EXPECT_THAT(arguments("|1 A=x /bin/bash -eo pipefail -c B=2 make"), ElementsAre("A=x"));
  EXPECT_THAT(arguments("|1 A=x bash -euxc B=2 make"), ElementsAre("A=x"));
  EXPECT_THAT(arguments("|1 A=x cmd /S /C set B=2"), ElementsAre("A=x"));
  EXPECT_THAT(arguments("|1 A=x powershell -Command $env:B = 2; C=3"), ElementsAre("A=x"));
}

TEST(BuildArguments, AreNotCutAtAWordThatIsMerelyTheNameOfAShell) {
  EXPECT_THAT(arguments("|1 A=use sh or bash - c /bin/sh -c make"), ElementsAre("A=use sh or bash - c"));
}

TEST(BuildArguments, ReachToTheEndWithoutAShell) {
  EXPECT_THAT(arguments("|2 A=x B=y /usr/bin/make all"), ElementsAre("A=x", "B=y /usr/bin/make all"));
}

TEST(BuildArguments, OfDeclaredNamesAreKeptWholeWhenTheCountSaysSo) {
  const auto text = "|3 NOTE=a b C=d e PW=pass word TOKEN=tok123 /bin/sh -c make";
  EXPECT_THAT(arguments(text, {"NOTE", "PW", "TOKEN"}), ElementsAre("NOTE=a b C=d e", "PW=pass word", "TOKEN=tok123"));
  EXPECT_THAT(arguments(text), ElementsAre("NOTE=a b", "C=d e", "PW=pass word", "TOKEN=tok123"));
}

TEST(BuildArguments, AreFoundWhenTheCountIsOfWordsAsBuildahCounts) {
  EXPECT_THAT(arguments("|4 NOTE=a b PW=pass word /bin/sh -c D=1 E=2 make"), ElementsAre("NOTE=a b", "PW=pass word"));
}

TEST(BuildArguments, KeepValuesWithEqualsSigns) {
  EXPECT_THAT(arguments("|2 A=k==/w= B=http://h/?q=1&r=2 /bin/sh -c x"),
              ElementsAre("A=k==/w=", "B=http://h/?q=1&r=2"));
}

TEST(BuildArguments, ThatAreDeclaredWithAValueAreFoundThere) {
  EXPECT_THAT(arguments("/bin/sh -c #(nop)  ARG PW=pass word"), ElementsAre("PW=pass word"));
  EXPECT_THAT(arguments("/bin/ash -o pipefail -c #(nop)  ARG PW=p"), ElementsAre("PW=p"));
  EXPECT_THAT(arguments("ARG TOKEN=def"), ElementsAre("TOKEN=def"));
  EXPECT_THAT(arguments("ARG A=1 B=2"), ElementsAre("A=1", "B=2"));
}

TEST(BuildArguments, ThatAreDeclaredAreRemembered) {
  ArgumentNames declared;
  EXPECT_THAT(build_arguments("/bin/sh -c #(nop) ARG NOTE PW TOKEN", declared), IsEmpty());
  EXPECT_THAT(build_arguments("ARG X=1", declared), ElementsAre("X=1"));
  EXPECT_THAT(declared, UnorderedElementsAre("NOTE", "PW", "TOKEN", "X"));
}

TEST(BuildArguments, AreInNoOtherInstruction) {
  EXPECT_THAT(arguments("/bin/sh -c #(nop)  ENV A=x B=y"), IsEmpty());
  EXPECT_THAT(arguments("RUN A=x make # buildkit"), IsEmpty());
  EXPECT_THAT(arguments("/bin/sh -c A=x make"), IsEmpty());
  EXPECT_THAT(arguments("|0 /bin/sh -c A=x make"), IsEmpty());
  EXPECT_THAT(arguments("COPY ARG A=x"), IsEmpty());
}

TEST(BuildArguments, SurviveFormsThatNoToolWrites) {
  for (const char* text :
       {"", "|", "| ", "|1", "|1 ", "|x A=1", "|99999999999999999999999 A=1", "|-1 A=1", "RUN ", "RUN |",
        "|1 =x /bin/sh -c y", "|1 /bin/sh -c", "|1 sh -o", "ARG", "ARG ", "#(nop)", "#(nop) ARG "}) {
    EXPECT_THAT(arguments(text), IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace scanner::source
