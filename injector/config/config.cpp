#include "injector/config/config.h"

#include <algorithm>

#include "injector/config/files.h"
#include "injector/config/stores.h"
#include "injector/config/values.h"
#include "scanner/base/fd.h"

namespace injector::config {
namespace {

using namespace std::chrono_literals;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Json;
using scanner::base::Result;

Type<Requirements> requirements() {
  using Flag = bool Requirements::*;
  // What is always demanded may be named all the same.
  const auto flag = choice<Flag>({{"tmpfs", nullptr},
                                  {"noswap", &Requirements::noswap},
                                  {"swap_off", &Requirements::swap_off},
                                  {"nodev", &Requirements::nodev},
                                  {"nosuid", &Requirements::nosuid},
                                  {"noexec", &Requirements::noexec},
                                  {"size", &Requirements::size},
                                  {"locked_memory", &Requirements::locked_memory},
                                  {"secret_memory", &Requirements::secret_memory}});
  const auto flags = list(flag);
  Type<Requirements> type;
  type.schema = flags.schema;
  type.read = [flags](const Place& place, Requirements& out) {
    std::vector<Flag> chosen;
    const bool good = flags.read(place, chosen);
    for (const Flag each : chosen) {
      if (each != nullptr) out.*each = true;
    }
    return good;
  };
  return type;
}

Type<Health> health() {
  return Table<Health>()
      .key<Health>("listen", "Where /livez, /readyz, /startupz and /metrics are served: address:port, :port, or none.",
                   listen(),
                   [](const Place&, Health value, Health& out) {
                     out = std::move(value);
                     return true;
                   })
      .type();
}

Type<Log> logging() {
  using Level = Log::Level;
  using Form = Log::Format;
  return Table<Log>()
      .key("level", "The least that is logged; info unless set.",
           choice<Level>(
               {{"debug", Level::debug}, {"info", Level::info}, {"warn", Level::warn}, {"error", Level::error}}),
           &Log::level)
      .key("format", "json or text; auto is text where a person looks on.",
           choice<Form>({{"auto", Form::automatic}, {"json", Form::json}, {"text", Form::text}}), &Log::format)
      .type();
}

Type<Shutdown> shutdown() {
  return Table<Shutdown>()
      .key("remove_files", "Whether the files go when we do; false unless set.", boolean(), &Shutdown::remove_files)
      .key("timeout", "For giving back tokens and leases; 1500ms unless set.", duration(0ms, 1min), &Shutdown::timeout)
      .type();
}

/// Notes what is wrong with one query that only the stores can tell.
bool check_query(const Place& place, const Query& query, const Config& config) {
  const Store* store = config.store(query.store);
  if (store == nullptr) {
    std::vector<std::string> names;
    names.reserve(config.stores.size());
    for (const auto& each : config.stores) names.push_back(each.name);
    return place.wrong("there is no such store" + suggestion(query.store, names));
  }
  const bool vault = std::holds_alternative<VaultStore>(store->kind);
  const bool aws = std::holds_alternative<AwsStore>(store->kind);
  if (query.write && !vault) return place.member("write").wrong("only a vault store can be written to");
  if (!query.space.empty() && !vault) return place.member("namespace").wrong("only a vault store has namespaces");
  if (!query.stage.empty() && !aws) return place.member("stage").wrong("only an aws store has stages");
  return true;
}

bool check_sources(const Place& place, const FileSpec& file, const Config& config) {
  const Place from = place.member("from");
  bool good = true;
  for (std::size_t i = 0; i < file.from.size(); ++i) {
    const bool many = from.node->kind == Node::Kind::sequence;
    good = check_query(many ? from.at(i) : from, file.from[i], config) && good;
  }
  return good;
}

/// A file cannot stand where another one's folder must.
bool check_paths(const Place& files, const std::vector<FileSpec>& specs) {
  bool good = true;
  std::vector<std::size_t> order(specs.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  // With '/' sorting before all else, whatever lies beneath a path follows it at once.
  const auto key = [&](std::size_t i) {
    std::string text = specs[i].path.text();
    std::ranges::replace(text, '/', '\x01');
    return text;
  };
  std::ranges::stable_sort(order, {}, key);
  for (std::size_t i = 1; i < order.size(); ++i) {
    const std::size_t before = order[i - 1];
    const std::size_t after = order[i];
    if (!specs[before].path.contains(specs[after].path)) continue;
    const Place at = files.at(after).member("path");
    const bool same = specs[before].path == specs[after].path;
    good = at.wrong((same ? "is also the path of files[" : "lies beneath the file of files[") + std::to_string(before) +
                    "]");
  }
  return good;
}

bool check_whole(const Place& place, Config& config) {
  const Place files = place.member("files");
  bool good = check_paths(files, config.files);
  for (std::size_t i = 0; i < config.files.size(); ++i) {
    FileSpec& file = config.files[i];
    const bool well =
        file.templ ? settle_template(files.at(i), file, config) : check_sources(files.at(i), file, config);
    good = well && good;
  }
  return good;
}

Type<Quit> quit() {
  Type<Quit> address;
  const auto any = listen();
  address.schema = any.schema;
  address.read = [any](const Place& place, Quit& out) {
    Health read;
    read.host.clear();
    if (!any.read(place, read)) return false;
    if (read.host != "127.0.0.1" && read.host != "::1" && read.port != 0)
      return place.wrong("must be on loopback, such as 127.0.0.1:8200");
    out = {read.host, read.port};
    return true;
  };
  return Table<Quit>()
      .key<Quit>("listen", "An address of loopback, such as 127.0.0.1:8200; none for no server.", address,
                 [](const Place&, Quit value, Quit& out) {
                   out = std::move(value);
                   return true;
                 })
      .require({"listen"})
      .type();
}

const Type<Config>& grammar() {
  static const Type<Config> kType =
      Table<Config>()
          .key("mount", "The tmpfs that the files are delivered to.", absolute_path(), &Config::mount)
          .key("refresh", "How often to look for other values; 5m unless set.", duration(10ms, 366 * 24h),
               &Config::refresh)
          .key("start_jitter", "A random wait up to this before the first fetch; none unless set.",
               duration(0ms, 10min), &Config::start_jitter)
          .key("start_timeout",
               "End when not everything was delivered within this time of the start; never unless set.",
               duration(1s, 24h), &Config::start_timeout)
          .key("stores", "Where secrets are kept, each under a name of your choice.", stores(), &Config::stores)
          .key("files", "What is delivered.", list(file()), &Config::files)
          .key("require", "What must be true before a secret is written; a tmpfs always must.", requirements(),
               &Config::require)
          .key("health", "The server for probes and metrics.", health(), &Config::health)
          .key("quit", "A server that ends the sidecar by POST /agent/v1/quit; none unless set.", quit(), &Config::quit)
          .key("log", "What is logged, and how.", logging(), &Config::log)
          .key("shutdown", "What happens at the end.", shutdown(), &Config::shutdown)
          .require({"mount", "stores", "files"})
          .check(check_whole)
          .type();
  return kType;
}

}  // namespace

const Store* Config::store(std::string_view name) const {
  const auto found = std::ranges::find(stores, name, &Store::name);
  return found == stores.end() ? nullptr : &*found;
}

Result<Config> parse(std::string_view text, const std::string& name) {
  auto root = parse_yaml(text, name);
  if (!root) return fail(std::move(root).error());
  return parse(*root, name);
}

Result<Config> parse(const Node& root, const std::string& name) {
  Mistakes mistakes(name);
  Config config;
  grammar().read({&root, "", &mistakes}, config);
  if (!mistakes.none()) return fail(Errc::config, mistakes.text());
  return config;
}

Result<Config> load(const std::string& path) {
  auto text = scanner::base::read_file(path, kMostText);
  if (!text) return fail(std::move(text).error());
  return parse(*text, path);
}

std::string schema() {
  Json out = grammar().schema;
  out["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  out["title"] = "Configuration of secret-injector";
  return scanner::base::dump_json(out, 2) + "\n";
}

}  // namespace injector::config
