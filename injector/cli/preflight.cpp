#include "injector/cli/preflight.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "injector/cli/commands.h"
#include "injector/cli/say.h"
#include "injector/cli/stores.h"
#include "injector/cli/terminal.h"
#include "injector/deliver/mount.h"
#include "injector/memory/zeroing.h"
#include "injector/net/loop.h"
#include "injector/net/start.h"
#include "injector/telemetry/harmless.h"
#include "injector/watch/group.h"

namespace injector::cli {

namespace asio = boost::asio;
using backend::Check;

namespace {

using State = Check::State;

/// Checks under one heading: "mount /run/secrets/app", "store bao (vault)".
struct Part {
  std::string title;
  std::vector<Check> checks;
};

std::string yes_no_unknown(std::optional<bool> value, const char* yes, const char* no) {
  return value ? (*value ? yes : no) : "unknown";
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kMiB = 1UL << 20;
  if (bytes % kMiB == 0 || bytes >= 10 * kMiB) return std::to_string(bytes / kMiB) + " MiB";
  return std::to_string(bytes / 1024) + " KiB";
}

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

Part config_part(const config::Config& config, const Options& options) {
  Part part{"configuration", {}};
  part.checks.push_back({options.config.empty() ? "SECRET_INJECTOR_CONFIG" : options.config, State::passed,
                         counted(config.files.size(), "file") + " from " + counted(config.stores.size(), "store")});
  return part;
}

/// The facts that are well, then what is not.
Part mount_part(const config::Config& config) {
  Part part{"mount " + config.mount, {}};
  auto mount = deliver::Mount::open(config.mount);
  if (!mount) {
    part.checks.push_back({"directory", State::failed, mount.error().message()});
    return part;
  }
  const deliver::Attestation attestation = mount->attest(config.require);
  const deliver::MountFacts& facts = attestation.facts;
  std::string options;
  for (const auto& [name, on] : {std::pair{"nodev", facts.nodev}, {"nosuid", facts.nosuid}, {"noexec", facts.noexec}}) {
    if (on) options += std::string(options.empty() ? "" : ",") + name;
  }
  const bool bounded = facts.bytes != 0;
  part.checks.push_back({"file system", facts.tmpfs ? State::passed : State::failed, facts.filesystem});
  part.checks.push_back({"options", State::passed, options.empty() ? "none of nodev, nosuid, noexec" : options});
  part.checks.push_back(
      {"room", State::passed,
       bounded ? size_text(facts.free_bytes) + " of " + size_text(facts.bytes) + " free" : "unbounded"});
  part.checks.push_back({"swap", State::passed,
                         yes_no_unknown(facts.swap_on, "on", "off") + "; the mount is " +
                             yes_no_unknown(facts.noswap, "noswap", "without noswap")});
  const std::string at = config.mount + ": ";
  const auto add = [&](const std::vector<std::string>& lines, const char* what, State state) {
    for (const std::string& line : lines) {
      part.checks.push_back({what, state, line.starts_with(at) ? line.substr(at.size()) : line});
    }
  };
  add(attestation.refusals, "refused", State::failed);
  add(attestation.warnings, "warning", State::warned);
  return part;
}

Part process_part() {
  const memory::Arena::Status arena = memory::Arena::status();
  const State state = arena.tier == memory::Tier::plain ? State::warned : State::passed;
  const bool wiped = net::start() && memory::heap_is_zeroed();
  return {"process",
          {{"memory for secrets", state, std::string(memory::to_string(arena.tier))},
           {"freed memory", wiped ? State::passed : State::warned, wiped ? "wiped" : "not wiped"}}};
}

/// Each path once, however many files and keys draw from it.
std::vector<Query> queries_for(const config::Config& config, const std::string& store) {
  std::vector<Query> queries;
  for (const FileSpec& file : config.files) {
    for (const Query& query : file.from) {
      if (query.store == store && std::ranges::find(queries, query) == queries.end()) queries.push_back(query);
    }
  }
  return queries;
}

net::Task<std::vector<Check>> checks_of(backend::Backend& backend, std::vector<Query> queries) {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::vector<Check> checks = co_await backend.check(queries);
  co_return checks;
}

asio::awaitable<void> check_store(const Store& store, std::vector<Query> queries, std::chrono::milliseconds timeout,
                                  Part& part) {
  part.title = "store " + store.settings.name + " (" + store.kind + ")";
  std::string what = "all of it";
  auto checks = co_await net::with_deadline(timeout, std::move(what), checks_of(*store.backend, std::move(queries)));
  if (checks) {
    // Two keys of one path may give the same line twice.
    for (Check& check : *checks) {
      const bool known = std::ranges::any_of(part.checks, [&](const Check& other) {
        return other.what == check.what && other.state == check.state && other.detail == check.detail;
      });
      if (!known) part.checks.push_back(std::move(check));
    }
  } else {
    part.checks.push_back({"checks", State::failed, checks.error().message()});
  }
}

asio::awaitable<void> check_stores(const config::Config& config, std::vector<Stores>& stores,
                                   std::chrono::milliseconds timeout, std::vector<Part>& parts) {
  const auto executor = co_await asio::this_coro::executor;
  watch::Group group(executor);
  for (std::size_t i = 0; i < stores.size(); ++i) {
    for (const auto& store : stores[i].all()) {
      group.start(check_store(*store, queries_for(config, store->settings.name), timeout, parts[i]));
    }
  }
  co_await group.join();
  watch::Group closing(executor);
  for (Stores& each : stores) closing.start(each.close());
  co_await closing.join();
}

std::string_view word_of(State state) {
  switch (state) {
    case State::passed:
      return "passed";
    case State::warned:
      return "warned";
    case State::failed:
      return "failed";
    case State::skipped:
      return "skipped";
  }
  return "";
}

std::string mark_of(State state, const Style& style) {
  switch (state) {
    case State::passed:
      return style.green("ok  ");
    case State::warned:
      return style.yellow("warn");
    case State::failed:
      return style.red("FAIL");
    case State::skipped:
      return style.dim("-   ");
  }
  return "";
}

struct Counts {
  std::size_t passed = 0;
  std::size_t warned = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
};

Counts count(const std::vector<Part>& parts) {
  Counts counts;
  for (const Part& part : parts) {
    for (const Check& check : part.checks) {
      counts.passed += check.state == State::passed ? 1 : 0;
      counts.warned += check.state == State::warned ? 1 : 0;
      counts.failed += check.state == State::failed ? 1 : 0;
      counts.skipped += check.state == State::skipped ? 1 : 0;
    }
  }
  return counts;
}

/// "  ok    what               detail", the detail beneath where it does not fit beside.
std::string line_of(const Check& check, const Style& style) {
  constexpr std::size_t kMark = 8;
  constexpr std::size_t kWhat = 30;
  const std::string what = telemetry::harmless(check.what);
  const std::string detail = telemetry::harmless(check.detail);
  const std::string line = "  " + mark_of(check.state, style) + "  ";
  if (detail.empty()) return line + wrapped(check.what, style.width - kMark, kMark) + "\n";
  const std::size_t column = std::max(kWhat, what.size() + 2);
  if (kMark + column + detail.size() <= style.width) {
    return line + what + std::string(column - what.size(), ' ') + detail + "\n";
  }
  return line + wrapped(check.what, style.width - kMark, kMark) + "\n" + std::string(kMark + 2, ' ') +
         wrapped(check.detail, style.width - kMark - 2, kMark + 2) + "\n";
}

std::string table_of(const std::vector<Part>& parts, const Style& style) {
  std::string out;
  for (const Part& part : parts) {
    out += style.bold(telemetry::harmless(part.title)) + "\n";
    for (const Check& check : part.checks) out += line_of(check, style);
    out += "\n";
  }
  const Counts counts = count(parts);
  std::string verdict = std::to_string(counts.passed) + " passed";
  if (counts.warned > 0) verdict += ", " + std::to_string(counts.warned) + " to look at";
  if (counts.skipped > 0) verdict += ", " + std::to_string(counts.skipped) + " not tried";
  if (counts.failed > 0) verdict += ", " + std::to_string(counts.failed) + " failed";
  return out + (counts.failed > 0 ? style.red("It would not work here: ") : style.green("It would work here: ")) +
         verdict + ".\n";
}

std::string json_of(const std::vector<Part>& parts) {
  using telemetry::json_text;
  std::string out = "{\n  \"checks\": [";
  bool first = true;
  for (const Part& part : parts) {
    for (const Check& check : part.checks) {
      out += std::string(first ? "" : ",") + "\n    {\"part\": " + json_text(part.title) +
             ", \"what\": " + json_text(check.what) + ", \"state\": " + json_text(word_of(check.state)) +
             ", \"detail\": " + json_text(check.detail) + "}";
      first = false;
    }
  }
  return out + "\n  ],\n  \"well\": " + (count(parts).failed == 0 ? "true" : "false") + "\n}\n";
}

}  // namespace

int run_check(const Options& options, const Environment& environment) {
  net::start();
  memory::Arena::open();
  const auto config = load_config(options, environment);
  if (!config) return refuse_config(options, config.error());
  std::vector<Part> parts;
  parts.push_back(config_part(*config, options));
  parts.push_back(mount_part(*config));
  parts.push_back(process_part());

  asio::io_context io(1);
  // Opened one by one, so that one that cannot be does not hide what is wrong with the others.
  std::vector<Stores> stores(config->stores.size());
  std::vector<Part> of_stores(config->stores.size());
  for (std::size_t i = 0; i < stores.size(); ++i) {
    config::Config alone = *config;
    alone.stores = {config->stores[i]};
    auto opened = Stores::open(io.get_executor(), alone, environment.aws);
    if (opened) {
      stores[i] = std::move(*opened);
    } else {
      of_stores[i] = {"store " + config->stores[i].name, {{"settings", State::failed, opened.error().message()}}};
    }
  }
  asio::co_spawn(io, check_stores(*config, stores, options.timeout, of_stores), [&](const std::exception_ptr& thrown) {
    if (thrown) parts.push_back({"stores", {{"checks", State::failed, "ended by an error of the program"}}});
  });
  io.run();
  std::ranges::move(of_stores, std::back_inserter(parts));
  const std::string text = options.json ? json_of(parts) : table_of(parts, style_of_stdout(options, environment));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return count(parts).failed == 0 ? kGood : kFailed;
}

}  // namespace injector::cli
