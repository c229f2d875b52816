#include "injector/backend/aws/fault.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "injector/backend/aws/xml.h"
#include "injector/memory/document.h"

namespace injector::backend::aws {
namespace {

using memory::Document;
using scanner::base::Errc;
using scanner::base::Error;

constexpr std::chrono::milliseconds kLongestWait{300'000};

// As botocore's standard mode knows them.
constexpr std::array<std::string_view, 14> kThrottling = {"Throttling",
                                                          "ThrottlingException",
                                                          "ThrottledException",
                                                          "RequestThrottledException",
                                                          "RequestThrottled",
                                                          "TooManyRequestsException",
                                                          "ProvisionedThroughputExceededException",
                                                          "TransactionInProgressException",
                                                          "RequestLimitExceeded",
                                                          "BandwidthLimitExceeded",
                                                          "LimitExceededException",
                                                          "SlowDown",
                                                          "PriorRequestNotComplete",
                                                          "EC2ThrottledException"};

struct Known {
  std::string_view code;
  Remedy remedy;
  Errc errc;
};

constexpr std::array kKnown = {
    Known{"ResourceNotFoundException", Remedy::none, Errc::missing},
    Known{"InvalidRequestException", Remedy::none, Errc::config},
    Known{"InvalidParameterException", Remedy::none, Errc::config},
    Known{"InvalidNextTokenException", Remedy::none, Errc::config},
    Known{"ValidationException", Remedy::none, Errc::config},
    Known{"ValidationError", Remedy::none, Errc::config},
    Known{"MalformedPolicyDocumentException", Remedy::none, Errc::config},
    Known{"UnknownOperationException", Remedy::none, Errc::config},
    Known{"InvalidAction", Remedy::none, Errc::config},
    Known{"DecryptionFailure", Remedy::none, Errc::denied},
    Known{"AccessDeniedException", Remedy::none, Errc::denied},
    Known{"AccessDenied", Remedy::none, Errc::denied},
    Known{"OptInRequired", Remedy::none, Errc::denied},
    Known{"NotAuthorized", Remedy::none, Errc::denied},
    Known{"RegionDisabledException", Remedy::none, Errc::denied},
    Known{"IDPRejectedClaim", Remedy::none, Errc::denied},
    Known{"InvalidIdentityToken", Remedy::credentials, Errc::denied},
    Known{"ExpiredTokenException", Remedy::credentials, Errc::denied},
    Known{"ExpiredToken", Remedy::credentials, Errc::denied},
    Known{"UnrecognizedClientException", Remedy::credentials, Errc::denied},
    Known{"InvalidClientTokenId", Remedy::credentials, Errc::denied},
    Known{"MissingAuthenticationToken", Remedy::credentials, Errc::denied},
    Known{"MissingAuthenticationTokenException", Remedy::credentials, Errc::denied},
    Known{"IncompleteSignature", Remedy::credentials, Errc::denied},
    Known{"InvalidSignatureException", Remedy::clock, Errc::denied},
    Known{"SignatureDoesNotMatch", Remedy::clock, Errc::denied},
    Known{"AuthFailure", Remedy::clock, Errc::denied},
    Known{"RequestTimeTooSkewed", Remedy::clock, Errc::denied},
    Known{"RequestExpired", Remedy::clock, Errc::denied},
    Known{"RequestInTheFuture", Remedy::clock, Errc::denied},
    Known{"InternalServiceError", Remedy::retry, Errc::away},
    Known{"InternalServiceErrorException", Remedy::retry, Errc::away},
    Known{"InternalFailure", Remedy::retry, Errc::away},
    Known{"InternalError", Remedy::retry, Errc::away},
    Known{"ServiceUnavailable", Remedy::retry, Errc::away},
    Known{"ServiceUnavailableException", Remedy::retry, Errc::away},
    Known{"RequestTimeout", Remedy::retry, Errc::away},
    Known{"RequestTimeoutException", Remedy::retry, Errc::away},
    Known{"IDPCommunicationError", Remedy::retry, Errc::away},
};

std::string code_in_body(const net::Response& response) {
  const std::string_view body = response.body.reveal();
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  if (first == body.npos) return {};
  if (body[first] == '<') {
    const auto xml = XmlLeaves::parse(response.body);
    if (!xml) return {};
    return plain_code(xml->root() == "Error" ? xml->at("Code") : xml->at("Error/Code"));
  }
  const auto json = Document::parse(response.body);
  if (!json) return {};
  const Document::Value root = json->root();
  for (const char* name : {"__type", "code", "Code"}) {
    if (std::string code = plain_code(root[name].string()); !code.empty()) return code;
  }
  return {};
}

std::optional<std::chrono::milliseconds> number(const std::string& text, std::int64_t unit) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return kLongestWait;
  if (error != std::errc() || value < 0) return std::nullopt;
  return std::min(kLongestWait, std::chrono::milliseconds(std::min(value, kLongestWait.count()) * unit));
}

}  // namespace

std::string plain_code(std::string_view text) {
  if (const std::size_t hash = text.rfind('#'); hash != text.npos) text.remove_prefix(hash + 1);
  text = text.substr(0, text.find(':'));
  constexpr std::string_view kName = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (text.size() > 64 || text.find_first_not_of(kName) != text.npos) return {};
  return std::string(text);
}

std::optional<std::chrono::milliseconds> wait_of(const net::Response& response) {
  return std::max(number(response.header("retry-after"), 1000), number(response.header("x-amz-retry-after"), 1));
}

Fault classify(int status, const std::string& code, std::string_view message) {
  Fault fault;
  fault.status = status;
  fault.code = code.empty() ? "HTTP " + std::to_string(status) : code;
  if (status == 429 || std::find(kThrottling.begin(), kThrottling.end(), code) != kThrottling.end()) {
    fault.remedy = Remedy::throttle;
    fault.errc = Errc::away;
    return fault;
  }
  const auto* known = std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& row) { return row.code == code; });
  if (known != kKnown.end()) {
    fault.remedy = known->remedy;
    fault.errc = known->errc;
    // To a reader, what is to be deleted is gone.
    const bool deleted = code == "InvalidRequestException" && message.find("delet") != message.npos;
    if (deleted) fault.errc = Errc::missing;
  } else if (status >= 500 || status == 408) {
    fault.remedy = Remedy::retry;
    fault.errc = Errc::away;
  } else if (status == 401 || status == 403) {
    fault.errc = Errc::denied;
  } else if (status == 404) {
    fault.errc = Errc::missing;
  } else if (status >= 400) {
    fault.errc = Errc::config;
  } else {
    // A redirect or an answer of somebody else: a captive portal, a wrong endpoint.
    fault.errc = Errc::away;
  }
  return fault;
}

Fault fault_of(const net::Response& response) {
  std::string code = plain_code(response.header("x-amzn-errortype"));
  if (code.empty()) code = code_in_body(response);
  Fault fault = classify(response.status, code, response.body.reveal());
  fault.wait = wait_of(response);
  fault.request_id = plain_code(response.header("x-amzn-requestid"));
  return fault;
}

Error Fault::error(const std::string& step) const {
  if (status == 0) return {errc, step + ": " + transport};
  std::string text = step + ": " + code;
  if (code == "InvalidRequestException" && errc == Errc::missing) text += " (scheduled for deletion)";
  if (!request_id.empty()) text += " (request " + request_id + ")";
  return {errc, std::move(text)};
}

}  // namespace injector::backend::aws
