#include "injector/webhook/policy_file.h"

#include <sys/stat.h>

#include <utility>

namespace injector::webhook {

using scanner::base::fail;
using scanner::base::Result;

FileStamp FileStamp::of(const std::string& path) {
  struct ::stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size, status.st_ino};
}

Result<PolicyFile::Change> PolicyFile::look() {
  if (path_.empty()) {
    good_ = true;
    return std::exchange(looked_, true) ? Change::none : Change::taken;
  }
  const FileStamp now = FileStamp::of(path_);
  if (looked_ && now == stamp_) return Change::none;
  looked_ = true;
  stamp_ = now;
  auto policy = pod::load_policy(path_);
  good_ = static_cast<bool>(policy);
  if (!policy) return fail(std::move(policy).error());
  policy_ = std::make_shared<const pod::Policy>(std::move(*policy));
  return Change::taken;
}

}  // namespace injector::webhook
