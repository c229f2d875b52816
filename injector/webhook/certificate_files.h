#pragma once

#include <memory>
#include <string>

#include "injector/webhook/policy_file.h"
#include "injector/webhook/tls.h"
#include "scanner/base/result.h"

namespace injector::webhook {

/// A certificate and its key in files, read again when they change. In the middle of a change the two do not belong
/// together: then the ones in use stay, and the next look tries again.
class CertificateFiles {
 public:
  CertificateFiles(std::string certificate, std::string key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  /// What is new since the last look; null: nothing. `Errc::config` and `Errc::io` name the file. The same trouble is
  /// told each time; see `is_news`.
  scanner::base::Result<std::shared_ptr<const TlsIdentityInUse>> look();
  /// Whether the error of the last look is the first of these very files.
  [[nodiscard]] bool is_news() const { return is_news_; }

 private:
  [[nodiscard]] scanner::base::Result<std::shared_ptr<const TlsIdentityInUse>> load() const;

  std::string certificate_;
  std::string key_;
  FileStamp certificate_stamp_;
  FileStamp key_stamp_;
  bool loaded_ = false;
  bool looked_ = false;
  bool is_news_ = false;
};

}  // namespace injector::webhook
