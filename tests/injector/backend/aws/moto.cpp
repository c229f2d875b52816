#include "tests/injector/backend/aws/moto.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace tests {

Moto::Moto(const std::string& python) {
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  if (::pipe2(to.data(), O_CLOEXEC) != 0 || ::pipe2(from.data(), O_CLOEXEC) != 0) return;
  const std::string script = PROJECT_ROOT "/tests/injector/backend/aws/serve.py";
  child_ = ::fork();
  if (child_ == 0) {
    ::dup2(to[0], 0);
    ::dup2(from[1], 1);
    ::execl(python.c_str(), python.c_str(), script.c_str(), folder_.path().c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  to_ = ::fdopen(to[1], "w");
  from_ = ::fdopen(from[0], "r");
  const auto facts = scanner::base::parse_json(line());
  if (facts && facts->is_object()) facts_ = *facts;
}

Moto::~Moto() {
  if (to_ != nullptr) std::fclose(to_);
  if (from_ != nullptr) std::fclose(from_);
  if (child_ > 0) ::waitpid(child_, nullptr, 0);
}

std::string Moto::tell(const std::vector<std::string>& words) {
  const std::string command = scanner::base::dump_json(scanner::base::Json(words)) + "\n";
  std::fputs(command.c_str(), to_);
  std::fflush(to_);
  return line();
}

std::string Moto::line() {
  std::string text;
  for (int c = std::fgetc(from_); c != EOF && c != '\n'; c = std::fgetc(from_)) text += static_cast<char>(c);
  return text;
}

}  // namespace tests
