// Whole runs over images that are made here, through every way in.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>

#include "scanner/scan/scan.h"
#include "scanner/source/image.h"
#include "tests/scan/engine.h"
#include "tests/support/image.h"
#include "tests/support/tar.h"
#include "tests/support/temporary.h"

namespace scanner::scan {
namespace {

using namespace tests;  // NOLINT(google-build-using-namespace)
using base::Errc;
using source::Selection;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Ran {
  Report report;
  std::optional<base::Error> error;

  /// The places of a secret: "[image/layer] path!member line:column state changed-in".
  [[nodiscard]] std::vector<std::string> at(int number) const {
    std::vector<std::string> all;
    for (const Finding& finding : report.findings) {
      if (finding.secret != secret(number)) continue;
      for (const Location& one : finding.locations) all.push_back(text_of(one));
    }
    return all;
  }
  [[nodiscard]] std::vector<SkipReason> reasons() const {
    std::vector<SkipReason> all;
    for (const Skipped& one : report.coverage.skipped) all.push_back(one.reason);
    return all;
  }
  [[nodiscard]] bool complete() const { return report.coverage.complete(); }
  /// All findings and places: what must be the same whichever way an image came.
  [[nodiscard]] std::string everything() const {
    std::string all;
    for (const Finding& finding : report.findings) {
      all += finding.rule + " " + finding.secret + "\n";
      for (const Location& one : finding.locations) all += "  " + text_of(one) + "\n";
    }
    return all;
  }

 private:
  static std::string text_of(const Location& one) {
    std::string text = "[" + std::to_string(one.image) + "/" + std::to_string(one.layer) + "] " +
                       (one.entry.kind == Kind::file ? place_of("", one.entry)
                                                     : std::string(to_string(one.entry.kind)) + " " + one.entry.field) +
                       " " + std::to_string(one.line) + ":" + std::to_string(one.column);
    if (one.state != State::present) {
      text += " " + std::string(to_string(one.state)) + " in " + std::to_string(one.changed_in);
    }
    return text;
  }
};

Selection with_image(std::string name) {
  Selection selection;
  selection.image = std::move(name);
  return selection;
}

Selection with_platform(std::string name) {
  Selection selection;
  selection.platform = std::move(name);
  return selection;
}

Selection with_all_platforms() {
  Selection selection;
  selection.all_platforms = true;
  return selection;
}

Selection with_base(std::string name) {
  Selection selection;
  selection.base = std::move(name);
  return selection;
}

Selection with_base_diff_ids(std::vector<std::string> diff_ids) {
  Selection selection;
  selection.base_diff_ids = std::move(diff_ids);
  return selection;
}

Ran run_on(base::Result<std::unique_ptr<source::Source>> source, unsigned jobs = 3) {
  Ran ran;
  if (!source) {
    ran.error = std::move(source).error();
    return ran;
  }
  Progress progress;
  Options options;
  options.jobs = jobs;
  options.secrets = Secrets::show;
  auto done = run(**source, acme().engine(), acme().rules(), options, progress, ran.report);
  if (!done) ran.error = std::move(done).error();
  return ran;
}

Ran from_file(const std::string& archive, const Selection& selection = {}, unsigned jobs = 3) {
  auto store = source::open_archive_file(file_with(archive), "image.tar", {});
  if (!store) return run_on(fail(std::move(store).error()));
  return run_on(source::images_in(std::move(*store), selection, {}), jobs);
}

Ran from_directory(const Files& files, const Selection& selection = {}) {
  const TemporaryDirectory directory;
  files.write_to(directory.path());
  auto store = source::open_directory_store(directory.open(), "layout", {});
  if (!store) return run_on(fail(std::move(store).error()));
  return run_on(source::images_in(std::move(*store), selection, {}));
}

/// Through a real pipe, that gives little at a time.
Ran from_pipe(const std::string& archive, const Selection& selection = {}, unsigned jobs = 3) {
  std::array<int, 2> ends{};
  SCANNER_CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0);
  std::thread writer([&archive, fd = ends[1]] {
    const base::Fd out(fd);
    std::string_view rest = archive;
    while (!rest.empty()) {
      const ssize_t n = ::write(out.get(), rest.data(), std::min<std::size_t>(rest.size(), 5000));
      if (n <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
  });
  Ran ran = run_on(
      source::images_from(std::make_unique<base::FdStream>(base::Fd{ends[0]}, "stdin"), "stdin", selection, {}), jobs);
  writer.join();
  return ran;
}

/// Three layers: one plain, one gzip, one zstd, with what happens to files between them.
ImageSpec usual() {
  ImageSpec image;
  image.name = "example.com/team/app:1.0";
  image.layers = {
      plain(tar_directory("etc") + tar_file("etc/gone", secret(1)) + tar_file("etc/kept", "\n  " + secret(2)) +
            tar_file("etc/replaced", secret(3)) + tar_file("opt/a/b", secret(4)) + tar_file("var/x", secret(5)) +
            tar_hard_link("etc/link", "etc/kept") + tar_end()),
      gzip_layer(tar_file("etc/.wh.gone", "") + tar_file("etc/replaced", "nothing") + tar_directory("opt/a") +
                 tar_file("opt/a/.wh..wh..opq", "") + tar_file("app/config", "key=" + secret(6)) + tar_end()),
      zstd_layer(tar_symlink("var", "/elsewhere") + tar_file("app/again", secret(6)) + tar_end())};
  image.config = {{"Env", {"PATH=/bin", "TOKEN=" + secret(7)}}, {"Labels", {{"token", secret(7)}}}};
  image.history = {{{"created_by", "/bin/sh -c #(nop) ADD file:1 in /"}},
                   {{"created_by", "|1 TOKEN=" + secret(7) + " /bin/sh -c build"}},
                   {{"created_by", "ENV x=y"}, {"empty_layer", true}},
                   {{"created_by", "COPY . /app"}}};
  return image;
}

void expect_usual(const Ran& ran) {
  ASSERT_FALSE(ran.error) << ran.error->message();
  EXPECT_TRUE(ran.complete()) << ran.report.coverage.skipped.front().place << ": "
                              << ran.report.coverage.skipped.front().detail;
  EXPECT_THAT(ran.at(1), ElementsAre("[0/0] etc/gone 1:1 deleted in 1"));
  EXPECT_THAT(ran.at(2), ElementsAre("[0/0] etc/kept 2:3", "[0/0] etc/link 2:3"));
  EXPECT_THAT(ran.at(3), ElementsAre("[0/0] etc/replaced 1:1 overwritten in 1"));
  EXPECT_THAT(ran.at(4), ElementsAre("[0/0] opt/a/b 1:1 deleted in 1"));
  EXPECT_THAT(ran.at(5), ElementsAre("[0/0] var/x 1:1 deleted in 2"));
  EXPECT_THAT(ran.at(6), ElementsAre("[0/1] app/config 1:5", "[0/2] app/again 1:1"));
  EXPECT_EQ(ran.report.findings.size(), 7U);
  ASSERT_EQ(ran.report.images.size(), 1U);
  const Image& image = ran.report.images[0];
  EXPECT_EQ(image.name, "example.com/team/app:1.0");
  EXPECT_EQ(image.platform, "linux/amd64");
  ASSERT_EQ(image.layers.size(), 3U);
  EXPECT_EQ(ran.report.coverage.layers, 3U);
  for (const Layer& layer : image.layers) {
    EXPECT_TRUE(layer.read);
    EXPECT_EQ(layer.base, Base::unknown);
  }
  EXPECT_EQ(image.layers[0].diff_id, digest_of(usual().layers[0].tar));
  EXPECT_EQ(image.layers[1].digest, digest_of(usual().layers[1].blob));
  EXPECT_EQ(image.layers[2].created_by, "COPY . /app");
}

TEST(Run, ReadsAnOciLayoutInADirectoryInAnArchiveAndThroughAPipeAlike) {
  const Files files = oci_layout({usual()});
  const Ran directory = from_directory(files);
  expect_usual(directory);
  const Ran archive = from_file(files.tar());
  expect_usual(archive);
  EXPECT_EQ(archive.everything(), directory.everything());
  for (const unsigned jobs : {1U, 4U}) {
    const Ran pipe = from_pipe(files.tar(), {}, jobs);
    expect_usual(pipe);
    EXPECT_EQ(pipe.everything(), directory.everything());
  }
}

TEST(Run, ReadsADockerArchiveInBothStylesAndThroughAPipeAlike) {
  for (const DockerStyle style : {DockerStyle::legacy, DockerStyle::hashed}) {
    const std::string archive = docker_archive({usual()}, style).tar();
    const Ran file = from_file(archive);
    expect_usual(file);
    const Ran pipe = from_pipe(archive);
    expect_usual(pipe);
    EXPECT_EQ(file.everything(), pipe.everything());
  }
}

TEST(Run, ReportsOneValueOfTheConfigurationOnceWithAllItsPlaces) {
  const Ran ran = from_file(oci_layout({usual()}).tar());
  std::size_t findings = 0;
  for (const Finding& finding : ran.report.findings) findings += finding.secret == secret(7) ? 1U : 0U;
  EXPECT_EQ(findings, 1U);
  const auto places = ran.at(7);
  EXPECT_THAT(places, Contains("[0/-1] env TOKEN 1:7"));
  EXPECT_THAT(places, Contains(HasSubstr("label token")));
  EXPECT_THAT(places, Contains(HasSubstr("[0/1] history TOKEN"))) << "a build argument, in the layer that it made";
  EXPECT_EQ(places.size(), 3U);
}

TEST(Run, FollowsTheSymlinksOfAnOldDockerArchive) {
  ImageSpec image = usual();
  Files files = docker_archive({image}, DockerStyle::legacy);
  const std::string id = digest_of(image.layers[0].tar).substr(7);
  std::string archive =
      tar_file("shared/layer.tar", image.layers[0].tar) + tar_symlink(id + "/layer.tar", "../shared/layer.tar");
  files.remove(id + "/layer.tar");
  archive += files.tar();
  const Ran file = from_file(archive);
  expect_usual(file);
  const Ran pipe = from_pipe(archive);
  expect_usual(pipe);
}

TEST(Run, TakesTheLastOfAnArchivesMembersOfOneName) {
  const ImageSpec image = usual();
  const std::string name = digest_of(image.layers[0].tar).substr(7) + "/layer.tar";
  const std::string archive = tar_file("decoy", "not the layer") + tar_symlink(name, "../decoy") +
                              docker_archive({image}, DockerStyle::legacy).tar();
  expect_usual(from_file(archive));
  expect_usual(from_pipe(archive));
}

/// A change to a good layout after which layer 1 cannot be vouched for; the others must still be searched.
struct Damage {
  std::string name;
  std::function<void(Files&, const ImageSpec&)> apply;
  SkipReason reason;
};

class Damaged : public ::testing::TestWithParam<Damage> {};

INSTANTIATE_TEST_SUITE_P(Layouts, Damaged,
                         ::testing::Values(Damage{"OtherBytes",
                                                  [](Files& files, const ImageSpec& image) {
                                                    files[blob_path(image.layers[1].blob)] =
                                                        gzip_layer(tar_file("app/evil", secret(9)) + tar_end()).blob;
                                                  },
                                                  SkipReason::digest_mismatch},
                                           Damage{"MissingLayer",
                                                  [](Files& files, const ImageSpec& image) {
                                                    files.remove(blob_path(image.layers[1].blob));
                                                  },
                                                  SkipReason::missing},
                                           Damage{"CutLayer",
                                                  [](Files& files, const ImageSpec& image) {
                                                    std::string& blob = files[blob_path(image.layers[1].blob)];
                                                    blob.resize(blob.size() - 10);
                                                  },
                                                  SkipReason::digest_mismatch},
                                           Damage{"EmptyLayer",
                                                  [](Files& files, const ImageSpec& image) {
                                                    files[blob_path(image.layers[1].blob)].clear();
                                                  },
                                                  SkipReason::digest_mismatch}),
                         [](const auto& test) { return test.param.name; });

TEST_P(Damaged, LeavesTheScanIncompleteAndTheOtherLayersSearched) {
  const ImageSpec image = usual();
  Files files = oci_layout({image});
  GetParam().apply(files, image);
  for (const Ran& ran : {from_file(files.tar()), from_directory(files), from_pipe(files.tar())}) {
    ASSERT_FALSE(ran.error) << ran.error->message();
    EXPECT_FALSE(ran.complete());
    EXPECT_THAT(ran.reasons(), Contains(GetParam().reason));
    EXPECT_EQ(ran.at(2).size(), 2U);
    EXPECT_THAT(ran.at(6), Contains(HasSubstr("app/again")));
    ASSERT_EQ(ran.report.images.size(), 1U);
    EXPECT_FALSE(ran.report.images[0].layers[1].read);
    EXPECT_TRUE(ran.report.images[0].layers[0].read);
    EXPECT_EQ(ran.report.coverage.layers, 2U);
  }
}

TEST(Run, StillSearchesALayerWhoseBytesAreNotThoseItsManifestNames) {
  const ImageSpec image = usual();
  Files files = oci_layout({image});
  files[blob_path(image.layers[1].blob)] = gzip_layer(tar_file("app/evil", secret(9)) + tar_end()).blob;
  EXPECT_THAT(from_file(files.tar()).at(9), ElementsAre("[0/1] app/evil 1:1"));
}

/// A layout whose one document was changed after its digest was taken, with the index put right again.
Files with_manifest(const ImageSpec& image, const std::function<void(Json&)>& change) {
  Files files = oci_layout({image});
  Json manifest = *base::parse_json(manifest_of(image));
  change(manifest);
  const std::string text = base::dump_json(manifest);
  files.remove(blob_path(manifest_of(image)));
  files.add(blob_path(text), text);
  Json index = *base::parse_json(files["index.json"]);
  index["manifests"][0]["digest"] = digest_of(text);
  index["manifests"][0]["size"] = text.size();
  files["index.json"] = base::dump_json(index);
  return files;
}

TEST(Run, ReportsALayerWhoseSizeIsNotTheManifests) {
  const Files files = with_manifest(usual(), [](Json& manifest) { manifest["layers"][0]["size"] = 5; });
  for (const Ran& ran : {from_file(files.tar()), from_pipe(files.tar())}) {
    EXPECT_FALSE(ran.complete());
    EXPECT_THAT(ran.reasons(), ElementsAre(SkipReason::corrupt));
    EXPECT_EQ(ran.at(2).size(), 2U);
    EXPECT_FALSE(ran.report.images[0].layers[0].read);
  }
}

TEST(Run, ReportsAManifestThatLeadsNowhere) {
  const std::string digest = digest_of("nothing");
  const Files layers = with_manifest(usual(), [&](Json& manifest) { manifest["layers"][1]["digest"] = digest; });
  const Files config = with_manifest(usual(), [&](Json& manifest) { manifest["config"]["digest"] = digest; });
  for (const Files* files : {&layers, &config}) {
    for (const Ran& ran : {from_file(files->tar()), from_pipe(files->tar())}) {
      ASSERT_FALSE(ran.error) << ran.error->message();
      EXPECT_FALSE(ran.complete());
      EXPECT_THAT(ran.reasons(), Contains(SkipReason::missing));
      EXPECT_EQ(ran.at(2).size(), 2U);
    }
  }
  Files index = oci_layout({usual()});
  index.remove(blob_path(manifest_of(usual())));
  const Ran ran = from_file(index.tar());
  EXPECT_TRUE(ran.error || !ran.complete());
}

TEST(Run, ReportsADiffIdThatIsNotTheLayersOfADockerArchive) {
  ImageSpec image = usual();
  Files files = docker_archive({image}, DockerStyle::legacy);
  const std::string name = digest_of(image.layers[1].tar).substr(7) + "/layer.tar";
  for (const LayerSpec& other :
       {plain(tar_file("app/evil", secret(9)) + tar_end()), gzip_layer(tar_file("app/evil", secret(9)) + tar_end())}) {
    files[name] = other.blob;
    for (const Ran& ran : {from_file(files.tar()), from_pipe(files.tar())}) {
      EXPECT_FALSE(ran.complete());
      EXPECT_THAT(ran.reasons(), ElementsAre(SkipReason::digest_mismatch));
      EXPECT_THAT(ran.at(9), ElementsAre("[0/1] app/evil 1:1"));
      EXPECT_FALSE(ran.report.images[0].layers[1].read);
    }
  }
}

TEST(Run, SaysWhichConfigurationIsNotWhatItsNameClaims) {
  ImageSpec image = usual();
  Files files = docker_archive({image}, DockerStyle::legacy);
  const std::string name = digest_of(config_of(image)).substr(7) + ".json";
  files[name] += " ";
  const Ran ran = from_file(files.tar());
  EXPECT_FALSE(ran.complete());
  EXPECT_THAT(ran.reasons(), ElementsAre(SkipReason::digest_mismatch));
  EXPECT_THAT(ran.at(7), Contains(HasSubstr("env TOKEN")));
}

TEST(Run, IsNeverCompleteForAnArchiveThatIsCut) {
  const std::string whole = docker_archive({usual()}, DockerStyle::legacy).tar();
  const std::string layout = oci_layout({usual()}).tar();
  for (const std::string* archive : {&whole, &layout}) {
    for (std::size_t at = 512; at < archive->size() - 1024; at += 512 * 3 + 100) {
      for (const Ran& ran : {from_file(archive->substr(0, at)), from_pipe(archive->substr(0, at))}) {
        EXPECT_TRUE(ran.error || !ran.complete()) << "cut at " << at;
      }
    }
  }
}

TEST(Run, FindsWhatCameBeforeACutInAPipe) {
  const std::string whole = docker_archive({usual()}, DockerStyle::legacy).tar();
  const Ran ran = from_pipe(whole.substr(0, whole.size() / 2));
  ASSERT_FALSE(ran.error);
  EXPECT_FALSE(ran.complete());
  EXPECT_FALSE(ran.at(2).empty());
}

TEST(Run, ChoosesThePlatformThatIsAskedForAndElseThisMachines) {
  ImageSpec host;
  host.name = "app:1";
  const std::string platform = source::host_platform();
  host.architecture = platform.substr(platform.find('/') + 1);
  host.layers = {plain(tar_file("h", secret(1)) + tar_end()), plain(tar_file("shared", secret(3)) + tar_end())};
  ImageSpec other = host;
  other.architecture = "s390x";
  other.layers[0] = plain(tar_file("o", secret(2)) + tar_end());
  const Files files = oci_layout({host, other});
  const auto run_all = [&](const Selection& selection, auto check) {
    check(from_file(files.tar(), selection));
    check(from_pipe(files.tar(), selection));
    check(from_directory(files, selection));
  };
  run_all({}, [](const Ran& ran) {
    ASSERT_FALSE(ran.error) << ran.error->message();
    EXPECT_TRUE(ran.complete());
    EXPECT_EQ(ran.at(1).size(), 1U);
    EXPECT_THAT(ran.at(2), IsEmpty());
    EXPECT_EQ(ran.report.images.size(), 1U);
  });
  run_all(with_platform("linux/s390x"), [](const Ran& ran) {
    EXPECT_THAT(ran.at(1), IsEmpty());
    EXPECT_THAT(ran.at(2), ElementsAre("[0/0] o 1:1"));
    EXPECT_THAT(ran.at(3), ElementsAre("[0/1] shared 1:1"));
  });
  run_all(with_all_platforms(), [](const Ran& ran) {
    EXPECT_EQ(ran.report.images.size(), 2U);
    EXPECT_EQ(ran.at(1).size(), 1U);
    EXPECT_EQ(ran.at(2).size(), 1U);
    EXPECT_THAT(ran.at(3), ElementsAre("[0/1] shared 1:1", "[1/1] shared 1:1"));
    EXPECT_EQ(ran.report.coverage.layers, 3U) << "a shared layer is read once";
  });
  run_all(with_platform("linux/riscv64"), [](const Ran& ran) {
    ASSERT_TRUE(ran.error);
    EXPECT_EQ(ran.error->code(), Errc::usage);
    EXPECT_THAT(ran.error->message(), HasSubstr("linux/s390x"));
  });
}

TEST(Run, ChoosesTheImageThatIsAskedFor) {
  ImageSpec one;
  one.name = "example.com/team/one:1";
  one.layers = {plain(tar_file("one", secret(1)) + tar_end())};
  ImageSpec two;
  two.name = "two:latest";
  two.layers = {plain(tar_file("two", secret(2)) + tar_end())};
  for (const std::string& archive :
       {oci_layout({one, two}).tar(), docker_archive({one, two}, DockerStyle::hashed).tar()}) {
    EXPECT_EQ(from_file(archive).report.images.size(), 2U);
    for (const std::string wanted : {"example.com/team/one:1", "one:1", "team/one:1"}) {
      for (const Ran& ran : {from_file(archive, with_image(wanted)), from_pipe(archive, with_image(wanted))}) {
        ASSERT_FALSE(ran.error) << ran.error->message();
        EXPECT_EQ(ran.at(1).size(), 1U);
        EXPECT_THAT(ran.at(2), IsEmpty());
        EXPECT_TRUE(ran.complete());
      }
    }
    EXPECT_EQ(from_file(archive, with_image("two")).at(2).size(), 1U) << "latest is meant";
    for (const Ran& ran : {from_file(archive, with_image("three")), from_pipe(archive, with_image("three"))}) {
      ASSERT_TRUE(ran.error);
      EXPECT_EQ(ran.error->code(), Errc::usage);
      EXPECT_THAT(ran.error->message(), HasSubstr("two:latest"));
    }
  }
}

TEST(Run, MarksTheLayersOfTheBaseImageThatSomebodyNamed) {
  ImageSpec image = usual();
  const std::string archive = oci_layout({image}).tar();
  const auto bases = [](const Ran& ran) {
    std::vector<Base> all;
    for (const Layer& layer : ran.report.images.at(0).layers) all.push_back(layer.base);
    return all;
  };
  const auto first_is_base = ElementsAre(Base::yes, Base::no, Base::no);
  EXPECT_THAT(bases(from_file(archive, with_base(digest_of(image.layers[0].blob)))), first_is_base);
  EXPECT_THAT(bases(from_file(archive, with_base(digest_of(image.layers[1].tar)))),
              ElementsAre(Base::yes, Base::yes, Base::no));
  EXPECT_THAT(bases(from_pipe(archive, with_base_diff_ids({digest_of(image.layers[0].tar)}))), first_is_base);
  EXPECT_THAT(bases(from_file(archive, with_base_diff_ids({digest_of("other")}))),
              ElementsAre(Base::unknown, Base::unknown, Base::unknown));
  image.annotations = {{"org.opencontainers.image.base.digest", digest_of(image.layers[0].blob)}};
  EXPECT_THAT(bases(from_file(oci_layout({image}).tar())), first_is_base);
}

TEST(Run, KnowsTheBaseByTheNameOfAnotherImageInTheTarget) {
  ImageSpec base;
  base.name = "base:1";
  base.layers = {usual().layers[0]};
  const Ran ran = from_file(oci_layout({base, usual()}).tar(), with_base("base:1"));
  ASSERT_EQ(ran.report.images.size(), 2U);
  EXPECT_EQ(ran.report.images[1].layers[0].base, Base::yes);
  EXPECT_EQ(ran.report.images[1].layers[1].base, Base::no);
}

TEST(Run, GivesTheDiffIdsOfABaseThatIsAFile) {
  auto store =
      source::open_archive_file(file_with(docker_archive({usual()}, DockerStyle::legacy).tar()), "base.tar", {});
  ASSERT_TRUE(store);
  const auto diff_ids = source::diff_ids_in(**store, {});
  ASSERT_TRUE(diff_ids);
  EXPECT_THAT(*diff_ids, ElementsAre(digest_of(usual().layers[0].tar), digest_of(usual().layers[1].tar),
                                     digest_of(usual().layers[2].tar)));
}

TEST(Run, SearchesWhatNoManifestLeadsTo) {
  Files files = docker_archive({usual()}, DockerStyle::legacy);
  files.add("notes.txt", "remember " + secret(8)).add("extra.tar", tar_file("x", secret(9)) + tar_end());
  for (const Ran& ran : {from_file(files.tar()), from_pipe(files.tar())}) {
    EXPECT_THAT(ran.at(8), ElementsAre("[-1/-1] notes.txt 1:10"));
    EXPECT_THAT(ran.at(9), ElementsAre("[-1/-1] extra.tar!x 1:1"));
    EXPECT_TRUE(ran.complete());
  }
}

TEST(Run, SaysThatATargetIsNoImage) {
  for (const Ran& ran : {from_file(tar_file("x", "1") + tar_end()), from_pipe(tar_file("x", "1") + tar_end())}) {
    ASSERT_TRUE(ran.error);
    EXPECT_EQ(ran.error->code(), Errc::unsupported);
  }
  EXPECT_TRUE(from_file(std::string(2000, 't')).error);
  const Ran text = from_file("no archive at all");
  EXPECT_TRUE(text.error || !text.complete());
}

TEST(Run, ReadsALayerOfManyMegabytesOnItsThreads) {
  ImageSpec image;
  image.name = "big:1";
  std::string noise;
  for (std::uint32_t i = 0; noise.size() < (6U << 20); ++i) noise += std::to_string(i * 2654435761U) + "\n";
  const std::string tar = tar_file("a", noise + secret(1)) + tar_file("b", secret(2)) + tar_end();
  image.layers = {gzip_layer(tar), zstd_layer(tar + "x"), plain(tar + "yz")};
  for (const std::string& archive : {oci_layout({image}).tar(), docker_archive({image}, DockerStyle::hashed).tar()}) {
    for (const Ran& ran : {from_file(archive), from_pipe(archive), from_pipe(archive, {}, 1)}) {
      EXPECT_TRUE(ran.complete());
      EXPECT_EQ(ran.at(1).size(), 3U);
      EXPECT_EQ(ran.at(2).size(), 3U);
    }
  }
}

TEST(Run, CountsWhatItLookedAt) {
  const Ran ran = from_file(oci_layout({usual()}).tar());
  EXPECT_EQ(ran.report.coverage.layers, 3U);
  EXPECT_GT(ran.report.coverage.texts, 10U);
  EXPECT_GT(ran.report.coverage.bytes, 300U);
  EXPECT_EQ(ran.report.coverage.files, 11U);
}

}  // namespace
}  // namespace scanner::scan
