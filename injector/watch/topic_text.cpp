#include "injector/watch/topic_text.h"

#include <string>

#include "injector/model/members.h"
#include "injector/model/term_text.h"

namespace injector::watch {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::string count_of(BootClock::time_point at) { return std::to_string(at.time_since_epoch().count()); }

void write_time(memory::Text& out, const char* key, const std::optional<std::chrono::system_clock::time_point>& at) {
  if (!at) return;
  out.append(",\"").append(key).append("\":");
  out.append(std::to_string(duration_cast<milliseconds>(at->time_since_epoch()).count()));
}

std::optional<std::chrono::system_clock::time_point> time_of(memory::Document::Value value) {
  const auto count = value.integer();
  if (!count) return std::nullopt;
  return std::chrono::system_clock::time_point(
      duration_cast<std::chrono::system_clock::duration>(milliseconds(*count)));
}

/// A value that is held for good goes along when it can stand in JSON; without it, it is read again.
bool can_go_along(const Topic& topic) {
  if (!topic.held) return true;
  if (!topic.reading) return false;
  const auto whole = memory::Document::parse(topic.reading->document);
  return whole && whole->root().is_object();
}

void write_reading(memory::Text& out, const Reading& reading) {
  out.append(",\"advised\":").append(std::to_string(reading.advised.count()));
  out.append(",\"document\":").append(reading.document);
  if (!reading.metadata.empty()) out.append(",\"metadata\":").append(reading.metadata);
}

Reading read_reading(memory::Document::Value value) {
  Reading reading;
  reading.document = value["document"].text();
  add_members(reading, value["document"]);
  if (value["metadata"].exists()) reading.metadata = value["metadata"].text();
  reading.advised = std::chrono::seconds(value["advised"].integer().value_or(0));
  return reading;
}

}  // namespace

void write_topic(memory::Text& out, const Topic& topic) {
  if (!topic.known || !can_go_along(topic)) {
    out.append("null");
    return;
  }
  out.append("{\"version\":").append_json(topic.version);
  out.append(",\"request\":").append_json(topic.request_id);
  out.append(",\"confirmed\":").append(count_of(topic.confirmed)).append(",\"due\":").append(count_of(topic.due));
  write_time(out, "confirmed_at", topic.confirmed_at);
  write_time(out, "ends", topic.ends);
  if (topic.leased()) {
    out.append(",\"lease\":{\"id\":").append_json(topic.lease.id);
    out.append(",\"duration\":").append(std::to_string(topic.lease.duration.count()));
    out.append(",\"renewable\":").append(topic.lease.renewable ? "true" : "false");
    out.append(",\"space\":").append_json(topic.lease.space).append('}');
  }
  if (topic.term) {
    out.append(",\"term\":");
    write_term(out, *topic.term);
  }
  if (topic.held) write_reading(out, *topic.reading);
  out.append('}');
}

void read_topic(memory::Document::Value value, Topic& topic, std::uint64_t session) {
  const auto confirmed = value["confirmed"].integer();
  const auto due = value["due"].integer();
  if (!confirmed || !due || (topic.held && !value["document"].is_object())) return;
  topic.known = true;
  topic.reads = 1;
  if (topic.held) topic.reading = read_reading(value);
  topic.version = value["version"].string();
  topic.request_id = value["request"].string();
  topic.confirmed = BootClock::time_point(BootClock::duration(*confirmed));
  topic.confirmed_at = time_of(value["confirmed_at"]);
  topic.ends = time_of(value["ends"]);
  if (const auto lease = value["lease"]; lease.is_object()) {
    topic.lease.id = lease["id"].string();
    topic.lease.duration = std::chrono::seconds(lease["duration"].integer().value_or(0));
    topic.lease.renewable = lease["renewable"].boolean().value_or(false);
    topic.lease.space = lease["space"].string();
  }
  if (value["term"].is_object()) topic.term = read_term(value["term"]);
  topic.session = session;
  topic.due = BootClock::time_point(BootClock::duration(*due));
  topic.look = false;
  topic.failures = 0;
}

}  // namespace injector::watch
