#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "injector/backend/vault/clock.h"
#include "injector/backend/vault/gate.h"
#include "injector/backend/vault/settings.h"
#include "injector/net/http.h"
#include "scanner/base/json.h"

namespace injector::backend::vault::tests {

using scanner::base::Json;

/// Time that passes when a test says so.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] BootClock::time_point now() const override { return now_; }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::from_time_t(1'795'521'600) +
           std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch());
  }
  boost::asio::awaitable<void> sleep(std::chrono::nanoseconds duration) override;
  double random() override { return chance; }

  /// Wakes the sleeper that is due first, and tells whether there was one until then.
  bool wake_next(BootClock::time_point until);
  void set(BootClock::time_point now) { now_ = now; }

  double chance = 0.5;

 private:
  BootClock::time_point now_{std::chrono::hours(1)};
  std::multimap<BootClock::time_point, std::shared_ptr<Gate>> sleepers_;
};

/// A small Vault that keeps what it is told: tokens with ends, KV 1 and 2, leases. And its weather.
class FakeVault final : public net::Http {
 public:
  struct Seen {
    std::string method;
    std::string address;
    std::string path;  ///< Below /v1/.
    std::map<std::string, std::string> headers;
    std::string body;
    BootClock::time_point at;
  };
  struct Token {
    BootClock::time_point ends = BootClock::time_point::max();
    std::int64_t uses = 0;            ///< Zero: without a limit.
    std::chrono::seconds longest{0};  ///< What a renewal gives at most; zero: what is asked for.
  };

  explicit FakeVault(std::shared_ptr<FakeClock> clock) : clock_(std::move(clock)) {}

  net::Task<net::Response> send(net::Request request) override;

  // How logins are answered.
  std::chrono::seconds ttl{3600};
  bool renewable = true;
  std::int64_t uses = 0;
  std::string type = "service";
  std::optional<int> login_status;
  std::chrono::seconds longest{0};

  std::map<std::string, std::string> mounts{{"kv/", "2"},
                                            {"old/", "1"}};  ///< Path to KV version; "" for other engines.
  std::map<std::string, Json> secrets;                       ///< By API path: what `data` is.
  std::set<std::string> denied;                              ///< API paths.
  std::map<std::string, Token> tokens;
  std::map<std::string, std::string> weather;  ///< By address: "refused", "slow", or a status.
  /// Asked first; what it gives is the answer.
  std::function<std::optional<net::Response>(const Seen&)> answer;

  std::vector<Seen> seen;
  [[nodiscard]] std::size_t count(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> paths() const;
  [[nodiscard]] std::string last_token() const { return "token-" + std::to_string(logins); }
  int logins = 0;

 private:
  net::Response serve(const Seen& seen);
  net::Response serve_known(const Seen& seen, Token& token);

  std::shared_ptr<FakeClock> clock_;
};

net::Response respond(int status, const Json& body, std::map<std::string, std::string> headers = {});

/// A loop, a clock and a vault.
class World {
 public:
  boost::asio::io_context loop;
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  std::shared_ptr<FakeVault> vault = std::make_shared<FakeVault>(clock);

  /// Runs until the task has ended; time passes when nothing else can happen.
  template <typename T>
  T run(boost::asio::awaitable<T> task) {
    std::optional<T> result;
    boost::asio::co_spawn(
        loop, [&]() -> boost::asio::awaitable<void> { result.emplace(co_await std::move(task)); },
        boost::asio::detached);
    until([&] { return result.has_value(); });
    return *std::move(result);
  }
  void run(boost::asio::awaitable<void> task) {
    bool done = false;
    boost::asio::co_spawn(
        loop,
        [&]() -> boost::asio::awaitable<void> {
          co_await std::move(task);
          done = true;
        },
        boost::asio::detached);
    until([&] { return done; });
  }
  /// Lets time pass.
  void pass(std::chrono::nanoseconds duration);

 private:
  void until(const std::function<bool()>& done);
};

}  // namespace injector::backend::vault::tests
