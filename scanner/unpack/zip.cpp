#include "scanner/unpack/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <cerrno>
#include <vector>

#include "scanner/base/check.h"

namespace scanner::unpack {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kInputBytes = 64UL << 10;

/// libarchive gives names that are said to be UTF-8 only under a locale that can hold them. For this thread alone, and
/// as long as it lives.
class Utf8Names {
 public:
  Utf8Names() : before_(::uselocale(locale())) {}
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;
  ~Utf8Names() { ::uselocale(before_); }

 private:
  static locale_t locale() {
    static const locale_t kUtf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return kUtf8;
  }

  locale_t before_;
};

}  // namespace

struct ZipReader::State final : public base::Stream {
  State(base::Stream& stream, const Limits& limits_in)
      : input(&stream), limits(&limits_in), buffer(kInputBytes), reader(archive_read_new()) {
    SCANNER_CHECK(reader != nullptr);
    archive_read_support_format_zip_streamable(reader);
    archive_read_support_filter_none(reader);
    archive_read_set_callback_data(reader, this);
    archive_read_set_read_callback(reader, &State::on_read);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() override { archive_read_free(reader); }

  static la_ssize_t on_read(archive*, void* context, const void** out) {
    auto& self = *static_cast<State*>(context);
    auto got = self.input->read(self.buffer);
    if (!got) {
      self.input_error = std::move(got).error();
      archive_set_error(self.reader, EIO, "input");
      return ARCHIVE_FATAL;
    }
    *out = self.buffer.data();
    self.bytes_in += *got;
    return static_cast<la_ssize_t>(*got);
  }

  base::Failure failure() {
    if (input_error) return fail(*input_error);
    return fail(Errc::corrupt, "bad zip archive");
  }

  Result<std::size_t> read(std::span<char> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const la_ssize_t n = archive_read_data(reader, out.data() + done, out.size() - done);
      if (n == ARCHIVE_RETRY) continue;
      if (n < 0 && done > 0) break;
      if (n < 0) return failure();
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    bytes_out += done;
    if (bytes_out > kFreeOutput && bytes_out / limits->max_ratio > bytes_in) {
      return fail(Errc::limit, "expands more than " + std::to_string(limits->max_ratio) + " times");
    }
    return done;
  }

  static constexpr std::uint64_t kFreeOutput = 64ULL << 20;

  base::Stream* input;
  const Limits* limits;
  std::vector<char> buffer;
  archive* reader;
  bool opened = false;
  std::uint64_t entries = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::optional<base::Error> input_error;
};

ZipReader::ZipReader(base::Stream& stream, const Limits& limits) : state_(std::make_unique<State>(stream, limits)) {}
ZipReader::ZipReader(ZipReader&&) noexcept = default;
ZipReader::~ZipReader() = default;

Result<bool> ZipReader::next(ZipMember& member) {
  const Utf8Names names;
  if (!state_->opened && archive_read_open1(state_->reader) != ARCHIVE_OK) return state_->failure();
  state_->opened = true;
  archive_entry* entry = nullptr;
  const int code = archive_read_next_header(state_->reader, &entry);
  if (code == ARCHIVE_EOF) return false;
  if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return state_->failure();
  if (++state_->entries > state_->limits->max_entries) {
    return fail(Errc::limit, "more than " + std::to_string(state_->limits->max_entries) + " entries");
  }
  const char* path = archive_entry_pathname(entry);
  if (path == nullptr) path = archive_entry_pathname_utf8(entry);
  member.path = path != nullptr ? path : "(a name in an unknown encoding)";
  member.directory = archive_entry_filetype(entry) == AE_IFDIR;
  member.encrypted = archive_entry_is_encrypted(entry) != 0;
  return true;
}

base::Stream& ZipReader::data() { return *state_; }

}  // namespace scanner::unpack
