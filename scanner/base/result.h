#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "scanner/base/check.h"

namespace scanner::base {

/// What went wrong, coarse enough to act on.
enum class Errc {
  usage,        ///< The user asked for something that makes no sense: exit code 2.
  config,       ///< A rule file, baseline or configuration is wrong: exit code 2.
  io,           ///< The operating system refused a read, a write or an open.
  truncated,    ///< Input ended before its own structure said so.
  corrupt,      ///< Input contradicts its format, its checksum or its digest.
  limit,        ///< A stated limit was reached; the rest was not looked at.
  unsupported,  ///< Well-formed, but not something this program reads.
  away,         ///< A server cannot be had now: weather, try again later.
  denied,       ///< A server knows us and refuses.
  missing,      ///< There is nothing where something was asked for.
};

/// A failure, as one sentence for a person. Names the place and the rule, never the content that was read.
class Error {
 public:
  Error(Errc code, std::string message) : code_(code), message_(std::move(message)) {}

  [[nodiscard]] Errc code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return message_; }

  /// The same error with the step that met it in front: "reading layer 3: unexpected end".
  [[nodiscard]] Error during(const std::string& step) const& { return {code_, step + ": " + message_}; }
  [[nodiscard]] Error during(const std::string& step) && { return {code_, step + ": " + message_}; }

 private:
  Errc code_;
  std::string message_;
};

struct Failure {
  Error error;
};

[[nodiscard]] inline Failure fail(Errc code, std::string message) { return {Error(code, std::move(message))}; }
[[nodiscard]] inline Failure fail(Error error) { return {std::move(error)}; }

/// A value or an Error; converts from both, so that functions return either alike. Asking for the one that is not there
/// is a bug and stops the process.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Failure failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

  [[nodiscard]] explicit operator bool() const { return state_.index() == 0; }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(value()); }
  [[nodiscard]] T* operator->() { return &value(); }
  [[nodiscard]] const T* operator->() const { return &value(); }

  [[nodiscard]] T& value() {
    SCANNER_CHECK(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const {
    SCANNER_CHECK(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const Error& error() const& {
    SCANNER_CHECK(state_.index() == 1);
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] Error&& error() && {
    SCANNER_CHECK(state_.index() == 1);
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : error_(std::move(failure.error)) {}

  [[nodiscard]] explicit operator bool() const { return !error_.has_value(); }
  [[nodiscard]] const Error& error() const& {
    SCANNER_CHECK(error_.has_value());
    return *error_;
  }
  [[nodiscard]] Error&& error() && {
    SCANNER_CHECK(error_.has_value());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Ok = Result<void>;

}  // namespace scanner::base
