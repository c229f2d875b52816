#include "scanner/source/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/image.h"

namespace scanner::source {
namespace {

using namespace tests;  // NOLINT(google-build-using-namespace)
using base::Errc;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Blobs = std::map<std::string, std::string>;

base::Result<Plan> plan(const Blobs& blobs, const Selection& selection = {}, const Limits& limits = {}) {
  BlobView view;
  view.resolve = [&](const std::string& name) { return blobs.contains(name) ? name : std::string(); };
  view.fetch = [&](const std::string& name) -> base::Result<std::string> { return blobs.at(name); };
  return plan_images(view, selection, limits);
}

Selection with_image(std::string name) {
  Selection selection;
  selection.image = std::move(name);
  return selection;
}

Json descriptor(const std::string& text, const Json& more = Json::object()) {
  Json made = {
      {"mediaType", "application/vnd.oci.image.manifest.v1+json"}, {"digest", digest_of(text)}, {"size", text.size()}};
  made.update(more);
  return made;
}

std::string index(const std::vector<Json>& manifests) {
  return base::dump_json(Json{{"schemaVersion", 2}, {"manifests", manifests}});
}

ImageSpec image(const std::string& name) {
  ImageSpec made;
  made.name = name;
  made.layers = {plain("layer of " + name)};
  return made;
}

/// The blobs of an image, by their paths in a layout.
void add(Blobs& blobs, const ImageSpec& spec) {
  for (const LayerSpec& layer : spec.layers) blobs[blob_path(layer.blob)] = layer.blob;
  blobs[blob_path(config_of(spec))] = config_of(spec);
  blobs[blob_path(manifest_of(spec))] = manifest_of(spec);
}

std::vector<SkipReason> reasons(const Plan& plan) {
  std::vector<SkipReason> all;
  for (const Skipped& one : plan.skipped) all.push_back(one.reason);
  return all;
}

TEST(Plan, SaysThatThereIsNoImage) {
  const auto none = plan({{"x", "y"}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Errc::unsupported);
}

TEST(Plan, FindsTheLayersOfAnIndexWithinAnIndex) {
  Blobs blobs;
  const ImageSpec one = image("one");
  add(blobs, one);
  const std::string inner = index({descriptor(manifest_of(one))});
  blobs[blob_path(inner)] = inner;
  blobs["index.json"] = index({descriptor(inner, {{"mediaType", "application/vnd.oci.image.index.v1+json"}})});
  const auto made = plan(blobs);
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_THAT(made->images, SizeIs(1));
  EXPECT_EQ(made->images[0].digest, digest_of(manifest_of(one)));
  EXPECT_THAT(made->layer_blobs, ElementsAre(ElementsAre(blob_path(one.layers[0].blob))));
  EXPECT_THAT(made->skipped, IsEmpty());
}

TEST(Plan, BoundsHowDeepIndexesNest) {
  Blobs blobs;
  const ImageSpec one = image("one");
  add(blobs, one);
  std::string text = manifest_of(one);
  for (int depth = 0; depth < 8; ++depth) {
    text = index({descriptor(text)});
    blobs[blob_path(text)] = text;
  }
  blobs["index.json"] = text;
  const auto made = plan(blobs);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_THAT(reasons(*made), ElementsAre(SkipReason::limit));
}

TEST(Plan, BoundsTheNumberOfManifests) {
  std::vector<Json> many;
  for (int i = 0; i < 50; ++i) many.push_back(descriptor("manifest " + std::to_string(i)));
  Limits limits;
  limits.max_manifests = 10;
  const auto made = plan({{"index.json", index(many)}}, {}, limits);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_THAT(reasons(*made), Contains(SkipReason::limit));
}

TEST(Plan, ReportsDocumentsThatAreBroken) {
  for (const std::string& broken :
       {std::string("{"), std::string("[]"), std::string("{\"manifests\": 5}"), std::string()}) {
    const auto made = plan({{"index.json", broken}});
    EXPECT_TRUE(!made || !made->skipped.empty()) << broken;
  }
}

TEST(Plan, StillReadsTheOtherImagesWhenOneIsBroken) {
  Blobs blobs;
  const ImageSpec good = image("good");
  const ImageSpec bad = image("bad");
  add(blobs, good);
  add(blobs, bad);
  blobs[blob_path(manifest_of(bad))] = "{";
  blobs["index.json"] =
      index({descriptor(manifest_of(good), {{"annotations", {{"org.opencontainers.image.ref.name", "good"}}}}),
             descriptor(manifest_of(bad), {{"annotations", {{"org.opencontainers.image.ref.name", "bad"}}}})});
  const auto made = plan(blobs);
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_THAT(made->images, SizeIs(1));
  EXPECT_EQ(made->images[0].name, "good");
  EXPECT_THAT(reasons(*made), Contains(SkipReason::digest_mismatch));
}

TEST(Plan, SaysThatTheConfigurationKnowsOtherLayers) {
  ImageSpec one = image("one");
  Json manifest = *base::parse_json(manifest_of(one));
  manifest["layers"].push_back(manifest["layers"][0]);
  const std::string text = base::dump_json(manifest);
  Blobs blobs;
  add(blobs, one);
  blobs[blob_path(text)] = text;
  blobs["index.json"] = index({descriptor(text)});
  const auto made = plan(blobs);
  ASSERT_TRUE(made);
  EXPECT_THAT(reasons(*made), ElementsAre(SkipReason::corrupt));
  EXPECT_THAT(made->layer_blobs, ElementsAre(SizeIs(2)));
}

TEST(Plan, TakesAnAttestationForTextsOfItsImageAndNotForAnImage) {
  const ImageSpec one = image("one");
  const std::string statement = R"({"_type":"https://in-toto.io/Statement/v0.1","predicate":{"token":"value"}})";
  ImageSpec attestation;
  attestation.os = attestation.architecture = "unknown";
  attestation.layers = {plain(statement)};
  Blobs blobs;
  add(blobs, one);
  add(blobs, attestation);
  blobs["index.json"] =
      index({descriptor(manifest_of(one)),
             descriptor(manifest_of(attestation), {{"annotations",
                                                    {{"vnd.docker.reference.type", "attestation-manifest"},
                                                     {"vnd.docker.reference.digest", digest_of(manifest_of(one))}}}})});
  const auto made = plan(blobs);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_THAT(made->images, SizeIs(1));
  std::vector<std::string> texts;
  for (const auto& one_text : made->texts) {
    if (one_text.image == 0) texts.push_back(one_text.text.text);
  }
  EXPECT_THAT(texts, Contains("token=value"));
}

TEST(Plan, KnowsThatADockerManifestNamesTheImagesOfTheLayoutBesideIt) {
  ImageSpec one = image("one");
  Blobs blobs;
  add(blobs, one);
  blobs["index.json"] = index({descriptor(manifest_of(one))});
  blobs["manifest.json"] = base::dump_json(Json::array(
      {{{"Config", blob_path(config_of(one))}, {"RepoTags", {"app:1"}}, {"Layers", {blob_path(one.layers[0].blob)}}}}));
  const auto made = plan(blobs);
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_THAT(made->images, SizeIs(1));
  EXPECT_EQ(made->images[0].name, "app:1");
  EXPECT_EQ(made->images[0].digest, digest_of(manifest_of(one)));
}

TEST(Plan, ReadsADirectoryThatHoldsOneManifest) {
  const ImageSpec one = image("one");
  Blobs blobs = {{"manifest.json", manifest_of(one)},
                 {digest_of(config_of(one)).substr(7), config_of(one)},
                 {digest_of(one.layers[0].blob).substr(7), one.layers[0].blob}};
  const auto made = plan(blobs);
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_THAT(made->images, SizeIs(1));
  EXPECT_THAT(made->layer_blobs, ElementsAre(ElementsAre(digest_of(one.layers[0].blob).substr(7))));
}

TEST(Plan, CallsSchema1Unsupported) {
  const auto made = plan({{"manifest.json", R"({"schemaVersion":1,"fsLayers":[],"history":[]})"}});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_THAT(reasons(*made), Contains(SkipReason::unsupported));
}

TEST(Plan, ListsWhatThereIsWhenTheSelectionFitsNothing) {
  Blobs blobs;
  const ImageSpec one = image("one:1");
  add(blobs, one);
  blobs["index.json"] =
      index({descriptor(manifest_of(one), {{"annotations", {{"org.opencontainers.image.ref.name", "one:1"}}}})});
  const auto other = plan(blobs, with_image("two"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Errc::usage);
  EXPECT_THAT(other.error().message(), HasSubstr("one:1"));
  EXPECT_TRUE(plan(blobs, with_image(digest_of(manifest_of(one))))) << "by digest";
}

TEST(Plan, KnowsWhichBlobsBelongToImagesThatAreNotSelected) {
  Blobs blobs;
  const ImageSpec one = image("one");
  const ImageSpec two = image("two");
  add(blobs, one);
  add(blobs, two);
  blobs["index.json"] =
      index({descriptor(manifest_of(one), {{"annotations", {{"org.opencontainers.image.ref.name", "one"}}}}),
             descriptor(manifest_of(two), {{"annotations", {{"org.opencontainers.image.ref.name", "two"}}}})});
  const auto made = plan(blobs, with_image("one"));
  ASSERT_TRUE(made);
  EXPECT_THAT(made->images, SizeIs(1));
  EXPECT_THAT(made->unselected, Contains(blob_path(two.layers[0].blob)));
  EXPECT_THAT(made->unselected, Not(Contains(blob_path(one.layers[0].blob))));
}

}  // namespace
}  // namespace scanner::source
