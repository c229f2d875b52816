#include "injector/backend/vault/json_text.h"

#include "injector/memory/text.h"

namespace injector::backend::vault {

memory::Secret json_object(std::span<const Field> fields) {
  std::size_t size = 2;
  for (const auto& field : fields) size += field.key.size() + field.value.size() + 6;
  memory::Text text(size);
  text.append('{');
  for (const auto& field : fields) {
    if (text.size() > 1) text.append(',');
    text.append_json(field.key).append(':');
    field.kind == Field::Kind::string ? text.append_json(field.value) : text.append(field.value);
  }
  return text.append('}').finish();
}

}  // namespace injector::backend::vault
