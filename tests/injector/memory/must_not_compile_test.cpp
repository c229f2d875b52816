// A secret must not get out by accident: each line here must not compile, and its neighbour, which does the same on
// purpose, must. The compiler that built the test judges, without making code.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/temporary.h"

namespace {

/// Two statements over `a` and `b`, which are Secrets, and `v`, a value of a document.
struct Pair {
  std::string wrong;
  std::string right;
};

const std::vector<Pair>& pairs() {
  static const std::vector<Pair> all = {
      {"Secret c = a;", "Secret c = a.clone();"},
      {"Secret c(a);", "Secret c(std::move(a));"},
      {"Secret c{a};", "Secret c{std::move(a)};"},
      {"b = a;", "b = std::move(a);"},
      {"const Secret& r = a; Secret c = r;", "const Secret& r = a; Secret c = r.clone();"},
      {"[](Secret) {}(a);", "[](Secret) {}(std::move(a));"},
      {"auto f = [a] { return a.size(); }; (void)f;", "auto f = [&a] { return a.size(); }; (void)f;"},
      {"std::vector<Secret> c{a.clone(), b.clone()}; auto d = c; (void)d;",
       "std::vector<Secret> c; auto d = std::move(c); (void)d;"},
      {"std::vector<Secret> c; c.push_back(a);", "std::vector<Secret> c; c.push_back(std::move(a));"},
      {"std::optional<Secret> c(a);", "std::optional<Secret> c(std::move(a));"},
      {"std::pair<int, Secret> c(1, a);", "std::pair<int, Secret> c(1, std::move(a));"},
      {"auto c = std::make_shared<Secret>(a);", "auto c = std::make_shared<Secret>(std::move(a));"},
      {"std::any c = std::move(a);", "std::any c = 1;"},
      {"std::string s = a;", "std::string_view s = a.reveal(); (void)s;"},
      {"std::string s(a);", "std::string s(4, 'a');"},
      {"std::string s = static_cast<std::string>(a);", "auto s = static_cast<std::string_view>(a.reveal()); (void)s;"},
      {"std::string_view s = a;", "std::string_view s = a.reveal(); (void)s;"},
      {"std::string_view s{a};", "std::string_view s{a.reveal()}; (void)s;"},
      {"const char* s = a;", "const char* s = a.reveal().data(); (void)s;"},
      {"std::span<const char> s = a;", "std::span<const char> s = a.reveal(); (void)s;"},
      {"std::string s; s += a;", "std::string s; s += 'a';"},
      {"std::string s; s.append(a);", "std::string s; s.append(\"a\");"},
      {"std::string s = \"x\" + a;", "std::string s = \"x\" + std::string();"},
      {"std::cout << a;", "std::cout << a.size();"},
      {"std::ostringstream s; s << a;", "std::ostringstream s; s << a.size();"},
      {"std::cin >> a;", "int i = 0; std::cin >> i;"},
      {"bool e = a == b; (void)e;", "bool e = a.equals(b); (void)e;"},
      {"bool e = a != b; (void)e;", "bool e = !a.equals(b); (void)e;"},
      {"bool e = a < b; (void)e;", "bool e = a.size() < b.size(); (void)e;"},
      {"bool e = a == \"guess\"; (void)e;", "bool e = a.equals(Secret::copy_of(\"guess\")); (void)e;"},
      {"if (a) {}", "if (!a.empty()) {}"},
      {"std::map<Secret, int> m; m.emplace(std::move(a), 1);", "std::map<int, Secret> m; m.emplace(1, std::move(a));"},
      {"std::unordered_set<Secret> m; m.insert(std::move(a));", "std::unordered_set<int> m; m.insert(1);"},
      {"std::hash<Secret> h; (void)h(a);", "std::hash<int> h; (void)h(1);"},
      {"char c = a[0]; (void)c;", "char c = a.reveal()[0]; (void)c;"},
      {"for (char c : a) (void)c;", "for (char c : a.reveal()) (void)c;"},
      {"auto n = a.data(); (void)n;", "auto n = a.size(); (void)n;"},
      {"auto n = a.data_; (void)n;", "auto n = a.size(); (void)n;"},
      {"Secret c = \"text\";", "Secret c = Secret::copy_of(\"text\");"},
      {"Secret c(\"text\", 4);", "Secret c = Secret::of_size(4);"},
      {"nlohmann::json j = a;", "nlohmann::json j = a.size();"},
      {"nlohmann::json j; j[\"a\"] = a;", "nlohmann::json j; j[\"a\"] = a.size();"},
      {"auto e = scanner::base::fail(scanner::base::Errc::io, a); (void)e;",
       "auto e = scanner::base::fail(scanner::base::Errc::io, \"a\"); (void)e;"},
      {"throw std::runtime_error(a);", "throw std::runtime_error(\"a\");"},
      {"std::cout << v;", "std::cout << v.size();"},
      {"std::string s = v;", "std::string_view s = v.string(); (void)s;"},
      {"Document d = Document::parse(a).value(); auto e = d; (void)e;", "auto d = Document::parse(a); (void)d;"},
      {"Text t; std::cout << t;", "Text t; std::cout << t.size();"},
  };
  return all;
}

std::string program(const std::string& statements) {
  return R"(#include <any>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>
#include "injector/memory/document.h"
#include "injector/memory/text.h"
using namespace injector::memory;
)" + statements;
}

std::string function(std::size_t number, const std::string& statements) {
  return "void f" + std::to_string(number) + "(Secret& a, Secret& b, Document::Value v) { (void)a; (void)b; (void)v; " +
         statements + " }\n";
}

bool compiles(const std::string& text, const tests::TemporaryDirectory& folder) {
  const std::string source = folder.write("a.cpp", text);
  const std::string command = std::string("c++ -std=c++20 -fsyntax-only -I") + PROJECT_ROOT + " " + folder.path() +
                              "/a.cpp > " + folder.path() + "/log 2>&1";
  return std::system(command.c_str()) == 0;
}

TEST(Secret, CompilesWhereItIsMeantToGetOut) {
  const tests::TemporaryDirectory folder;
  std::string all;
  for (std::size_t i = 0; i < pairs().size(); ++i) all += function(i, pairs()[i].right);
  EXPECT_TRUE(compiles(program(all), folder)) << tests::contents_of(folder / "log");
}

/// One run of the compiler for all: each wrong line must have an error of its own.
TEST(Secret, DoesNotCompileWhereItWouldGetOutByAccident) {
  const tests::TemporaryDirectory folder;
  std::string all;
  for (std::size_t i = 0; i < pairs().size(); ++i) {
    all += "#line 1 \"wrong" + std::to_string(i) + "\"\n" + function(i, pairs()[i].wrong);
  }
  ASSERT_FALSE(compiles(program(all), folder));
  const std::string log = tests::contents_of(folder / "log");
  EXPECT_GE(pairs().size(), 25U);
  for (std::size_t i = 0; i < pairs().size(); ++i) {
    EXPECT_NE(log.find("wrong" + std::to_string(i) + ":1:"), std::string::npos) << "compiles: " << pairs()[i].wrong;
  }
}

}  // namespace
