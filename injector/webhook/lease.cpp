#include "injector/webhook/lease.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

#include "scanner/base/json.h"

namespace injector::webhook {

using nlohmann::json;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::string_member;

namespace {

/// RFC 3339 with microseconds, as Kubernetes' MicroTime.
std::string now_text() {
  const auto time = std::chrono::system_clock::now().time_since_epoch();
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  const auto seconds = static_cast<std::time_t>(microseconds / 1'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 48> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%06dZ", static_cast<int>(microseconds % 1'000'000));
  return text.data();
}

json member(const json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object.at(key) : json();
}

int number_of(const json& value) { return value.is_number_integer() ? value.get<int>() : 0; }

}  // namespace

json Lease::spec_of(int transitions, const std::string& acquired) const {
  return {{"holderIdentity", holder_},
          {"leaseDurationSeconds", duration_.count()},
          {"acquireTime", acquired},
          {"renewTime", now_text()},
          {"leaseTransitions", transitions}};
}

net::Task<bool> Lease::take(const json& found) {
  const json spec = member(found, "spec");
  const bool was_ours = string_member(spec, "holderIdentity") == holder_;
  std::string acquired = string_member(spec, "acquireTime");
  if (!was_ours || acquired.empty()) acquired = now_text();
  const int transitions = number_of(member(spec, "leaseTransitions")) + (was_ours ? 0 : 1);
  const std::string version = string_member(member(found, "metadata"), "resourceVersion");
  json patch = {{"metadata", {{"resourceVersion", version}}}, {"spec", spec_of(transitions, acquired)}};
  auto taken = co_await kubernetes_->send_public(Kubernetes::Verb::merge_patch, path_, std::move(patch));
  // Somebody was faster: that is no error, and they lead.
  if (!taken && taken.error().code() == Errc::limit) co_return false;
  if (!taken) co_return fail(std::move(taken).error());
  co_return true;
}

net::Task<bool> Lease::hold() {
  held_ = false;
  auto found = co_await kubernetes_->get_public(path_);
  if (!found && found.error().code() == Errc::missing) {
    const std::size_t slash = path_.rfind('/');
    json fresh = {{"apiVersion", "coordination.k8s.io/v1"},
                  {"kind", "Lease"},
                  {"metadata", {{"name", path_.substr(slash + 1)}}},
                  {"spec", spec_of(0, now_text())}};
    std::string place = collection_of(path_);
    auto made = co_await kubernetes_->send_public(Kubernetes::Verb::create, std::move(place), std::move(fresh));
    if (!made && made.error().code() == Errc::limit) co_return false;
    if (!made) co_return fail(std::move(made).error());
    held_ = true;
    co_return true;
  }
  if (!found) co_return fail(std::move(found).error());
  const json spec = member(*found, "spec");
  const std::string holder = string_member(spec, "holderIdentity");
  const std::string version = string_member(member(*found, "metadata"), "resourceVersion");
  const auto now = Clock::now();
  if (version != seen_version_ || !seen_at_) {
    seen_version_ = version;
    seen_at_ = now;
  }
  const auto length = std::chrono::seconds(number_of(member(spec, "leaseDurationSeconds")));
  const bool over = now - *seen_at_ >= (length.count() > 0 ? length : duration_);
  if (!holder.empty() && holder != holder_ && !over) co_return false;
  auto taken = co_await take(*found);
  if (!taken) co_return taken;
  held_ = *taken;
  co_return held_;
}

net::Task<void> Lease::release() {
  if (!std::exchange(held_, false)) co_return scanner::base::Ok();
  auto found = co_await kubernetes_->get_public(path_);
  if (!found) co_return fail(std::move(found).error());
  if (string_member(member(*found, "spec"), "holderIdentity") != holder_) co_return scanner::base::Ok();
  const std::string version = string_member(member(*found, "metadata"), "resourceVersion");
  json patch = {{"metadata", {{"resourceVersion", version}}}, {"spec", {{"holderIdentity", ""}}}};
  auto done = co_await kubernetes_->send_public(Kubernetes::Verb::merge_patch, path_, std::move(patch));
  if (!done) co_return fail(std::move(done).error());
  co_return scanner::base::Ok();
}

}  // namespace injector::webhook
