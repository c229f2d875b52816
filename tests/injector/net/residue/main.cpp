// Fetches a secret some times over TLS, reads it, lets it go, and then searches the memory of this very process,
// outside the arena, for every window of eight bytes of the secret and of the token that it was asked with.
//
//   residue URL CA_FILE TIMES     "connected N", "idle N", "ended N": what is found while the last connection stands,
//   when
//                                 it was closed, and when the client has ended
//
// The needles stand masked in the program, are unmasked in the arena, and are compared masked.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "injector/memory/arena.h"
#include "injector/memory/document.h"
#include "injector/memory/process.h"
#include "injector/memory/text.h"
#include "injector/memory/zeroing.h"
#include "injector/net/https_client.h"
#include "injector/net/start.h"
#include "tests/injector/net/residue/canaries.h"

namespace {

using namespace injector;

memory::Secret unmasked(std::string_view masked) {
  memory::Secret plain = memory::Secret::of_size(masked.size());
  for (std::size_t i = 0; i < masked.size(); ++i) plain.writable()[i] = tests::mask(masked[i]);
  return plain;
}

std::uint64_t word_at(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

class Search {
 public:
  explicit Search(std::initializer_list<std::string_view> masked_needles) {
    for (const std::string_view needle : masked_needles) {
      for (std::size_t i = 0; i + 8 <= needle.size(); ++i) windows_.push_back(word_at(needle.data() + i));
    }
    std::ranges::sort(windows_);
    for (const std::uint64_t window : windows_) likely_[window & 0xFFFFU] = true;
  }

  /// Counts the windows in all that is mapped, but for the arena and the buffer of this search.
  std::size_t run() {
    std::size_t found = 0;
    std::ifstream maps("/proc/self/maps");
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    for (std::string line; std::getline(maps, line);) {
      std::uintptr_t begin = 0;
      std::uintptr_t end = 0;
      char readable = 0;
      if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %c", &begin, &end, &readable) != 3) continue;
      if (readable != 'r' || memory::Arena::contains(reinterpret_cast<const void*>(begin))) continue;
      const std::size_t here = search(memory, begin, end);
      if (here > 0) std::fprintf(stderr, "%zu in %s\n", here, line.c_str());
      found += here;
    }
    ::close(memory);
    return found;
  }

 private:
  std::size_t search(int memory, std::uintptr_t begin, std::uintptr_t end) {
    std::size_t found = 0;
    // Each piece overlaps the next by seven bytes.
    for (std::uintptr_t at = begin; at < end; at += buffer_.size() - 7) {
      const ssize_t n = ::pread(memory, buffer_.data(), std::min(buffer_.size(), end - at), static_cast<off_t>(at));
      for (ssize_t i = 0; i + 8 <= n; ++i) {
        const std::uint64_t word = word_at(buffer_.data() + i) ^ tests::kMaskWord;
        if (!likely_[word & 0xFFFFU] || !std::ranges::binary_search(windows_, word)) continue;
        const auto address = at + static_cast<std::uintptr_t>(i);
        const auto own = reinterpret_cast<std::uintptr_t>(buffer_.data());
        if (address + 8 > own && address < own + buffer_.size()) continue;
        ++found;
      }
    }
    ::explicit_bzero(buffer_.data(), buffer_.size());
    return found;
  }

  static std::array<char, 65536> buffer_;
  std::vector<std::uint64_t> windows_;
  std::array<bool, 65536> likely_{};
};
std::array<char, 65536> Search::buffer_;

/// What the sidecar does with an answer: parse, take members out, copy, write formats, compare.
bool use(const memory::Secret& body, const memory::Secret& expected) {
  const auto document = memory::Document::parse(body);
  if (!document) return false;
  const auto value = document->root()["data"]["data"]["password"];
  const memory::Secret copy = memory::Secret::copy_of(value.string());
  const memory::Secret text = document->root().text();
  memory::Text line;
  for (int i = 0; i < 40; ++i) line.append("PASSWORD=").append_json(value.string()).append('\n');
  const memory::Secret rendered = line.finish();
  return copy.clone().equals(expected) && rendered.size() > text.size();
}

boost::asio::awaitable<void> fetch(net::HttpsClient& client, const char* url, int times, int& good) {
  for (int i = 0; i < times; ++i) {
    net::Request request;
    request.url = url;
    memory::Text bearer;
    bearer.append("Bearer ").append(unmasked(tests::kMaskedToken));
    request.headers.push_back({"Authorization", bearer.finish()});
    request.method = i % 2 == 0 ? "GET" : "POST";
    if (i % 2 != 0) request.body = unmasked(tests::kMaskedToken);
    auto response = co_await client.send(std::move(request));
    if (response && response->status == 200 && use(response->body, unmasked(tests::kMaskedSecret))) ++good;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
#ifndef RESIDUE_CONTROL
  memory::take_environment();
  if (!memory::harden_process()) return 2;
  if (!memory::heap_is_zeroed()) return 77;
#else
  ::curl_global_init(CURL_GLOBAL_DEFAULT);
#endif
  std::printf("arena %s\n", std::string(memory::to_string(memory::Arena::open())).c_str());
  net::start();
  Search secret{tests::kMaskedSecret};
  Search token{tests::kMaskedToken};
  const auto report = [&](const char* when) {
    const std::size_t secrets = secret.run();
    const std::size_t tokens = token.run();
    std::printf("%s %zu (%zu of the secret, %zu of the token)\n", when, secrets + tokens, secrets, tokens);
  };
  boost::asio::io_context loop;
  auto client = net::HttpsClient::create(loop.get_executor(), {.ca_file = argv[2]});
  if (!client) return 2;
  const int times = std::atoi(argv[3]);  // NOLINT(cert-err34-c): a test's own number
  int good = 0;
  boost::asio::co_spawn(loop, fetch(**client, argv[1], times, good), boost::asio::detached);
  loop.run();
#ifndef RESIDUE_CONTROL
  memory::wipe_stack();
#endif
  std::printf("good %d\n", good);
  report("connected");
  (*client)->close_idle(std::chrono::seconds(0));
  report("idle");
  client->reset();
  report("ended");
  return 0;
}
