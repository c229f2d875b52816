#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "injector/backend/aws/credentials.h"

namespace injector::backend::aws {

/// "2015-08-30T12:36:00Z", seconds with a fraction or without, UTC only; the fraction is dropped. Nothing for all else.
std::optional<Time> parse_iso8601(std::string_view text);
/// The `Date` of HTTP, as RFC 9110 has servers send it: "Sun, 06 Nov 1994 08:49:37 GMT". Nothing for all else.
std::optional<Time> parse_http_date(std::string_view text);
/// "20150830T123600Z", as SigV4 wants it; its first eight characters are the date.
std::string amz_date(Time time);
/// "2015-08-30T12:36:00Z"
std::string iso8601(Time time);

}  // namespace injector::backend::aws
