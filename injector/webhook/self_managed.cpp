#include "injector/webhook/self_managed.h"

#include <boost/asio/this_coro.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <utility>

#include "injector/memory/document.h"
#include "injector/memory/text.h"
#include "injector/net/loop.h"
#include "injector/net/retry.h"
#include "scanner/base/json.h"

namespace injector::webhook {

namespace asio = boost::asio;
using memory::Document;
using memory::Secret;
using memory::Text;
using nlohmann::json;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::string_member;

namespace {

constexpr std::array<std::string_view, 7> kMembers = {"ca.crt",  "ca.key",  "next-ca.crt",    "next-ca.key",
                                                      "tls.crt", "tls.key", "previous-ca.crt"};
/// More than the steps of any plan.
constexpr int kMostSteps = 4;

/// Nothing when it is no base64.
Secret decoded(std::string_view text) {
  if (text.size() % 4 != 0 || text.empty()) return {};
  Secret out = Secret::of_size(text.size() / 4 * 3);
  const int size =
      ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.writable().data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return {};
  std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.shrink(static_cast<std::size_t>(size) - padding);
  return out;
}

Secret encoded(std::string_view bytes) {
  Secret out = Secret::of_size((bytes.size() + 2) / 3 * 4 + 1);
  const int size =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.writable().data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.shrink(static_cast<std::size_t>(size));
  return out;
}

/// The members of `data`, as a patch or a new object has them.
void append_data(Text& text, const Keeping& keeping, bool with_nulls) {
  const SecretData data = write_keeping(keeping);
  text.append("{");
  bool first = true;
  for (const std::string_view name : kMembers) {
    const auto found = data.find(name);
    if (found == data.end() && !with_nulls) continue;
    if (!std::exchange(first, false)) text.append(",");
    text.append("\"").append(name).append("\":");
    if (found == data.end()) {
      text.append("null");
    } else {
      text.append("\"").append(encoded(found->second.reveal())).append("\"");
    }
  }
  text.append("}");
}

}  // namespace

SelfManaged::SelfManaged(Kubernetes& kubernetes, SelfManagedNames names, SelfManagedTimes times, telemetry::Log& log,
                         Use use)
    : kubernetes_(&kubernetes),
      names_(std::move(names)),
      times_(times),
      log_(&log),
      use_(std::move(use)),
      lease_(kubernetes, path_of_lease(names_.own_namespace, names_.lease), names_.holder, times.lease),
      dns_names_(names_of_service(names_.service, names_.own_namespace)) {}

net::Task<SelfManaged::Found> SelfManaged::read() {
  std::string path = path_of_secret(names_.own_namespace, names_.secret);
  auto answer = co_await kubernetes_->get(std::move(path));
  Found found;
  if (!answer && answer.error().code() == Errc::missing) co_return found;
  if (!answer) co_return fail(std::move(answer).error());
  const auto document = Document::parse(std::move(answer->body));
  if (!document) co_return fail(Errc::corrupt, "the Secret " + names_.secret + " came as something else than JSON");
  found.version = document->root()["metadata"]["resourceVersion"].string();
  if (found.version.empty()) co_return fail(Errc::corrupt, "the Secret " + names_.secret + " has no resourceVersion");
  SecretData data;
  for (const auto& [name, value] : document->root()["data"].members()) {
    data.emplace(std::string(name), decoded(value.string()));
  }
  found.keeping = read_keeping(data);
  co_return found;
}

net::Task<void> SelfManaged::write(const Found& found, const Keeping& keeping) {
  std::string path = path_of_secret(names_.own_namespace, names_.secret);
  const bool exists = !found.version.empty();
  if (!exists) path = collection_of(path);
  Text text;
  if (exists) {
    text.append(R"({"metadata":{"resourceVersion":)").append_json(found.version).append(R"(},"data":)");
  } else {
    text.append(R"({"apiVersion":"v1","kind":"Secret","type":"Opaque","metadata":{"name":)").append_json(names_.secret);
    text.append(R"(},"data":)");
  }
  append_data(text, keeping, exists);
  text.append("}");
  const auto verb = exists ? Kubernetes::Verb::merge_patch : Kubernetes::Verb::create;
  Secret body = text.finish();
  auto written = co_await kubernetes_->send(verb, std::move(path), std::move(body));
  if (!written) co_return fail(std::move(written).error());
  co_return Ok();
}

net::Task<Published> SelfManaged::publish(const std::string& bundle, Write write) {
  const std::string path = path_of_webhook(names_.webhook_configuration);
  auto found = co_await kubernetes_->get_public(path);
  if (!found) co_return fail(std::move(found).error());
  const json webhooks = found->is_object() ? found->value("webhooks", json::array()) : json::array();
  const Secret encoded_bundle = encoded(bundle);
  const std::string wanted(encoded_bundle.reveal());  // Certificates are public.
  json patch = json::array();
  for (std::size_t i = 0; i < webhooks.size(); ++i) {
    const json& webhook = webhooks[i];
    const json client = webhook.is_object() ? webhook.value("clientConfig", json::object()) : json::object();
    if (string_member(client, "caBundle") == wanted) continue;
    const std::string place = "/webhooks/" + std::to_string(i);
    patch.push_back({{"op", "test"}, {"path", place + "/name"}, {"value", string_member(webhook, "name")}});
    patch.push_back({{"op", "add"}, {"path", place + "/clientConfig/caBundle"}, {"value", wanted}});
  }
  if (patch.empty()) co_return Published::yes;
  if (write == Write::no) co_return Published::no;
  const json metadata = found->value("metadata", json::object());
  json guard = {{"op", "test"}, {"path", "/metadata/resourceVersion"}};
  guard["value"] = string_member(metadata, "resourceVersion");
  patch.insert(patch.begin(), std::move(guard));
  auto patched = co_await kubernetes_->send_public(Kubernetes::Verb::json_patch, path, std::move(patch));
  if (!patched) co_return fail(std::move(patched).error());
  log_->info("the API server is told whom to trust",
             {{"event.action", "publish-ca-bundle"}, {"webhook.configuration", names_.webhook_configuration}});
  co_return Published::yes;
}

net::Task<SelfManaged::Found> SelfManaged::keep(Found found) {
  for (int step = 0; step < kMostSteps; ++step) {
    auto published = Published::no;
    if (!found.keeping.next.empty()) {
      const std::string bundle = found.keeping.bundle();
      auto told = co_await publish(bundle, Write::no);
      if (!told) co_return fail(std::move(told).error());
      published = *told;
    }
    auto next = plan(found.keeping, dns_names_, published, std::chrono::system_clock::now(), times_.lifetimes);
    if (!next) co_return fail(std::move(next).error());
    if (!next->changed) co_return found;
    auto written = co_await write(found, next->keeping);
    if (!written) co_return fail(std::move(written).error());
    log_->info("certificates changed: " + next->reason, {{"event.action", "renew-certificate"}});
    auto again = co_await read();
    if (!again) co_return fail(std::move(again).error());
    found = std::move(*again);
  }
  co_return found;
}

Ok SelfManaged::take(const Keeping& keeping) {
  authority_expires_ = end_of(keeping.authority.certificate);
  if (keeping.leaf.empty() || keeping.leaf.certificate == served_) return {};
  Ok used = use_(keeping.leaf);
  if (used) served_ = keeping.leaf.certificate;
  return used;
}

net::Task<void> SelfManaged::look() {
  // Without the leadership, the Secret is read all the same.
  auto leads = co_await lease_.hold();
  auto found = co_await read();
  if (!found) co_return fail(std::move(found).error());
  if (leads && *leads) {
    auto kept = co_await keep(std::move(*found));
    if (!kept) co_return fail(std::move(kept).error());
    found = std::move(kept);
  }
  Ok taken = take(found->keeping);
  if (!taken) co_return taken;
  if (!leads) co_return fail(std::move(leads).error());
  if (*leads) {
    const std::string bundle = found->keeping.bundle();
    auto told = co_await publish(bundle, Write::yes);
    if (!told) co_return fail(std::move(told).error());
  }
  co_return Ok();
}

asio::awaitable<void> SelfManaged::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const net::Backoff backoff;
  for (;;) {
    Ok looked = co_await look();
    std::chrono::milliseconds wait = served_.empty() ? times_.look_early : times_.look;
    if (looked) {
      failures_in_a_row_ = 0;
    } else {
      ++failures_;
      // A conflict is how two replicas meet, not a failure.
      const bool conflict = looked.error().code() == Errc::limit;
      wait = std::min(backoff.after(++failures_in_a_row_, net::random_number()), std::max(times_.look, wait));
      log_->write(conflict ? telemetry::Level::info : telemetry::Level::warn, "certificates could not be looked after",
                  {{"event.action", "renew-certificate"}, {"error.message", looked.error().message()}});
    }
    const net::Woken woken = co_await net::sleep_for(net::jittered(wait, 0.2, net::random_number()));
    if (woken == net::Woken::cancelled) co_return;
  }
}

asio::awaitable<void> SelfManaged::leave() {
  const Ok released = co_await lease_.release();
  (void)released;  // Another takes over when its time is over.
}

}  // namespace injector::webhook
