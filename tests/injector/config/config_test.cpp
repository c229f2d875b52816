#include "injector/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/injector/config/samples.h"
#include "tests/support/temporary.h"

namespace injector::config {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// A configuration around one file's keys, or around one store's, or with more keys at the top.
std::string with_file(const std::string& keys) {
  return "mount: /m\nstores: { a: { file: { directory: /d } }, v: { vault: { address: 'https://v', auth: { cert: {} "
         "},\n"
         "  client_cert_file: /c, client_key_file: /k } }, w: { aws: {} } }\nfiles:\n  - { path: p, from: 'a:x#k', " +
         keys + " }\n";
}
std::string with_store(const std::string& store) {
  return "mount: /m\nfiles: [{ path: p, from: a:x }]\nstores:\n  a:\n    " + store + "\n";
}
std::string with_top(const std::string& keys) {
  return "mount: /m\nfiles: [{ path: p, from: a:x }]\nstores: { a: { file: { directory: /d } } }\n" + keys + "\n";
}

Config read(const std::string& text) {
  auto config = parse(text, "c.yaml");
  EXPECT_TRUE(config) << config.error().message();
  return config ? std::move(*config) : Config{};
}

std::string mistake(const std::string& text) {
  const auto config = parse(text, "c.yaml");
  if (config) return "no mistake";
  EXPECT_EQ(config.error().code(), scanner::base::Errc::config);
  return config.error().message();
}

FileSpec file(const std::string& keys) {
  const auto config = read(with_file(keys));
  return config.files.empty() ? FileSpec{} : config.files[0];
}

Query query(const std::string& store, const std::string& path, const std::string& key = "") {
  Query out;
  out.store = store;
  out.path = path;
  out.key = key;
  return out;
}

TEST(Config, ReadsTheExampleOfTheReadme) {
  const Config config = read(kExample);
  EXPECT_EQ(config.mount, "/run/secrets/app");
  EXPECT_EQ(config.refresh, 5min);
  ASSERT_EQ(config.stores.size(), 2U);
  const auto& bao = std::get<VaultStore>(config.store("bao")->kind);
  EXPECT_THAT(bao.addresses, ElementsAre("https://bao-0.example:8200", "https://bao-1.example:8200"));
  EXPECT_EQ(bao.ca_file, "/etc/secret-injector/ca.crt");
  EXPECT_EQ(bao.auth, VaultAuth(AppRoleAuth{.role_id_file = "/etc/secret-injector/role-id",
                                            .secret_id_file = "/etc/secret-injector/secret-id",
                                            .creation_path = ""}));
  EXPECT_EQ(std::get<AwsStore>(config.store("sm")->kind).region, "eu-central-1");
  ASSERT_EQ(config.files.size(), 3U);
  EXPECT_EQ(config.files[0].path.text(), "db/password");
  EXPECT_EQ(config.files[0].from, (std::vector{query("bao", "kv/shop/db", "password")}));
  EXPECT_EQ(config.files[0].format, Format::raw);
  EXPECT_EQ(config.files[0].mode, 0400U);
  EXPECT_EQ(config.files[1].from, (std::vector{query("sm", "prod/shop"), query("bao", "kv/shop/app")}));
  EXPECT_EQ(config.files[1].format, Format::dotenv);
  EXPECT_EQ(config.files[1].mode, 0440U);
  EXPECT_EQ(config.files[1].max_stale, (MaxStale{1h, MaxStale::Then::unready}));
  EXPECT_EQ(config.files[2].from[0].write, true);
  EXPECT_EQ(config.files[2].from[0].data.at("common_name"), "shop.example");
  EXPECT_EQ(config.files[2].on_change->how, decltype(OnChange::how)(SignalProcess{SIGHUP, "nginx", ""}));
}

TEST(Config, ReadsTheExampleBesideIt) {
  const std::string page = tests::contents_of(PROJECT_ROOT "/injector/config/README.md");
  const auto begin = page.find("```yaml\n") + 8;
  EXPECT_EQ(read(page.substr(begin, page.find("```", begin) - begin)).files.size(), 1U);
}

TEST(Config, ReadsAllThatThereIs) {
  const Config config = read(kEverything);
  const auto& vault = std::get<VaultStore>(config.stores[0].kind);
  EXPECT_EQ(vault.space, "team/app");
  EXPECT_EQ(vault.auth_space, "team");
  EXPECT_EQ(vault.timeout, 2500ms);
  EXPECT_FALSE(vault.revoke);
  EXPECT_EQ(vault.proxy, "http://proxy.example:3128");
  EXPECT_EQ(vault.login_backoff, (LoginBackoff{2s, 1min}));
  EXPECT_EQ(vault.auth, VaultAuth(KubernetesAuth{"shop", "k8s/eu", "/var/run/secrets/vault/token"}));
  const auto& aws = std::get<AwsStore>(config.store("sm")->kind);
  EXPECT_THAT(aws.failover_regions, ElementsAre("eu-west-1"));
  EXPECT_THAT(aws.credentials, ElementsAre(AwsStore::Source::container, AwsStore::Source::instance));
  EXPECT_EQ(config.start_jitter, 10s);
  EXPECT_EQ(config.start_timeout, 5min);
  EXPECT_EQ(config.quit, (Quit{"127.0.0.1", 8200}));
  EXPECT_TRUE(config.require.noswap && config.require.locked_memory && !config.require.nodev);
  EXPECT_EQ(config.health, (Health{"::", 9000}));
  EXPECT_EQ(config.log, (Log{Log::Level::debug, Log::Format::json}));
  EXPECT_EQ(config.shutdown, (Shutdown{true, 1s}));
  EXPECT_EQ(config.files[0].owner, 1000U);
  EXPECT_EQ(config.files[0].group, 4'294'967'294U);
  EXPECT_EQ(config.files[0].refresh, 90min);
  EXPECT_EQ(config.files[0].from[0].version, "3");
  EXPECT_EQ(config.files[0].from[0].space, "other");
  EXPECT_EQ(config.files[0].on_change->how, decltype(OnChange::how)(RunProgram{{"/bin/reload", "--now"}}));
  EXPECT_EQ(config.files[0].on_change->debounce, 0ms);
}

TEST(Config, ReadsJsonAsWell) {
  const Config config = read(R"({"mount": "/m", "stores": {"a": {"file": {"directory": "/d"}}},
    "files": [{"path": "p", "from": {"store": "a", "path": "x", "key": "k"}, "mode": "0440", "owner": 7}]})");
  EXPECT_EQ(config.files[0].mode, 0440U);
  EXPECT_EQ(config.files[0].owner, 7U);
}

TEST(Config, TellsEveryMistakeAtOnceByLineAndKey) {
  EXPECT_EQ(
      mistake("mont: /run\nrefresh: soon\nstores:\n  bao:\n    vault: { adress: 'https://b', auth: { token: abc } }\n"
              "files:\n  - path: ../x\n    from: boa:kv/a#b\n    mode: 0440\n  - path: y\n"),
      "c.yaml:1: mont: there is no such key (did you mean \"mount\"?)\n"
      "c.yaml:1: \"mount\" is missing\n"
      "c.yaml:2: refresh: must be a duration such as 500ms, 30s, 5m or 1h30m\n"
      "c.yaml:5: stores.bao.vault.adress: there is no such key (did you mean \"address\"?)\n"
      "c.yaml:5: stores.bao.vault: \"address\" is missing\n"
      "c.yaml:5: stores.bao.vault.auth.token: no secret may stand in the configuration: put it into a file and name "
      "that file with \"token_file\"\n"
      "c.yaml:5: stores.bao.vault.auth: needs exactly one of kubernetes, jwt, approle, cert, aws, token_file\n"
      "c.yaml:7: files[0].path: the path is not good: no part of it may start with \"..\"\n"
      "c.yaml:9: files[0].mode: must be in quotes, such as \"0440\": YAML readers disagree about bare octal numbers\n"
      "c.yaml:10: files[1]: needs exactly one of from, template");
}

TEST(Config, KeepsQuitToLoopbackAndTheProxyToHttps) {
  EXPECT_THAT(mistake(with_top("quit: { listen: \"0.0.0.0:8200\" }")), HasSubstr("must be on loopback"));
  EXPECT_THAT(mistake(with_top("quit: {}")), HasSubstr("\"listen\" is missing"));
  for (const char* proxy : {"https://p", "http://", "http://u:pw@p", "http://p/x", "p:3128"}) {
    EXPECT_THAT(mistake(with_store("vault: { address: 'https://v', auth: { token_file: /t }, proxy: '" +
                                   std::string(proxy) + "' }")),
                HasSubstr("proxy: must"));
  }
  EXPECT_THAT(
      mistake(with_store("vault: { address: 'http://127.0.0.1', auth: { token_file: /t }, proxy: 'http://p' }")),
      HasSubstr("goes with https alone"));
  EXPECT_THAT(
      mistake(with_store("vault: { address: 'https://v', auth: { token_file: /t }, login_backoff: { first: 10m } }")),
      HasSubstr("must not be shorter than first"));
}

TEST(Config, FindsStoresThatAreNotThere) {
  EXPECT_EQ(mistake("mount: /m\nstores: { bao: { file: { directory: /d } } }\nfiles:\n- path: x\n  from:\n  - bao:a\n  "
                    "- boa:b\n"),
            "c.yaml:7: files[0].from[1]: there is no such store (did you mean \"bao\"?)");
}

TEST(Config, FindsFilesInEachOthersWay) {
  EXPECT_EQ(mistake("mount: /m\nstores: { a: { file: { directory: /d } } }\nfiles:\n- { path: x/y, from: a:b }\n"
                    "- { path: x-z, from: a:b }\n- { path: x, from: a:b }\n- { path: x-z, from: a:b }\n"),
            "c.yaml:4: files[0].path: lies beneath the file of files[2]\n"
            "c.yaml:7: files[3].path: is also the path of files[1]");
}

TEST(Config, RefusesSecretsByTheNamesOfTheirKeys) {
  for (const char* key :
       {"token", "secret_id", "password", "Password", "secretId", "access_key_id", "secret_access_key", "session-token",
        "client_secret", "passphrase", "private_key", "api_key"}) {
    const std::string text = std::string(key) + ": hunter2hunter2";
    EXPECT_THAT(mistake(with_top(text)), HasSubstr("no secret may stand in the configuration")) << key;
    EXPECT_THAT(mistake(with_store("aws: { " + text + " }")), HasSubstr("no secret may stand")) << key;
    EXPECT_THAT(mistake(with_file("from: { store: v, write: x, data: { " + text + " } }")),
                HasSubstr("no secret may stand"))
        << key;
    EXPECT_THAT(mistake(with_top(text)), Not(HasSubstr("hunter2"))) << key;
  }
  EXPECT_THAT(mistake(with_store("vault: { address: 'https://root:hunter2@v', auth: { cert: {} } }")),
              HasSubstr("must not hold a user name or a password"));
}

TEST(Config, NeverQuotesAValue) {
  static constexpr const char* kCanary = "s3cr3t-canary";
  std::string text(kEverything);
  // Every value of the configuration in turn becomes the canary; whatever is said must not hold it.
  std::size_t tried = 0;
  for (std::size_t at = text.find(": "); at != std::string::npos; at = text.find(": ", at + 1)) {
    const std::size_t end = text.find_first_of(",}\n#", at + 2);
    const auto config = parse(text.substr(0, at + 2) + kCanary + text.substr(end), "c.yaml");
    ++tried;
    EXPECT_THAT(config ? "" : config.error().message(), Not(HasSubstr(kCanary))) << at;
  }
  EXPECT_GT(tried, 60U);
  for (const char* odd :
       {"\"s3cr3t-canary: {", "[s3cr3t-canary: b: c", "\ts3cr3t-canary: 1", "s3cr3t-canary", "- s3cr3t-canary",
        "&s3cr3t-canary x: 1", "*s3cr3t-canary", "!s3cr3t-canary x", "%s3cr3t-canary\n---\na: b",
        "{s3cr3t-canary and more words of a value that slipped into the place of a key: 1}"}) {
    EXPECT_THAT(mistake(odd), Not(HasSubstr(kCanary))) << odd;
  }
}

TEST(Config, RefusesWhatYamlOffersBeyondPlainValues) {
  EXPECT_THAT(mistake(with_top("log: &x { level: info }")), HasSubstr("c.yaml:4: anchors are not taken here"));
  EXPECT_THAT(mistake(with_top("log: *x")), HasSubstr("aliases are not taken"));
  EXPECT_THAT(mistake(with_top("log: !!map { level: info }")), HasSubstr("tags are not taken"));
  EXPECT_THAT(mistake(with_top("log: { level: !secret x }")), HasSubstr("tags are not taken"));
  EXPECT_THAT(mistake(with_top("---\nmount: /m")), HasSubstr("second document"));
  EXPECT_THAT(mistake(with_top("? [a]\n: b")), HasSubstr("a key must be a word"));
  EXPECT_THAT(mistake(with_top("log: { level: info, level: warn }")),
              HasSubstr("log.level: is there twice; first in line 4"));
  EXPECT_THAT(mistake(""), HasSubstr("empty"));
  EXPECT_THAT(mistake("---\n"), HasSubstr("must hold keys"));
  EXPECT_THAT(mistake("[" + std::string(100, '[')), HasSubstr("nested deeper than 32"));
  EXPECT_THAT(mistake(std::string("mount: \"a\\0b\"")), HasSubstr("control character"));
  EXPECT_THAT(mistake("a: \"\xff\""), HasSubstr("this is no YAML"));
  const auto large = parse(std::string(2UL << 20, ' '), "c.yaml");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code(), scanner::base::Errc::limit);
}

TEST(Config, TakesTextOnlyWhereEveryReaderSeesText) {
  for (const char* value :
       {"yes", "No", "on", "NULL", "~", "12", "1e3", "0o7", "0x1F", "1_000", "12:30:00", "2026-11-24", ".inf", "1.5"}) {
    EXPECT_THAT(mistake(with_file(std::string("from: { store: a, path: x, key: ") + value + " }")), HasSubstr("key: "))
        << value;
    EXPECT_EQ(
        read(with_file(std::string("format: raw, refresh: 1s }\n  - { path: q, from: { store: a, path: x, key: '") +
                       value + "' }"))
            .files.size(),
        2U);
  }
  for (const char* value : {"5m", "10.0.0.1", "v1", "a-b", "1.2.3", "1-2", "0xyz", "e3", "-x", "nOt"}) {
    EXPECT_EQ(read(with_top("") + "# " + value).mount, "/m");
    EXPECT_EQ(read("mount: /m\nstores: { a: { file: { directory: /d } } }\nfiles: [{ path: p, from: { store: a, path: "
                   "x, key: " +
                   std::string(value) + " } }]")
                  .files[0]
                  .from[0]
                  .key,
              value);
  }
}

TEST(Config, ReadsDurationsWithinBounds) {
  EXPECT_EQ(file("refresh: 1d2h3m4s5ms").refresh, 24h + 2h + 3min + 4s + 5ms);
  EXPECT_EQ(file("refresh: 90m").refresh, 90min);
  for (const char* bad :
       {"5", "'5'", "m", "5 m", "1m1h", "1s1s", "-1s", "1.5h", "5M", "1000000000000000s", "9999999999999d"}) {
    EXPECT_THAT(mistake(with_file(std::string("refresh: ") + bad)), HasSubstr("files[0].refresh: must be")) << bad;
  }
  EXPECT_THAT(mistake(with_file("refresh: 0s")), HasSubstr("must be from 10ms to 366d"));
}

TEST(Config, TakesModesThatKeepOthersFromWriting) {
  EXPECT_EQ(file("mode: '0444'").mode, 0444U);
  EXPECT_EQ(file("mode: '600'").mode, 0600U);
  for (const char* bad : {"'0666'", "'0420'", "'0402'", "'0040'", "'4400'", "'0o400'", "rw", "'0848'", "''"}) {
    EXPECT_THAT(mistake(with_file(std::string("mode: ") + bad)), HasSubstr("files[0].mode: must")) << bad;
  }
  EXPECT_THAT(mistake(with_file("mode: 0400")), HasSubstr("in quotes"));
  EXPECT_THAT(mistake(with_file("mode: 256")), HasSubstr("in quotes"));
}

TEST(Config, TakesAddressesThatCannotMislead) {
  const auto store = [](const std::string& address) {
    return with_store("vault: { address: '" + address + "', auth: { jwt: { token_file: /t } } }");
  };
  for (const char* good : {"https://v", "https://v:8200", "https://10.0.0.1:1", "https://[::1]:8200",
                           "http://127.0.0.1:8200", "http://localhost:8200", "http://[::1]"}) {
    EXPECT_THAT(std::get<VaultStore>(read(store(good)).stores[0].kind).addresses, ElementsAre(good));
  }
  EXPECT_THAT(std::get<VaultStore>(read(store("https://v:1/")).stores[0].kind).addresses, ElementsAre("https://v:1"));
  for (const char* bad :
       {"v:8200", "http://v", "http://127.0.0.1.evil.example", "https://", "https://v/x", "https://v?x", "https://v#x",
        "https://u@v", "https://v:0", "https://v:99999", "https://v:", "https://[::1", "https://[x]", "ftp://v",
        "https://v v", "HTTPS://v", "https://v\\@w", "http://127.1"}) {
    EXPECT_THAT(mistake(store(bad)), HasSubstr("stores.a.vault.address: must")) << bad;
  }
}

TEST(Config, AsksForWhatGoesTogether) {
  EXPECT_THAT(mistake(with_store("vault: { address: 'https://v', auth: { cert: {} } }")),
              HasSubstr("cert needs client_cert_file"));
  EXPECT_THAT(
      mistake(with_store("vault: { address: 'https://v', auth: { jwt: { token_file: /t } }, client_key_file: /k }")),
      HasSubstr("client_cert_file and client_key_file go together"));
  EXPECT_THAT(mistake(with_store("vault: { address: 'https://v', auth: { approle: { role_id_file: /r, "
                                 "secret_id_wrapped: true, secret_id_file: /s } } }")),
              HasSubstr("needs secret_id_file and creation_path"));
  EXPECT_THAT(mistake(with_store("vault: { address: 'https://v', auth: {} }")), HasSubstr("exactly one of"));
  EXPECT_THAT(mistake(with_store("vault: { address: 'https://v', auth: { cert: {}, token_file: /t } }")),
              HasSubstr("exactly one of"));
  EXPECT_THAT(mistake(with_file("on_change: { signal: HUP }")),
              HasSubstr("on_change.signal: needs process or pid_file"));
  EXPECT_THAT(mistake(with_file("on_change: { run: [/x], process: y }")),
              HasSubstr("on_change.process: goes with signal"));
  EXPECT_THAT(mistake(with_file("on_change: { run: [x] }")), HasSubstr("by a path from the root"));
  EXPECT_THAT(mistake(with_file("on_change: { run: [/x], post: 'http://127.0.0.1/' }")),
              HasSubstr("exactly one of signal, post, run"));
  EXPECT_THAT(mistake(with_file("on_change: { signal: STOP, process: x }")), HasSubstr("must be one of HUP"));
  for (const char* url : {"http://example.com/", "https://127.0.0.1/", "http://127.0.0.1@evil/",
                          "http://127.0.0.1:80 /", "//127.0.0.1"}) {
    EXPECT_THAT(mistake(with_file(std::string("on_change: { post: '") + url + "' }")),
                HasSubstr("must be a URL on loopback"))
        << url;
  }
}

TEST(Config, KeepsEachStoreToWhatItCan) {
  const auto from = [](const std::string& query) {
    return mistake(
        "mount: /m\nstores: { a: { file: { directory: /d } }, v: { vault: { address: 'https://v', auth: { token_file: "
        "/t } } },"
        " w: { aws: {} } }\nfiles: [{ path: p, from: " +
        query + " }]");
  };
  EXPECT_THAT(from("{ store: a, write: x }"), HasSubstr("from.write: only a vault store can be written to"));
  EXPECT_THAT(from("{ store: w, path: x, namespace: n }"), HasSubstr("only a vault store has namespaces"));
  EXPECT_THAT(from("{ store: v, path: x, stage: AWSPREVIOUS }"), HasSubstr("only an aws store has stages"));
  EXPECT_THAT(from("{ store: v, path: x, data: { a: b } }"), HasSubstr("data: goes with write"));
  EXPECT_THAT(from("{ store: v, path: x, write: y }"), HasSubstr("exactly one of path, write"));
  EXPECT_THAT(from("{ store: w, path: x, version: 1, stage: s }"), HasSubstr("may not stand beside version"));
  EXPECT_THAT(from("[v:a#k, v:a]"), HasSubstr("say which \"format\""));
  for (const char* path :
       {"v:../x", "v:a/../b", "v:a//b", "v:/a", "v:a/", "v:", "v:a?version=1", "v:a#", "a", "V:a", ":a"}) {
    EXPECT_THAT(from(std::string("'") + path + "'"), HasSubstr("files[0].from: must")) << path;
  }
}

TEST(Config, TakesAddressesToListenOn) {
  EXPECT_EQ(read(with_top("health: { listen: ':80' }")).health, (Health{"0.0.0.0", 80}));
  EXPECT_EQ(read(with_top("health: { listen: '127.0.0.1:80' }")).health, (Health{"127.0.0.1", 80}));
  EXPECT_EQ(read(with_top("health: { listen: none }")).health.port, 0);
  for (const char* bad : {"80", "localhost:80", ":0", ":70000", "[x]:1", "1.2.3.4", "::1:80", ""}) {
    EXPECT_THAT(mistake(with_top(std::string("health: { listen: '") + bad + "' }")), HasSubstr("health.listen: must"))
        << bad;
  }
}

TEST(Config, TellsAHundredMistakesAndCountsTheRest) {
  std::string text = "mount: /m\n";
  for (int i = 0; i < 150; ++i) text += "zzzzzz" + std::to_string(i) + ": 1\n";
  const std::string all = mistake(text);
  EXPECT_EQ(std::ranges::count(all, '\n'), 100);
  EXPECT_THAT(all, HasSubstr("\nand 52 more"));
}

TEST(Config, KnowsWhatATemplateAsks) {
  const auto config = parse(
      "mount: /run\nstores:\n  bao: { vault: { address: 'https://b', auth: { token_file: /t } } }\n"
      "  sm: { aws: { region: eu-central-1 } }\nfiles:\n  - path: a\n    template: |\n"
      "      {{ with secret \"kv/a?version=2\" }}{{ end }}{{ secrets \"kv/\" }}\n"
      "      {{ with secret \"sm:prod/x\" }}{{ end }}{{ with pkiCert \"pki/issue/w\" \"common_name=x\" }}{{ end }}\n",
      "c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  const FileSpec& file = config->files[0];
  ASSERT_TRUE(file.templ);
  EXPECT_EQ(file.templ->store, "bao");
  ASSERT_EQ(file.from.size(), 4U);
  EXPECT_EQ(file.from[0], (Query{.store = "bao", .path = "kv/a", .version = "2"}));
  EXPECT_EQ(file.from[1], (Query{.store = "sm", .path = "prod/x"}));
  EXPECT_EQ(file.from[2], (Query{.store = "bao", .path = "kv", .list = true}));
  EXPECT_EQ(file.from[3],
            (Query{.store = "bao", .path = "pki/issue/w", .write = true, .data = {{"common_name", "x"}}}));
}

TEST(Config, TellsAllThatIsWrongWithATemplate) {
  const std::string begin =
      "mount: /run\nstores:\n  sm: { aws: { region: eu-central-1 } }\n  dir: { file: { directory: /d } }\nfiles:\n";
  const auto said = [&](const std::string& file) {
    const auto config = parse(begin + file, "c.yaml");
    return config ? std::string("good") : config.error().message();
  };
  const auto both = said("  - { path: a, template: '{{ env \"A\" }}{{ file \"b\" }}' }\n");
  EXPECT_NE(both.find("\"env\" is refused"), std::string::npos) << both;
  EXPECT_NE(both.find("\"file\" is refused"), std::string::npos) << both;
  const auto store = said("  - { path: a, template: '{{ secret \"x\" }}' }\n");
  EXPECT_NE(store.find("say by \"store\" which one it asks"), std::string::npos) << store;
  const auto list = said("  - { path: a, template: { text: '{{ secrets \"x\" }}', store: sm } }\n");
  EXPECT_NE(list.find("only a vault store can list"), std::string::npos) << list;
  const auto format = said("  - { path: a, template: 'x', format: json }\n");
  EXPECT_NE(format.find("goes with from"), std::string::npos) << format;
}

}  // namespace
}  // namespace injector::config
