#include "injector/net/http.h"

#include <algorithm>

namespace injector::net {

std::string Response::header(const std::string& lower_case_name) const {
  const auto found = std::ranges::find(headers, lower_case_name, &Header::name);
  return found == headers.end() ? std::string() : std::string(found->value.reveal());
}

}  // namespace injector::net
