#include "injector/model/term_text.h"

#include <string>

namespace injector {
namespace {

std::string nanoseconds(BootClock::time_point at) { return std::to_string(at.time_since_epoch().count()); }

BootClock::time_point time_of(memory::Document::Value value) {
  return BootClock::time_point(
      BootClock::duration(value.integer().value_or(BootClock::time_point::max().time_since_epoch().count())));
}

}  // namespace

void write_term(memory::Text& out, const Term& term) {
  out.append("{\"act\":").append(std::to_string(static_cast<int>(term.next.act)));
  out.append(",\"at\":").append(nanoseconds(term.next.at)).append(",\"ends\":").append(nanoseconds(term.ends));
  out.append(",\"asked\":").append(std::to_string(term.asked.count()));
  out.append(",\"grace\":").append(std::to_string(term.grace.count()));
  out.append(",\"renewable\":").append(term.renewable ? "true}" : "false}");
}

Term read_term(memory::Document::Value value) {
  Term term;
  switch (value["act"].integer().value_or(0)) {
    case 1:
      term.next.act = Term::Act::renew;
      break;
    case 2:
      term.next.act = Term::Act::replace;
      break;
    default:
      term.next.act = Term::Act::rest;
  }
  term.next.at = time_of(value["at"]);
  term.ends = time_of(value["ends"]);
  term.asked = std::chrono::seconds(value["asked"].integer().value_or(0));
  term.grace = std::chrono::nanoseconds(value["grace"].integer().value_or(0));
  term.renewable = value["renewable"].boolean().value_or(false);
  return term;
}

}  // namespace injector
