#include "scanner/scan/layer_paths.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace scanner::scan {
namespace {

/// A layer with these members; a name that ends in a slash is a directory.
LayerPaths layer(std::initializer_list<std::string_view> members) {
  LayerPaths paths;
  for (std::string_view member : members) {
    const bool directory = member.ends_with('/');
    if (directory) member.remove_suffix(1);
    paths.add(member, directory ? LayerPaths::What::directory : LayerPaths::What::other);
  }
  paths.seal();
  return paths;
}

TEST(LayerPaths, LeaveAloneWhatTheyDoNotName) {
  const LayerPaths paths = layer({"a/", "a/other", "b/.wh.x"});
  EXPECT_EQ(paths.effect_on("a/x"), State::present);
  EXPECT_EQ(paths.effect_on("a/other2"), State::present);
  EXPECT_EQ(paths.effect_on("x"), State::present);
  EXPECT_EQ(layer({}).effect_on("a"), State::present);
}

TEST(LayerPaths, OverwriteWhatTheyHaveThemselves) {
  EXPECT_EQ(layer({"a/x"}).effect_on("a/x"), State::overwritten);
  EXPECT_EQ(layer({"a/x/"}).effect_on("a/x"), State::overwritten) << "a directory where a file was";
}

TEST(LayerPaths, DeleteWhatAWhiteoutNames) {
  const LayerPaths paths = layer({"a/.wh.x"});
  EXPECT_EQ(paths.effect_on("a/x"), State::deleted);
  EXPECT_EQ(paths.effect_on("a/x/deep/file"), State::deleted) << "all below it";
  EXPECT_EQ(paths.effect_on("a/xy"), State::present);
  EXPECT_EQ(paths.effect_on("a"), State::present);
}

TEST(LayerPaths, TakeWhiteoutsAtTheRoot) {
  EXPECT_EQ(layer({".wh.x"}).effect_on("x"), State::deleted);
  EXPECT_EQ(layer({".wh.x"}).effect_on("a/x"), State::present);
  EXPECT_EQ(layer({".wh.etc"}).effect_on("etc/passwd"), State::deleted);
  EXPECT_EQ(layer({".wh..wh..opq"}).effect_on("etc/passwd"), State::deleted);
  EXPECT_EQ(layer({".wh..wh..opq"}).effect_on("x"), State::deleted);
}

TEST(LayerPaths, HideEverythingInAnOpaqueFolder) {
  const LayerPaths paths = layer({"a/", "a/.wh..wh..opq", "a/new"});
  EXPECT_EQ(paths.effect_on("a/old"), State::deleted);
  EXPECT_EQ(paths.effect_on("a/b/c"), State::deleted);
  EXPECT_EQ(paths.effect_on("a/new"), State::overwritten);
  EXPECT_EQ(paths.effect_on("b/x"), State::present);
}

TEST(LayerPaths, DeleteWhatIsBelowAFolderThatBecameAFileOrALink) {
  EXPECT_EQ(layer({"a"}).effect_on("a/x"), State::deleted);
  EXPECT_EQ(layer({"a"}).effect_on("a/b/c"), State::deleted);
  EXPECT_EQ(layer({"a/"}).effect_on("a/x"), State::present) << "still a folder";
}

TEST(LayerPaths, CallAFileThatIsThereAgainOverwritten) {
  EXPECT_EQ(layer({"a/.wh.x", "a/x"}).effect_on("a/x"), State::overwritten);
}

}  // namespace
}  // namespace scanner::scan
