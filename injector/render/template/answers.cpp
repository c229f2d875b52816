#include "injector/render/template/answers.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "injector/render/template/encode.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/unicode.h"

namespace injector::render::templates {
namespace {

using memory::Document;
using scanner::base::Errc;

std::string_view trimmed(std::string_view text, char c) {
  while (text.starts_with(c)) text.remove_prefix(1);
  while (text.ends_with(c)) text.remove_suffix(1);
  return text;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

void check_path(const Call& call) {
  if (call.path.empty()) stop("it asks for an empty path");
  const auto bad = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '#' || c == '\x7f'; };
  if (std::ranges::any_of(call.path, bad)) stop("its path holds a character that has no place in one");
}

/// "?version=3" off the path.
void take_version(Call& call) {
  const auto question = call.path.find('?');
  if (question == std::string::npos) return;
  const std::string query = call.path.substr(question + 1);
  call.path.resize(question);
  constexpr std::string_view kVersion = "version=";
  if (!query.starts_with(kVersion) || query.size() > kVersion.size() + 18 ||
      query.find_first_not_of("0123456789", kVersion.size()) != std::string::npos) {
    stop("of a query after its path only ?version=N is known");
  }
  call.version = query.substr(kVersion.size());
  if (call.version == "0") call.version.clear();
}

Map::Member field(std::string_view name, const Value& value) { return {name, value}; }

}  // namespace

bool read_json(Pool& pool, std::string_view text, Value& out) {
  const auto document = Document::parse(memory::Secret::copy_of(text));
  if (!document) return false;
  out = value_of(pool, document->root(), Numbers::as_real, Texts::kept);
  return true;
}

Call call_of(const Function& function, std::span<const Value> arguments) {
  Call call;
  call.path = trimmed(without_blanks(arguments[0].text()), '/');
  if (function.special == Function::Special::secrets) {
    call.kind = Call::Kind::list;
    if (call.path.find('?') != std::string::npos) stop("a list takes nothing after its path");
    check_path(call);
    return call;
  }
  take_version(call);
  while (call.path.ends_with('/')) call.path.pop_back();
  check_path(call);
  for (const Value& argument : arguments.subspan(1)) {
    const auto text = argument.text();
    if (without_blanks(text).empty()) continue;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) stop("what follows its path must be \"name=value\"");
    call.data[std::string(without_blanks(text.substr(0, equals)))] = without_blanks(text.substr(equals + 1));
  }
  if (function.special == Function::Special::certificate) {
    call.kind = Call::Kind::certificate;
  } else if (!call.data.empty()) {
    call.kind = Call::Kind::write;
  }
  if (call.kind != Call::Kind::read && !call.version.empty()) stop("only a read takes ?version=N");
  return call;
}

Value value_of(Pool& pool, Document::Value json, Numbers numbers, Texts texts) {
  const auto text = [&](std::string_view bytes) { return texts == Texts::kept ? pool.keep(bytes) : bytes; };
  pool.step();
  if (json.is_string()) return of_text(text(json.string()));
  if (const auto boolean = json.boolean()) return of_bool(*boolean);
  if (json.is_number()) {
    if (numbers == Numbers::as_real) return of_real(*json.number());
    return of_text(pool.keep(json.text().reveal()), Type::number);
  }
  if (json.is_object()) {
    auto members = json.members();
    std::ranges::sort(members, {}, [](const auto& member) { return member.first; });
    Map* const map = new_map(pool);
    map->room = pool.array<Map::Member>(members.size());
    for (const auto& [name, value] : members) {
      map->room[map->size++] = {text(name), value_of(pool, value, numbers, texts)};
    }
    return of_map(map);
  }
  if (json.is_array()) {
    const auto items = pool.array<Value>(json.size());
    std::size_t i = 0;
    for (const auto& element : json.elements()) items[i++] = value_of(pool, element, numbers, texts);
    return of_list(items);
  }
  return nil();
}

Value Answers::to(const Call& call, std::size_t line) {
  if (checking_) {
    if (asked_.size() >= Template::kMostCalls && !asked_.contains(call)) stop_at_limit("it asks for too many secrets");
    asked_.emplace(call, line);
    return surmised(call);
  }
  const auto at = std::ranges::lower_bound(calls_, call);
  if (at == calls_.end() || *at != call) {
    throw Stop{Errc::missing, "it asks for something that no check foresaw: " + call.path, {}};
  }
  const auto place = static_cast<std::size_t>(at - calls_.begin());
  auto& made = made_[place];
  if (!made) made = answered(call, readings_[place]);
  return *made;
}

Value Answers::parsed(const memory::Secret& json) {
  auto document = Document::parse(json);
  if (!document || !document->root().is_object()) {
    Map* const map = new_map(*pool_);
    map->set(*pool_, "value", of_text(pool_->keep(json.reveal())));
    return of_map(map);
  }
  const Value value = value_of(*pool_, document->root(), Numbers::as_written, Texts::viewed);
  documents_.push_back(std::move(*document));
  return value;
}

Value Answers::surmised(const Call& call) {
  if (call.kind == Call::Kind::list) return unknown();
  const bool certificate = call.kind == Call::Kind::certificate;
  static constexpr auto kSecret = std::to_array<std::string_view>(
      {"RequestID", "LeaseID", "LeaseDuration", "Renewable", "Data", "Warnings", "Auth", "WrapInfo"});
  static constexpr auto kPem = std::to_array<std::string_view>({"Cert", "Key", "CA", "Data"});
  const std::span<const std::string_view> names = certificate ? std::span<const std::string_view>(kPem) : kSecret;
  const auto fields = pool_->array<Map::Member>(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) fields[i] = field(names[i], unknown());
  auto* const record = new (pool_->take(sizeof(Record))) Record;
  record->name = certificate ? "dependency.PemEncoded" : "*dependency.Secret";
  record->fields = fields;
  Value value;
  value.type = Type::record;
  value.record = record;
  return value;
}

Value Answers::answered(const Call& call, const Reading* reading) {
  if (reading == nullptr) {
    if (call.kind == Call::Kind::list) return of_list({}, Type::texts);
    throw Stop{Errc::missing, "there is no answer for " + call.path, {}};
  }
  const Value data = parsed(reading->document);
  if (call.kind == Call::Kind::list) {
    const Value* const keys = data.map->find("keys");
    if (keys == nullptr || keys->type != Type::list) return of_list({}, Type::texts);
    const auto names = pool_->array<Value>(keys->size);
    std::ranges::copy(keys->list(), names.begin());
    std::ranges::sort(names, {}, [](const Value& one) { return one.is_text() ? one.text() : std::string_view(); });
    return of_list(names, Type::texts);
  }
  auto* const record = new (pool_->take(sizeof(Record))) Record;
  if (call.kind == Call::Kind::certificate) {
    const auto member = [&](std::string_view name) {
      const Value* const found = data.map->find(name);
      return found != nullptr && found->is_text() ? *found : of_text({});
    };
    auto cert = member("certificate");
    auto key = member("private_key");
    auto ca = member("issuing_ca");
    auto* const inner = new (pool_->take(sizeof(Record))) Record;
    const auto fields = pool_->array<Map::Member>(4);
    const auto line = [&](const Value& pem) {
      // Each ends with a line's end.
      if (pem.size == 0 || pem.text().ends_with('\n')) return pem;
      Builder builder;
      builder.add(pem.text()).add('\n');
      return of_text(builder.keep_in(*pool_));
    };
    fields[0] = field("Cert", line(cert));
    fields[1] = field("Key", line(key));
    fields[2] = field("CA", line(ca));
    inner->name = "dependency.PemEncoded";
    inner->fields = fields.first(3);
    Value whole;
    whole.type = Type::record;
    whole.record = inner;
    fields[3] = field("Data", whole);
    record->name = "dependency.PemEncoded";
    record->fields = fields;
  } else {
    Value shown = data;
    if (!reading->metadata.empty()) {
      Map* const both = new_map(*pool_);
      both->set(*pool_, "data", data);
      both->set(*pool_, "metadata", parsed(reading->metadata));
      shown = of_map(both);
    }
    const auto warnings = pool_->array<Value>(reading->warnings.size());
    for (std::size_t i = 0; i < warnings.size(); ++i) warnings[i] = of_text(reading->warnings[i]);
    const auto fields = pool_->array<Map::Member>(8);
    const auto text = [&](const std::string& one) { return of_text(one); };
    static const std::string kNone;
    fields[0] = field("RequestID", text(reading->request_id));
    fields[1] = field("LeaseID", text(reading->lease ? reading->lease->id : kNone));
    fields[2] =
        field("LeaseDuration", of_int(reading->lease ? reading->lease->duration.count() : reading->advised.count()));
    fields[3] = field("Renewable", of_bool(reading->lease && reading->lease->renewable));
    fields[4] = field("Data", shown);
    fields[5] = field("Warnings", of_list(warnings, Type::texts));
    fields[6] = field("Auth", nil());
    fields[7] = field("WrapInfo", nil());
    record->name = "*dependency.Secret";
    record->fields = fields;
  }
  Value value;
  value.type = Type::record;
  value.record = record;
  return value;
}

}  // namespace injector::render::templates
