#include "injector/backend/file/file_store.h"

#include <sys/random.h>

#include <algorithm>
#include <utility>

#include "injector/backend/file/directory.h"
#include "injector/memory/document.h"
#include "injector/model/members.h"
#include "scanner/base/check.h"
#include "scanner/base/hash.h"

namespace injector::backend::file {

namespace asio = boost::asio;
using memory::Document;
using memory::Secret;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kVersionDigits = 32;

Ok askable(const Query& query) {
  if (query.write || !query.data.empty()) return fail(Errc::config, "a file store is only read from");
  if (!query.space.empty()) return fail(Errc::config, "a file store has no namespaces");
  if (!query.version.empty() || !query.stage.empty()) {
    return fail(Errc::config, "a file store has one version of each value");
  }
  return {};
}

}  // namespace

FileStore::FileStore(const Settings& settings)
    : settings_(settings), key_(Secret::of_size(kKeyBytes)), watcher_(settings.directory) {
  const ssize_t got = ::getrandom(key_.writable().data(), kKeyBytes, 0);
  SCANNER_CHECK(got == static_cast<ssize_t>(kKeyBytes));
}

Result<std::unique_ptr<FileStore>> FileStore::create(const Settings& settings) {
  if (!settings.directory.starts_with('/')) {
    return fail(Errc::config, "the directory of a file store needs an absolute path");
  }
  return std::unique_ptr<FileStore>(new FileStore(settings));
}

std::string FileStore::version_of(const Secret& content) const {
  return scanner::base::hex(scanner::base::hmac_sha256(key_.reveal(), content.reveal())).substr(0, kVersionDigits);
}

Result<Secret> FileStore::content(const Query& query) const {
  if (Ok well = askable(query); !well) return fail(std::move(well).error());
  // Opened each time: it may have been replaced, or its mode changed.
  const auto directory = Directory::open(settings_.directory);
  if (!directory) return fail(directory.error());
  return directory->read(query.path);
}

Result<Reading> FileStore::look(const Query& query) const {
  auto bytes = content(query);
  if (!bytes) return fail(std::move(bytes).error());
  Reading reading;
  reading.version = version_of(*bytes);
  reading.document = std::move(*bytes);
  add_members(reading);
  const bool there = query.key.empty() || std::any_of(reading.members.begin(), reading.members.end(),
                                                      [&](const auto& member) { return member.name == query.key; });
  if (!there && reading.members.empty()) {
    return fail(Errc::missing, query.path + " is no JSON object, so it has no keys");
  }
  if (!there) return fail(Errc::missing, query.path + " has no key " + query.key);
  return reading;
}

net::Task<Reading> FileStore::read(const Query& query) { co_return look(query); }

asio::awaitable<std::vector<Result<Reading>>> FileStore::read_all(const std::vector<Query>& queries) {
  std::vector<Result<Reading>> out;
  out.reserve(queries.size());
  for (const Query& query : queries) out.push_back(look(query));
  co_return out;
}

net::Task<bool> FileStore::changed(const Query& query, const std::string& version) {
  const auto bytes = content(query);
  if (!bytes) co_return fail(bytes.error());
  co_return version_of(*bytes) != version;
}

net::Task<void> FileStore::changes() {
  auto ended = co_await watcher_.wait();
  co_return ended;
}

net::Task<Lease> FileStore::renew(const Lease& /*lease*/) {
  co_return fail(Errc::config, "a file store has no leases");
}

asio::awaitable<std::vector<Check>> FileStore::check(const std::vector<Query>& queries) {
  std::vector<Check> checks;
  const auto add = [&](std::string what, const Ok& result) {
    checks.push_back({std::move(what), result ? Check::State::passed : Check::State::failed,
                      result ? std::string() : result.error().message()});
  };
  const auto directory = Directory::open(settings_.directory);
  add("directory " + settings_.directory, directory ? Ok() : Ok(fail(directory.error())));
  for (const Query& query : queries) {
    Ok result = askable(query);
    if (result && directory) {
      result = directory->judge(query.path);
    }
    if (directory || !result) {
      add("file " + query.path, result);
    } else {
      checks.push_back({"file " + query.path, Check::State::skipped, "without the directory"});
    }
  }
  co_return checks;
}

asio::awaitable<void> FileStore::close() { co_return; }

}  // namespace injector::backend::file
