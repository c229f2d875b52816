#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "injector/model/reading.h"
#include "injector/model/term.h"
#include "scanner/base/result.h"

namespace injector::watch {

/// One path of one store, as often as files draw from it: what is known of it, and when to look again. Pure: time and
/// chance are handed in.
struct Topic {
  enum class Act : std::uint8_t {
    nothing,
    read,
    probe,  ///< Ask whether there is another version, and read then.
    renew,  ///< Extend the lease.
  };

  Query query;  ///< Without a key.
  std::size_t store = 0;
  std::chrono::milliseconds refresh{0};  ///< Of the file that wants it most often.

  bool wanted = false;  ///< Some file needs it: a fallback does not while what stands before it does.
  bool known = false;   ///< It was read once, and nothing since has said that it is not there.
  std::string version;
  std::string request_id;
  std::optional<Term> term;  ///< Of its lease, or of a certificate that is made anew when it ends.
  Lease lease;
  std::uint64_t session = 0;  ///< The store's, when the lease was granted.
  std::optional<std::chrono::system_clock::time_point> ends;
  BootClock::time_point confirmed{};                                  ///< When the store last said that this is right.
  std::optional<std::chrono::system_clock::time_point> confirmed_at;  ///< The same, for people.

  BootClock::time_point due{};  ///< Look again then.
  bool look = false;  ///< At `due` read whatever version there is: the last attempt failed, or somebody asked.
  unsigned failures = 0;
  std::string error;     ///< Of the last attempt; empty when it was well.
  bool weather = false;  ///< The error was that the store is away.

  /// Held from a read until files were made from it: the fewer copies the better.
  std::optional<Reading> reading;
  bool held = false;        ///< For good: a template that also needs others is made anew when one of them changes.
  bool unseen = false;      ///< `reading` is new since files were last made.
  std::uint64_t reads = 0;  ///< How often it was read.

  /// When there is something to do, in a store whose session is `current`.
  [[nodiscard]] BootClock::time_point when(std::uint64_t current) const;
  /// What to do at `now`.
  [[nodiscard]] Act act(BootClock::time_point now, std::uint64_t current) const;

  /// Each sets `due`. `random` is from [0, 1).
  void was_read(Reading fresh, BootClock::time_point now, std::uint64_t current, double random);
  void was_unchanged(BootClock::time_point now, double random);
  void was_renewed(const Lease& renewed, BootClock::time_point now, double random);
  void renewal_failed(const scanner::base::Error& why, BootClock::time_point now, double random);
  /// `held_until`: when its store may be asked again, if it keeps a backoff.
  void failed(const scanner::base::Error& why, BootClock::time_point now, double random,
              std::optional<BootClock::time_point> held_until = std::nullopt);
  [[nodiscard]] bool leased() const { return !lease.id.empty(); }
  /// Whether somebody who is in a hurry may have it looked at now: a backoff is kept to, and so is the term of what
  /// would be made anew.
  [[nodiscard]] bool may_be_asked() const { return !term && !weather; }

 private:
  [[nodiscard]] bool lost(std::uint64_t current) const {
    return known && leased() && session != current && failures == 0;
  }
  void confirm(BootClock::time_point now);
  void plan(BootClock::time_point now, double random);
};

}  // namespace injector::watch
