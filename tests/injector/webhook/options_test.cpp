#include "injector/webhook/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace {

using namespace injector::webhook;
using testing::HasSubstr;

Parsed parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "secret-webhook");
  return parse(static_cast<int>(words.size()), words.data());
}

TEST(Options, TakeFiles) {
  const Parsed all =
      parsed({"--tls-cert", "c", "--tls-key", "k", "--policy", "p", "--listen", "127.0.0.1:0", "--health", "[::1]:9",
              "--drain-delay", "0", "--log-level", "warn", "--log-format", "json"});
  ASSERT_TRUE(all.options) << all.err;
  EXPECT_EQ(all.options->certificates, Options::Certificates::files);
  EXPECT_EQ(all.options->listen.ip, "127.0.0.1");
  EXPECT_EQ(all.options->listen.port, 0);
  EXPECT_EQ(all.options->health.ip, "::1");
  EXPECT_EQ(all.options->health.port, 9);
  EXPECT_EQ(all.options->drain_delay.count(), 0);
}

TEST(Options, TakeTheSelfManagedWay) {
  const Parsed all = parsed({"--self-managed", "--service=s", "--secret=t", "--lease=l", "--webhook-configuration=w"});
  ASSERT_TRUE(all.options) << all.err;
  EXPECT_EQ(all.options->certificates, Options::Certificates::self_managed);
  EXPECT_EQ(all.options->listen.port, 8443);
}

TEST(Options, NameWhatIsMissingOrWrong) {
  const std::vector<std::pair<std::vector<const char*>, std::string>> all = {
      {{}, "--tls-cert FILE and --tls-key FILE are needed"},
      {{"--tls-cert", "c"}, "--tls-cert needs --tls-key"},
      {{"--tls-key", "k"}, "--tls-key needs --tls-cert"},
      {{"--self-managed"}, "--self-managed needs --service"},
      {{"--self-managed", "--service=s", "--secret=t", "--lease=l"}, "needs --webhook-configuration"},
      {{"--self-managed", "--tls-cert", "c"}, "excludes --tls-cert"},
      {{"--tls-cert", "c", "--tls-key", "k", "--lease=l"}, "--lease is of use"},
      {{"--tls-cert", "c", "--tls-key", "k", "--listen", "8443"}, "--listen"},
      {{"--tls-cert", "c", "--tls-key", "k", "--listen", "::1:8443"}, "--listen"},
      {{"--tls-cert", "c", "--tls-key", "k", "--health", ":99999"}, "--health"},
      {{"--tls-cert", "c", "--tls-key", "k", "--drain-delay", "-1"}, "--drain-delay"},
      {{"--tls-cert", "c", "--tls-key", "k", "--log-level", "loud"}, "--log-level"},
      {{"--tls-cert", "c", "--tls-key", "k", "--nonsense"}, "--nonsense"},
      {{"--tls-cert", "c", "--tls-key", "k", "word"}, "word"}};
  for (const auto& [words, expected] : all) {
    const Parsed wrong = parsed(words);
    EXPECT_FALSE(wrong.options);
    EXPECT_EQ(wrong.exit_code, kUsage);
    EXPECT_THAT(wrong.err, HasSubstr(expected));
    EXPECT_THAT(wrong.err, HasSubstr("--help"));
  }
}

TEST(Options, HelpInEightyColumnsWithEveryOption) {
  const Parsed help = parsed({"--help"});
  EXPECT_FALSE(help.options);
  EXPECT_EQ(help.exit_code, kGood);
  for (const char* name : {"--policy", "--listen", "--health", "--tls-cert", "--tls-key", "--self-managed", "--service",
                           "--namespace", "--secret", "--lease", "--webhook-configuration", "--api-server",
                           "--service-account", "--drain-delay", "--log-level", "--log-format", "--version"}) {
    EXPECT_THAT(help.out, HasSubstr(name));
  }
  std::istringstream lines(help.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST(Options, TellTheVersion) { EXPECT_EQ(parsed({"--version"}).out, "secret-webhook " SECRET_INJECTOR_VERSION "\n"); }

}  // namespace
