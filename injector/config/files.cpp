#include "injector/config/files.h"

#include <algorithm>

#include "injector/config/values.h"

namespace injector::config {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;
using scanner::base::Json;

/// The parameters of a write: names of the store's choosing, values as text whatever YAML takes them for.
Type<std::map<std::string, std::string>> parameters() {
  Type<std::map<std::string, std::string>> type;
  type.schema = {{"type", "object"}, {"additionalProperties", {{"type", {"string", "number", "boolean"}}}}};
  type.read = [](const Place& place, std::map<std::string, std::string>& out) {
    if (place.node->kind != Node::Kind::mapping) return place.wrong("must hold names and values");
    bool good = true;
    for (const auto& [name, value] : place.node->members) {
      const Place at = place.at(name.text, value);
      if (asks_for_secret(name.text)) {
        good = at.wrong("no secret may stand in the configuration: it belongs into a file or into a store");
      } else if (value.kind != Node::Kind::scalar || value.scalar == Node::Scalar::null ||
                 value.scalar == Node::Scalar::date) {
        good = at.wrong("must be text, a number, true or false");
      } else if (!out.emplace(name.text, value.text).second) {
        good = at.wrong("is there twice");
      }
    }
    return good;
  };
  return type;
}

/// A KV version is a number, a version of AWS is text.
Type<std::string> version() {
  const auto words = text();
  const auto number = integer(1, 1'000'000'000);
  Type<std::string> type;
  type.schema = {{"oneOf", {words.schema, number.schema}}};
  type.read = [words, number](const Place& place, std::string& out) {
    if (place.node->kind != Node::Kind::scalar || place.node->scalar != Node::Scalar::integer)
      return words.read(place, out);
    std::int64_t value = 0;
    if (!number.read(place, value)) return false;
    out = std::to_string(value);
    return true;
  };
  return type;
}

Type<Query> long_query() {
  const auto path = [] { return text("^[^?#]+$", flaw_of_store_path); };
  return Table<Query>()
      .key("store", "A name from stores.", text("^[a-z0-9][a-z0-9_-]{0,62}$"), &Query::store)
      .key("path", "What to read, as the store knows it.", path(), &Query::path)
      .key<std::string>("write", "What to write to, for an answer: pki/issue/web, transit/decrypt/key.", path(),
                        [](const Place&, std::string value, Query& out) {
                          out.path = std::move(value);
                          out.write = true;
                          return true;
                        })
      .key("data", "What to send with a write. No secrets.", parameters(), &Query::data)
      .key("key", "One member of what is there; all of it unless set.", text(), &Query::key)
      .key("version", "One version; the current one unless set.", version(), &Query::version)
      .key("stage", "AWS: a stage such as AWSPREVIOUS.", text(), &Query::stage)
      .key("namespace", "Vault: another namespace than the store's.",
           text("^[^/?#]+(?:/[^/?#]+)*$", flaw_of_store_path), &Query::space)
      .require({"store"})
      .one_of({"path", "write"})
      .check([](const Place& place, Query& query) {
        if (!query.write && !query.data.empty()) return place.member("data").wrong("goes with write");
        if (query.write && !query.version.empty()) return place.member("version").wrong("goes with path");
        if (!query.version.empty() && !query.stage.empty()) {
          return place.member("stage").wrong("may not stand beside version");
        }
        return true;
      })
      .type();
}

/// `store:path#key`, or its long form.
Type<Query> query() {
  const auto brief = short_query();
  const auto full = long_query();
  Type<Query> type;
  type.schema = {{"oneOf", {brief.schema, full.schema}}};
  type.read = [brief, full](const Place& place, Query& out) {
    if (place.node->kind == Node::Kind::sequence)
      return place.wrong("must be store:path#key, or keys such as store and path");
    return place.node->kind == Node::Kind::mapping ? full.read(place, out) : brief.read(place, out);
  };
  return type;
}

Type<MaxStale> max_stale() {
  using Then = MaxStale::Then;
  return Table<MaxStale>()
      .key("after", "How long the store may be silent, such as 1h.", duration(1s, 366 * 24h), &MaxStale::after)
      .key("then", "What happens then: serve, warn, unready or remove; warn unless set.",
           choice<Then>(
               {{"serve", Then::serve}, {"warn", Then::warn}, {"unready", Then::unready}, {"remove", Then::remove}}),
           &MaxStale::then)
      .require({"after"})
      .type();
}

/// `on_change` before it is known which way it is.
struct Change {
  int signal = 0;
  std::string process;
  std::string pid_file;
  std::string post;
  std::vector<std::string> run;
  milliseconds timeout = OnChange{}.timeout;
  milliseconds debounce = OnChange{}.debounce;
};

bool check_change(const Place& place, Change& change) {
  const Node& node = *place.node;
  const bool process = node.find("process") != nullptr;
  const bool pid_file = node.find("pid_file") != nullptr;
  if (change.signal != 0 && process == pid_file) {
    return place.member("signal").wrong("needs process or pid_file, to know whom to tell");
  }
  if (change.signal == 0 && (process || pid_file)) {
    return place.member(process ? "process" : "pid_file").wrong("goes with signal");
  }
  if (change.process.find('/') != std::string::npos) {
    return place.member("process").wrong("must be a name without '/', as ps shows it");
  }
  if (!change.run.empty() && change.run[0][0] != '/') {
    return place.member("run").wrong("must name its program by a path from the root");
  }
  return true;
}

OnChange settled(Change change) {
  OnChange out;
  if (change.signal != 0) {
    out.how = SignalProcess{change.signal, std::move(change.process), std::move(change.pid_file)};
  } else if (!change.post.empty()) {
    out.how = PostLoopback{std::move(change.post)};
  } else {
    out.how = RunProgram{std::move(change.run)};
  }
  out.timeout = change.timeout;
  out.debounce = change.debounce;
  return out;
}

Type<OnChange> on_change() {
  const auto change =
      Table<Change>()
          .key("signal", "Send this signal, such as HUP.", signal_name(), &Change::signal)
          .key("process", "To the process of this name, in a pod that shares its process namespace.", text(),
               &Change::process)
          .key("pid_file", "To the process whose number stands in this file.", absolute_path(), &Change::pid_file)
          .key("post", "Send an HTTP POST to this URL on loopback.", loopback_url(), &Change::post)
          .key("run", "Run this program of our own image, without a shell, and with these arguments.", list(text()),
               &Change::run)
          .key("timeout", "How long it may take; 10s unless set.", duration(10ms, 10min), &Change::timeout)
          .key("debounce", "How long changes are gathered into one call; 500ms unless set.", duration(0ms, 10min),
               &Change::debounce)
          .one_of({"signal", "post", "run"})
          .check(check_change)
          .type();
  Type<OnChange> type;
  type.schema = change.schema;
  type.read = [change](const Place& place, OnChange& out) {
    Change value;
    if (!change.read(place, value)) return false;
    out = settled(std::move(value));
    return true;
  };
  return type;
}

/// Formats of a single value need a key, and those of many members make no sense with one.
bool check_file(const Place& place, FileSpec& file) {
  const bool whole = std::ranges::any_of(file.from, [](const Query& query) { return query.key.empty(); });
  if (place.node->find("format") == nullptr) {
    const bool mixed = whole && std::ranges::any_of(file.from, [](const Query& query) { return !query.key.empty(); });
    if (mixed)
      return place.member("from").wrong("draws one key here and all of them there: say which \"format\" it has");
    file.format = whole ? Format::json : Format::raw;
  }
  return true;
}

}  // namespace

Type<FileSpec> file() {
  constexpr std::int64_t kLastId = 4'294'967'294;  // The one after it means "none" to chown.
  return Table<FileSpec>()
      .key("path", "Where the file stands beneath the mount.", relative_path(), &FileSpec::path)
      .key("from", "Its value: store:path#key; of a list, the first that can be had.", one_or_list(query()),
           &FileSpec::from)
      .key("format", "How the value is written; raw with a key, json without one, unless set.",
           choice<Format>({{"raw", Format::raw},
                           {"json", Format::json},
                           {"dotenv", Format::dotenv},
                           {"properties", Format::properties},
                           {"yaml", Format::yaml},
                           {"pem", Format::pem}}),
           &FileSpec::format)
      .key("mode", "Permissions, octal, in quotes; \"0400\" unless set.", mode(), &FileSpec::mode)
      .key("owner", "The owner's number; ours unless set.", integer(0, kLastId), &FileSpec::owner)
      .key("group", "The group's number.", integer(0, kLastId), &FileSpec::group)
      .key("max_stale", "What becomes of the file when its store stays silent.", max_stale(), &FileSpec::max_stale)
      .key("refresh", "How often to look for another value, in the place of the general one.",
           duration(10ms, 366 * 24h), &FileSpec::refresh)
      .key("on_change", "Whom to tell when the file has changed.", on_change(), &FileSpec::on_change)
      .require({"path", "from"})
      .check(check_file)
      .type();
}

}  // namespace injector::config
