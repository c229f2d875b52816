#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "injector/memory/document.h"
#include "injector/model/reading.h"
#include "injector/render/template/function.h"
#include "injector/render/template/template.h"
#include "injector/render/template/value.h"

namespace injector::render::templates {

/// What `secret`, `secrets` and `pkiCert` were called with; stops where that makes no sense.
Call call_of(const Function& function, std::span<const Value> arguments);

/// The values that calls of stores give. Without readings it only notes who was asked.
class Answers {
 public:
  Answers() = default;
  Answers(std::span<const Call> calls, std::span<const Reading* const> readings)
      : checking_(false), calls_(calls), readings_(readings), made_(calls.size()) {}
  void use(Pool& pool) { pool_ = &pool; }

  Value to(const Call& call, std::size_t line);
  [[nodiscard]] const std::map<Call, std::size_t>& asked() const { return asked_; }

 private:
  Value surmised(const Call& call);
  Value answered(const Call& call, const Reading* reading);
  Value parsed(const memory::Secret& json);

  bool checking_ = true;
  std::span<const Call> calls_;
  std::span<const Reading* const> readings_;
  std::vector<std::optional<Value>> made_;
  std::vector<memory::Document> documents_;
  std::map<Call, std::size_t> asked_;
  Pool* pool_ = nullptr;
};

/// A JSON value as Go decodes it: numbers as json.Number, or as float64; the texts are kept in the pool, or are views
/// of the document.
enum class Numbers : std::uint8_t { as_written, as_real };
enum class Texts : std::uint8_t { kept, viewed };
Value value_of(Pool& pool, memory::Document::Value json, Numbers numbers, Texts texts);

}  // namespace injector::render::templates
