#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "tests/injector/deliver/tmpfs.h"

/// What the traced process does: "child MOUNT SCENARIO UMASK", with the system calls that count after its SIGSTOP.
/// 0: published; 3: refused once, then published; 4: refused twice.
static int child(const std::string& mount, const std::string& scenario, const char* mask) {
  using namespace injector;
  ::umask(static_cast<mode_t>(std::strtoul(mask, nullptr, 8)));
  const tests::Pair pair(scenario == "first" ? 1 : 2);
  const auto moved = *RelativePath::parse("c/d/new");
  std::vector<deliver::Content> contents = pair.contents();
  if (scenario == "remove") contents.erase(contents.begin());
  if (scenario == "move") contents[0].path = moved;
  if (scenario == "mode") contents[1].access.mode = 0400;
  scanner::base::Fd fd(::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::raise(SIGSTOP);
  int refused = 0;
  for (; refused < 2; ++refused) {
    auto delivery = deliver::Delivery::open(scanner::base::Fd(::dup(fd.get())), mount);
    const auto published = delivery ? delivery->publish(contents) : scanner::base::fail(std::move(delivery).error());
    if (published) break;
    std::fprintf(stderr, "%s\n", published.error().message().c_str());
  }
  return refused == 0 ? 0 : refused == 1 ? 3 : 4;
}

int main(int argc, char** argv) {
  if (argc == 5 && std::strcmp(argv[1], "child") == 0) ::_exit(child(argv[2], argv[3], argv[4]));
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
