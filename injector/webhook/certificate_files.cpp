#include "injector/webhook/certificate_files.h"

#include <cstring>
#include <utility>

#include "scanner/base/fd.h"

namespace injector::webhook {

using scanner::base::fail;
using scanner::base::Result;

namespace {

constexpr std::size_t kMaxFile = 1UL << 20;

}  // namespace

Result<std::shared_ptr<const TlsIdentityInUse>> CertificateFiles::load() const {
  auto chain = scanner::base::read_file(certificate_, kMaxFile);
  if (!chain) return fail(std::move(chain).error());
  auto key = scanner::base::read_file(key_, kMaxFile);
  if (!key) return fail(std::move(key).error());
  const memory::Secret secret = memory::Secret::copy_of(*key);
  ::explicit_bzero(key->data(), key->size());
  auto made = TlsIdentityInUse::create(*chain, secret);
  if (!made) return fail(std::move(made).error().during(certificate_ + " and " + key_));
  return made;
}

Result<std::shared_ptr<const TlsIdentityInUse>> CertificateFiles::look() {
  const FileStamp certificate = FileStamp::of(certificate_);
  const FileStamp key = FileStamp::of(key_);
  const bool same = looked_ && certificate == certificate_stamp_ && key == key_stamp_;
  if (same && loaded_) return std::shared_ptr<const TlsIdentityInUse>();
  looked_ = true;
  certificate_stamp_ = certificate;
  key_stamp_ = key;
  auto made = load();
  loaded_ = static_cast<bool>(made);
  is_news_ = !loaded_ && !same;
  return made;
}

}  // namespace injector::webhook
