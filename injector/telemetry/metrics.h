#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace injector::telemetry {

/// Writes metrics as Prometheus reads them (text format 0.0.4): families one after the other, each with its samples.
///
///     Exposition page;
///     page.family("secret_injector_generation", Exposition::Type::gauge, "The generation that is published.");
///     page.sample(7);
///
/// Names and labels are ours and follow Prometheus' rules (base units, `_total`); values of labels may be any text, but
/// must be few: those of a configuration, never those of a request.
class Exposition {
 public:
  enum class Type : std::uint8_t { counter, gauge, histogram };
  using Labels = std::vector<std::pair<std::string_view, std::string>>;

  /// Begins a family. One without samples leaves nothing on the page.
  void family(std::string_view name, Type type, std::string_view help);
  /// A sample of the family that was begun last.
  void sample(double value, const Labels& labels = {}) { add("", number(value), labels); }
  void sample(std::uint64_t value, const Labels& labels = {}) { add("", std::to_string(value), labels); }
  /// A whole histogram: how many were observed up to each of `bounds`, and no further than the one before it; the last
  /// of `counts`, which has one more, is of those above all bounds. Missing counts are zeros.
  void histogram(std::span<const double> bounds, std::span<const std::uint64_t> counts, double sum,
                 const Labels& labels = {});

  [[nodiscard]] const std::string& text() const { return text_; }
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  static std::string number(double value);
  void add(std::string_view suffix, const std::string& value, const Labels& labels);

  std::string text_;
  std::string name_;
  std::string head_;  ///< Not written yet.
};

/// What the kernel knows of this process; what it does not tell is zero.
struct Process {
  double start_seconds = 0;  ///< Since the epoch.
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t most_descriptors = 0;
};
Process this_process();

/// The names that every exporter has for them: process_start_time_seconds and so on.
void add_process(Exposition& page, const Process& process);

}  // namespace injector::telemetry
