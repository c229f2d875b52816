#include "injector/backend/aws/secrets_manager.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "injector/backend/aws/answer.h"
#include "injector/backend/aws/file_text.h"
#include "injector/backend/aws/host.h"
#include "injector/backend/aws/pause.h"
#include "injector/backend/aws/shared_file.h"
#include "injector/backend/aws/state.h"

namespace injector::backend::aws {

namespace asio = boost::asio;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Ok;
using scanner::base::Result;

namespace {

constexpr std::size_t kBatch = 20;  // Of the service.
constexpr std::chrono::hours kDenied{1};

Reading clone(const Reading& reading) {
  Reading out;
  for (const Reading::Member& member : reading.members) out.members.push_back({member.name, member.value.clone()});
  out.document = reading.document.clone();
  out.version = reading.version;
  out.expires = reading.expires;
  out.request_id = reading.request_id;
  out.warnings = reading.warnings;
  return out;
}

/// The reading as an answer to one query of its path: a key that is not there is a thing that is missing.
Result<Reading> with_key(const Query& query, const Result<Reading>& reading) {
  if (!reading) return fail(reading.error());
  const auto& members = reading->members;
  const bool there = query.key.empty() || std::any_of(members.begin(), members.end(),
                                                      [&](const auto& member) { return member.name == query.key; });
  if (!there && members.empty()) return fail(Errc::missing, query.path + " is no JSON object, so it has no keys");
  if (!there) return fail(Errc::missing, query.path + " has no key " + query.key);
  return clone(*reading);
}

bool in_batches(const Query& query) { return query.version.empty() && stage_of(query) == kCurrent; }

Query without_key(const Query& query) {
  Query out = query;
  out.key.clear();
  return out;
}

Result<Profile> profile_of(const ProfilePlace& place) {
  Profile profile;
  for (const auto& [path, kind] : {std::pair(place.credentials_file, ProfileFile::credentials),
                                   std::pair(place.config_file, ProfileFile::config)}) {
    if (path.empty()) continue;
    auto text = read_secret_file(path, 1UL << 20);
    if (!text) continue;
    if (Ok read = read_profile(*text, kind, place.profile, profile); !read) return fail(read.error().during(path));
  }
  return profile;
}

}  // namespace

/// One read of one path and stage, whatever number of queries want it.
struct SecretsManager::Job {
  Query query;
  std::optional<Result<Reading>> reading;
};

std::string stage_of(const Query& query) {
  if (!query.stage.empty() || !query.version.empty()) return query.stage;
  return std::string(kCurrent);
}

Ok askable(const Query& query) {
  const auto printable = [](const std::string& text, std::size_t longest) {
    return text.size() <= longest && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
  };
  if (query.write || !query.data.empty()) return fail(Errc::config, "AWS Secrets Manager is only read from");
  if (!query.space.empty()) return fail(Errc::config, "AWS Secrets Manager has no namespaces");
  if (query.path.empty() || !printable(query.path, 2048)) {
    return fail(Errc::config, "a secret's name or ARN has 1 to 2048 characters and no spaces");
  }
  if (!query.version.empty() && (query.version.size() < 32 || !printable(query.version, 64))) {
    return fail(Errc::config, query.path + ": a VersionId has 32 to 64 characters");
  }
  if (!printable(query.stage, 256)) return fail(Errc::config, query.path + ": a stage has at most 256 characters");
  return {};
}

SecretsManager::SecretsManager(std::unique_ptr<State> state) : state_(std::move(state)) {}
SecretsManager::~SecretsManager() = default;

Result<std::unique_ptr<SecretsManager>> SecretsManager::create(const Settings& settings, const Environment& environment,
                                                               net::Http& http) {
  auto profile = profile_of(profile_place(settings, environment));
  if (!profile) return fail(std::move(profile).error());
  auto resolved = resolve(settings, environment, profile->region);
  if (!resolved) return fail(std::move(resolved).error());
  auto state = std::make_unique<State>(std::move(*resolved), environment, http);
  return std::unique_ptr<SecretsManager>(new SecretsManager(std::move(state)));
}

net::Task<Reading> SecretsManager::fetch(const Query& query) {
  if (Ok well = askable(query); !well) co_return fail(well.error());
  Call call{"GetSecretValue", {query.path}, query.version, stage_of(query)};
  const std::string step = "GetSecretValue of " + query.path;
  auto outcome = co_await state_->client.call(std::move(call));
  if (const Fault* fault = std::get_if<Fault>(&outcome)) co_return fail(fault->error(step));
  const Answer& answer = std::get<Answer>(outcome);
  auto reading = read_secret(answer.json.root());
  // An answer of the wrong form is the store's trouble, and no word on the secret.
  if (!reading) co_return fail(Errc::away, reading.error().during(step).message());
  if (!query.version.empty() && reading->version != query.version) {
    co_return fail(Errc::away, step + ": another version was answered");
  }
  reading->request_id = answer.request_id;
  co_return reading;
}

net::Task<Reading> SecretsManager::read(const Query& query) {
  co_await answer_cancellation();
  auto reading = co_await fetch(query);
  co_return with_key(query, reading);
}

asio::awaitable<void> SecretsManager::fetch_batch(const Jobs& jobs) {
  Call call{"BatchGetSecretValue", {}, {}, {}};
  for (const Job* job : jobs) call.ids.push_back(job->query.path);
  auto outcome = co_await state_->client.call(std::move(call));
  if (const Fault* fault = std::get_if<Fault>(&outcome)) {
    // A refusal may be of the batch or of one of its names: whose, the single reads tell. Weather is everybody's.
    if (fault->errc != Errc::away) {
      if (fault->errc == Errc::denied || fault->code == "UnknownOperationException" || fault->code == "InvalidAction") {
        state_->batch_from = BootClock::now() + kDenied;
      }
      co_return;
    }
    for (Job* job : jobs) job->reading = fail(fault->error("BatchGetSecretValue"));
    co_return;
  }
  const Answer& answer = std::get<Answer>(outcome);
  auto batch = read_batch(answer.json.root());
  if (!batch) co_return;
  for (Job* job : jobs) {
    const std::string& id = job->query.path;
    for (Batch::Item& item : batch->items) {
      if (!answers_to(id, item.name, item.arn)) continue;
      if (!item.reading) {
        job->reading = fail(Errc::away, "BatchGetSecretValue, " + id + ": " + item.reading.error().message());
        break;
      }
      item.reading->request_id = answer.request_id;
      job->reading = clone(*item.reading);
      break;
    }
    for (const Batch::Refusal& refusal : batch->refusals) {
      // What may go better alone is asked for alone.
      const bool final = refusal.fault.remedy == Remedy::none && refusal.fault.errc != Errc::away;
      if (job->reading || !final || !answers_to(id, refusal.id, refusal.id)) continue;
      job->reading = fail(refusal.fault.error("GetSecretValue of " + id));
    }
  }
}

/// One of four that take what is next: a part of one is read alone, a larger one as a batch.
asio::awaitable<void> SecretsManager::work(const std::vector<Jobs>& parts, std::size_t& next) {
  co_await answer_cancellation();
  while (next < parts.size()) {
    const bool stopped = co_await cancelled();
    if (stopped) co_return;
    const Jobs& part = parts[next++];
    if (part.size() > 1) {
      co_await fetch_batch(part);
    } else {
      auto reading = co_await fetch(part.front()->query);
      part.front()->reading = std::move(reading);
    }
  }
}

asio::awaitable<void> SecretsManager::work_side_by_side(const std::vector<Jobs>& parts) {
  using namespace asio::experimental::awaitable_operators;
  std::size_t next = 0;
  if (parts.size() == 1) {
    co_await work(parts, next);
  } else if (!parts.empty()) {
    co_await (work(parts, next) && work(parts, next) && work(parts, next) && work(parts, next));
  }
}

asio::awaitable<void> SecretsManager::fetch_all(std::vector<Job>& jobs) {
  Jobs batchable;
  for (Job& job : jobs) {
    if (Ok well = askable(job.query); !well) {
      job.reading = fail(well.error());
    } else if (in_batches(job.query)) {
      batchable.push_back(&job);
    }
  }
  std::vector<Jobs> batches;
  for (std::size_t i = 0; i < batchable.size() && BootClock::now() >= state_->batch_from; i += kBatch) {
    const auto begin = batchable.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kBatch, batchable.size() - i));
    batches.emplace_back(begin, end);
  }
  co_await work_side_by_side(batches);

  std::vector<Jobs> rest;
  for (Job& job : jobs) {
    if (!job.reading) rest.push_back({&job});
  }
  co_await work_side_by_side(rest);
}

asio::awaitable<std::vector<Result<Reading>>> SecretsManager::read_all(const std::vector<Query>& queries) {
  std::vector<Job> jobs;
  std::vector<std::size_t> job_of;
  for (const Query& query : queries) {
    const Query wanted = without_key(query);
    const auto found = std::find_if(jobs.begin(), jobs.end(), [&](const Job& job) { return job.query == wanted; });
    job_of.push_back(static_cast<std::size_t>(found - jobs.begin()));
    if (found == jobs.end()) jobs.push_back({wanted, std::nullopt});
  }
  co_await answer_cancellation();
  co_await fetch_all(jobs);
  std::vector<Result<Reading>> out;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const auto& reading = jobs[job_of[i]].reading;
    if (reading) {
      out.push_back(with_key(queries[i], *reading));
    } else {
      out.push_back(fail(Errc::away, kCancelled));
    }
  }
  co_return out;
}

net::Task<bool> SecretsManager::probe(const Query& query, const std::string& version) {
  if (Ok well = askable(query); !well) co_return fail(well.error());
  // A version never changes.
  if (!query.version.empty() && query.version == version) co_return false;
  const auto denied = state_->describe_from.find(query.path);
  if (denied != state_->describe_from.end() && BootClock::now() < denied->second) co_return true;

  const std::string step = "DescribeSecret of " + query.path;
  Call call{"DescribeSecret", {query.path}, {}, {}};
  auto outcome = co_await state_->client.call(std::move(call));
  if (const Fault* fault = std::get_if<Fault>(&outcome)) {
    if (fault->errc != Errc::denied) co_return fail(fault->error(step));
    state_->describe_from[query.path] = BootClock::now() + kDenied;
    co_return true;
  }
  auto description = read_description(std::get<Answer>(outcome).json.root());
  if (!description) co_return fail(Errc::away, description.error().during(step).message());
  if (description->deleted) co_return fail(Errc::missing, step + ": scheduled for deletion");
  if (!query.version.empty()) co_return query.version != version;
  const std::string holder = description->holder(stage_of(query));
  if (holder.empty()) co_return fail(Errc::missing, step + ": no version is " + stage_of(query));
  co_return holder != version;
}

net::Task<bool> SecretsManager::changed(const Query& query, const std::string& version) {
  co_await answer_cancellation();
  auto answer = co_await probe(query, version);
  co_return answer;
}

net::Task<Lease> SecretsManager::renew(const Lease& /*lease*/) {
  co_return fail(Errc::config, "AWS Secrets Manager has no leases");
}

asio::awaitable<void> SecretsManager::close() {
  state_->credentials.close();
  co_return;
}

SecretsManager::Counts SecretsManager::counts() const {
  return {state_->client.requests(), state_->credentials.fetches()};
}

std::vector<std::string> plain_hosts(const Settings& settings, const Environment& environment) {
  std::vector<std::string> out = {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "169.254.169.254",
                                  "[fd00:ec2::254]"};
  for (const std::string& url :
       {settings.endpoint, settings.sts_endpoint, text_of(environment, "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
        text_of(environment, "AWS_ENDPOINT_URL_STS"), text_of(environment, "AWS_ENDPOINT_URL"),
        text_of(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        text_of(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT")}) {
    if (url.starts_with("http://") && is_loopback(host_of(url))) out.emplace_back(host_of(url));
  }
  return out;
}

}  // namespace injector::backend::aws
