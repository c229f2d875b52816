#include "scanner/source/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace scanner::source {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const std::string kA = "sha256:" + std::string(64, 'a');
const std::string kB = "sha256:" + std::string(64, 'b');
const std::string kC = "sha256:" + std::string(64, 'c');

std::string config_descriptor(const std::string& extra = {}) {
  return R"({"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" + kA + R"(","size":676)" + extra + "}";
}

std::string layer(const std::string& digest, const std::string& media_type) {
  return R"({"mediaType":")" + media_type + R"(","digest":")" + digest + R"(","size":137})";
}

std::string manifest(const std::string& layers, const std::string& extra = {}) {
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
         config_descriptor() + R"(,"layers":[)" + layers + "]" + extra + "}";
}

const std::string kGzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip";
const std::string kStatement = "application/vnd.in-toto+json";

Manifest parsed_manifest(const std::string& json) {
  auto manifest = parse_manifest(json, "manifest", {});
  EXPECT_TRUE(manifest) << manifest.error().message();
  return manifest ? *manifest : Manifest{};
}

Index parsed_index(const std::string& json) {
  auto index = parse_index(json, "index.json", {});
  EXPECT_TRUE(index) << index.error().message();
  return index ? *index : Index{};
}

std::vector<std::pair<std::string, std::string>> fields_and_texts(const std::vector<Text>& texts) {
  std::vector<std::pair<std::string, std::string>> out;
  out.reserve(texts.size());
  for (const auto& text : texts) out.emplace_back(text.entry.field, text.text);
  return out;
}

struct Sample {
  const char* what;
  std::string json;
  DocumentKind kind;
};

TEST(Documents, AreKnownByTheirMembersWhateverToolWroteThem) {
  const Sample samples[] = {
      {"index of an OCI archive", R"({"schemaVersion":2,"manifests":[]})", DocumentKind::index},
      {"index that a new layout starts with", R"({"schemaVersion":2,"manifests":null})", DocumentKind::index},
      {"manifest", manifest(layer(kB, kGzipLayer)), DocumentKind::manifest},
      {"manifest without media type", R"({"schemaVersion":2,"config":{},"layers":[]})", DocumentKind::manifest},
      {"saved image", R"([{"Config":"a.json","RepoTags":["c:1"],"Layers":["a/layer.tar"]}])",
       DocumentKind::docker_manifest},
      {"configuration", R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}})",
       DocumentKind::config},
      {"configuration without layers", R"({"architecture":"amd64","os":"linux","config":{}})", DocumentKind::config},
      {"old layer", R"({"id":"a","parent":"b","created":"x","container_config":{},"os":"linux"})",
       DocumentKind::legacy_config},
      {"provenance", R"({"_type":"https://in-toto.io/Statement/v0.1","predicateType":"x","predicate":{}})",
       DocumentKind::statement},
      {"signed statement", R"({"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[]})",
       DocumentKind::statement},
      {"schema 1", R"({"schemaVersion":1,"fsLayers":[],"history":[]})", DocumentKind::schema1},
      {"layout marker", R"({"imageLayoutVersion":"1.0.0"})", DocumentKind::other},
      {"names of a saved image", R"({"c":{"1":"e0f2ba8976e2"}})", DocumentKind::other},
      {"empty list", "[]", DocumentKind::other},
      {"number", "7", DocumentKind::other},
  };
  for (const auto& sample : samples) {
    const auto kind = classify(sample.json);
    ASSERT_TRUE(kind) << sample.what << ": " << kind.error().message();
    EXPECT_EQ(*kind, sample.kind) << sample.what;
  }
}

TEST(Documents, AreKnownByTheirMembersAndNotByTheMediaTypeTheyClaim) {
  const auto json = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":)" +
                    config_descriptor() + R"(,"layers":[]})";
  const auto kind = classify(json);
  ASSERT_TRUE(kind);
  EXPECT_EQ(*kind, DocumentKind::manifest);
  EXPECT_TRUE(parse_manifest(json, "m", {}));
}

TEST(Documents, AreKnownByMembersInAnyCaseAsGoReadsThem) {
  const auto kind = classify(R"({"Manifests":[]})");
  ASSERT_TRUE(kind);
  EXPECT_EQ(*kind, DocumentKind::index);
}

TEST(Index, GivesPlatformsSizesAndAnnotationsOfItsManifests) {
  const auto index =
      parsed_index(R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
    {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
                   kA + R"(","size":1195,"platform":{"architecture":"arm64","os":"linux","variant":"v8"}},
    {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
                   kB + R"(","annotations":{"org.opencontainers.image.ref.name":"1"},
     "platform":{"architecture":"amd64","os":"linux"}}]})");
  ASSERT_EQ(index.manifests.size(), 2U);
  EXPECT_EQ(index.manifests[0].digest, kA);
  EXPECT_EQ(index.manifests[0].media_type, "application/vnd.oci.image.manifest.v1+json");
  EXPECT_EQ(index.manifests[0].platform, "linux/arm64/v8");
  EXPECT_TRUE(index.manifests[0].has_size);
  EXPECT_EQ(index.manifests[0].size, 1195U);
  EXPECT_EQ(index.manifests[1].platform, "linux/amd64");
  EXPECT_FALSE(index.manifests[1].has_size);
  EXPECT_THAT(index.manifests[1].annotations, ElementsAre(Pair("org.opencontainers.image.ref.name", "1")));
}

TEST(Index, GivesItsAnnotationsAsTextsUnderTheirNames) {
  const auto index = parsed_index(R"({"manifests":[{"digest":")" + kA +
                                  R"(","annotations":{"io.containerd.image.name":"localhost/c:1"},
      "platform":{"architecture":"amd64","os":"linux"}}],"annotations":{"token":"abc"}})");
  EXPECT_THAT(fields_and_texts(index.texts),
              UnorderedElementsAre(Pair("io.containerd.image.name", "io.containerd.image.name=localhost/c:1"),
                                   Pair("token", "token=abc")));
  EXPECT_EQ(index.texts[0].entry.kind, Kind::annotation);
  EXPECT_EQ(index.texts[0].entry.path, "index.json");
}

TEST(Index, MayBeEmptyAsALayoutWithoutImagesIs) {
  EXPECT_THAT(parsed_index(R"({"schemaVersion":2,"manifests":null})").manifests, IsEmpty());
}

TEST(Index, OfMoreManifestsThanAllowedIsRefused) {
  Limits limits;
  limits.max_manifests = 1;
  const auto one = R"({"digest":")" + kA + R"("})";
  EXPECT_TRUE(parse_index(R"({"manifests":[)" + one + "]}", "i", limits));
  const auto index = parse_index(R"({"manifests":[)" + one + "," + one + "]}", "i", limits);
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().code(), Errc::limit);
}

TEST(Manifest, GivesItsConfigAndItsLayersBottomFirst) {
  const auto read = parsed_manifest(manifest(layer(kB, kGzipLayer) + "," + layer(kC, kGzipLayer),
                                             R"(,"annotations":{"a.b":"c","org.opencontainers.image.base.name":""})"));
  EXPECT_EQ(read.config.digest, kA);
  EXPECT_EQ(read.config.size, 676U);
  ASSERT_EQ(read.layers.size(), 2U);
  EXPECT_EQ(read.layers[0].digest, kB);
  EXPECT_EQ(read.layers[1].digest, kC);
  EXPECT_THAT(read.annotations, ElementsAre(Pair("a.b", "c"), Pair("org.opencontainers.image.base.name", "")));
  EXPECT_EQ(read.subject, "");
  EXPECT_FALSE(read.attestation);
}

TEST(Manifest, OfDockersSchema2IsReadAlike) {
  const auto read = parsed_manifest(
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":
      "application/vnd.docker.container.image.v1+json","size":5284,"digest":")" +
      kA + R"("},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":251,"digest":")" +
      kB + R"("}]})");
  EXPECT_EQ(read.config.media_type, "application/vnd.docker.container.image.v1+json");
  ASSERT_EQ(read.layers.size(), 1U);
  EXPECT_EQ(read.layers[0].size, 251U);
}

TEST(Manifest, MayNameALayerTwiceOrNoneAtAll) {
  EXPECT_EQ(parsed_manifest(manifest(layer(kB, kGzipLayer) + "," + layer(kB, kGzipLayer))).layers.size(), 2U);
  EXPECT_THAT(parsed_manifest(R"({"config":)" + config_descriptor() + R"(,"layers":null})").layers, IsEmpty());
}

TEST(Manifest, GivesUrlsAndEmbeddedContentAsTextsToo) {
  const auto read =
      parsed_manifest(R"({"config":)" + config_descriptor(R"(,"data":"e30=")") + R"(,"layers":[{"digest":")" + kB +
                      R"(","urls":["https://user:pass@example.com/layer"]}],"annotations":{"a":"b"}})");
  EXPECT_THAT(fields_and_texts(read.texts),
              UnorderedElementsAre(Pair("a", "a=b"), Pair("/config/data", "data=e30="),
                                   Pair("/layers/0/urls/0", "urls=https://user:pass@example.com/layer")));
}

TEST(Manifest, WhoseLayersAreAllStatementsIsAnAttestation) {
  EXPECT_TRUE(parsed_manifest(manifest(layer(kB, kStatement) + "," + layer(kC, kStatement))).attestation);
  EXPECT_FALSE(parsed_manifest(manifest(layer(kB, kStatement) + "," + layer(kC, kGzipLayer))).attestation);
  EXPECT_FALSE(parsed_manifest(manifest("")).attestation);
}

TEST(Manifest, IsAnAttestationWhenItsArtifactTypeOrConfigSaysSo) {
  const auto other = layer(kB, "application/octet-stream");
  EXPECT_TRUE(
      parsed_manifest(manifest(other, R"(,"artifactType":"application/vnd.docker.attestation.manifest.v1+json")"))
          .attestation);
  EXPECT_TRUE(parsed_manifest(R"({"config":{"mediaType":"application/vnd.in-toto+json","digest":")" + kA +
                              R"("},"layers":[)" + other + "]}")
                  .attestation);
  EXPECT_FALSE(parsed_manifest(manifest(other, R"(,"artifactType":"application/vnd.example.chart")")).attestation);
}

TEST(Manifest, NamesTheManifestItIsAttachedTo) {
  EXPECT_EQ(parsed_manifest(manifest("", R"(,"subject":{"digest":")" + kC + R"(","size":3})")).subject, kC);
}

TEST(Manifest, OfDockersSchema1IsUnsupported) {
  const auto read = parse_manifest(
      R"({"schemaVersion":1,"name":"c","fsLayers":[{"blobSum":"x"}],"history":[{"v1Compatibility":"{}"}]})", "m", {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Errc::unsupported);
  EXPECT_EQ(read.error().message(), "a manifest of Docker's schema 1");
}

TEST(DockerManifest, NamesTheEntriesOfEveryImage) {
  const auto images = parse_docker_manifest(R"([
    {"Config":"7635b794.json","RepoTags":["c:1","c:latest"],"Layers":["60d06a23/layer.tar","0f274a8c/layer.tar"]},
    {"Config":"blobs/sha256/27fe3b5b","RepoTags":null,"Layers":["./blobs/sha256/7f623dd2"],"LayerSources":{}}])",
                                            {});
  ASSERT_TRUE(images) << images.error().message();
  ASSERT_EQ(images->size(), 2U);
  EXPECT_EQ((*images)[0].config, "7635b794.json");
  EXPECT_THAT((*images)[0].repo_tags, ElementsAre("c:1", "c:latest"));
  EXPECT_THAT((*images)[0].layers, ElementsAre("60d06a23/layer.tar", "0f274a8c/layer.tar"));
  EXPECT_THAT((*images)[1].repo_tags, IsEmpty());
  EXPECT_THAT((*images)[1].layers, ElementsAre("blobs/sha256/7f623dd2"));
}

TEST(DockerManifest, MayHoldNoImage) {
  const auto images = parse_docker_manifest("[]", {});
  ASSERT_TRUE(images);
  EXPECT_THAT(*images, IsEmpty());
}

TEST(DockerManifest, OfMoreImagesThanAllowedIsRefused) {
  Limits limits;
  limits.max_manifests = 1;
  const std::string one = R"({"Config":"a.json","Layers":[]})";
  EXPECT_TRUE(parse_docker_manifest("[" + one + "]", limits));
  const auto images = parse_docker_manifest("[" + one + "," + one + "]", limits);
  ASSERT_FALSE(images);
  EXPECT_EQ(images.error().code(), Errc::limit);
}

TEST(DockerManifest, TakesNamesThatOnlyLookLikeWaysOut) {
  const auto images = parse_docker_manifest(R"([{"Config":"..a.json","Layers":["a..b/..c/layer.tar","a/..."]}])", {});
  ASSERT_TRUE(images) << images.error().message();
  EXPECT_THAT((*images)[0].layers, ElementsAre("a..b/..c/layer.tar", "a/..."));
}

TEST(Documents, LargerThanAllowedAreNotRead) {
  Limits limits;
  limits.max_document_bytes = 21;
  EXPECT_TRUE(parse_index(R"({"manifests":[]     })", "i", limits));
  const auto index = parse_index(R"({"manifests":[]      })", "i", limits);
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().code(), Errc::limit);
  EXPECT_EQ(index.error().message(), "larger than 21 bytes");
}

TEST(Documents, OfADigestAlgorithmThatIsNotReadNameIt) {
  const auto index = parse_index(R"({"manifests":[{"digest":"sha512:)" + std::string(128, 'a') + R"("}]})", "i", {});
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().code(), Errc::unsupported);
  EXPECT_EQ(index.error().message(), "manifests[0].digest is a digest of the algorithm sha512");
}

}  // namespace
}  // namespace scanner::source
