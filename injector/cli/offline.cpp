#include "injector/cli/offline.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "injector/cli/commands.h"
#include "injector/cli/offline_template.h"
#include "injector/cli/say.h"
#include "injector/cli/values_file.h"
#include "injector/deliver/beneath.h"
#include "injector/memory/document.h"
#include "injector/model/members.h"
#include "injector/render/render.h"

namespace injector::cli {
namespace {

using memory::Document;
using memory::Secret;
using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Ok;
using scanner::base::Result;

using Readings = std::map<std::string, Reading>;

Reading reading_of(Document::Value value) {
  Reading reading;
  add_members(reading, value);
  reading.document = bytes_of(value);
  return reading;
}

std::string reason() { return std::generic_category().message(errno); }

Result<Readings> load_values(const std::string& path) {
  const auto document = read_values_file(path);
  if (!document) return fail(document.error());
  Readings readings;
  for (const auto& [name, value] : document->root().members()) readings.emplace(name, reading_of(value));
  return readings;
}

std::string name_of(const Query& query) { return query.store + ":" + query.path; }

Result<Secret> contents_of(const FileSpec& file, const Readings& values) {
  std::vector<const Reading*> readings;
  std::string wanted;
  for (const Query& query : file.from) {
    const auto found = values.find(name_of(query));
    readings.push_back(found == values.end() ? nullptr : &found->second);
    wanted += (wanted.empty() ? "" : " and no ") + name_of(query);
  }
  if (std::ranges::all_of(readings, [](const Reading* one) { return one == nullptr; })) {
    return fail(Errc::missing, file.path.text() + ": there is no " + wanted + " among the values");
  }
  auto rendered = render::render(file, readings);
  if (!rendered) return fail(std::move(rendered).error());
  return std::move(rendered->contents);
}

Result<Fd> open_output(const Options& options) {
  if (::mkdir(options.output.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(Errc::io, options.output + ": " + reason());
  Fd folder(::open(options.output.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail(Errc::io, options.output + ": " + reason());
  auto names = deliver::names_in(folder.get());
  if (!names) return fail(std::move(names).error());
  if (!names->empty() && !options.force) {
    return fail(Errc::usage, options.output + ": is not empty; --force writes into it all the same");
  }
  return folder;
}

/// A file of its own, in the place of what stands there.
Ok write_file(const Fd& output, const FileSpec& file, const Secret& contents) {
  const std::string& path = file.path.text();
  const auto slash = path.rfind('/');
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  Fd folder(::fcntl(output.get(), F_DUPFD_CLOEXEC, 3));
  if (slash != std::string::npos) {
    auto made = deliver::make_folders(output.get(), path.substr(0, slash));
    if (!made) return fail(std::move(made).error());
    folder = std::move(*made);
  }
  ::unlinkat(folder.get(), name.c_str(), 0);
  const deliver::Access access{.mode = 0600, .owner = std::nullopt, .group = std::nullopt};
  auto written = deliver::write_new(folder.get(), name, contents.reveal(), access, path);
  if (!written) return fail(std::move(written).error());
  return {};
}

void tell_unused(const config::Config& config, const Readings& values) {
  std::set<std::string> asked;
  for (const FileSpec& file : config.files) {
    for (const Query& query : file.from) asked.insert(name_of(query));
  }
  for (const auto& [name, reading] : values) {
    if (!asked.contains(name)) say("no file asks for " + name);
  }
}

int render_one(const Options& options, const config::Config& config, const Readings& values) {
  const auto file = std::ranges::find(config.files, options.file, [](const FileSpec& one) { return one.path.text(); });
  if (file == config.files.end())
    return refuse(options, {Errc::usage, options.file + ": the configuration has no such file"});
  const auto contents = contents_of(*file, values);
  if (!contents) {
    say(contents.error().message());
    return kFailed;
  }
  if (const Ok written = write_all(STDOUT_FILENO, contents->reveal(), "standard output"); !written) {
    return refuse(options, written.error());
  }
  return kGood;
}

int render_all(const Options& options, const config::Config& config, const Readings& values) {
  std::vector<std::pair<const FileSpec*, Secret>> made;
  for (const FileSpec& file : config.files) {
    auto contents = contents_of(file, values);
    if (contents) {
      made.emplace_back(&file, std::move(*contents));
    } else {
      say(contents.error().message());
    }
  }
  if (made.size() != config.files.size()) return kFailed;
  const auto output = open_output(options);
  if (!output) return refuse(options, output.error());
  for (const auto& [file, contents] : made) {
    if (const Ok written = write_file(*output, *file, contents); !written) return refuse(options, written.error());
    std::printf("%s/%s  %zu bytes\n", options.output.c_str(), file->path.text().c_str(), contents.size());
  }
  return kGood;
}

}  // namespace

int run_render(const Options& options, const Environment& environment) {
  if (!options.template_file.empty()) return run_render_template(options);
  const auto config = load_config(options, environment);
  if (!config) return refuse_config(options, config.error());
  const auto values = load_values(options.values);
  if (!values) return refuse(options, values.error());
  tell_unused(*config, *values);
  return options.file.empty() ? render_all(options, *config, *values) : render_one(options, *config, *values);
}

}  // namespace injector::cli
