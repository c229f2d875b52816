#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "scanner/source/documents.h"

namespace scanner::source {
namespace {

using base::Errc;

// No message may show what stood in the document.
constexpr const char* kMark = "hunter2";

const std::string kDigest = "sha256:" + std::string(64, 'a');

base::Ok index(const std::string& json) {
  const auto read = parse_index(json, "i", {});
  return read ? base::Ok() : base::Ok(fail(read.error()));
}
base::Ok manifest(const std::string& json) {
  const auto read = parse_manifest(json, "m", {});
  return read ? base::Ok() : base::Ok(fail(read.error()));
}
base::Ok saved(const std::string& json) {
  const auto read = parse_docker_manifest(json, {});
  return read ? base::Ok() : base::Ok(fail(read.error()));
}
base::Ok config(const std::string& json) {
  const auto read = parse_config(json, "c", {});
  return read ? base::Ok() : base::Ok(fail(read.error()));
}
base::Ok statement(const std::string& json) {
  const auto read = statement_texts(json, "s");
  return read ? base::Ok() : base::Ok(fail(read.error()));
}

std::string many(std::size_t count, const std::string& item) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ",") + item;
  return out;
}

std::string numbered(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\"";
  return out;
}

std::string one_manifest(const std::string& members) { return R"({"manifests":[{)" + members + "}]}"; }
std::string digest(const std::string& value) { return R"("digest":")" + value + "\""; }
std::string good() { return digest(kDigest); }
std::string with_layer(const std::string& members) {
  return R"({"config":{)" + good() + R"(},"layers":[{)" + members + "}]}";
}

struct Hostile {
  const char* what;
  std::function<base::Ok(const std::string&)> read;
  std::string json;
  Errc code;
  const char* message;
};

std::vector<Hostile> hostile_documents() {
  const std::string a64(64, 'a');
  return {
      // Not JSON, or not to be parsed.
      {"nothing", index, "", Errc::corrupt, "not JSON"},
      {"a cut document", index, R"({"manifests":[{"digest)", Errc::corrupt, "not JSON"},
      {"something after the end", index, R"({"manifests":[]} hunter2)", Errc::corrupt, "not JSON"},
      {"a byte that is no UTF-8", config, "{\"a\":\"hunter2\xff\"}", Errc::corrupt, "not JSON"},
      {"half a surrogate pair", config, R"({"a":"\ud800"})", Errc::corrupt, "not JSON"},
      {"a raw zero byte", config, std::string("{\"a\":\"\0\"}", 9), Errc::corrupt, "not JSON"},
      {"a number beyond doubles", config, R"({"a":1e999})", Errc::corrupt, "out of range"},
      {"nesting", statement, std::string(65, '[') + std::string(65, ']'), Errc::limit, "nests deeper"},
      {"nesting without an end", config, std::string(4'000'000, '['), Errc::limit, "nests deeper"},
      {"nested objects", statement,
       many(1,
            [] {
              std::string out;
              for (int i = 0; i < 100'000; ++i) out += "{\"a\":";
              return out;
            }()),
       Errc::limit, "nests deeper"},
      {"a document over 4 MiB", config, "{\"a\":\"" + std::string(4U << 20, 'x') + "\"}", Errc::limit, "larger than"},
      {"a million empty objects", statement, "[" + many(1'000'000, "{}") + "]", Errc::limit, "JSON values"},
      {"too many texts", statement, "[" + numbered(100'001) + "]", Errc::limit, "100000 texts"},
      {"too many variables", config, R"({"config":{"Env":[)" + numbered(100'001) + "]}}", Errc::limit, "100000 texts"},
      {"a long key over many strings", statement, "{\"" + std::string(1U << 20, 'k') + "\":[" + numbered(50'000) + "]}",
       Errc::limit, "16 MiB"},

      // One document, two readings.
      {"index and manifest", index, R"({"manifests":[],"config":{},"layers":[]})", Errc::corrupt, "both as an index"},
      {"manifest and index", manifest, R"({"manifests":[],"config":{},"layers":[]})", Errc::corrupt,
       "both as an index"},
      {"index and manifest in other letters", manifest, R"({"Manifests":[],"config":{},"layers":[]})", Errc::corrupt,
       "both as an index"},
      {"index with a configuration", index, R"({"manifests":[],"config":{}})", Errc::corrupt, "both as an index"},
      {"manifest and configuration", config, R"({"config":{},"layers":[],"rootfs":{}})", Errc::corrupt,
       "two documents"},
      {"schema 1 and 2", manifest, R"({"config":{},"layers":[],"fsLayers":[]})", Errc::corrupt, "two documents"},
      {"schema 2 that says 1", manifest, R"({"schemaVersion":1,"config":{},"layers":[]})", Errc::corrupt,
       "schemaVersion contradicts"},
      {"a member twice", index, R"({"manifests":[{"x":"hunter2"}],"manifests":[]})", Errc::corrupt, "twice"},
      {"a nested member twice", config, R"({"config":{"Env":["A=hunter2"],"Env":[]}})", Errc::corrupt, "twice"},
      {"a member twice by an escape", index, R"({"manifests":[],"mani\u0066ests":[]})", Errc::corrupt, "twice"},
      {"a member twice in other letters", index, R"({"manifests":[],"MANIFESTS":[]})", Errc::corrupt,
       "manifests stands there twice"},
      {"digests in other letters", index, one_manifest(good() + "," + R"("Digest":"hunter2")"), Errc::corrupt,
       "manifests[0].digest stands there twice"},
      {"an index for a manifest", manifest, R"({"manifests":[]})", Errc::corrupt, "not an image manifest"},
      {"a manifest for an index", index, with_layer(good()), Errc::corrupt, "not an image index"},
      {"a manifest for a configuration", config, with_layer(good()), Errc::corrupt, "not an image configuration"},
      {"a list for a configuration", config, "[]", Errc::corrupt, "no object"},

      // Digests that lead elsewhere.
      {"a way out", index, one_manifest(digest("../../../etc/hunter2")), Errc::corrupt, "manifests[0].digest"},
      {"a way out behind the algorithm", index, one_manifest(digest("sha256:../../" + std::string(58, 'a'))),
       Errc::corrupt, "no well-formed digest"},
      {"upper-case digits", index, one_manifest(digest("sha256:" + std::string(64, 'A'))), Errc::corrupt,
       "no well-formed digest"},
      {"an upper-case algorithm", index, one_manifest(digest("SHA256:" + a64)), Errc::corrupt, "no well-formed digest"},
      {"a digit too few", index, one_manifest(digest("sha256:" + std::string(63, 'a'))), Errc::corrupt,
       "no well-formed digest"},
      {"a digit too many", index, one_manifest(digest("sha256:" + std::string(65, 'a'))), Errc::corrupt,
       "no well-formed digest"},
      {"no algorithm", index, one_manifest(digest(a64)), Errc::corrupt, "no well-formed digest"},
      {"an empty algorithm", index, one_manifest(digest(":" + a64)), Errc::corrupt, "no well-formed digest"},
      {"a zero byte in a digest", index, one_manifest(digest("sha256:" + std::string(63, 'a') + "\\u0000")),
       Errc::corrupt, "no well-formed digest"},
      {"a newline after a digest", index, one_manifest(digest(kDigest + "\\n")), Errc::corrupt,
       "no well-formed digest"},
      {"an unknown algorithm", manifest, with_layer(digest("sha512:" + std::string(128, 'a'))), Errc::unsupported,
       "layers[0].digest is a digest of the algorithm sha512"},
      {"an algorithm with control characters", index, one_manifest(digest("\\u001b[2Jhunter2:" + a64)), Errc::corrupt,
       "no well-formed digest"},
      {"no digest", manifest, with_layer(R"("size":1)"), Errc::corrupt, "layers[0].digest"},
      {"a number as digest", manifest, with_layer(R"("digest":7)"), Errc::corrupt, "layers[0].digest is no string"},
      {"a bad digest of the config", manifest, R"({"config":{"digest":"hunter2"},"layers":[]})", Errc::corrupt,
       "config.digest"},
      {"a bad digest of the subject", manifest,
       R"({"config":{)" + good() + R"(},"layers":[],"subject":{"digest":"hunter2"}})", Errc::corrupt, "subject.digest"},
      {"a bad diff ID", config, R"({"rootfs":{"diff_ids":["hunter2"]}})", Errc::corrupt, "rootfs.diff_ids[0]"},
      {"a diff ID of another algorithm", config, R"({"rootfs":{"diff_ids":["blake3:)" + a64 + R"("]}})",
       Errc::unsupported, "algorithm blake3"},

      // Sizes and other members of the wrong type.
      {"a negative size", manifest, with_layer(good() + R"(,"size":-1)"), Errc::corrupt, "layers[0].size"},
      {"a size beyond 63 bits", manifest, with_layer(good() + R"(,"size":9223372036854775808)"), Errc::corrupt,
       "layers[0].size"},
      {"a size beyond 64 bits", manifest, with_layer(good() + R"(,"size":99999999999999999999)"), Errc::corrupt,
       "layers[0].size"},
      {"a broken size", manifest, with_layer(good() + R"(,"size":1.5)"), Errc::corrupt, "layers[0].size"},
      {"a size in quotes", manifest, with_layer(good() + R"(,"size":"1")"), Errc::corrupt, "layers[0].size"},
      {"manifests that are no list", index, R"({"manifests":{"0":"hunter2"}})", Errc::corrupt, "manifests is no array"},
      {"a manifest that is no object", index, R"({"manifests":["hunter2"]})", Errc::corrupt,
       "manifests[0] is no object"},
      {"a manifest that is null", index, R"({"manifests":[null]})", Errc::corrupt, "manifests[0] is no object"},
      {"a config that is no object", manifest, R"({"config":"hunter2","layers":[]})", Errc::corrupt,
       "config is no object"},
      {"no config", manifest, R"({"layers":[]})", Errc::corrupt, "names no config"},
      {"annotations that are no strings", manifest,
       R"({"config":{)" + good() + R"(},"layers":[],"annotations":{"hunter2":7}})", Errc::corrupt, "annotations"},
      {"a platform that is a story", index, one_manifest(good() + R"(,"platform":{"os":"linux and hunter2"})"),
       Errc::corrupt, "manifests[0].platform.os"},
      {"a platform that draws on the terminal", config, R"({"os":"linux","architecture":"\u001b[2J"})", Errc::corrupt,
       "architecture is no word"},
      {"10 001 manifests", index, R"({"manifests":[)" + many(10'001, "{" + good() + "}") + "]}", Errc::limit,
       "more than 10000 manifests"},
      {"a history that is no list", config, R"({"rootfs":{},"history":{}})", Errc::corrupt, "history is no array"},
      {"a history entry that is no object", config, R"({"history":[{},"hunter2"]})", Errc::corrupt,
       "history[1] is no object"},
      {"an instruction that is no string", config, R"({"history":[{"created_by":["hunter2"]}]})", Errc::corrupt,
       "history[0].created_by is no string"},
      {"an empty_layer that is a string", config, R"({"history":[{"empty_layer":"true"}]})", Errc::corrupt,
       "history[0].empty_layer is no boolean"},
      {"layers that are no object", config, R"({"rootfs":["hunter2"]})", Errc::corrupt, "rootfs is no object"},
      {"diff IDs that are no strings", config, R"({"rootfs":{"diff_ids":[7]}})", Errc::corrupt, "rootfs.diff_ids"},

      // Names that lead out of an archive.
      {"a saved image that is no list", saved, R"({"Config":"hunter2"})", Errc::corrupt, "not the manifest.json"},
      {"a saved image that is no object", saved, R"(["hunter2"])", Errc::corrupt, "image 0 is no object"},
      {"a config above the archive", saved, R"([{"Config":"../hunter2","Layers":[]}])", Errc::corrupt,
       "image 0.Config"},
      {"a layer above the archive", saved, R"([{"Config":"c","Layers":["l","a/../../hunter2"]}])", Errc::corrupt,
       "image 0.Layers[1]"},
      {"a layer that ends in the folder above", saved, R"([{"Config":"c","Layers":["a/.."]}])", Errc::corrupt,
       "image 0.Layers[0]"},
      {"an absolute layer", saved, R"([{"Config":"c","Layers":["/etc/hunter2"]}])", Errc::corrupt, "image 0.Layers[0]"},
      {"an absolute layer behind a dot", saved, R"([{"Config":"c","Layers":[".//etc/hunter2"]}])", Errc::corrupt,
       "image 0.Layers[0]"},
      {"a layer with a zero byte", saved, R"([{"Config":"c","Layers":["l\u0000hunter2"]}])", Errc::corrupt,
       "image 0.Layers[0]"},
      {"a layer without a name", saved, R"([{"Config":"c","Layers":["./"]}])", Errc::corrupt, "image 0.Layers[0]"},
      {"an image without a config", saved, R"([{"Layers":[]}])", Errc::corrupt, "image 0.Config"},
      {"layers that are one string", saved, R"([{"Config":"c","Layers":"hunter2"}])", Errc::corrupt,
       "image 0.Layers is no array"},
      {"tags that are no strings", saved, R"([{"Config":"c","RepoTags":[7],"Layers":[]}])", Errc::corrupt,
       "image 0.RepoTags"},
  };
}

TEST(HostileDocuments, AreRefusedWithAnErrorThatNamesThePlaceAndNotTheContent) {
  for (const auto& hostile : hostile_documents()) {
    const auto result = hostile.read(hostile.json);
    ASSERT_FALSE(result) << hostile.what;
    EXPECT_EQ(result.error().code(), hostile.code) << hostile.what << ": " << result.error().message();
    EXPECT_THAT(result.error().message(), testing::HasSubstr(hostile.message)) << hostile.what;
    EXPECT_THAT(result.error().message(), testing::Not(testing::HasSubstr(kMark))) << hostile.what;
  }
}

TEST(HostileDocuments, NeverShowTheirContentInTheErrorOfAnyReader) {
  for (const auto& hostile : hostile_documents()) {
    for (const auto& read : {index, manifest, saved, config, statement}) {
      const auto result = read(hostile.json);
      if (!result) {
        EXPECT_THAT(result.error().message(), testing::Not(testing::HasSubstr(kMark))) << hostile.what;
      }
    }
    if (const auto kind = classify(hostile.json); !kind) {
      EXPECT_THAT(kind.error().message(), testing::Not(testing::HasSubstr(kMark))) << hostile.what;
    }
  }
}

}  // namespace
}  // namespace scanner::source
