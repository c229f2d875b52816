#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "injector/render/template/function.h"
#include "injector/render/template/value.h"

/// What sprig's functions share: they take anything, and make of it what they need.
namespace injector::render::templates {

/// A text of any value.
std::string_view text_of(Context& context, const Value& value);
/// The texts of a list, without its nils; of anything else, its own.
std::vector<std::string_view> texts_in(Context& context, const Value& value);
/// The items of a list of any type; stops with anything else.
std::vector<Value> items_in(const Value& value);

/// A number of any value; 0 of what is none.
std::int64_t whole_of(const Value& value);
double real_of_any(const Value& value);

/// reflect.DeepEqual.
bool deep_equal(const Value& a, const Value& b);

}  // namespace injector::render::templates
