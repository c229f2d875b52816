#include "injector/render/template/evaluate.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "injector/render/template/answers.h"
#include "injector/render/template/format.h"
#include "injector/render/template/function.h"
#include "injector/render/template/stop.h"
#include "injector/render/template/value.h"

namespace injector::render::templates {
namespace {

using scanner::base::Errc;
using scanner::base::Error;
using scanner::base::fail;
using scanner::base::Result;

constexpr std::size_t kMostCallsInCalls = 200;
/// How often the body of a loop over something unknown is gone through: the second time finds what the first has set.
constexpr int kRoundsOfUnknown = 2;

enum class Flow : std::uint8_t { on, broken, continued };

bool same(const Value& a, const Value& b) {
  if (a.type != b.type || a.size != b.size) return false;
  if (a.is_text()) return a.text() == b.text();
  return a.integer == b.integer;
}

std::string article(std::string_view type) { return "a value of type " + std::string(type); }

class Evaluator {
 public:
  Evaluator(const Tree& tree, const Options& options, bool checking, Answers& answers)
      : tree_(tree),
        options_(options),
        answers_(answers),
        pool_(Template::kMostMemory, Template::kMostSteps),
        out_(Template::kMostOutput) {
    context_.pool = &pool_;
    context_.scratch = new_map(pool_);
    context_.checking = checking;
    answers_.use(pool_);
  }

  void run() {
    variables_.push_back({"$", {}});
    walk({}, tree_.main);
  }

  [[nodiscard]] std::size_t line() const { return line_; }
  memory::Secret finish() { return out_.finish(); }
  std::vector<Mistake>& mistakes() { return mistakes_; }

 private:
  struct Variable {
    std::string_view name;
    Value value;
  };

  Pool& pool() { return pool_; }

  // --- Nodes ---

  Flow walk(const Value& dot, const Body& body) {
    for (const Node& node : body) {
      const Flow flow = walk(dot, node);
      if (flow != Flow::on) return flow;
    }
    return Flow::on;
  }

  Flow walk(const Value& dot, const Node& node) {
    pool_.step();
    line_ = node.line;
    switch (node.kind) {
      case Node::Kind::text:
        out_.add(node.text);
        return Flow::on;
      case Node::Kind::action: {
        const Value value = pipeline(dot, *node.pipe);
        if (node.pipe->variables.empty()) print(value);
        return Flow::on;
      }
      case Node::Kind::if_:
      case Node::Kind::with:
        return condition(dot, node);
      case Node::Kind::range:
        return range(dot, node);
      case Node::Kind::call:
        call(dot, node);
        return Flow::on;
      case Node::Kind::break_:
        return Flow::broken;
      case Node::Kind::continue_:
        break;
    }
    return Flow::continued;
  }

  void print(const Value& value) {
    if (is_unknown(value)) return;
    if (value.type == Type::channel) stop("a value of type " + std::string(type_name(value)) + " cannot be printed");
    if (value.is_nil()) {
      out_.add("<no value>");
      return;
    }
    pool_.step(weight(value));
    print_value(out_, value);
  }

  Flow condition(const Value& dot, const Node& node) {
    const auto mark = variables_.size();
    const Value value = pipeline(dot, *node.pipe);
    const bool with = node.kind == Node::Kind::with;
    Flow flow = Flow::on;
    if (is_unknown(value)) {
      const auto before = variables_;
      in_doubt(with ? unknown() : dot, node.body);
      const auto after = std::exchange(variables_, before);
      in_doubt(dot, node.otherwise);
      merge(after);
    } else if (truth(value)) {
      flow = walk(with ? value : dot, node.body);
    } else {
      flow = walk(dot, node.otherwise);
    }
    variables_.resize(mark);
    return flow;
  }

  /// What may be executed or not: mistakes in it are none yet, but for those that only a check can find.
  void in_doubt(const Value& dot, const Body& body) {
    const bool before = std::exchange(context_.doubtful, true);
    const auto mark = variables_.size();
    const auto depth = depth_;
    try {
      walk(dot, body);
    } catch (const Stop& stop) {
      if (stop.code == Errc::limit) throw;
      depth_ = depth;
    }
    variables_.resize(mark);
    context_.doubtful = before;
  }

  void merge(const std::vector<Variable>& other) {
    for (std::size_t i = 0; i < variables_.size() && i < other.size(); ++i) {
      if (!same(variables_[i].value, other[i].value)) variables_[i].value = unknown();
    }
  }

  Flow range(const Value& dot, const Node& node) {
    const auto outer = variables_.size();
    const Value over = pipeline(dot, *node.pipe);
    const auto mark = variables_.size();
    bool any = false;
    bool broken = false;
    const auto turn = [&](const Value& index, const Value& element) {
      any = true;
      pool_.step();
      const auto& names = node.pipe->variables;
      if (!names.empty()) {
        if (node.pipe->assigns) {
          assign(names[0], names.size() > 1 ? index : element);
        } else {
          variables_[mark - 1].value = element;
        }
      }
      if (names.size() > 1) {
        if (node.pipe->assigns) {
          assign(names[1], element);
        } else {
          variables_[mark - 2].value = index;
        }
      }
      const Flow flow = walk(element, node.body);
      variables_.resize(mark);
      broken = flow == Flow::broken;
      return !broken;
    };
    if (is_unknown(over)) {
      range_in_doubt(dot, node, mark);
      variables_.resize(outer);
      return Flow::on;
    }
    each(over, node, turn);
    Flow flow = Flow::on;
    if (!any) flow = walk(dot, node.otherwise);
    variables_.resize(outer);
    return flow;
  }

  template <typename Turn>
  void each(const Value& over, const Node& node, const Turn& turn) {
    if (over.is_list()) {
      for (std::size_t i = 0; i < over.size; ++i) {
        if (!turn(of_int(static_cast<std::int64_t>(i)), over.items[i])) return;
      }
    } else if (over.type == Type::bytes) {
      for (std::size_t i = 0; i < over.size; ++i) {
        const auto byte = static_cast<unsigned char>(over.data[i]);
        if (!turn(of_int(static_cast<std::int64_t>(i)), of_natural(byte, Type::uint8))) return;
      }
    } else if (over.type == Type::map || over.type == Type::text_map) {
      // A copy, for the body may change the map.
      const auto members = over.map->members();
      const std::vector<Map::Member> now(members.begin(), members.end());
      for (const auto& [key, value] : now) {
        if (!turn(of_text(key), value)) return;
      }
    } else if (over.is_integer()) {
      if (node.pipe->variables.size() > 1) stop("a number can be ranged over with one variable only");
      const auto last = over.integer;
      if (over.is_signed() && last <= 0) return;
      for (std::uint64_t i = 0; i < over.natural; ++i) {
        Value element = over;
        element.natural = i;
        if (!turn({}, element)) return;
      }
    } else if (over.type == Type::channel) {
      for (std::int64_t i = over.integer; i < static_cast<std::int64_t>(over.size); ++i) {
        if (!turn(of_int(i - over.integer), of_int(i, Type::int64))) return;
      }
    } else if (!over.is_nil()) {
      stop("range cannot go over " + article(type_name(over)));
    }
  }

  void range_in_doubt(const Value& dot, const Node& node, std::size_t mark) {
    const auto& names = node.pipe->variables;
    for (int i = 0; i < kRoundsOfUnknown; ++i) {
      const auto before = variables_;
      for (std::size_t n = 0; n < names.size(); ++n) {
        if (node.pipe->assigns) {
          assign(names[n], unknown());
        } else {
          variables_[mark - 1 - n].value = unknown();
        }
      }
      in_doubt(unknown(), node.body);
      merge(before);
    }
    const auto before = variables_;
    in_doubt(dot, node.otherwise);
    merge(before);
  }

  void call(const Value& dot, const Node& node) {
    const auto found = tree_.defined.find(node.text);
    const Body* body = node.text.empty() ? &tree_.main : nullptr;
    if (found != tree_.defined.end()) body = &found->second;
    if (body == nullptr) stop("no template of the name \"" + node.text + "\" is defined");
    const Value argument = node.pipe ? pipeline(dot, *node.pipe) : Value{};
    enter(argument, *body);
  }

  void call_with(const Value& argument, const Node& node) {
    const auto found = tree_.defined.find(node.text);
    if (found == tree_.defined.end()) stop("no template of the name \"" + node.text.substr(0, 60) + "\" is defined");
    enter(argument, found->second);
  }

  void enter(const Value& argument, const Body& entered) {
    const Body* body = &entered;
    if (context_.checking && context_.doubtful && std::ranges::count(called_, body) > 1) return;
    if (++depth_ > kMostCallsInCalls) stop_at_limit("templates call one another too deeply");
    called_.push_back(body);
    auto outer = std::exchange(variables_, {});
    variables_.push_back({"$", argument});
    const auto leave = [&] {
      variables_ = std::move(outer);
      called_.pop_back();
      --depth_;
    };
    try {
      walk(argument, *body);
    } catch (...) {
      leave();
      throw;
    }
    leave();
  }

  // --- Variables ---

  void assign(std::string_view name, const Value& value) {
    for (auto at = variables_.rbegin(); at != variables_.rend(); ++at) {
      if (at->name != name) continue;
      at->value = value;
      return;
    }
    stop("the variable " + std::string(name) + " is not defined here");
  }

  const Value& variable(std::string_view name) {
    for (auto at = variables_.rbegin(); at != variables_.rend(); ++at) {
      if (at->name == name) return at->value;
    }
    stop("the variable " + std::string(name) + " is not defined here");
  }

  // --- Pipelines ---

  Value pipeline(const Value& dot, const Pipe& pipe) {
    line_ = pipe.line;
    std::optional<Value> value;
    for (const Command& command : pipe.commands) {
      value = this->command(dot, command, value);
      if (value->type == Type::nil) value->type = Type::none;
    }
    for (const std::string& name : pipe.variables) {
      if (pipe.assigns) {
        assign(name, *value);
      } else {
        variables_.push_back({name, *value});
      }
    }
    return *value;
  }

  using Final = std::optional<Value>;
  /// The words after the first.
  using Words = std::span<const Operand>;

  Value command(const Value& dot, const Command& command, const Final& final) {
    pool_.step();
    const Operand& first = command.words[0];
    line_ = first.line;
    const Words rest(command.words.begin() + 1, command.words.end());
    using Kind = Operand::Kind;
    switch (first.kind) {
      case Kind::field:
        return chain(dot, dot, first.names, rest, final);
      case Kind::chain:
        return chain(dot, chain_start(dot, first), first.names, rest, final);
      case Kind::variable:
        if (first.names.empty()) {
          no_arguments(rest, final);
          return variable(first.text);
        }
        return chain(dot, variable(first.text), first.names, rest, final);
      case Kind::function:
        return apply(dot, *first.function, rest, final);
      case Kind::pipe:
        no_arguments(rest, final);
        return pipeline(dot, *first.pipe);
      case Kind::nil:
        stop("nil is no command");
      default:
        no_arguments(rest, final);
        return plain(dot, first);
    }
  }

  static void no_arguments(Words rest, const Final& final) {
    if (!rest.empty() || final) stop("what is no function cannot be given arguments");
  }

  Value chain_start(const Value& dot, const Operand& chain) {
    if (chain.inner->kind == Operand::Kind::nil) stop("nil has no fields");
    return operand(dot, *chain.inner);
  }

  /// An operand as Go takes it where any type will do.
  Value operand(const Value& dot, const Operand& word) {
    line_ = word.line;
    using Kind = Operand::Kind;
    switch (word.kind) {
      case Kind::field:
        return chain(dot, dot, word.names, {}, {});
      case Kind::chain:
        return chain(dot, chain_start(dot, word), word.names, {}, {});
      case Kind::variable:
        return word.names.empty() ? variable(word.text) : chain(dot, variable(word.text), word.names, {}, {});
      case Kind::function:
        return apply(dot, *word.function, {}, {});
      case Kind::pipe:
        return pipeline(dot, *word.pipe);
      default:
        return plain(dot, word);
    }
  }

  static Value plain(const Value& dot, const Operand& word) {
    switch (word.kind) {
      case Operand::Kind::dot:
        return dot;
      case Operand::Kind::boolean:
        return of_bool(word.boolean);
      case Operand::Kind::text:
        return of_text(word.text);
      case Operand::Kind::number:
        if (word.number.is_real) return of_real(*word.number.real);
        if (!word.number.integer) stop("a number does not fit into an int");
        return of_int(*word.number.integer);
      default:
        return {};
    }
  }

  Value chain(const Value& dot, Value receiver, const std::vector<std::string>& names, Words rest, const Final& final) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const bool last = i + 1 == names.size();
      receiver = field(dot, receiver, names[i], last ? rest : Words(), last ? final : Final());
    }
    return receiver;
  }

  Value field(const Value& dot, const Value& receiver, const std::string& name, Words rest, const Final& final) {
    if (is_unknown(receiver)) {
      for (const Operand& word : rest) operand(dot, word);
      return unknown();
    }
    const bool arguments = !rest.empty() || final.has_value();
    if (receiver.type == Type::none) {
      if (options_.error_on_missing_key) missing("there is no data to take ." + name + " from");
      return {};
    }
    if (receiver.type == Type::nil)
      missing("there is nothing to take ." + name + " from: what stands before is missing or null");
    if (receiver.type == Type::map || receiver.type == Type::text_map) {
      if (arguments) stop("." + name + " is no method, and takes no arguments");
      const Value* const found = receiver.map->find(name);
      if (found != nullptr) return *found;
      if (options_.error_on_missing_key) missing("there is no key ." + name);
      return receiver.type == Type::map ? nil() : of_text({});
    }
    if (receiver.type == Type::record) {
      for (const auto& [key, value] : receiver.record->fields) {
        if (key != name) continue;
        if (arguments) stop("." + name + " is no method, and takes no arguments");
        return value;
      }
    }
    if (receiver.type == Type::number) return number_method(receiver, name, arguments);
    if (receiver.type == Type::scratch) return scratch_method(dot, name, rest, final);
    if (receiver.type == Type::error && name == "Error" && !arguments) return of_text(receiver.text());
    stop("there is no field ." + name + " in " + article(type_name(receiver)));
  }

  [[noreturn]] static void missing(std::string what) { throw Stop{Errc::missing, std::move(what), {}}; }

  static Value number_method(const Value& receiver, const std::string& name, bool arguments) {
    if (name != "Int64" && name != "Float64" && name != "String") {
      stop("there is no field ." + name + " in a value of type json.Number");
    }
    if (arguments) stop("." + name + " takes no arguments");
    if (name == "String") return of_text(receiver.text());
    if (name == "Int64") return of_int(parse_int(receiver.text(), 10), Type::int64);
    return of_real(parse_real(receiver.text()));
  }

  Value scratch_method(const Value& dot, const std::string& name, Words rest, const Final& final) {
    struct Method {
      std::string_view name;
      std::string_view wants;
    };
    static constexpr auto kMethods = std::to_array<Method>({{"Key", "s"},
                                                            {"Get", "s"},
                                                            {"Set", "sa"},
                                                            {"SetX", "sa"},
                                                            {"MapSet", "ssa"},
                                                            {"MapSetX", "ssa"},
                                                            {"MapValues", "s"}});
    const auto* const method = std::ranges::find(kMethods, name, &Method::name);
    if (method == std::end(kMethods)) stop("there is no field ." + name + " in a value of type *template.Scratch");
    const auto arguments = this->arguments(dot, name, method->wants, rest, final);
    Map& map = *context_.scratch;
    if (std::ranges::any_of(arguments, is_unknown) && name != "Set" && name != "SetX") {
      map.unknown = true;
      return unknown();
    }
    if (is_unknown(arguments[0])) {
      map.unknown = true;
      return of_text({});
    }
    const auto key = pool_.keep(arguments[0].text());
    if (name == "Key") return map.unknown ? unknown() : of_bool(map.find(key) != nullptr);
    if (name == "Get") {
      if (map.unknown) return unknown();
      const Value* const found = map.find(key);
      return found != nullptr ? *found : nil();
    }
    if (name == "Set" || name == "SetX") {
      if (name == "Set" || map.find(key) == nullptr) map.set(pool_, key, context_.doubtful ? unknown() : arguments[1]);
      return of_text({});
    }
    if (map.unknown) return unknown();
    const Value* found = map.find(key);
    if (name == "MapValues") {
      if (found == nullptr) return nil();
      if (is_unknown(*found)) return unknown();
      if (found->type != Type::map) stop("scratch holds no map of this name");
      const auto members = found->map->members();
      const auto values = pool_.array<Value>(members.size());
      std::ranges::transform(members, values.begin(), &Map::Member::value);
      return of_list(values);
    }
    if (found == nullptr) {
      map.set(pool_, key, of_map(new_map(pool_)));
      found = map.find(key);
    }
    if (is_unknown(*found)) return of_text({});
    if (found->type != Type::map) stop("scratch holds no map of this name");
    const auto inner = pool_.keep(arguments[1].text());
    if (context_.doubtful) found->map->unknown = true;
    if (name == "MapSet" || found->map->find(inner) == nullptr) found->map->set(pool_, inner, arguments[2]);
    return of_text({});
  }

  // --- Functions ---

  Value argument(const Value& dot, const Operand& word, char want) {
    if (word.kind == Operand::Kind::nil) return accept(Value{}, want);
    if (word.kind == Operand::Kind::number) {
      const Number& number = word.number;
      if (want == 'f' && number.real) return of_real(*number.real);
      if (want == 'i' && number.integer) return of_int(*number.integer);
      if (want == 'l' && number.integer) return of_int(*number.integer, Type::int64);
      if (want == 'x' && number.natural && *number.natural < 256) return of_natural(*number.natural, Type::uint8);
    }
    return accept(operand(dot, word), want);
  }

  Value accept(Value value, char want) {
    if (is_unknown(value)) return value;
    if (want == 'a') {
      if (value.type == Type::nil) value.type = Type::none;
      return value;
    }
    struct Form {
      char letter;
      Type type;
      std::string_view name;
    };
    static constexpr auto kForms = std::to_array<Form>({{'s', Type::text, "string"},
                                                        {'i', Type::int_, "int"},
                                                        {'l', Type::int64, "int64"},
                                                        {'f', Type::float64, "float64"},
                                                        {'b', Type::boolean, "bool"},
                                                        {'m', Type::map, "map[string]interface {}"},
                                                        {'e', Type::text_map, "map[string]string"},
                                                        {'t', Type::texts, "[]string"},
                                                        {'y', Type::list, "[]interface {}"},
                                                        {'x', Type::uint8, "uint8"}});
    const auto* const form = std::ranges::find(kForms, want, &Form::letter);
    if (value.type == form->type) return value;
    if (value.type == Type::none) {
      if (want == 'm' || want == 'e') return of_map(new_map(pool_), form->type);
      if (want == 't' || want == 'y') return of_list({}, form->type);
    }
    stop("it wants a value of type " + std::string(form->name) + ", and got " +
         (value.is_nil() ? std::string("none") : "one of type " + std::string(type_name(value))));
  }

  std::vector<Value> arguments(const Value& dot, std::string_view name, std::string_view wants, Words rest,
                               const Final& final) {
    const auto star = wants.find('*');
    const auto fixed = star == std::string_view::npos ? wants.size() : star;
    const auto count = rest.size() + (final ? 1 : 0);
    if (count < fixed || (star == std::string_view::npos && count > fixed)) {
      stop(std::string(name) + " wants " + (star == std::string_view::npos ? "" : "at least ") + std::to_string(fixed) +
           (fixed == 1 ? " argument, and got " : " arguments, and got ") + std::to_string(count));
    }
    std::vector<Value> made;
    made.reserve(count);
    const auto want = [&] { return made.size() < fixed ? wants[made.size()] : wants[star + 1]; };
    std::string_view before = std::exchange(function_, name);
    for (const Operand& word : rest) made.push_back(argument(dot, word, want()));
    if (final) made.push_back(accept(*final, want()));
    function_ = before;
    for (const Value& value : made) pool_.step(weight(value));
    return made;
  }

  Value apply(const Value& dot, const Function& function, Words rest, const Final& final) {
    using Special = Function::Special;
    if (function.special == Special::and_ || function.special == Special::or_) {
      return either(dot, function, rest, final);
    }
    const auto line = line_;
    const auto arguments = this->arguments(dot, function.name, function.wants, rest, final);
    line_ = line;
    if (function.special == Special::execute) return executed(arguments);
    if (function.special != Special::none) return ask(function, arguments);
    if (context_.checking && std::ranges::any_of(arguments, is_unknown)) {
      // A map that was given with something unknown may have been changed by it.
      for (const Value& value : arguments) {
        if (value.is_map()) value.map->unknown = true;
      }
      return unknown();
    }
    if (context_.checking && context_.doubtful && function.name.find("set") != std::string_view::npos) {
      for (const Value& value : arguments) {
        if (value.is_map()) value.map->unknown = true;
      }
    }
    try {
      return function.call(context_, arguments);
    } catch (Stop& stop) {
      line_ = line;
      if (!stop.what.starts_with(function.name)) stop.what = std::string(function.name) + ": " + stop.what;
      throw;
    }
  }

  Value either(const Value& dot, const Function& function, Words rest, const Final& final) {
    if (rest.empty() && !final) stop(std::string(function.name) + " wants at least 1 argument, and got 0");
    const bool decides = function.special == Function::Special::or_;
    Value value;
    bool doubt = false;
    for (const Operand& word : rest) {
      value = argument(dot, word, 'a');
      doubt = doubt || is_unknown(value);
      if (!doubt && truth(value) == decides) return value;
    }
    if (final) value = *final;
    return doubt ? unknown() : value;
  }

  /// What another template of this text makes.
  Value executed(std::span<const Value> arguments) {
    if (arguments.size() > 2) stop("executeTemplate wants a name and one argument");
    if (is_unknown(arguments[0])) return unknown();
    Node node;
    node.kind = Node::Kind::call;
    node.line = line_;
    node.text = arguments[0].text();
    Builder made(Builder::kMost);
    std::swap(out_, made);
    const auto back = [&] { std::swap(out_, made); };
    try {
      call_with(arguments.size() > 1 ? arguments[1] : Value{}, node);
    } catch (...) {
      back();
      throw;
    }
    back();
    if (context_.checking) return unknown();
    return of_text(made.keep_in(pool_));
  }

  // --- Stores ---

  Value ask(const Function& function, std::span<const Value> arguments) {
    if (arguments.empty()) return nil();
    if (std::ranges::any_of(arguments, is_unknown)) {
      mistakes_.push_back({line_,
                           "what " + std::string(function.name) +
                               " asks for hangs on a secret, so that it cannot be known before one is read",
                           "write its arguments out, or compute them from what the template holds"});
      return unknown();
    }
    const Call call = call_of(function, arguments);
    return answers_.to(call, line_);
  }

  const Tree& tree_;
  const Options& options_;
  Answers& answers_;
  Pool pool_;
  Builder out_;
  Context context_;
  std::vector<Variable> variables_;
  std::vector<const Body*> called_;
  std::vector<Mistake> mistakes_;
  std::string_view function_;
  std::size_t line_ = 1;
  std::size_t depth_ = 0;
};

}  // namespace

std::map<Call, std::size_t> survey(const Tree& tree, std::vector<Mistake>& mistakes) {
  Answers answers;
  const Options options;
  Evaluator evaluator(tree, options, true, answers);
  try {
    evaluator.run();
  } catch (Stop& stop) {
    evaluator.mistakes().push_back({evaluator.line(), std::move(stop.what), std::move(stop.mend)});
  }
  for (Mistake& mistake : evaluator.mistakes()) {
    const auto there = [&](const Mistake& one) { return one.line == mistake.line && one.what == mistake.what; };
    if (std::ranges::none_of(mistakes, there)) mistakes.push_back(std::move(mistake));
  }
  return answers.asked();
}

Result<memory::Secret> execute(const Tree& tree, std::span<const Call> calls, std::span<const Reading* const> readings,
                               const Options& options) {
  Answers answers(calls, readings);
  Evaluator evaluator(tree, options, false, answers);
  try {
    evaluator.run();
    return evaluator.finish();
  } catch (Stop& stop) {
    return fail(Error(stop.code, "line " + std::to_string(evaluator.line()) + ": " + stop.what));
  }
}

}  // namespace injector::render::templates
