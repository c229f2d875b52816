#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

#include "injector/backend/aws/environment.h"
#include "injector/backend/vault/settings.h"
#include "scanner/base/result.h"

namespace injector::cli {

/// The pod's AWS identity, for stores of Vault that log in with it: a GetCallerIdentity request, signed with whatever
/// credentials the platform gives, each time anew. It is Vault that sends it.
class AwsIdentity {
 public:
  /// `region` is that of STS, the pod's when it is empty. `Errc::config` when there is none, or the settings in the
  /// environment are wrong. Borrows the environment for the time of the call only.
  static scanner::base::Result<std::unique_ptr<AwsIdentity>> create(boost::asio::any_io_executor executor,
                                                                    const std::string& region,
                                                                    const backend::aws::Environment& environment);
  AwsIdentity(const AwsIdentity&) = delete;
  AwsIdentity& operator=(const AwsIdentity&) = delete;
  ~AwsIdentity();

  net::Task<backend::vault::SignedIdentity> sign(std::string server_id);

 private:
  struct State;
  explicit AwsIdentity(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace injector::cli
