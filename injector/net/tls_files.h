#pragma once

#include <memory>
#include <string>

#include "injector/memory/secret.h"
#include "scanner/base/result.h"

namespace injector::net {

/// What a client's files held when they were last good.
struct TlsIdentity {
  std::string authorities;  ///< PEM; empty: the system's.
  std::string certificate;  ///< PEM with its chain; empty: none.
  memory::Secret key;       ///< PEM.
};

/// Files that are read again when they change.
class TlsFiles {
 public:
  /// Any may be empty. `extra_authorities` is PEM that is always trusted beside the file.
  TlsFiles(std::string ca_file, std::string extra_authorities, std::string cert_file, std::string key_file);
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;
  ~TlsFiles();

  /// The present content, read again only when a file has another time, size or inode. When that fails or makes no
  /// sense the last good content stays; there being none yet is `Errc::config`, and names the file.
  scanner::base::Result<std::shared_ptr<const TlsIdentity>> current();

 private:
  struct Stamp;
  [[nodiscard]] scanner::base::Result<std::shared_ptr<const TlsIdentity>> load() const;

  std::string ca_file_;
  std::string extra_;
  std::string cert_file_;
  std::string key_file_;
  std::shared_ptr<const TlsIdentity> last_good_;
  std::unique_ptr<Stamp> stamp_;
};

}  // namespace injector::net
