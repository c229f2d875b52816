#include "injector/webhook/chunked.h"

#include <gtest/gtest.h>

namespace {

using injector::webhook::Chunked;
using State = Chunked::State;

/// Feeds `text` in pieces of that size, as if it came so.
std::pair<State, std::string> fed(const std::string& text, std::size_t piece, std::size_t limit = 100) {
  Chunked chunked(limit);
  std::string raw;
  std::string body;
  State state = State::more;
  for (std::size_t at = 0; at < text.size() && state == State::more; at += piece) {
    raw += text.substr(at, piece);
    state = chunked.feed(raw, body);
  }
  return {state, body};
}

TEST(ChunkedBody, IsTheSameHoweverItComes) {
  const std::string text = "5\r\nhello\r\n1\r\n,\r\nA\r\n 0123\r\n\r\n!\r\n0\r\n\r\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    EXPECT_EQ(fed(text, piece), (std::pair<State, std::string>(State::done, "hello, 0123\r\n\r\n!"))) << piece;
  }
}

TEST(ChunkedBody, LeavesTheNextRequestUnread) {
  Chunked chunked(100);
  std::string raw = "1\r\na\r\n0\r\n\r\nPOST /";
  std::string body;
  EXPECT_EQ(chunked.feed(raw, body), State::done);
  EXPECT_EQ(raw, "POST /");
}

TEST(ChunkedBody, IsRefusedWhereTwoReadersMightDiffer) {
  for (const std::string text : {"5;a=b\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n",
                                 "+5\r\nhello\r\n", "-1\r\n\r\n", "\r\n", "5\nhello\n0\n\n", "5\r\nhelloX\r\n",
                                 "5\r\nhello\r\r", "000000005\r\nhello\r\n", "g\r\n", "0\r\nTrailer: x\r\n\r\n"}) {
    EXPECT_EQ(fed(text, 1).first, State::broken) << text;
    EXPECT_EQ(fed(text, 100).first, State::broken) << text;
  }
}

TEST(ChunkedBody, IsRefusedBeforeItIsTooLarge) {
  EXPECT_EQ(fed("64\r\n" + std::string(100, 'a') + "\r\n0\r\n\r\n", 7).first, State::done);
  EXPECT_EQ(fed("65\r\n", 7).first, State::too_large);
  EXPECT_EQ(fed("32\r\n" + std::string(50, 'a') + "\r\n33\r\n", 7).first, State::too_large);
  EXPECT_EQ(fed("ffffffff\r\n", 7).first, State::too_large);
}

}  // namespace
