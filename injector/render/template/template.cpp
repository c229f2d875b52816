#include "injector/render/template/template.h"

#include <algorithm>
#include <string>
#include <utility>

#include "injector/render/template/evaluate.h"
#include "injector/render/template/parse.h"
#include "scanner/base/check.h"

namespace injector::render::templates {

struct Template::Impl {
  Tree tree;
  std::vector<Call> calls;
};

std::string Mistake::text() const {
  return "line " + std::to_string(line) + ": " + what + (mend.empty() ? "" : ": " + mend);
}

Template::Checked Template::check(std::string_view text, const Delimiters& delimiters) {
  Checked out;
  if (text.size() > kMostText) {
    out.mistakes.push_back({1, "it is longer than 1 MiB", {}});
    return out;
  }
  auto tree = parse(text, delimiters, out.mistakes);
  if (tree && out.mistakes.empty()) {
    auto impl = std::make_shared<Impl>();
    impl->tree = std::move(*tree);
    for (const auto& [call, line] : survey(impl->tree, out.mistakes)) impl->calls.push_back(call);
    if (out.mistakes.empty()) out.good.reset(new Template(std::move(impl)));
  }
  std::ranges::stable_sort(out.mistakes, {}, &Mistake::line);
  return out;
}

const std::vector<Call>& Template::calls() const { return impl_->calls; }

scanner::base::Result<memory::Secret> Template::render(std::span<const Reading* const> readings,
                                                       const Options& options) const {
  SCANNER_CHECK(readings.size() == impl_->calls.size());
  return execute(impl_->tree, impl_->calls, readings, options);
}

}  // namespace injector::render::templates
