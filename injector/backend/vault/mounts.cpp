#include "injector/backend/vault/mounts.h"

namespace injector::backend::vault {
namespace {

using net::Task;
using scanner::base::Errc;
using scanner::base::fail;

std::string first_segment(const std::string& path) { return path.substr(0, path.find('/')) + "/"; }

Mount mount_of(const Answer& answer) {
  Mount mount;
  const auto data = answer.data();
  mount.path = std::string(data["path"].string());
  mount.type = std::string(data["type"].string());
  if (mount.type == "kv" && data["options"]["version"].string() == "2") mount.engine = Engine::kv2;
  return mount;
}

}  // namespace

Task<Mount> MountTable::find(std::string space, std::string path) {
  const Key key{space, first_segment(path)};
  while (true) {
    if (const auto known = lookup(space, path); known != known_.end()) co_return known->second.mount;
    const auto found = flights_.find(key);
    if (found == flights_.end()) break;
    const auto other = found->second;
    const bool done = co_await Gate::wait(other->gate);
    if (!done) co_return fail(Errc::away, "cancelled");
    if (other->error) co_return fail(*other->error);
  }
  const auto flight = std::make_shared<Flight>();
  flights_.emplace(key, flight);
  struct Landed {
    MountTable& table;
    const Key& key;
    const std::shared_ptr<Flight>& flight;
    ~Landed() {
      table.flights_.erase(key);
      flight->gate->open();
    }
  } const landed{*this, key, flight};
  const auto answer = co_await probe_(space, path);
  if (!answer) {
    flight->error = answer.error();
    co_return fail(answer.error());
  }
  auto mount = answer->ok() ? mount_of(*answer) : Mount();
  const bool certain = !mount.path.empty() && (path + "/").starts_with(mount.path);
  if (!certain) mount = Mount();
  known_.insert_or_assign(Key{space, certain ? mount.path : path + "/"}, Known{mount, clock_->now(), certain});
  co_return mount;
}

void MountTable::doubt(const std::string& space, const std::string& path) {
  const auto known = lookup(space, path);
  if (known != known_.end() && clock_->now() - known->second.since >= kDoubt) known_.erase(known);
}

void MountTable::deny_metadata(const std::string& space, const std::string& path) {
  if (const auto known = lookup(space, path); known != known_.end()) known->second.mount.metadata_denied = true;
}

/// The mount that the path lies in: no mount lies in another, so at most one of its starts is known for certain.
std::map<MountTable::Key, MountTable::Known>::iterator MountTable::lookup(const std::string& space,
                                                                          const std::string& path) {
  auto uncertain = known_.end();
  for (auto at = path.find('/');; at = path.find('/', at + 1)) {
    const auto start = at == std::string::npos ? path + "/" : path.substr(0, at + 1);
    const auto known = known_.find({space, start});
    if (known != known_.end()) {
      if (known->second.certain) return known;
      if (clock_->now() - known->second.since < kDoubt) uncertain = known;
    }
    if (at == std::string::npos) return uncertain;
  }
}

}  // namespace injector::backend::vault
