#include "injector/net/tls_files.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <compare>
#include <utility>

#include "injector/memory/text.h"
#include "injector/net/pem.h"
#include "scanner/base/fd.h"

namespace injector::net {

using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

namespace {

constexpr std::size_t kMaxFile = 4UL << 20;  // A distribution's whole bundle is a quarter of a MiB.

Result<memory::Secret> read_secret(const std::string& path) {
  auto fd = scanner::base::open_for_reading(path);
  if (!fd) return fail(std::move(fd).error());
  memory::Text text;
  std::array<char, 4096> block{};
  while (true) {
    const ssize_t n = ::read(fd->get(), block.data(), block.size());
    if (n < 0 || text.size() > kMaxFile) return fail(Errc::io, "cannot read " + path);
    if (n == 0) break;
    text.append(std::string_view(block.data(), static_cast<std::size_t>(n)));
  }
  ::explicit_bzero(block.data(), block.size());
  return text.finish();
}

}  // namespace

struct TlsFiles::Stamp {
  struct File {
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    std::int64_t size = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const File&, const File&) = default;
  };

  static File of(const std::string& path) {
    struct ::stat status {};
    if (path.empty() || ::stat(path.c_str(), &status) != 0) return {};
    return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size, status.st_ino};
  }

  std::array<File, 3> files;
};

TlsFiles::TlsFiles(std::string ca_file, std::string extra_authorities, std::string cert_file, std::string key_file)
    : ca_file_(std::move(ca_file)),
      extra_(std::move(extra_authorities)),
      cert_file_(std::move(cert_file)),
      key_file_(std::move(key_file)) {}

TlsFiles::~TlsFiles() = default;

Result<std::shared_ptr<const TlsIdentity>> TlsFiles::current() {
  Stamp now{{Stamp::of(ca_file_), Stamp::of(cert_file_), Stamp::of(key_file_)}};
  if (last_good_ && stamp_ && stamp_->files == now.files) return last_good_;
  auto loaded = load();
  if (!loaded) {
    if (last_good_) return last_good_;
    return loaded;
  }
  last_good_ = *loaded;
  stamp_ = std::make_unique<Stamp>(now);
  return last_good_;
}

Result<std::shared_ptr<const TlsIdentity>> TlsFiles::load() const {
  auto identity = std::make_shared<TlsIdentity>();
  const auto bad = [](const std::string& message) { return fail(Errc::config, message); };
  if (!ca_file_.empty()) {
    auto pem = scanner::base::read_file(ca_file_, kMaxFile);
    if (!pem) return bad(pem.error().message());
    if (!first_certificate(*pem)) return bad("no certificate in " + ca_file_);
    identity->authorities = *std::move(pem);
  }
  if (!extra_.empty()) {
    if (!first_certificate(extra_)) return bad("no certificate in the given PEM");
    identity->authorities += "\n" + extra_;
  }
  if (cert_file_.empty() && key_file_.empty()) return std::shared_ptr<const TlsIdentity>(std::move(identity));
  if (cert_file_.empty() || key_file_.empty())
    return bad("a client certificate needs its key, and a key its certificate");
  auto pem = scanner::base::read_file(cert_file_, kMaxFile);
  if (!pem) return bad(pem.error().message());
  const Certificate certificate = first_certificate(*pem);
  if (!certificate) return bad("no certificate in " + cert_file_);
  auto key_pem = read_secret(key_file_);
  if (!key_pem) return bad(key_pem.error().message());
  const PrivateKey key = private_key(key_pem->reveal());
  if (!key) return bad("no private key without a passphrase in " + key_file_);
  const bool belongs = ::X509_check_private_key(certificate.get(), key.get()) == 1;
  ::ERR_clear_error();
  if (!belongs) return bad("the key in " + key_file_ + " is not that of the certificate in " + cert_file_);
  identity->certificate = *std::move(pem);
  identity->key = *std::move(key_pem);
  return std::shared_ptr<const TlsIdentity>(std::move(identity));
}

}  // namespace injector::net
