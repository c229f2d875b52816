#include "injector/config/files.h"

#include <algorithm>

#include "injector/config/values.h"
#include "injector/render/template/template.h"

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

/// Text with line ends and tabs, as it stands.
Type<std::string> template_text() {
  Type<std::string> type;
  type.schema = {{"type", "string"}, {"minLength", 1}};
  type.read = [](const Place& place, std::string& out) {
    if (place.node->kind != Node::Kind::scalar || place.node->scalar == Node::Scalar::null) {
      return place.wrong("must be text");
    }
    if (place.node->text.empty()) return place.wrong("must not be empty");
    out = place.node->text;
    return true;
  };
  return type;
}

/// Delimiters that Go's lexer can tell from what stands between them.
const char* flaw_of_delimiter(std::string_view delimiter) {
  if (delimiter.size() > 16) return "must not be longer than 16 characters";
  return delimiter.find_first_of(" \t\r\n") != std::string_view::npos ? "must not hold blanks" : nullptr;
}

/// The text alone, or with how it is to be read.
Type<TemplateSpec> templ() {
  const auto brief = template_text();
  const auto delimiter = [] { return text("^[^ \\t\\r\\n]{1,16}$", flaw_of_delimiter); };
  const auto full =
      Table<TemplateSpec>()
          .key("text", "The template, in Go's language as Vault Agent has it.", template_text(), &TemplateSpec::text)
          .key("store", "The store that it asks; need not be said where there is one alone.",
               text("^[a-z0-9][a-z0-9_-]{0,62}$"), &TemplateSpec::store)
          .key("left_delimiter", "What begins an action; {{ unless set.", delimiter(), &TemplateSpec::left_delimiter)
          .key("right_delimiter", "What ends an action; }} unless set.", delimiter(), &TemplateSpec::right_delimiter)
          .key("error_on_missing_key", "Whether a field that is not there is an error; false unless set.", boolean(),
               &TemplateSpec::error_on_missing_key)
          .require({"text"})
          .type();
  Type<TemplateSpec> type;
  type.schema = {{"oneOf", {brief.schema, full.schema}}};
  type.read = [brief, full](const Place& place, TemplateSpec& out) {
    return place.node->kind == Node::Kind::mapping ? full.read(place, out) : brief.read(place, out.text);
  };
  return type;
}

/// Formats of a single value need a key, and those of many members make no sense with one.
bool check_file(const Place& place, FileSpec& file) {
  if (file.templ) return place.node->find("format") == nullptr || place.member("format").wrong("goes with from");
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
      .key("template", "What makes the file, in the place of from: text with {{ actions }} that ask for secrets.",
           templ(), &FileSpec::templ)
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
      .require({"path"})
      .one_of({"from", "template"})
      .check(check_file)
      .type();
}

namespace {

using render::templates::Call;

/// The store of a call: one that its path names before a colon, else the template's.
std::string take_store(std::string& path, const TemplateSpec& spec, const Config& config) {
  const auto colon = path.find(':');
  if (colon == std::string::npos || config.store(path.substr(0, colon)) == nullptr) return spec.store;
  std::string store = path.substr(0, colon);
  path.erase(0, colon + 1);
  while (path.starts_with('/')) path.erase(0, 1);
  return store;
}

/// The only store, or the only vault store; empty where that leaves a choice.
std::string usual_store(const Config& config) {
  std::vector<std::string> vaults;
  for (const Store& store : config.stores) {
    if (std::holds_alternative<VaultStore>(store.kind)) vaults.push_back(store.name);
  }
  if (vaults.size() == 1) return vaults[0];
  return config.stores.size() == 1 ? config.stores[0].name : std::string();
}

/// What is wrong with asking it of that store, or nothing.
std::string flaw_of_call(const Call& call, const std::string& path, const Store& store) {
  if (const char* flaw = flaw_of_store_path(path)) return std::string("the path that it asks for ") + flaw;
  if (std::holds_alternative<VaultStore>(store.kind)) return {};
  if (call.kind == Call::Kind::list) return "only a vault store can list what it has";
  return call.kind == Call::Kind::read ? "" : "only a vault store can be written to";
}

}  // namespace

bool settle_template(const Place& place, FileSpec& file, const Config& config) {
  TemplateSpec& spec = *file.templ;
  const Place at = place.member("template");
  const auto checked = render::templates::Template::check(spec.text, {spec.left_delimiter, spec.right_delimiter});
  for (const auto& mistake : checked.mistakes) at.wrong(mistake.text());
  if (spec.store.empty()) spec.store = usual_store(config);
  if (!spec.store.empty() && config.store(spec.store) == nullptr) {
    std::vector<std::string> names;
    for (const Store& each : config.stores) names.push_back(each.name);
    return at.member("store").wrong("there is no such store" + suggestion(spec.store, names));
  }
  if (checked.good == nullptr) return false;
  bool good = true;
  for (const Call& call : checked.good->calls()) {
    Query query;
    query.path = call.path;
    query.store = take_store(query.path, spec, config);
    if (query.store.empty()) return at.wrong("there are several stores: say by \"store\" which one it asks");
    if (const auto flaw = flaw_of_call(call, query.path, *config.store(query.store)); !flaw.empty()) {
      good = at.wrong(flaw + " (" + query.store + ":" + query.path + ")");
    }
    query.version = call.version;
    query.list = call.kind == Call::Kind::list;
    query.write = call.kind == Call::Kind::write || call.kind == Call::Kind::certificate;
    query.data = call.data;
    for (const auto& [name, value] : query.data) {
      if (asks_for_secret(name)) good = at.wrong("no secret may stand in a template: not as " + name);
    }
    file.from.push_back(std::move(query));
  }
  return good;
}

}  // namespace injector::config
