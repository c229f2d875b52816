#include "injector/backend/vault/state.h"

#include <algorithm>

#include "injector/backend/vault/json_text.h"
#include "injector/memory/text.h"

namespace injector::backend::vault {
namespace {

using memory::Secret;
using net::Task;
using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == std::string::npos;
}

Secret body_of(const Query& query) {
  std::vector<Field> fields;
  fields.reserve(query.data.size());
  for (const auto& [key, value] : query.data) fields.push_back({key, value});
  return json_object(fields);
}

}  // namespace

VaultBackend::State::State(Settings settings_in, std::shared_ptr<net::Http> http, IdentitySigner signer,
                           std::shared_ptr<Clock> clock_in)
    : settings(std::make_shared<const Settings>(std::move(settings_in))),
      clock(std::move(clock_in)),
      cluster(std::make_shared<Cluster>(std::move(http), settings->addresses, settings->timeout, clock)),
      session(std::make_shared<Session>(settings, cluster, clock, std::move(signer))),
      mounts_(clock, [this](std::string space, std::string path) { return probe(std::move(space), std::move(path)); }) {
}

Task<Reading> VaultBackend::State::read(Query query) {
  const auto until = deadline();
  const auto what = naming(query);
  const auto place = co_await place_of(query, until);
  if (!place) co_return fail(Error(place.error()).during(what));
  Ask ask;
  ask.what = what;
  ask.space = space_of(query);
  ask.path = place->data();
  ask.wrap = settings->wrap;
  ask.deadline = until;
  if (query.write) {
    ask.method = "POST";
    ask.body = body_of(query);
  }
  if (query.list) {
    ask.path = place->engine == Engine::kv2 ? place->below("metadata") : place->data();
    ask.path += ask.path.ends_with('/') ? "?list=true" : "/?list=true";
  }
  if (place->engine == Engine::kv2 && !query.version.empty()) ask.path += "?version=" + query.version;
  auto answer = co_await ask_as_pod(std::move(ask));
  if (!answer) co_return fail(std::move(answer).error());
  if (query.list && (answer->ok() || answer->status() == 404)) co_return list_of(*answer, query);
  if (answer->status() == 404) {
    mounts_.doubt(space_of(query), query.path);
    co_return fail(absence_of(*answer, query, place->engine));
  }
  if (!answer->ok()) co_return fail(error_of(*answer, what));
  auto reading = reading_of(*answer, query, place->engine, clock->wall());
  if (!reading) co_return fail(std::move(reading).error());
  if (reading->lease) reading->lease->space = space_of(query);
  co_return std::move(*reading);
}

Task<bool> VaultBackend::State::changed(Query query, std::string version) {
  const auto until = deadline();
  if (query.write || query.list) co_return true;
  const auto place = co_await place_of(query, until);
  if (!place) co_return fail(Error(place.error()).during(naming(query)));
  const auto space = space_of(query);
  if (place->engine != Engine::kv2) co_return true;
  const auto mount = co_await mounts_.find(space, query.path);
  if (!mount || mount->metadata_denied) co_return true;
  Ask ask;
  ask.what = "looking for changes of " + query.path;
  ask.space = space;
  ask.path = place->below("metadata");
  ask.deadline = until;
  const auto what = ask.what;
  const auto answer = co_await ask_as_pod(std::move(ask));
  if (!answer) co_return fail(answer.error());
  if (answer->status() == 403) {
    mounts_.deny_metadata(space, query.path);
    co_return true;
  }
  if (answer->status() == 404) co_return true;
  if (!answer->ok()) co_return fail(error_of(*answer, what));
  const auto data = answer->data();
  const auto current = data["current_version"].integer();
  if (!current) co_return true;
  const auto name = query.version.empty() ? std::to_string(*current) : query.version;
  const auto state = data["versions"][name];
  // Gone is a change, too: reading it tells how. A deletion time may also lie ahead.
  const auto deleted = time_of(state["deletion_time"].string());
  if (!state.exists() || state["destroyed"].boolean().value_or(false)) co_return true;
  if (deleted && *deleted <= clock->wall()) co_return true;
  co_return name != version;
}

Task<Lease> VaultBackend::State::renew(Lease lease) {
  const auto increment = std::to_string(lease.duration.count());
  Ask ask;
  ask.what = "renewing a lease of " + lease.id.substr(0, lease.id.rfind('/'));
  ask.method = "POST";
  ask.space = lease.space;
  ask.path = "sys/leases/renew";
  ask.body = json_object(Field{"lease_id", lease.id}, Field{"increment", increment, Field::Kind::json});
  ask.deadline = deadline();
  const auto what = ask.what;
  const auto answer = co_await ask_as_pod(std::move(ask));
  if (!answer) co_return fail(answer.error());
  // Whatever the server has against the lease, it will not be longer for it.
  if (answer->status() == 400 || answer->status() == 404) {
    co_return fail(Errc::missing, error_of(*answer, what).message());
  }
  if (!answer->ok()) co_return fail(error_of(*answer, what));
  auto renewed = answer->lease();
  if (!renewed) co_return fail(Errc::away, what + ": the answer holds no lease");
  renewed->space = lease.space;
  co_return std::move(*renewed);
}

Task<Answer> VaultBackend::State::ask_as_pod(Ask ask) {
  const auto until = ask.deadline;
  for (int round = 0;; ++round) {
    const auto token = co_await session->token(until);
    if (!token) co_return fail(Error(token.error()).during(ask.what));
    const auto sent = clock->now();
    Ask again;
    again.what = ask.what;
    again.method = ask.method;
    again.path = ask.path;
    again.space = ask.space;
    again.token = &(*token)->value;
    again.body = ask.body.clone();
    again.wrap = ask.wrap;
    again.deadline = until;
    auto answer = co_await cluster->ask(std::move(again));
    if (!answer) co_return fail(std::move(answer).error());
    if (answer->status() == 403 && round == 0) {
      const auto lost = co_await session->was_lost(*token, sent, until);
      if (!lost) co_return fail(Error(lost.error()).during(ask.what));
      if (*lost) continue;
    }
    if (!answer->ok()) co_return std::move(*answer);
    auto opened = co_await unwrapped(std::move(*answer), ask.path, ask.space, ask.what, until);
    co_return opened;
  }
}

/// Opens an answer that came wrapped, if it was made by what we asked for and not put in its place by somebody between.
Task<Answer> VaultBackend::State::unwrapped(Answer answer, std::string path, std::string space, std::string what,
                                            BootClock::time_point until) {
  const auto wrap = answer.wrap();
  if (!wrap) co_return std::move(answer);
  const auto asked = path.substr(0, path.find('?'));
  const auto made = encoded(wrap->creation_path);
  if (!made || *made != asked) {
    co_return fail(Errc::denied, what + ": the wrapped answer was made by another path than was asked");
  }
  Ask open;
  open.what = what + ", unwrapping";
  open.method = "POST";
  open.path = "sys/wrapping/unwrap";
  open.space = std::move(space);
  open.token = &wrap->token;
  open.deadline = until;
  auto opened = co_await cluster->ask(std::move(open));
  if (!opened) co_return fail(std::move(opened).error());
  if (!opened->ok()) co_return fail(Errc::denied, error_of(*opened, what + ", unwrapping").message());
  co_return std::move(*opened);
}

Task<VaultBackend::State::Place> VaultBackend::State::place_of(Query query, BootClock::time_point) {
  auto path = encoded(query.path);
  if (!path) co_return fail(std::move(path).error());
  Place place;
  place.rest = std::move(*path);
  if (!query.version.empty() && !is_number(query.version)) {
    co_return fail(Errc::config, "a version of KV 2 is a number, not " + query.version);
  }
  const auto mount = co_await mounts_.find(space_of(query), query.path);
  if (!mount) co_return fail(mount.error());
  if (query.write) {
    // It would put what is sent in the place of the secret.
    if (mount->type == "kv")
      co_return fail(Errc::config, "a secret of KV is not written to: " + mount->path + " is one");
    co_return place;
  }
  if (mount->engine != Engine::kv2) {
    if (!query.version.empty()) {
      if (mount->type.empty()) co_return fail(Errc::denied, "the server does not tell what is mounted there");
      co_return fail(Errc::config, "only KV 2 has versions, and " + mount->path + " is none");
    }
    co_return place;
  }
  auto encoded_mount = encoded(mount->path.substr(0, mount->path.size() - 1));
  const bool whole_mount = query.list && query.path + "/" == mount->path;
  if (!encoded_mount || (query.path.size() <= mount->path.size() && !whole_mount)) {
    co_return fail(Errc::config, "the path ends at its mount");
  }
  place.engine = Engine::kv2;
  place.mount = std::move(*encoded_mount) + "/";
  place.rest.erase(0, place.mount.size());
  const std::string view = query.list ? "metadata" : "data";
  if (place.rest.starts_with(view + "/")) place.rest.erase(0, view.size() + 1);
  if (query.list && place.rest == view) place.rest.clear();
  co_return place;
}

Task<Answer> VaultBackend::State::probe(std::string space, std::string path) {
  Ask ask;
  ask.what = "asking what is mounted";
  ask.space = std::move(space);
  ask.path = "sys/internal/ui/mounts/" + encoded(path).value();
  ask.deadline = deadline();
  const auto what = ask.what;
  auto answer = co_await ask_as_pod(std::move(ask));
  if (!answer) co_return fail(std::move(answer).error());
  const auto status = answer->status();
  if (status == 400 || (!answer->ok() && status != 403 && status != 404)) co_return fail(error_of(*answer, what));
  co_return std::move(*answer);
}

}  // namespace injector::backend::vault
