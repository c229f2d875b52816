#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <vector>

#include "injector/config/config.h"
#include "scanner/base/json.h"
#include "tests/injector/config/samples.h"
#include "tests/support/temporary.h"

namespace injector::config {
namespace {

using scanner::base::Json;

TEST(Schema, IsTheOneThatIsPublished) {
  EXPECT_EQ(tests::contents_of(PROJECT_ROOT "/injector/config/config.schema.json"), schema())
      << "write it anew: SECRET_INJECTOR_WRITE_SCHEMA=1 injector_config_test";
  if (std::getenv("SECRET_INJECTOR_WRITE_SCHEMA") != nullptr) {
    ASSERT_TRUE(scanner::base::write_file(PROJECT_ROOT "/injector/config/config.schema.json", schema()));
  }
}

/// The sample with one thing changed at each of its nodes in turn: a value of another type, a key misspelt, a key gone.
void vary(const Json& whole, const Json::json_pointer& at, std::vector<Json>& out) {
  const auto with = [&](const Json& value) {
    Json copy = whole;
    copy[at] = value;
    out.push_back(std::move(copy));
  };
  const Json& node = whole[at];
  for (const Json& value : {Json(), Json(true), Json(17), Json(-1), Json(1.5), Json("x"), Json(""), Json("a\nb"),
                            Json("/x/../y"), Json("5m"), Json("0400"), Json("https://h:1"), Json::array(),
                            Json{{"x", 1}}, Json::object(), Json{"a:b"}, Json{"a:b", 3}}) {
    if (value != node) with(value);
  }
  if (node.is_object()) {
    for (const auto& [key, value] : node.items()) {
      vary(whole, at / key, out);
      Json misspelt = node;
      misspelt[key + "x"] = value;
      misspelt.erase(key);
      with(misspelt);
      Json gone = node;
      gone.erase(key);
      with(gone);
    }
  }
  if (node.is_array()) {
    for (std::size_t i = 0; i < node.size(); ++i) vary(whole, at / i, out);
  }
}

/// Mistakes that a schema cannot see, because it looks at one place at a time, or only at the form of a text.
bool only_for_the_parser(const std::string& mistakes) {
  for (const char* what : {"there is no such store",
                           "is also the path of",
                           "lies beneath the file of",
                           "only a",
                           "must be from",
                           "goes with",
                           "must not be shorter",
                           "needs ",
                           "say which",
                           "may not stand beside",
                           "names something twice",
                           "by a path from the root",
                           "must have a path",
                           "must be https",
                           "must be address:port",
                           "must be the path of a mount",
                           "must be a region",
                           "must have a name",
                           "the path is not good",
                           "must be a namespace",
                           "must be a name without",
                           "is there twice"}) {
    if (mistakes.find(what) != std::string::npos) return true;
  }
  return false;
}

TEST(Schema, JudgesAsTheParserDoes) {
  if (std::system("/usr/bin/python3 -c 'import jsonschema, yaml' 2>/dev/null") != 0) {
    GTEST_SKIP() << "needs python3-jsonschema and python3-yaml";
  }
  tests::TemporaryDirectory folder;
  const auto dump =
      std::string("/usr/bin/python3 -c 'import json,sys,yaml; print(json.dumps(yaml.safe_load(sys.stdin)))' < ") +
      folder.write("everything.yaml", kEverything);
  std::string json;
  std::array<char, 4096> buffer{};
  FILE* pipe = popen(dump.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) json += buffer.data();
  ASSERT_EQ(pclose(pipe), 0);
  std::vector<Json> cases;
  vary(Json::parse(json), Json::json_pointer(), cases);

  const auto put = [&](std::size_t number, const std::string& text, bool good) {
    folder.write("cases/" + std::to_string(number) + (good ? ".good" : ".bad"), text);
  };
  std::size_t number = 0;
  std::size_t left_out = 0;
  put(number++, kExample, static_cast<bool>(parse(kExample, "c")));
  put(number++, kEverything, static_cast<bool>(parse(kEverything, "c")));
  for (const Json& each : cases) {
    const std::string text = each.dump();
    const auto config = parse(text, "c");
    // One line, one mistake: where one of them is the schema's, it must see it.
    bool seen = false;
    std::string all = config ? "" : config.error().message() + "\n";
    for (std::size_t from = 0; from < all.size();) {
      const std::size_t end = all.find('\n', from);
      seen = seen || !only_for_the_parser(all.substr(from, end - from));
      from = end + 1;
    }
    if (config || seen) {
      put(number++, text, static_cast<bool>(config));
    } else {
      ++left_out;
    }
  }
  EXPECT_GT(number, 1000U);
  EXPECT_LT(left_out, number / 4);
  const std::string command = "/usr/bin/python3 " PROJECT_ROOT "/tests/injector/config/agree.py " PROJECT_ROOT
                              "/injector/config/config.schema.json " +
                              folder / "cases";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace injector::config
