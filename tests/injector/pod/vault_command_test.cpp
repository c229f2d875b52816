#include "injector/pod/vault_command.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <tuple>
#include <vector>

namespace injector::pod {
namespace {

TEST(VaultCommand, BecomesTheSignalThatTheShellWouldHaveSent) {
  const std::vector<std::tuple<const char*, int, const char*>> rows = {
      {"kill -HUP $(pidof nginx)", SIGHUP, "nginx"},
      {"kill -1 `pidof nginx`", SIGHUP, "nginx"},
      {"kill -s SIGUSR1 $(pgrep -x app_server)", SIGUSR1, "app_server"},
      {"/bin/kill -SIGHUP \"$(pidof -s nginx)\"", SIGHUP, "nginx"},
      {"kill $(pgrep -o web.1)", SIGTERM, "web.1"},
      {"pkill -HUP nginx", SIGHUP, "nginx"},
      {"pkill -x --signal=USR2 haproxy", SIGUSR2, "haproxy"},
      {"killall -s HUP nginx || true", SIGHUP, "nginx"},
      {"sh -c 'kill -HUP $(pidof nginx)'", SIGHUP, "nginx"},
      {"/bin/sh -ec \"pkill -9 worker\" ", SIGKILL, "worker"},
  };
  for (const auto& [command, number, process] : rows) {
    const auto change = on_change_of_command(command);
    ASSERT_TRUE(change) << command << ": " << change.error().message();
    const auto* signal = std::get_if<SignalProcess>(&change->how);
    ASSERT_NE(signal, nullptr) << command;
    EXPECT_EQ(signal->number, number) << command;
    EXPECT_EQ(signal->process, process) << command;
    EXPECT_EQ(signal->pid_file, "") << command;
  }
}

TEST(VaultCommand, ReadsThePidFromAFile) {
  const auto change = on_change_of_command("kill -HUP $(cat /run/nginx.pid)");
  ASSERT_TRUE(change);
  EXPECT_EQ(std::get<SignalProcess>(change->how).pid_file, "/run/nginx.pid");
  EXPECT_EQ(std::get<SignalProcess>(change->how).process, "");
}

TEST(VaultCommand, PostsToLoopback) {
  for (const char* command :
       {"curl -X POST http://127.0.0.1:8080/-/reload", "curl -sSf -XPOST http://localhost:8080/-/reload",
        "/usr/bin/curl --silent --request POST -o /dev/null http://localhost/x || true",
        "curl -d '' http://[::1]:1/x"}) {
    const auto change = on_change_of_command(command);
    ASSERT_TRUE(change) << command << ": " << change.error().message();
    EXPECT_TRUE(std::get<PostLoopback>(change->how).url.starts_with("http://")) << command;
  }
}

TEST(VaultCommand, IsRefusedWhereOnlyAShellCouldDoIt) {
  for (const char* command : {"",
                              "   ",
                              "cp /vault/secrets/db /app",
                              "kill -HUP 1",
                              "kill -HUP $(pidof nginx); rm -rf /",
                              "kill -HUP $(ps | grep x)",
                              "kill -HUP $NGINX",
                              "kill -BOGUS $(pidof nginx)",
                              "pkill -f 'nginx: master'",
                              "pkill -HUP -u root nginx",
                              "kill -HUP $(pidof nginx) $(pidof haproxy)",
                              "pkill -HUP 'a|b'",
                              "curl http://127.0.0.1:8080/reload",
                              "curl -X POST https://127.0.0.1/x",
                              "curl -X POST http://evil.example/x",
                              "curl -X POST http://localhost.evil/x",
                              "curl -X POST -d token=1 http://127.0.0.1/x",
                              "wget -qO- http://127.0.0.1/x",
                              "sh /reload.sh",
                              "sh -c 'a' 'b'",
                              "kill -HUP $(pidof nginx",
                              "kill -HUP 'unclosed",
                              "kill -s",
                              "pkill -HUP",
                              "kill -HUP $(cat ../x)",
                              "kill -HUP $(pidof a/b)",
                              "x\\y",
                              "kill -HUP $(pidof $(pidof x))"}) {
    EXPECT_FALSE(on_change_of_command(command)) << command;
  }
}

TEST(VaultCommand, IsNeverQuotedInAnError) {
  for (const char* command : {"hunter2 --now", "kill -hunter2 $(pidof x)", "curl -H hunter2 http://127.0.0.1/"}) {
    const auto change = on_change_of_command(command);
    ASSERT_FALSE(change);
    EXPECT_EQ(change.error().message().find("hunter2"), std::string::npos);
  }
}

TEST(VaultCommand, TakesWhateverItIsGivenInTime) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "sh -c '\"$(`";
  EXPECT_FALSE(on_change_of_command(text));
  EXPECT_FALSE(on_change_of_command(std::string(256 << 10, 'a')));
}

}  // namespace
}  // namespace injector::pod
