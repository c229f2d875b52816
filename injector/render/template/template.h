#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "injector/memory/secret.h"
#include "injector/model/reading.h"
#include "scanner/base/result.h"

/// Go's text/template as users of Vault Agent write it; README.md says which part of it. Pure: no file, no clock, no
/// network, no randomness; every byte of a value stays in the arena.
namespace injector::render::templates {

/// Something that makes a template useless: where, what, and how to mend it. Never holds a value.
struct Mistake {
  std::size_t line = 0;  ///< From 1.
  std::string what;
  std::string mend;  ///< Empty when `what` says it already.

  /// "line 3: there is no function \"quote\": call it sprig_quote"
  [[nodiscard]] std::string text() const;
};

/// Around actions. An empty one is Go's: "{{" and "}}".
struct Delimiters {
  std::string left;
  std::string right;
};

/// One question that a template asks of its store. Equal ones are one request.
struct Call {
  enum class Kind : unsigned char {
    read,         ///< secret "kv/shop/db"
    list,         ///< secrets "kv/shop"
    write,        ///< secret "pki/issue/web" "common_name=shop.example"
    certificate,  ///< pkiCert "pki/issue/web" "common_name=shop.example"
  };
  Kind kind = Kind::read;
  std::string path;                         ///< Without slashes at its ends, and without "?version=".
  std::string version;                      ///< Of "?version=N".
  std::map<std::string, std::string> data;  ///< What is sent with a write or for a certificate.

  friend auto operator<=>(const Call&, const Call&) = default;
};

struct Options {
  bool error_on_missing_key = false;  ///< A field that is not there is an error, and not "<no value>".
};

/// A template that was checked: its grammar, that every function is known and allowed, and what it asks of stores.
/// A value: copies share the parsed tree. Any number of threads may render one.
class Template {
 public:
  struct Checked;

  /// All mistakes at once, in the order of lines. A template is refused for:
  /// - what Go refuses when it parses it, and what must fail whenever it is executed;
  /// - functions outside of the subset, each by name with the reason;
  /// - calls of stores whose arguments hang on a secret's value;
  /// - kMostText bytes, kMostDepth of nesting, kMostCalls calls of stores.
  static Checked check(std::string_view text, const Delimiters& delimiters = {});

  /// What it may ask: calls behind a condition that hangs on a secret are among them. Sorted, each once.
  [[nodiscard]] const std::vector<Call>& calls() const;

  /// The file. `readings` are the answers to calls(), in its order; null where there is none, which is an error only
  /// where the template gets to it (a list that is not there is empty, as the store says).
  ///
  /// Limits, `Errc::limit`: kMostOutput bytes, kMostMemory bytes of values made on the way, kMostSteps steps.
  /// `Errc::missing` for an answer or a key that is not there, `Errc::unsupported` for everything else that fails.
  /// Messages name the line and the action or function, never a value.
  [[nodiscard]] scanner::base::Result<memory::Secret> render(std::span<const Reading* const> readings,
                                                             const Options& options) const;

  static constexpr std::size_t kMostText = 1UL << 20;
  static constexpr std::size_t kMostDepth = 100;
  static constexpr std::size_t kMostCalls = 100;
  static constexpr std::size_t kMostOutput = 4UL << 20;
  static constexpr std::size_t kMostMemory = 32UL << 20;
  static constexpr std::size_t kMostSteps = 2'000'000;

 private:
  struct Impl;
  explicit Template(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// Either the template or why not.
struct Template::Checked {
  std::shared_ptr<const Template> good;  ///< Null when there are mistakes.
  std::vector<Mistake> mistakes;
};

}  // namespace injector::render::templates
