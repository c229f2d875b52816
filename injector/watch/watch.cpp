#include "injector/watch/watch.h"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "injector/memory/document.h"
#include "injector/memory/text.h"
#include "injector/net/loop.h"
#include "injector/net/retry.h"
#include "injector/render/render.h"
#include "injector/watch/alarm.h"
#include "injector/watch/group.h"
#include "injector/watch/topic.h"
#include "injector/watch/topic_text.h"
#include "scanner/base/hash.h"

namespace injector::watch {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using scanner::base::Result;
using telemetry::Fields;

namespace {

constexpr auto kNever = BootClock::time_point::max();
constexpr auto kCollectPause = 1s;
/// Of a store that is away; and of a mount that refuses.
constexpr net::Backoff kAway{.first = 1s, .cap = 30s};

/// One file, and what it is drawn from.
struct File {
  const FileSpec* spec = nullptr;
  std::vector<std::size_t> topics;    ///< As many as spec->from.
  std::vector<std::string> unusable;  ///< Why a source that was read gives nothing for this file; empty: it does.
  std::optional<std::size_t> used;    ///< Which of them was published; nothing when it was adopted, or is absent.
  std::uint64_t seen = 0;             ///< Of a template: reads of its topics that it was last made after.
  bool published = false;
  std::optional<memory::Secret> pending;  ///< To be published: the mount has refused so far.
  std::size_t pending_from = 0;
  bool removed_by_policy = false;
  bool told_stale = false;
  std::string error;
  std::string digest;  ///< HMAC of the contents, for audit lines.
};

struct Store {
  NamedBackend named;
  unsigned failures = 0;  ///< In a row, of a store that is away.
  BootClock::time_point away_until{};
  StoreStatus status;
};

std::string source_text(const Query& query) {
  return query.store + ":" + query.path + (query.key.empty() ? "" : "#" + query.key);
}

/// Whether this coroutine has been told to end.
asio::awaitable<bool> ending() {
  co_return (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none;
}

Query without_key(Query query) {
  query.key.clear();
  return query;
}

}  // namespace

struct Watch::State {
  explicit State(Parts parts_in);

  asio::awaitable<void> serve(std::size_t store);
  asio::awaitable<void> listen(std::size_t store);
  asio::awaitable<void> keep_house();

  asio::awaitable<void> round(std::size_t store);
  asio::awaitable<void> probe(Topic& topic);
  asio::awaitable<void> renew(Topic& topic);
  asio::awaitable<void> read(std::size_t store, std::vector<Topic*> topics);

  void succeeded(std::size_t store, double seconds);
  void failed(Topic& topic, const Error& why);
  /// Makes files from what was read, publishes them, and decides anew what is wanted.
  void deliver();
  void render(File& file);
  void render_template(File& file);
  void publish();
  void want();
  void judge_age();
  void audit(const File& file, std::uint64_t generation);

  /// Whether the store has said all it can of it: a value, or that there is none.
  [[nodiscard]] static bool answered(const Topic& topic) {
    return topic.reading || topic.known || (topic.failures > 0 && !topic.weather);
  }
  [[nodiscard]] bool good(const File& file, std::size_t source) const;
  [[nodiscard]] BootClock::time_point next_due(std::size_t store) const;
  [[nodiscard]] bool started() const;
  [[nodiscard]] bool settled() const;
  [[nodiscard]] std::optional<BootClock::time_point> confirmed(const File& file) const;
  [[nodiscard]] bool is_stale(const File& file, BootClock::time_point now) const;
  void ring() {
    for (auto& alarm : alarms) alarm->ring();
    house.ring();
  }

  Parts parts;
  std::vector<Store> stores;
  std::vector<Topic> topics;
  std::vector<File> files;
  std::vector<std::unique_ptr<Alarm>> alarms;  ///< By store.
  Alarm house;
  Alarm progress;  ///< Rung after each round, for once().
  Notices notices;
  BootClock::time_point begun = BootClock::now();
  unsigned publish_failures_in_a_row = 0;
  BootClock::time_point publish_again = kNever;
  bool publish_needed = false;
  std::string audit_key;
  Status status;
};

Watch::State::State(Parts parts_in)
    : parts(std::move(parts_in)),
      house(parts.executor),
      progress(parts.executor),
      notices(parts.executor, parts.notify, *parts.log) {
  for (const NamedBackend& named : parts.stores) {
    Store& store = stores.emplace_back();
    store.named = named;
    store.status.name = named.name;
    store.status.kind = named.kind;
    store.status.buckets.resize(std::size(kFetchBuckets) + 1);
    alarms.push_back(std::make_unique<Alarm>(parts.executor));
  }
  const std::vector<RelativePath> there = parts.delivery->paths();
  for (const FileSpec& spec : parts.config->files) {
    File& file = files.emplace_back();
    file.spec = &spec;
    file.unusable.resize(spec.from.size());
    file.published = std::ranges::find(there, spec.path) != there.end();
    for (const Query& query : spec.from) {
      const Query path = without_key(query);
      auto found = std::ranges::find(topics, path, &Topic::query);
      if (found == topics.end()) {
        Topic topic;
        topic.query = path;
        const auto store = std::ranges::find(stores, query.store, [](const Store& one) { return one.named.name; });
        topic.store = static_cast<std::size_t>(store - stores.begin());
        topic.refresh = spec.refresh.value_or(parts.config->refresh);
        found = topics.insert(topics.end(), std::move(topic));
      }
      found->refresh = std::min(found->refresh, spec.refresh.value_or(parts.config->refresh));
      // Asked often enough to know that it is not too old.
      if (spec.max_stale) found->refresh = std::min(found->refresh, spec.max_stale->after / 2);
      if (spec.templ && spec.from.size() > 1) found->held = true;
      file.topics.push_back(static_cast<std::size_t>(found - topics.begin()));
    }
  }
  audit_key =
      scanner::base::hex(scanner::base::sha256(std::to_string(parts.random()) + std::to_string(parts.random())));
  want();
}

// --- What is known -------------------------------------------------------------------------------------------------

bool Watch::State::good(const File& file, std::size_t source) const {
  return topics[file.topics[source]].known && file.unusable[source].empty();
}

std::optional<BootClock::time_point> Watch::State::confirmed(const File& file) const {
  if (!file.published) return std::nullopt;
  if (!file.used) return begun;  // Adopted: its age is not known; it counts from when we took it over.
  if (file.spec->templ) {
    // As old as the oldest of what it was made of.
    auto oldest = BootClock::now();
    for (const std::size_t topic : file.topics) oldest = std::min(oldest, topics[topic].confirmed);
    return oldest;
  }
  return topics[file.topics[*file.used]].confirmed;
}

bool Watch::State::is_stale(const File& file, BootClock::time_point now) const {
  if (!file.spec->max_stale) return false;
  const auto last = confirmed(file);
  return last && now - *last > file.spec->max_stale->after;
}

bool Watch::State::started() const {
  return std::ranges::all_of(files, [](const File& file) { return file.published || file.removed_by_policy; });
}

/// Every file is as its store has it now, or asking once more would not help: what is there was tried to be confirmed,
/// what is not there was refused by each of its sources, and not for the weather.
bool Watch::State::settled() const {
  return std::ranges::all_of(files, [&](const File& file) {
    if (file.used) return true;
    if (file.pending) return false;
    const auto failed = [&](std::size_t source) {
      return topics[file.topics[source]].failures > 0 || !file.unusable[source].empty();
    };
    if (file.spec->templ) {
      // Made, or impossible to make of what there is.
      return std::ranges::all_of(file.topics, [&](std::size_t topic) { return answered(topics[topic]); });
    }
    if (file.published) return failed(0);
    for (std::size_t i = 0; i < file.topics.size(); ++i) {
      if (!failed(i) || topics[file.topics[i]].weather) return false;
    }
    return true;
  });
}

void Watch::State::want() {
  std::vector<bool> wanted(topics.size(), false);
  const auto now = BootClock::now();
  for (const File& file : files) {
    for (std::size_t i = 0; i < file.topics.size(); ++i) {
      const Topic& topic = topics[file.topics[i]];
      wanted[file.topics[i]] = true;
      if (file.spec->templ) continue;  // It needs all of them.
      const bool serves = good(file, i) && topic.failures == 0;
      const bool untried = topic.failures == 0 && file.unusable[i].empty();
      // The last good file from here is better than another store's, until it is too old.
      const bool still_good = file.published && (!file.used || *file.used <= i) && !is_stale(file, now);
      if (serves || untried || still_good) break;
    }
  }
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const bool newly = wanted[i] && !topics[i].wanted;
    topics[i].wanted = wanted[i];
    if (!newly) continue;
    topics[i].due = BootClock::time_point{};
    topics[i].look = true;
    alarms[topics[i].store]->ring();
  }
}

// --- Fetching ------------------------------------------------------------------------------------------------------

void Watch::State::succeeded(std::size_t store, double seconds) {
  Store& one = stores[store];
  if (one.failures > 0) {
    parts.log->info("store is back", {{"service.target.name", one.named.name}});
    for (Topic& topic : topics) {
      // What failed with the store need not wait for its own time.
      if (topic.store == store && topic.weather) topic.due = BootClock::time_point{};
    }
  }
  one.failures = 0;
  one.away_until = {};
  one.status.away = false;
  if (seconds < 0) return;
  ++one.status.fetched;
  one.status.seconds += seconds;
  const auto* const bucket = std::ranges::find_if(kFetchBuckets, [&](double bound) { return seconds <= bound; });
  ++one.status.buckets[static_cast<std::size_t>(bucket - std::begin(kFetchBuckets))];
}

void Watch::State::failed(Topic& topic, const Error& why) {
  Store& store = stores[topic.store];
  const auto now = BootClock::now();
  topic.failed(why, now, parts.random(), store.named.backend->held_until(topic.query));
  ++store.status.failed;
  const Fields fields = {{"event.action", "fetch"},
                         {"event.outcome", "failure"},
                         {"service.target.name", store.named.name},
                         {"secret.path", topic.query.path},
                         {"error.message", why.message()}};
  if (why.code() != Errc::away) {
    succeeded(topic.store, -1);  // It is there, and says no.
    parts.log->error("cannot fetch", fields);
    return;
  }
  // The store as a whole waits, however many paths are asked of it: one of them will find out when it is back.
  if (now >= store.away_until) {
    ++store.failures;
    store.away_until = now + kAway.after(store.failures, parts.random());
    parts.log->warn("store is away", fields);
  }
  store.status.away = true;
}

asio::awaitable<void> Watch::State::probe(Topic& topic) {
  Result<bool> changed = co_await stores[topic.store].named.backend->changed(topic.query, topic.version);
  const bool ended = co_await ending();
  if (ended) co_return;
  if (!changed) {
    failed(topic, changed.error());
  } else if (*changed) {
    topic.look = true;  // And it is still due.
  } else {
    succeeded(topic.store, -1);
    topic.was_unchanged(BootClock::now(), parts.random());
  }
}

asio::awaitable<void> Watch::State::renew(Topic& topic) {
  Store& store = stores[topic.store];
  const Lease asked{.id = topic.lease.id, .duration = topic.term->asked, .renewable = true, .space = topic.lease.space};
  Result<Lease> lease = co_await store.named.backend->renew(asked);
  const bool ended = co_await ending();
  if (ended) co_return;
  const auto now = BootClock::now();
  if (lease) {
    succeeded(topic.store, -1);
    ++store.status.renewed;
    topic.was_renewed(*lease, now, parts.random());
    co_return;
  }
  parts.log->warn("cannot renew a lease", {{"event.action", "renew"},
                                           {"event.outcome", "failure"},
                                           {"service.target.name", store.named.name},
                                           {"secret.path", topic.query.path},
                                           {"error.message", lease.error().message()}});
  topic.renewal_failed(lease.error(), now, parts.random());
}

asio::awaitable<void> Watch::State::read(std::size_t number, std::vector<Topic*> wanted) {
  backend::Backend& backend = *stores[number].named.backend;
  std::vector<Query> queries;
  queries.reserve(wanted.size());
  for (const Topic* topic : wanted) queries.push_back(topic->query);
  const auto asked = BootClock::now();
  std::vector<Result<Reading>> answers = co_await backend.read_all(queries);
  const bool ended = co_await ending();
  const auto now = BootClock::now();
  const double seconds = std::chrono::duration<double>(now - asked).count();
  const std::uint64_t session = backend.session();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!answers[i]) {
      // What was broken off says nothing about the store.
      if (!ended) failed(*wanted[i], answers[i].error());
      continue;
    }
    succeeded(number, seconds);
    for (const std::string& warning : answers[i]->warnings) {
      parts.log->warn("the store warns", {{"service.target.name", stores[number].named.name},
                                          {"secret.path", wanted[i]->query.path},
                                          {"error.message", warning}});
    }
    wanted[i]->was_read(std::move(*answers[i]), now, session, parts.random());
  }
}

asio::awaitable<void> Watch::State::round(std::size_t number) {
  Store& store = stores[number];
  const std::uint64_t session = store.named.backend->session();
  const auto now = BootClock::now();
  const auto due = [&](Topic::Act act) {
    std::vector<Topic*> found;
    for (Topic& topic : topics) {
      if (topic.store == number && topic.act(now, session) == act) found.push_back(&topic);
    }
    // While the store is away, one asks for all.
    if (store.failures > 0 && found.size() > 1) found.resize(1);
    return found;
  };
  Group group(parts.executor);
  for (Topic* topic : due(Topic::Act::renew)) group.start(renew(*topic));
  if (store.failures == 0 || due(Topic::Act::renew).empty()) {
    for (Topic* topic : due(Topic::Act::probe)) group.start(probe(*topic));
  }
  co_await group.join();
  if (BootClock::now() < store.away_until) co_return;
  std::vector<Topic*> reads = due(Topic::Act::read);
  if (!reads.empty()) co_await read(number, std::move(reads));
}

BootClock::time_point Watch::State::next_due(std::size_t number) const {
  const Store& store = stores[number];
  const std::uint64_t session = store.named.backend->session();
  auto next = kNever;
  for (const Topic& topic : topics) {
    if (topic.store == number && topic.wanted) next = std::min(next, topic.when(session));
  }
  return std::max(next, store.away_until);
}

asio::awaitable<void> Watch::State::serve(std::size_t number) {
  for (;;) {
    const BootClock::time_point next = next_due(number);
    co_await alarms[number]->wait(next);
    const bool ended = co_await ending();
    if (ended) co_return;
    if (next_due(number) > BootClock::now()) continue;
    co_await round(number);
    deliver();
    progress.ring();
    house.ring();
  }
}

asio::awaitable<void> Watch::State::listen(std::size_t number) {
  unsigned failures = 0;
  for (;;) {
    Result<void> changed = co_await stores[number].named.backend->changes();
    const bool ended = co_await ending();
    if (ended) co_return;
    if (!changed && changed.error().code() == Errc::unsupported) co_return;
    if (!changed) {
      const auto pause = kAway.after(++failures, parts.random());
      co_await net::sleep_for(pause);
      continue;
    }
    failures = 0;
    for (Topic& topic : topics) {
      if (topic.store == number && topic.may_be_asked()) topic.due = BootClock::time_point{};
    }
    alarms[number]->ring();
  }
}

// --- Delivering ----------------------------------------------------------------------------------------------------

/// Made when each of its stores has answered, and again when one of them has something new.
void Watch::State::render_template(File& file) {
  std::vector<const Reading*> readings;
  std::uint64_t reads = file.topics.empty() ? 1 : 0;
  for (const std::size_t number : file.topics) {
    const Topic& topic = topics[number];
    // A value that was held stays good while its store is away or says no: the others may change all the same.
    if (!topic.reading && !answered(topic)) return;
    readings.push_back(topic.reading ? &*topic.reading : nullptr);
    // A refusal is an answer, too: it may be the last one that was waited for.
    reads += 2 * topic.reads + (topic.reads == 0 ? 1 : 0);
  }
  if (reads == file.seen) return;
  file.seen = reads;
  auto rendered = injector::render::render(*file.spec, readings);
  if (!rendered) {
    file.error = rendered.error().message();
    std::ranges::fill(file.unusable, file.error);
    parts.log->error("cannot make a file", {{"file.path", file.spec->path.text()}, {"error.message", file.error}});
    return;
  }
  std::ranges::fill(file.unusable, std::string());
  file.error.clear();
  file.pending = std::move(rendered->contents);
  file.pending_from = 0;
  file.removed_by_policy = false;
  publish_needed = true;
}

void Watch::State::render(File& file) {
  if (file.spec->templ) return render_template(file);
  const auto now = BootClock::now();
  std::vector<const Reading*> readings(file.topics.size(), nullptr);
  for (std::size_t i = 0; i < file.topics.size(); ++i) {
    const Topic& topic = topics[file.topics[i]];
    if (topic.reading && topic.unseen) {
      file.unusable[i].clear();
      readings[i] = &*topic.reading;
    } else if (file.used == i && good(file, i) && !is_stale(file, now)) {
      break;  // What is published comes from here, and has not changed: what follows does not matter.
    }
  }
  const bool any = std::ranges::any_of(readings, [](const Reading* reading) { return reading != nullptr; });
  if (!any) return;
  auto rendered = injector::render::render(*file.spec, readings);
  if (!rendered) {
    file.error = rendered.error().message();
    for (std::size_t i = 0; i < readings.size(); ++i) {
      if (readings[i] != nullptr) file.unusable[i] = file.error;
    }
    parts.log->error("cannot make a file", {{"file.path", file.spec->path.text()}, {"error.message", file.error}});
    return;
  }
  // What stands before the one that was used was read, and gave nothing.
  for (std::size_t i = 0; i < rendered->used; ++i) {
    if (readings[i] != nullptr) file.unusable[i] = "it has no such key";
  }
  file.error.clear();
  file.pending = std::move(rendered->contents);
  file.pending_from = rendered->used;
  file.removed_by_policy = false;
  publish_needed = true;
}

void Watch::State::deliver() {
  for (File& file : files) render(file);
  for (Topic& topic : topics) {
    if (!topic.held) topic.reading.reset();
    topic.unseen = false;
  }
  judge_age();
  // A mount that refuses is tried again at its own time, however often its stores are asked.
  if (publish_needed && (publish_failures_in_a_row == 0 || BootClock::now() >= publish_again)) publish();
  want();
}

void Watch::State::publish() {
  std::vector<deliver::Content> contents;
  for (const File& file : files) {
    if (file.removed_by_policy) continue;
    if (!file.pending && !file.published) continue;
    deliver::Content content;
    content.path = file.spec->path;
    content.bytes = file.pending ? &*file.pending : nullptr;
    content.access = {file.spec->mode, file.spec->owner, file.spec->group};
    contents.push_back(std::move(content));
  }
  auto published = parts.delivery->publish(contents);
  if (!published) {
    ++status.publish_failures;
    publish_again = BootClock::now() + kAway.after(++publish_failures_in_a_row, parts.random());
    parts.log->error(
        "cannot publish",
        {{"event.action", "deliver"}, {"event.outcome", "failure"}, {"error.message", published.error().message()}});
    if (published.error().code() == Errc::missing) {
      // Somebody else has changed a file that was to stay: only its store can say what it was.
      for (File& file : files) {
        if (file.topics.empty()) file.seen = 0;
        for (const std::size_t topic : file.topics) {
          topics[topic].look = true;
          if (topics[topic].may_be_asked()) topics[topic].due = BootClock::time_point{};
        }
      }
      ring();
    }
    return;
  }
  publish_needed = false;
  publish_failures_in_a_row = 0;
  publish_again = kNever;
  status.generation = published->generation;
  if (published->written) ++status.publications;
  status.changes += published->changed.size();
  const std::set<RelativePath> changed(published->changed.begin(), published->changed.end());
  for (File& file : files) {
    const bool was_there = file.published;
    if (file.removed_by_policy) {
      file.published = false;
      file.used.reset();
      continue;
    }
    if (file.pending) {
      if (changed.contains(file.spec->path)) {
        file.digest = scanner::base::hex(scanner::base::hmac_sha256(audit_key, file.pending->reveal()));
      }
      file.used = file.pending_from;
      file.published = true;
      file.pending.reset();
    }
    if (!changed.contains(file.spec->path)) continue;
    audit(file, published->generation);
    if (was_there && file.spec->on_change) notices.changed(*file.spec->on_change);
  }
}

void Watch::State::audit(const File& file, std::uint64_t generation) {
  const FileSpec& spec = *file.spec;
  const auto octal = [](mode_t mode) {
    std::string text = "0000";
    for (std::size_t i = 4; i-- > 0; mode >>= 3U) text[i] = static_cast<char>('0' + (mode & 7U));
    return text;
  };
  Fields fields = {{"event.kind", "event"},
                   {"event.category", "file"},
                   {"event.action", "deliver"},
                   {"event.outcome", "success"},
                   {"file.path", spec.path.text()},
                   {"file.mode", octal(spec.mode)},
                   {"file.hash.hmac_sha256", file.digest},
                   {"secret.generation", std::to_string(generation)}};
  if (spec.owner) fields.emplace_back("file.uid", std::to_string(*spec.owner));
  if (spec.group) fields.emplace_back("file.gid", std::to_string(*spec.group));
  if (file.used && spec.templ) {
    std::string sources;
    std::string versions;
    for (std::size_t i = 0; i < spec.from.size(); ++i) {
      sources += (i > 0 ? "," : "") + source_text(spec.from[i]);
      versions += (i > 0 ? "," : "") + topics[file.topics[i]].version;
    }
    fields.emplace_back("secret.source", sources);
    fields.emplace_back("secret.version", versions);
  } else if (file.used) {
    const Topic& topic = topics[file.topics[*file.used]];
    fields.emplace_back("secret.source", source_text(spec.from[*file.used]));
    fields.emplace_back("secret.version", topic.version);
    if (!topic.request_id.empty()) fields.emplace_back("http.request.id", topic.request_id);
    if (topic.leased()) {
      fields.emplace_back("secret.lease.hmac_sha256",
                          scanner::base::hex(scanner::base::hmac_sha256(audit_key, topic.lease.id)));
    }
  }
  parts.log->info("delivered", fields);
}

/// What is too old by its policy.
void Watch::State::judge_age() {
  const auto now = BootClock::now();
  for (File& file : files) {
    const bool stale = is_stale(file, now);
    if (stale && !file.told_stale) {
      parts.log->warn("file is older than its policy allows",
                      {{"file.path", file.spec->path.text()}, {"error.message", file.error}});
    }
    file.told_stale = stale;
    if (stale && file.spec->max_stale->then == MaxStale::Then::remove && !file.pending) {
      file.removed_by_policy = true;
      publish_needed = true;
      // Whatever version there is, it is to be read when the store is back.
      for (const std::size_t topic : file.topics) topics[topic].look = true;
    }
  }
}

asio::awaitable<void> Watch::State::keep_house() {
  BootClock::time_point collected{};
  for (;;) {
    auto next = publish_again;
    const auto collection = parts.delivery->next_collection();
    // What could not be removed stays due, and must not be tried without a pause.
    const auto collect_at = collection ? std::max(*collection, collected + kCollectPause) : kNever;
    next = std::min(next, collect_at);
    const auto now = BootClock::now();
    for (const File& file : files) {
      const auto last = confirmed(file);
      if (!last || !file.spec->max_stale || is_stale(file, now)) continue;
      next = std::min(next, *last + file.spec->max_stale->after + 1ms);
    }
    co_await house.wait(next);
    const bool ended = co_await ending();
    if (ended) co_return;
    const auto woken = BootClock::now();
    if (collect_at <= woken) {
      parts.delivery->collect();
      collected = woken;
    }
    const bool was_needed = publish_needed;
    judge_age();
    if (publish_needed && (!was_needed || woken >= publish_again)) publish();
    want();
    progress.ring();
  }
}

// --- The outside ---------------------------------------------------------------------------------------------------

Watch::Watch(Parts parts) : state_(std::make_unique<State>(std::move(parts))) {}
Watch::~Watch() = default;

asio::awaitable<void> Watch::run() {
  State& state = *state_;
  state.deliver();  // What needs no store.
  Group group(state.parts.executor);
  for (std::size_t i = 0; i < state.stores.size(); ++i) {
    group.start(state.serve(i));
    group.start(state.listen(i));
  }
  group.start(state.keep_house());
  co_await group.join();
  co_await state.notices.end();
}

net::Task<void> Watch::once(std::chrono::milliseconds limit) {
  State& state = *state_;
  const auto last = BootClock::now() + limit;
  state.deliver();  // What needs no store.
  Group group(state.parts.executor);
  for (std::size_t i = 0; i < state.stores.size(); ++i) group.start(state.serve(i));
  group.start(state.keep_house());
  while (BootClock::now() < last && !state.settled()) {
    const bool ended = co_await ending();
    if (ended) break;
    co_await state.progress.wait(last);
  }
  group.cancel();
  co_await group.join();
  if (state.started()) co_return scanner::base::Ok();
  std::string text;
  for (const FileStatus& file : status().files) {
    if (file.state != FileStatus::State::absent) continue;
    text += (text.empty() ? "" : "\n") + file.path + ": " + (file.error.empty() ? "no answer yet" : file.error);
  }
  co_return fail(Errc::away, text);
}

memory::Secret Watch::hand_over() {
  State& state = *state_;
  memory::Text out(4096);
  out.append("{\"stores\":[");
  for (std::size_t i = 0; i < state.stores.size(); ++i) {
    const memory::Secret session = state.stores[i].named.backend->hand_over();
    out.append(i == 0 ? "" : ",").append(session.empty() ? "null" : session.reveal());
  }
  out.append("],\"topics\":[");
  for (std::size_t i = 0; i < state.topics.size(); ++i) {
    out.append(i == 0 ? "" : ",");
    write_topic(out, state.topics[i]);
  }
  out.append("],\"files\":[");
  for (std::size_t i = 0; i < state.files.size(); ++i) {
    const File& file = state.files[i];
    out.append(i == 0 ? "" : ",").append(file.used ? std::to_string(*file.used) : "null");
  }
  return out.append("]}").finish();
}

bool Watch::take_over(const memory::Secret& kept) {
  State& state = *state_;
  auto document = memory::Document::parse(kept);
  if (!document) return false;
  const auto root = document->root();
  const auto stores = root["stores"].elements();
  const auto topics = root["topics"].elements();
  const auto files = root["files"].elements();
  if (stores.size() != state.stores.size() || topics.size() != state.topics.size() ||
      files.size() != state.files.size() || !state.started()) {
    return false;
  }
  for (std::size_t i = 0; i < stores.size(); ++i) {
    if (stores[i].is_object()) state.stores[i].named.backend->take_over(stores[i], state.parts.executor);
  }
  for (std::size_t i = 0; i < topics.size(); ++i) {
    Topic& topic = state.topics[i];
    read_topic(topics[i], topic, state.stores[topic.store].named.backend->session());
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    File& file = state.files[i];
    const auto used = files[i].integer();
    if (used && *used >= 0 && static_cast<std::size_t>(*used) < file.topics.size())
      file.used = static_cast<std::size_t>(*used);
    // What the template was made of has been read, and need not be made again.
    const auto is_known = [&](std::size_t topic) { return state.topics[topic].known; };
    if (file.spec->templ && file.used && std::ranges::all_of(file.topics, is_known))
      file.seen = std::max<std::uint64_t>(1, 2 * file.topics.size());
  }
  state.want();
  return true;
}

void Watch::refresh() {
  for (Topic& topic : state_->topics) {
    if (topic.may_be_asked()) topic.due = BootClock::time_point{};
  }
  state_->ring();
}

const Status& Watch::status() {
  State& state = *state_;
  Status& status = state.status;
  const auto now = BootClock::now();
  status.files.clear();
  status.stores.clear();
  status.started = state.started();
  status.ready = status.started;
  status.generation = state.parts.delivery->generation();
  status.notified = state.notices.told();
  status.notify_failures = state.notices.failed();
  for (const Store& store : state.stores) status.stores.push_back(store.status);
  for (const File& file : state.files) {
    FileStatus& one = status.files.emplace_back();
    one.path = file.spec->path.text();
    one.error = file.error;
    std::size_t shown = file.used.value_or(0);
    const Topic none;
    for (std::size_t i = 0; file.spec->templ && i < file.topics.size(); ++i) {
      // The one that needs looking at, if any.
      if (!state.topics[file.topics[i]].error.empty()) shown = i;
    }
    const Topic& topic = file.topics.empty() ? none : state.topics[file.topics[shown]];
    if (one.error.empty()) one.error = topic.error;
    if (!file.topics.empty()) one.source = source_text(file.spec->from[shown]);
    if (file.used) {
      one.version = topic.version;
      one.confirmed = topic.confirmed_at;
      one.ends = topic.ends;
    }
    const bool stale = state.is_stale(file, now);
    using Of = FileStatus::State;
    one.state = !file.published ? Of::absent : stale ? Of::stale : file.used ? Of::fresh : Of::adopted;
    one.unready = file.removed_by_policy || (stale && file.spec->max_stale->then == MaxStale::Then::unready);
    if (one.unready) status.ready = false;
  }
  return status;
}

}  // namespace injector::watch
