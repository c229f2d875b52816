#include "scanner/source/image.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <tuple>

#include "scanner/unpack/tar.h"

namespace scanner::source {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kPipeWindow = 512UL << 10;
constexpr std::string_view kBlobFolder = "blobs/sha256/";

/// The digest that a blob's name claims, in an OCI layout.
std::optional<base::Sha256> digest_in(const std::string& name) {
  base::Sha256 digest{};
  if (!name.starts_with(kBlobFolder)) return std::nullopt;
  if (!base::parse_oci_digest("sha256:" + name.substr(kBlobFolder.size()), digest)) return std::nullopt;
  return digest;
}

Item text_item(int image, Text text) {
  Item item;
  item.role = Item::Role::text;
  item.entry = std::move(text.entry);
  item.image = image;
  item.data = std::make_unique<base::TextStream>(std::move(text.text));
  return item;
}

/// Numbers blobs, and tells in the end what each was.
class Parts {
 public:
  int number_of(const std::string& name) {
    const auto [it, added] = numbers_.try_emplace(name, static_cast<int>(names_.size()));
    if (added) names_.push_back(name);
    return it->second;
  }

  void set_plan(Plan plan) { plan_ = std::move(plan); }
  [[nodiscard]] const Plan& plan() const { return plan_; }

  /// The texts of the selected images' documents, as one unit.
  Unit texts() {
    Unit unit;
    for (Plan::ImageText& one : plan_.texts) {
      known_.emplace(one.text.entry.kind, one.text.entry.field, one.text.text);
      unit.push_back(text_item(one.image, std::move(one.text)));
    }
    return unit;
  }

  /// A document that no manifest leads to. What an old docker-archive repeats of its configuration is left out.
  void add_loose_document(const std::string& name, std::string text, const Limits& limits, Unit& unit) {
    const auto kind = classify(text);
    if (kind && (*kind == DocumentKind::legacy_config || *kind == DocumentKind::config)) {
      if (auto config = parse_config(text, name, limits)) {
        for (Text& one : config->texts) {
          if (known_.emplace(one.entry.kind, one.entry.field, one.text).second) {
            unit.push_back(text_item(-1, std::move(one)));
          }
        }
        return;
      }
    }
    Item item;
    item.role = Item::Role::content;
    item.entry.path = name;
    item.size = text.size();
    item.data = std::make_unique<base::TextStream>(std::move(text));
    unit.push_back(std::move(item));
  }

  /// Nothing leads to this blob of an OCI layout, so it belongs to an image that was deleted from it: not looked at,
  /// unless what should lead to blobs could not be read.
  [[nodiscard]] bool is_orphan(const std::string& name) const {
    return name.starts_with("blobs/") && !plan_.incomplete;
  }

  Description describe(std::span<const BlobResult> results) {
    Description description;
    description.images = std::move(plan_.images);
    description.skipped = std::move(plan_.skipped);
    description.uses.resize(names_.size());
    std::map<int, const BlobResult*> by_number;
    for (const BlobResult& result : results) by_number[result.blob] = &result;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const bool elsewhere =
          plan_.unselected.contains(names_[i]) || (is_orphan(names_[i]) && !plan_.statements.contains(names_[i]));
      description.uses[i].kind = elsewhere ? BlobUse::Kind::unselected : BlobUse::Kind::loose;
    }
    for (std::size_t i = 0; i < description.images.size(); ++i) {
      Image& image = description.images[i];
      for (std::size_t k = 0; k < image.layers.size(); ++k) {
        const auto number = numbers_.find(plan_.layer_blobs[i][k]);
        if (number == numbers_.end() || !by_number.contains(number->second)) continue;
        BlobUse& use = description.uses[static_cast<std::size_t>(number->second)];
        use.kind = BlobUse::Kind::layer;
        use.layers.emplace_back(static_cast<int>(i), static_cast<int>(k));
        settle(image.layers[k], *by_number[number->second], !image.platform.empty(), description.skipped);
      }
    }
    return description;
  }

 private:
  /// Holds a layer against what its blob turned out to be.
  static void settle(Layer& layer, const BlobResult& result, bool is_file_system, std::vector<Skipped>& skipped) {
    const std::string actual = base::to_oci_digest(result.digest);
    const std::string place = "layer " + layer.digest;
    layer.read = result.complete;
    if (!layer.digest.starts_with("sha256:")) {
      layer.digest = actual;
    } else if (result.size != layer.size && layer.size != 0) {
      layer.read = false;
      skipped.push_back({SkipReason::corrupt, place, "its size is not what the manifest says", 0});
    }
    layer.size = result.size;
    if (is_file_system && !result.tar) {
      layer.read = false;
      skipped.push_back({SkipReason::corrupt, place, "no tar archive; its bytes were searched as they are", 0});
    }
    const std::string diff_id =
        result.compressed ? (result.diff_id ? base::to_oci_digest(*result.diff_id) : "") : actual;
    if (!diff_id.empty() && !layer.diff_id.empty() && diff_id != layer.diff_id) {
      layer.read = false;
      skipped.push_back(
          {SkipReason::digest_mismatch, place, "its content is not what the configuration's diffID says", 0});
    }
    if (layer.diff_id.empty()) layer.diff_id = diff_id;
  }

  std::vector<std::string> names_;
  std::map<std::string, int> numbers_;
  std::set<std::tuple<Kind, std::string, std::string>> known_;
  Plan plan_;
};

Result<std::string> fetch_from(BlobStore& store, const std::string& name, const Limits& limits) {
  if (store.blobs().at(name) > limits.max_document_bytes) {
    return fail(Errc::limit, "a document of more than " + std::to_string(limits.max_document_bytes) + " bytes");
  }
  auto stream = store.open(name);
  if (!stream) return fail(std::move(stream).error());
  return base::read_up_to(**stream, limits.max_document_bytes);
}

Result<Plan> plan_store(BlobStore& store, const Selection& selection, const Limits& limits) {
  BlobView view;
  view.resolve = [&](const std::string& name) { return store.resolve(name); };
  view.fetch = [&](const std::string& name) { return fetch_from(store, name, limits); };
  return plan_images(view, selection, limits);
}

class StoredImages final : public Source {
 public:
  StoredImages(std::unique_ptr<BlobStore> store, const Limits& limits) : store_(std::move(store)), limits_(limits) {}

  Result<void> plan(const Selection& selection) {
    auto plan = plan_store(*store_, selection, limits_);
    if (!plan) {
      // What stands before the place where an archive was cut is still worth its findings.
      if (plan.error().code() == Errc::usage || store_->skipped().empty()) return fail(std::move(plan).error());
      plan = Plan();
      plan->incomplete = true;
    }
    for (std::size_t i = 0; i < plan->images.size(); ++i) {
      for (std::size_t k = 0; k < plan->layer_blobs[i].size(); ++k) {
        const std::string& name = plan->layer_blobs[i][k];
        if (name.empty() || !wanted_.insert(name).second) continue;
        base::Sha256 digest{};
        if (base::parse_oci_digest(plan->images[i].layers[k].digest, digest)) digests_[name] = digest;
        blobs_.push_back(name);
      }
    }
    for (const std::string& name : plan->statements) {
      if (wanted_.insert(name).second) blobs_.push_back(name);
    }
    for (const Skipped& skipped : store_->skipped()) plan->skipped.push_back(skipped);
    parts_.set_plan(std::move(*plan));
    sort_out_loose();
    std::ranges::stable_sort(blobs_, std::greater<>(),
                             [&](const std::string& name) { return store_->blobs().at(name); });
    return {};
  }

  Result<std::optional<Unit>> next() override {
    if (!texts_given_) {
      texts_given_ = true;
      Unit unit = parts_.texts();
      for (const std::string& name : loose_documents_) {
        if (auto text = fetch_from(*store_, name, limits_)) {
          parts_.add_loose_document(name, std::move(*text), limits_, unit);
        } else {
          blobs_.push_back(name);
        }
      }
      return std::optional(std::move(unit));
    }
    if (next_ == blobs_.size()) return std::optional<Unit>();
    const std::string& name = blobs_[next_++];
    Item item;
    item.role = Item::Role::blob;
    item.blob = parts_.number_of(name);
    item.entry.path = name;
    item.size = store_->blobs().at(name);
    item.expected = digests_.contains(name) ? std::optional(digests_[name]) : digest_in(name);
    auto stream = store_->open(name);
    // A blob that cannot be opened is one of many: reading it fails, and the others are still read.
    item.data = stream ? std::move(*stream) : std::make_unique<FailingStream>(std::move(stream).error());
    Unit unit;
    unit.push_back(std::move(item));
    return std::optional(std::move(unit));
  }

  Description describe(std::span<const BlobResult> results) override { return parts_.describe(results); }

 private:
  class FailingStream final : public base::Stream {
   public:
    explicit FailingStream(base::Error error) : error_(std::move(error)) {}
    Result<std::size_t> read(std::span<char>) override { return fail(error_); }

   private:
    base::Error error_;
  };

  /// What no manifest leads to: other images' blobs stay unread, anything else that somebody put there is searched.
  void sort_out_loose() {
    const Plan& plan = parts_.plan();
    for (const auto& [name, size] : store_->blobs()) {
      if (wanted_.contains(name) || plan.documents.contains(name) || plan.unselected.contains(name)) continue;
      if (parts_.is_orphan(name)) continue;
      if (size <= limits_.max_document_bytes) {
        loose_documents_.push_back(name);
      } else {
        blobs_.push_back(name);
      }
    }
  }

  std::unique_ptr<BlobStore> store_;
  Limits limits_;
  Parts parts_;
  std::set<std::string> wanted_;
  std::map<std::string, base::Sha256> digests_;
  std::vector<std::string> blobs_;
  std::vector<std::string> loose_documents_;
  bool texts_given_ = false;
  std::size_t next_ = 0;
};

/// Whether the stream that was given last is still being read.
struct Turn {
  std::mutex mutex;
  std::condition_variable changed;
  bool taken = false;

  void wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return !taken; });
  }
  void take() {
    const std::scoped_lock lock(mutex);
    taken = true;
  }
  void give_back() {
    const std::scoped_lock lock(mutex);
    taken = false;
    changed.notify_all();
  }
};

/// The data of an archive's current member; the archive waits until it ends or is dropped.
class MemberStream final : public base::Stream {
 public:
  MemberStream(unpack::TarReader& reader, Turn& turn, std::string_view first)
      : reader_(&reader), turn_(&turn), rest_(first) {
    turn_->take();
  }
  MemberStream(const MemberStream&) = delete;
  MemberStream& operator=(const MemberStream&) = delete;
  ~MemberStream() override { finish(); }

  Result<std::size_t> read(std::span<char> out) override {
    std::size_t done = 0;
    while (done < out.size() && reader_ != nullptr) {
      if (rest_.empty()) {
        auto piece = reader_->data(0);
        if (!piece) {
          if (done > 0) return done;
          finish();
          return fail(std::move(piece).error());
        }
        if (piece->bytes.empty()) {
          finish();
          break;
        }
        rest_ = piece->bytes;
      }
      const std::size_t n = rest_.copy(out.data() + done, out.size() - done);
      rest_.remove_prefix(n);
      done += n;
    }
    return done;
  }

 private:
  void finish() {
    if (reader_ != nullptr) turn_->give_back();
    reader_ = nullptr;
  }

  unpack::TarReader* reader_;
  Turn* turn_;
  std::string_view rest_;
};

class StreamedImages final : public Source {
 public:
  StreamedImages(std::unique_ptr<base::Stream> archive, std::string name, Selection selection, const Limits& limits)
      : archive_(std::move(archive)),
        name_(std::move(name)),
        selection_(std::move(selection)),
        limits_(limits),
        buffer_(kPipeWindow),
        window_(*archive_, buffer_),
        reader_(window_, limits_) {}

  Result<std::optional<Unit>> next() override {
    turn_.wait();
    while (!archive_ended_) {
      auto unit = next_member();
      if (!unit) return fail(std::move(unit).error());
      if (!unit->empty()) return std::optional(std::move(*unit));
    }
    if (planned_) return std::optional<Unit>();
    planned_ = true;
    return plan();
  }

  Description describe(std::span<const BlobResult> results) override {
    Description description = parts_.describe(results);
    for (Skipped& one : skipped_) description.skipped.push_back(std::move(one));
    return description;
  }

 private:
  /// The archive's next member: kept when it is a small JSON document, else given as a blob. Empty: nothing to give.
  Result<Unit> next_member() {
    Unit unit;
    unpack::TarMember member;
    auto more = reader_.next(member);
    if (!more) {
      archive_ended_ = true;
      if (documents_.empty() && seen_.empty()) return fail(std::move(more).error().during(name_));
      const SkipReason reason = reason_of(more.error());
      skipped_.push_back({reason, name_, more.error().message(), 0});
      return unit;
    }
    if (!*more) {
      archive_ended_ = true;
      return unit;
    }
    using Type = unpack::TarMember::Type;
    if (member.type == Type::symlink || member.type == Type::hard_link) {
      bool escapes = false;
      const std::size_t slash = member.path.rfind('/');
      const std::string folder = slash == std::string::npos ? "" : member.path.substr(0, slash + 1);
      links_[member.path] =
          member.type == Type::hard_link ? member.link : unpack::clean_path(folder + member.link, escapes);
    }
    if (member.type != Type::file) return unit;
    seen_.insert(member.path);
    links_.erase(member.path);
    auto piece = reader_.data(0);
    if (!piece) {
      skipped_.push_back({SkipReason::truncated, member.path, piece.error().message(), member.data_bytes});
      return unit;
    }
    if (is_document(member, piece->bytes)) return keep_document(member, std::string(piece->bytes));
    Item item;
    item.role = Item::Role::blob;
    item.blob = parts_.number_of(member.path);
    item.entry.path = member.path;
    item.size = member.data_bytes;
    item.expected = digest_in(member.path);
    item.pipe = true;
    item.data = std::make_unique<MemberStream>(reader_, turn_, piece->bytes);
    unit.push_back(std::move(item));
    return unit;
  }

  bool is_document(const unpack::TarMember& member, std::string_view start) const {
    if (member.data_bytes > limits_.max_document_bytes) return false;
    if (documents_bytes_ + member.data_bytes > limits_.max_documents_bytes) return false;
    const std::size_t text = start.find_first_not_of(" \t\r\n");
    return text != std::string_view::npos && (start[text] == '{' || start[text] == '[');
  }

  Result<Unit> keep_document(const unpack::TarMember& member, std::string text) {
    while (text.size() < member.data_bytes) {
      auto piece = reader_.data(0);
      if (!piece || piece->bytes.empty()) {
        const std::string why = piece ? "the archive ends inside it" : piece.error().message();
        skipped_.push_back({SkipReason::truncated, member.path, why, member.data_bytes - text.size()});
        break;
      }
      text += piece->bytes;
    }
    documents_bytes_ += text.size();
    documents_[member.path] = std::move(text);
    return Unit();
  }

  Result<std::optional<Unit>> plan() {
    BlobView view;
    view.resolve = [this](const std::string& name) {
      std::string target = follow_links(links_, name);
      return seen_.contains(target) ? target : std::string();
    };
    view.fetch = [this](const std::string& name) -> Result<std::string> {
      const auto it = documents_.find(name);
      if (it == documents_.end()) return fail(Errc::limit, "no JSON document, or one that was too large to be kept");
      return it->second;
    };
    auto plan = plan_images(view, selection_, limits_);
    if (!plan) {
      // What came before a cut is still worth its findings.
      if (plan.error().code() == Errc::usage || skipped_.empty()) return fail(std::move(plan).error());
      plan = Plan();
      plan->incomplete = true;
    }
    parts_.set_plan(std::move(*plan));
    Unit unit = parts_.texts();
    for (auto& [name, text] : documents_) {
      const Plan& known = parts_.plan();
      if (known.documents.contains(name) || known.unselected.contains(name)) continue;
      if (parts_.is_orphan(name) && !known.statements.contains(name)) continue;
      parts_.add_loose_document(name, std::move(text), limits_, unit);
    }
    documents_.clear();
    return std::optional(std::move(unit));
  }

  std::unique_ptr<base::Stream> archive_;
  std::string name_;
  Selection selection_;
  Limits limits_;
  std::vector<char> buffer_;
  unpack::Window window_;
  unpack::TarReader reader_;
  Turn turn_;
  Parts parts_;
  std::set<std::string> seen_;
  std::map<std::string, std::string> links_;
  std::map<std::string, std::string> documents_;
  std::size_t documents_bytes_ = 0;
  std::vector<Skipped> skipped_;
  bool archive_ended_ = false;
  bool planned_ = false;
};

}  // namespace

Result<std::unique_ptr<Source>> images_in(std::unique_ptr<BlobStore> store, const Selection& selection,
                                          const Limits& limits) {
  auto source = std::make_unique<StoredImages>(std::move(store), limits);
  if (auto planned = source->plan(selection); !planned) return fail(std::move(planned).error());
  return std::unique_ptr<Source>(std::move(source));
}

std::unique_ptr<Source> images_from(std::unique_ptr<base::Stream> archive, std::string name, Selection selection,
                                    const Limits& limits) {
  return std::make_unique<StreamedImages>(std::move(archive), std::move(name), std::move(selection), limits);
}

Result<std::vector<std::string>> diff_ids_in(BlobStore& store, const Limits& limits) {
  auto plan = plan_store(store, Selection(), limits);
  if (!plan) return fail(std::move(plan).error());
  if (plan->images.size() != 1) {
    return fail(Errc::usage, "a base must be one image; here are " + std::to_string(plan->images.size()));
  }
  std::vector<std::string> diff_ids;
  for (const Layer& layer : plan->images[0].layers) diff_ids.push_back(layer.diff_id);
  return diff_ids;
}

}  // namespace scanner::source
