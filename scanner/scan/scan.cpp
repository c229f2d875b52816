#include "scanner/scan/scan.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "scanner/scan/assemble.h"
#include "scanner/scan/blob.h"
#include "scanner/scan/work.h"

namespace scanner::scan {
namespace {

using base::Errc;
using base::Result;

constexpr std::size_t kMaxText = 16U << 20;

void search_text(source::Item& item, Searcher& searcher, Outcome& out) {
  auto text = base::read_up_to(*item.data, kMaxText);
  if (!text) {
    out.coverage.skip({reason_of(text.error()), place_of("", item.entry), text.error().message(), 0});
    return;
  }
  searcher.text(item.entry, *text, out);
}

/// One outcome for each blob, and one for each stretch of other items of the same image: keeping one for every file of
/// a directory would grow with the target.
void search_unit(source::Unit& unit, Work& work, Searcher& searcher, const Limits& limits,
                 std::vector<Outcome>& outcomes) {
  for (source::Item& item : unit) {
    using Role = source::Item::Role;
    const bool fresh = item.role == Role::blob || outcomes.empty() || outcomes.back().blob.blob >= 0 ||
                       outcomes.back().image != item.image;
    if (fresh) outcomes.emplace_back().image = item.image;
    Outcome& out = outcomes.back();
    // In a pipe the units come one after another: whoever still has one is at its end.
    const Cores cores = item.pipe ? Cores::spare : work.cores();
    if (item.role == Role::blob) {
      search_blob(item, searcher, limits, cores, work, out);
    } else if (item.role == Role::content) {
      search_file(item, searcher, cores, work, out);
    } else {
      search_text(item, searcher, out);
    }
    item.data.reset();
  }
}

}  // namespace

Result<void> run(source::Source& source, const Engine& engine, const RuleSet& rules, const Options& options,
                 Progress& progress, Report& report) {
  std::vector<Searcher> searchers;
  for (unsigned i = 0; i < options.jobs; ++i) {
    auto searcher = Searcher::create(engine, options.limits, progress);
    if (!searcher) return fail(std::move(searcher).error());
    searchers.push_back(std::move(*searcher));
  }
  std::vector<std::vector<Outcome>> outcomes(searchers.size());
  Work work(searchers.size());
  std::vector<std::thread> workers;
  const auto start_workers = [&] {
    while (workers.size() < searchers.size()) {
      const std::size_t number = workers.size();
      workers.emplace_back([&, number] {
        for (;;) {
          Work::Next next = work.take();
          if (auto* unit = std::get_if<source::Unit>(&next)) {
            search_unit(*unit, work, searchers[number], options.limits, outcomes[number]);
            work.done(*unit);
          } else if (auto* task = std::get_if<std::shared_ptr<Task>>(&next)) {
            (*task)->run(searchers[number]);
            work.done(**task);
          } else {
            return;
          }
        }
      });
    }
  };

  std::optional<base::Error> trouble;
  for (;;) {
    auto unit = source.next();
    if (!unit) {
      trouble = std::move(unit).error();
      break;
    }
    if (!*unit) break;
    const bool in_order = std::ranges::any_of(**unit, &source::Item::pipe);
    work.put(std::move(**unit));
    // Workers start when there is work for all, so that the first knows how many cores it has; at once, however, where
    // the next unit comes only after this one was read.
    if (in_order || work.full()) start_workers();
  }
  start_workers();
  work.close();
  for (std::thread& worker : workers) worker.join();
  if (trouble && (trouble->code() == Errc::usage || trouble->code() == Errc::unsupported)) return fail(*trouble);

  std::vector<Outcome> all;
  std::vector<source::BlobResult> blobs;
  for (auto& some : outcomes) {
    for (Outcome& one : some) {
      if (one.blob.blob >= 0) blobs.push_back(one.blob);
      all.push_back(std::move(one));
    }
  }
  source::Description description = source.describe(blobs);
  if (trouble) report.coverage.skip({reason_of(*trouble), report.target, trouble->message(), 0});
  assemble(rules, std::move(description), std::move(all), options.secrets, report);
  return {};
}

}  // namespace scanner::scan
