#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "injector/model/file_spec.h"
#include "injector/net/https_client.h"

namespace injector::cli {

/// Tells applications that their files have changed, in the three ways that there are.
class Notifier {
 public:
  /// For all `on_change` of these files; touches nothing yet.
  Notifier(boost::asio::any_io_executor executor, const std::vector<FileSpec>& files);

  /// Ends within `how.timeout`. An error says what was tried and how it went: no such process, a status other than 2xx,
  /// a program that failed.
  net::Task<void> tell(OnChange how);

 private:
  net::Task<void> post(std::string url, std::chrono::milliseconds timeout);
  net::Task<void> run(RunProgram program, std::chrono::milliseconds timeout);

  boost::asio::any_io_executor executor_;
  std::vector<std::string> hosts_;          ///< Those that POSTs go to, all of them loopback.
  std::unique_ptr<net::HttpsClient> http_;  ///< Made when first needed.
};

}  // namespace injector::cli
