#include "injector/render/template/function.h"
namespace injector::render::templates {
std::span<const Function> regex_functions() { return {}; }
}  // namespace injector::render::templates
