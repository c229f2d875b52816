#include "injector/cli/demo.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "injector/cli/commands.h"
#include "injector/cli/demo_ground.h"
#include "injector/cli/say.h"
#include "injector/cli/stores.h"
#include "injector/cli/terminal.h"
#include "injector/deliver/beneath.h"
#include "injector/deliver/delivery.h"
#include "injector/deliver/mount.h"
#include "injector/net/loop.h"
#include "injector/net/retry.h"
#include "injector/net/start.h"
#include "injector/watch/group.h"

namespace injector::cli {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using scanner::base::Errc;
using scanner::base::fail;
using scanner::base::Fd;
using scanner::base::Ok;

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 3s;

std::string config_text(const DemoGround& ground) {
  return "mount: " + ground.mount() + "\nstores:\n  demo:\n    file: { directory: " + ground.store() +
         " }\nfiles:\n"
         "  - { path: db/username, from: 'demo:shop-db#username' }\n"
         "  - { path: db/password, from: 'demo:shop-db#password' }\n"
         "  - { path: app.env, from: demo:shop-db, format: dotenv, mode: \"0440\" }\n"
         "health: { listen: none }\n";
}

/// The values of a rotation, made up: both parts say which one they are of, so that a reader can tell a mixture.
std::string values_of(int number) {
  const std::string n = std::to_string(number);
  return R"({"username": "shop-)" + n + R"(", "password": ")" + n + "-" +
         std::string(30, static_cast<char>('a' + number)) + "\"}\n";
}

/// Whole or not at all, as a store does it.
Ok put_values(const DemoGround& ground, int number) {
  const std::string path = ground.store() + "/shop-db";
  return scanner::base::write_file(path, values_of(number));
}

/// An application: opens what is published and reads both files of it, over and over.
class Reader {
 public:
  struct Tally {
    std::uint64_t reads = 0;
    std::uint64_t absent = 0;
    std::uint64_t torn = 0;
    std::uint64_t mixed = 0;
  };

  explicit Reader(const std::string& mount)
      : mount_(::open(mount.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), thread_([this] { go(); }) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { stop(); }

  Tally stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return tally_;
  }

 private:
  static std::optional<std::string> read(int folder, const char* path) {
    const Fd fd(::openat(folder, path, O_RDONLY | O_CLOEXEC));
    std::array<char, 128> bytes{};
    const ssize_t n = fd ? ::read(fd.get(), bytes.data(), bytes.size()) : -1;
    if (n < 0) return std::nullopt;
    return std::string(bytes.data(), static_cast<std::size_t>(n));
  }

  void go() {
    while (!stop_) {
      // Opened once: what is read beneath it is of one generation.
      const Fd generation(::openat(mount_.get(), "..data", O_PATH | O_DIRECTORY | O_CLOEXEC));
      const auto username = read(generation.get(), "db/username");
      const auto password = read(generation.get(), "db/password");
      ++tally_.reads;
      if (!username || !password) {
        ++tally_.absent;
      } else if (password->size() < 32 || username->size() < 6) {
        ++tally_.torn;
      } else if (username->substr(5) != password->substr(0, password->find('-'))) {
        ++tally_.mixed;
      }
      // Fast enough to catch what there is to catch, and no core kept busy.
      std::this_thread::sleep_for(20us);
    }
  }

  Fd mount_;
  std::atomic<bool> stop_{false};
  Tally tally_;
  std::thread thread_;
};

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string mode_text(mode_t mode) {
  std::string text = S_ISDIR(mode) ? "d" : "-";
  for (int bit = 8; bit >= 0; --bit) text += (mode >> bit & 1U) != 0 ? "rwx"[(8 - bit) % 3] : '-';
  return text;
}

class Demo {
 public:
  Demo(const DemoGround& ground, Style style) : ground_(&ground), style_(style) {}

  int run();

 private:
  asio::awaitable<void> play();
  asio::awaitable<bool> wait_for(std::uint64_t generation);
  asio::awaitable<void> rotate(int number);
  asio::awaitable<void> lose_store();
  asio::awaitable<void> pause(std::chrono::milliseconds time) { co_await net::sleep_for(time); }
  Ok prepare();
  void show_ground();
  void show_mount() const;
  void show_folder(int folder, const std::string& prefix) const;

  void line(const std::string& text = "") const {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
  }
  void event(const std::string& text) const {
    std::array<char, 24> time{};
    std::snprintf(time.data(), time.size(), "%6.3f s  ", std::chrono::duration<double>(Clock::now() - begun_).count());
    line("  " + style_.dim(time.data()) + text);
  }
  void failed(const std::string& what) {
    if (!failed_) say(what);
    failed_ = true;
  }

  const DemoGround* ground_;
  Style style_;
  asio::io_context io_{1};
  config::Config config_;
  Stores stores_;
  std::optional<deliver::Delivery> delivery_;
  telemetry::Log log_{-1, telemetry::Log::Format::json, telemetry::Level::error};  // Nowhere: the demo tells it itself.
  std::optional<watch::Watch> watch_;
  std::optional<Reader> reader_;
  Clock::time_point begun_ = Clock::now();
  bool failed_ = false;
};

Ok Demo::prepare() {
  if (Ok put = put_values(*ground_, 1); !put) return put;
  auto config = config::parse(config_text(*ground_), "demo.yaml");
  if (!config) return fail(std::move(config).error());
  config_ = std::move(*config);
  auto mount = deliver::Mount::open(ground_->mount());
  if (!mount) return fail(std::move(mount).error());
  const deliver::Attestation attestation = mount->attest(config_.require);
  if (!attestation.refusals.empty() && ground_->plain_because().empty()) {
    return fail(Errc::config, attestation.refusals.front());
  }
  auto directory = mount->another();
  if (!directory) return fail(std::move(directory).error());
  auto delivery = deliver::Delivery::open(std::move(*directory), ground_->mount());
  if (!delivery) return fail(std::move(delivery).error());
  delivery_.emplace(std::move(*delivery));
  auto stores = Stores::open(io_.get_executor(), config_, {});
  if (!stores) return fail(std::move(stores).error());
  stores_ = std::move(*stores);
  return {};
}

void Demo::show_ground() {
  line(style_.bold("secret-injector demo") + ": made-up secrets, no network");
  line();
  line("  store  " + ground_->store());
  line("  mount  " + ground_->mount());
  if (ground_->plain_because().empty()) {
    line("         a tmpfs of 1 MiB, nodev,nosuid,noexec, in a namespace of our own");
  } else {
    line("         " + style_.yellow("a plain directory: ") + wrapped(ground_->plain_because(), style_.width - 28, 9));
    line("         Waived for the demo: that it is a tmpfs. `run` refuses such a mount.");
  }
  line("  memory " + std::string(memory::to_string(memory::Arena::status().tier)) + " for every value");
  line();
  line("  files:");
  line("    - { path: db/username, from: demo:shop-db#username }");
  line("    - { path: db/password, from: demo:shop-db#password }");
  line("    - { path: app.env, from: demo:shop-db, format: dotenv, mode: \"0440\" }");
  line();
}

void Demo::show_folder(int folder, const std::string& prefix) const {
  const auto names = deliver::names_in(folder);
  if (!names) return;
  for (const std::string& name : *names) {
    struct stat st {};
    if (::fstatat(folder, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISDIR(st.st_mode)) {
      const Fd inner(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
      if (inner) show_folder(inner.get(), std::string(prefix).append(name).append("/"));
      continue;
    }
    std::string shown = std::string(prefix).append(name);
    shown.resize(std::max<std::size_t>(shown.size(), 16), ' ');
    const std::string size = std::to_string(st.st_size);
    line("      " + mode_text(st.st_mode) + "  " + shown + std::string(6 - std::min<std::size_t>(size.size(), 6), ' ') +
         size + " bytes");
  }
}

void Demo::show_mount() const {
  line();
  line("  What stands in the mount:");
  const Fd mount(::open(ground_->mount().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto names = deliver::names_in(mount.get());
  if (!names) return;
  const auto current = deliver::link_target(mount.get(), "..data");
  for (const std::string& name : *names) {
    if (const auto target = deliver::link_target(mount.get(), name)) {
      std::string shown = name + " -> " + *target;
      if (name == "..data") {
        shown.resize(std::max<std::size_t>(shown.size(), 41), ' ');
        shown += style_.dim("one rename of this link publishes");
      }
      line("    " + shown);
    } else if (current == name) {
      line("    " + name + "/");
      const Fd folder(::openat(mount.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      show_folder(folder.get(), "");
    } else {
      std::string shown = name + "/";
      shown.resize(std::max<std::size_t>(shown.size(), 41), ' ');
      line("    " + shown + style_.dim("replaced; kept 10 s for readers"));
    }
  }
  line();
}

asio::awaitable<bool> Demo::wait_for(std::uint64_t generation) {
  const auto end = Clock::now() + kPatience;
  while (watch_->status().generation < generation) {
    if (Clock::now() > end) co_return false;
    const net::Woken woken = co_await net::sleep_for(1ms);
    if (woken == net::Woken::cancelled) co_return false;
  }
  co_return true;
}

asio::awaitable<void> Demo::rotate(int number) {
  const std::uint64_t before = watch_->status().generation;
  event("the store gets another username and password");
  const auto at = Clock::now();
  if (const Ok put = put_values(*ground_, number); !put) {
    failed(put.error().message());
    co_return;
  }
  const bool came = co_await wait_for(before + 1);
  if (!came) {
    failed("the rotation did not arrive");
    co_return;
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - at).count();
  event(style_.green("rotated") + ": generation " + std::to_string(watch_->status().generation) +
        ", all files at one instant, " + std::to_string(took) + " ms later");
}

asio::awaitable<void> Demo::lose_store() {
  const std::string away = ground_->store() + ".away";
  if (::rename(ground_->store().c_str(), away.c_str()) != 0) co_return;
  event("the store is gone");
  co_await pause(400ms);
  event(style_.green("nothing happens") + ": the last good files stay where they are");
  ::rename(away.c_str(), ground_->store().c_str());
}

asio::awaitable<void> Demo::play() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const bool came = co_await wait_for(1);
  if (!came) {
    failed("the files were not delivered");
    co_return;
  }
  event(style_.green("delivered") + ": 3 files, generation 1");
  event("an application reads username and password, as fast as it can");
  reader_.emplace(ground_->mount());
  co_await pause(400ms);
  co_await rotate(2);
  co_await pause(400ms);
  co_await rotate(3);
  co_await pause(300ms);
  co_await lose_store();
  const Reader::Tally tally = reader_->stop();
  event("the application has read " + grouped(tally.reads) + " pairs: " + std::to_string(tally.absent) + " absent, " +
        std::to_string(tally.torn) + " torn, " + std::to_string(tally.mixed) + " mixed");
  if (tally.absent + tally.torn + tally.mixed > 0) failed("a reader saw what it must not see");
  show_mount();
}

int Demo::run() {
  if (const Ok prepared = prepare(); !prepared) {
    say(prepared.error().message());
    return kFailed;
  }
  show_ground();
  watch::Watch::Parts parts;
  parts.executor = io_.get_executor();
  parts.config = &config_;
  parts.stores = stores_.named();
  parts.delivery = &*delivery_;
  parts.notify = [](const OnChange&) -> net::Task<void> { co_return Ok(); };
  parts.log = &log_;
  parts.random = net::random_number;
  watch_.emplace(std::move(parts));

  begun_ = Clock::now();
  watch::Group watching(io_.get_executor());
  watch::Group playing(io_.get_executor());
  asio::signal_set signals(io_, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& stopped, int) {
    if (stopped) return;
    failed("interrupted");
    playing.cancel();
  });
  const auto all = [&]() -> asio::awaitable<void> {
    watching.start(watch_->run());
    playing.start(play());
    co_await playing.join();
    watching.cancel();
    co_await watching.join();
    signals.cancel();
  };
  asio::co_spawn(io_, all(), [&](const std::exception_ptr& thrown) {
    if (thrown) failed("ended by an error of the program");
    io_.stop();
  });
  io_.run();
  reader_.reset();
  if (const Ok gone = delivery_->withdraw(); !gone) failed(gone.error().message());
  if (failed_) return kFailed;
  event("told to stop: the files are removed, and nothing is left");
  line();
  line("  Next: secret-injector check --config FILE, then run.");
  return kGood;
}

}  // namespace

int run_demo(const Options& options, const Environment& environment) {
  auto ground = DemoGround::make(environment);
  if (!ground) return refuse(options, ground.error());
  net::start();
  memory::Arena::open();
  return Demo(*ground, style_of_stdout(options, environment)).run();
}

}  // namespace injector::cli
