#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "injector/render/template/pool.h"
#include "injector/render/template/value.h"

namespace injector::render::templates {

/// What a function works with beside its arguments.
struct Context {
  Pool* pool = nullptr;
  Map* scratch = nullptr;
  bool checking = false;
  bool doubtful = false;  ///< While checking: whether this is executed at all hangs on something unknown.
};

/// A function of the subset, by the name that templates call it. `call` may stop (stop.h); while a template is checked
/// it never sees an unknown argument.
struct Function {
  enum class Special : std::uint8_t { none, and_, or_, secret, secrets, certificate, execute };

  std::string_view name;
  /// One letter a parameter, as Go types it; a letter after '*' stands for any number more:
  /// a any, s string, i int, l int64, f float64, b bool, m map[string]interface{}, t []string, y []interface{},
  /// e map[string]string, x uint8
  std::string_view wants;
  Value (*call)(Context& context, std::span<const Value> arguments) = nullptr;
  Special special = Special::none;
};

/// Null when there is none.
const Function* find_function(std::string_view name);

/// Why a function that the real engine has is none of ours; nothing when it is not known there either.
struct Refusal {
  std::string_view why;
  std::string_view mend;
};
std::optional<Refusal> refusal_of(std::string_view name);
/// A name of ours that may have been meant; empty when none is near.
std::string_view near_function(std::string_view name);

/// The functions of each file, for find_function().
std::span<const Function> go_functions();
std::span<const Function> text_functions();
std::span<const Function> number_functions();
std::span<const Function> collection_functions();
std::span<const Function> encoding_functions();
std::span<const Function> sprig_text_functions();
std::span<const Function> sprig_number_functions();
std::span<const Function> sprig_collection_functions();
std::span<const Function> sprig_encoding_functions();
std::span<const Function> regex_functions();

}  // namespace injector::render::templates
