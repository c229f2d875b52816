#include "injector/net/request_head.h"

#include <algorithm>
#include <charconv>

namespace injector::net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The part before `end`, which is taken off with it; all of it when there is none.
std::string_view take_until(std::string_view& text, std::string_view end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + end.size(), text.size()));
  return part;
}

/// 0 or the status of a refusal.
int read_request_line(std::string_view line, RequestHead& head) {
  head.request.method = take_until(line, " ");
  head.request.target = take_until(line, " ");
  if (!is_token(head.request.method) || head.request.target.empty() || !is_visible(head.request.target)) return 400;
  if (line == "HTTP/1.0") {
    head.keeps_alive = false;
  } else if (line != "HTTP/1.1") {
    return line.starts_with("HTTP/") && line.size() == 8 ? 505 : 400;
  }
  return 0;
}

int read_header(std::string_view line, Bodies bodies, RequestHead& head, bool& sized) {
  if (line.find(':') == std::string_view::npos) return 400;
  const std::string name = lowered(take_until(line, ":"));
  const std::string_view value = trimmed(line);
  if (!is_token(name) || !is_field_value(value)) return 400;
  if (name == "transfer-encoding") {
    if (bodies == Bodies::sized || lowered(value) != "chunked") return 501;
    if (head.chunked) return 400;
    head.chunked = true;
  }
  if (name == "content-length") {
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, head.body_size);
    if (sized || error != std::errc() || stop != end) return 400;
    sized = true;
  }
  if (name == "connection") {
    const std::string wish = lowered(value);
    if (wish.find("close") != std::string::npos) head.keeps_alive = false;
    if (wish.find("keep-alive") != std::string::npos) head.keeps_alive = true;
  }
  if (name == "expect") {
    if (lowered(value) != "100-continue") return 417;
    head.expects_continue = true;
  }
  head.request.headers.emplace_back(name, value);
  return 0;
}

}  // namespace

HeadOrStatus read_head(std::string_view text, Bodies bodies) {
  HeadOrStatus out;
  bool sized = false;
  const std::string_view first = take_until(text, "\r\n");
  out.refused = read_request_line(first, out.head);
  while (out.refused == 0) {
    const std::string_view line = take_until(text, "\r\n");
    if (line.empty()) break;
    out.refused = read_header(line, bodies, out.head, sized);
  }
  // One of the two is what a second reader would go by (RFC 9112, 6.3); HTTP/1.0 knows no chunks.
  if (out.refused == 0 && out.head.chunked && (sized || !first.ends_with("HTTP/1.1"))) out.refused = 400;
  return out;
}

std::string ServerRequest::header(const std::string& lower_case_name) const {
  const auto found = std::ranges::find(headers, lower_case_name, &std::pair<std::string, std::string>::first);
  return found == headers.end() ? std::string() : found->second;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Answer";
  }
}

}  // namespace injector::net
