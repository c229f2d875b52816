#include "injector/memory/secret.h"

#include <algorithm>
#include <utility>

#include "injector/memory/arena.h"
#include "scanner/base/check.h"

namespace injector::memory {

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Arena::free(data_, size_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() { Arena::free(data_, size_); }

Secret Secret::of_size(std::size_t size) {
  Secret secret;
  if (size > 0) {
    secret.data_ = static_cast<char*>(Arena::allocate(size));
    secret.size_ = size;
  }
  return secret;
}

Secret Secret::copy_of(std::string_view bytes) {
  Secret secret = of_size(bytes.size());
  std::ranges::copy(bytes, secret.data_);
  return secret;
}

Secret Secret::clone() const { return copy_of(reveal()); }

void Secret::shrink(std::size_t size) {
  SCANNER_CHECK(size <= size_);
  Arena::shrink(data_, size_, size);
  if (size == 0) data_ = nullptr;
  size_ = size;
}

bool Secret::equals(const Secret& other) const {
  if (size_ != other.size_) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    difference |=
        static_cast<unsigned char>(data_[i]) ^ static_cast<unsigned>(static_cast<unsigned char>(other.data_[i]));
    asm volatile("" : "+r"(difference));  // Or the compiler may leave the loop at the first difference.
  }
  return difference == 0;
}

}  // namespace injector::memory
