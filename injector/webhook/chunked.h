#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace injector::webhook {

/// Takes the chunks of a body apart (RFC 9112, 7.1), strictly: no extensions, no trailers, sizes of at most eight hex
/// digits.
class Chunked {
 public:
  enum class State : std::uint8_t { more, done, broken, too_large };

  explicit Chunked(std::size_t limit) : limit_(limit) {}

  /// Takes what it can from the front of `raw` and appends the body's bytes to `body`, which may hold `limit` bytes.
  State feed(std::string& raw, std::string& body);

 private:
  enum class Part : std::uint8_t { size, data, data_end, end };
  State step(std::string_view& rest, std::string& body);

  std::size_t limit_;
  std::size_t left_ = 0;
  Part part_ = Part::size;
};

}  // namespace injector::webhook
