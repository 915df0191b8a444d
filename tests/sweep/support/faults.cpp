#include "tests/sweep/support/faults.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace wesher::test {

namespace {

constexpr std::array<std::pair<int, const char*>, 11> kErrnoNames{{{ENOSPC, "ENOSPC"},
                                                                   {EIO, "EIO"},
                                                                   {EROFS, "EROFS"},
                                                                   {EPERM, "EPERM"},
                                                                   {EACCES, "EACCES"},
                                                                   {ENOMEM, "ENOMEM"},
                                                                   {ENOBUFS, "ENOBUFS"},
                                                                   {EBUSY, "EBUSY"},
                                                                   {EMFILE, "EMFILE"},
                                                                   {EINTR, "EINTR"},
                                                                   {ENOLCK, "ENOLCK"}}};

constexpr std::array<std::pair<FaultKind, const char*>, 8> kKindNames{
    {{FaultKind::none, "none"},
     {FaultKind::kill, "kill"},
     {FaultKind::kill_within, "kill-within"},
     {FaultKind::power_cut, "power-cut"},
     {FaultKind::power_empty, "power-empty"},
     {FaultKind::power_torn, "power-torn"},
     {FaultKind::shorten, "short"},
     {FaultKind::delay, "delay"}}};

constexpr std::string_view kOn = "-on";

std::vector<int> errnos_of(CallKind kind) {
  switch (kind) {
    case CallKind::open:
      return {EIO, EMFILE, EACCES};
    case CallKind::create:
    case CallKind::make_directory:
      return {ENOSPC, EIO, EROFS, EACCES};
    case CallKind::read:
      return {EIO, EINTR};
    case CallKind::write:
      return {ENOSPC, EIO, EINTR};
    case CallKind::truncate:
      return {EIO};
    case CallKind::reserve:
      return {ENOSPC, EIO};
    case CallKind::sync:
      return {EIO, ENOSPC};
    case CallKind::rename:
      return {EIO, EBUSY, EROFS};
    case CallKind::remove:
      return {EIO, EROFS, EPERM};
    case CallKind::look:
      return {EIO, ENOMEM};
    case CallKind::change:
      return {EPERM, EROFS};
    case CallKind::lock:
      return {ENOLCK};
    case CallKind::dump:
      return {ENOBUFS, ENOMEM};
    case CallKind::set:
      return {ENOMEM, ENOBUFS, EPERM, EBUSY};
  }
  return {};
}

/// Errnos that stay, where one of them stands.
bool may_last(CallKind kind, int os_errno) {
  if (kind == CallKind::set || kind == CallKind::dump) return os_errno == EPERM;
  return has_effect(kind) && (os_errno == ENOSPC || os_errno == EROFS);
}

}  // namespace

std::string Fault::text() const {
  if (kind == FaultKind::refuse || kind == FaultKind::refuse_on) {
    const auto* const found = std::find_if(kErrnoNames.begin(), kErrnoNames.end(),
                                           [&](const auto& e) { return e.first == os_errno; });
    return std::string(found->second) + (kind == FaultKind::refuse_on ? std::string(kOn) : "");
  }
  return std::find_if(kKindNames.begin(), kKindNames.end(),
                      [&](const auto& k) { return k.first == kind; })
      ->second;
}

Fault Fault::parse(const std::string& text) {
  for (const auto& [kind, name] : kKindNames) {
    if (text == name) return {kind, 0};
  }
  for (const auto& [os_errno, name] : kErrnoNames) {
    if (text == name) return {FaultKind::refuse, os_errno};
    if (text == name + std::string(kOn)) return {FaultKind::refuse_on, os_errno};
  }
  throw std::invalid_argument("no such fault: " + text);
}

bool Fault::is_crash() const {
  return kind == FaultKind::kill || kind == FaultKind::kill_within || is_power_cut();
}

bool Fault::is_power_cut() const {
  return kind == FaultKind::power_cut || kind == FaultKind::power_empty ||
         kind == FaultKind::power_torn;
}

bool has_effect(CallKind kind) {
  switch (kind) {
    case CallKind::create:
    case CallKind::write:
    case CallKind::truncate:
    case CallKind::reserve:
    case CallKind::sync:
    case CallKind::rename:
    case CallKind::remove:
    case CallKind::make_directory:
    case CallKind::change:
    case CallKind::set:
      return true;
    case CallKind::open:
    case CallKind::read:
    case CallKind::look:
    case CallKind::lock:
    case CallKind::dump:
      return false;
  }
  return false;
}

std::string to_text(CallKind kind) {
  static constexpr std::array<const char*, 15> kNames{
      "open",   "create",         "read", "write",  "truncate", "reserve", "sync", "rename",
      "remove", "make_directory", "look", "change", "lock",     "dump",    "set"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::vector<Fault> faults_of(CallKind kind) {
  std::vector<Fault> faults;
  if (has_effect(kind)) {
    faults.push_back({FaultKind::kill, 0});
    faults.push_back({FaultKind::power_cut, 0});
    faults.push_back({FaultKind::power_empty, 0});
    faults.push_back({FaultKind::power_torn, 0});
  }
  if (kind == CallKind::write) faults.push_back({FaultKind::kill_within, 0});
  for (const int os_errno : errnos_of(kind)) {
    faults.push_back({FaultKind::refuse, os_errno});
    if (may_last(kind, os_errno)) faults.push_back({FaultKind::refuse_on, os_errno});
  }
  if (kind == CallKind::read || kind == CallKind::write || kind == CallKind::dump) {
    faults.push_back({FaultKind::shorten, 0});
  }
  if (kind == CallKind::sync || kind == CallKind::set || kind == CallKind::dump) {
    faults.push_back({FaultKind::delay, 0});
  }
  return faults;
}

void Faults::arm(const Fault& fault, std::size_t n) {
  fault_ = fault;
  n_ = n;
  counting_ = true;
  dead_ = false;
  reached_ = false;
  calls_.clear();
}

void Faults::disarm() {
  counting_ = false;
  dead_ = false;
  fault_ = {};
}

Verdict Faults::next(CallKind kind, const std::string& what) {
  if (dead_) return {.os_errno = EIO};
  if (!counting_) return {};
  calls_.push_back(kind);
  if (reached_) {
    if (fault_.kind == FaultKind::refuse_on && kind == reached_kind_) {
      return {.os_errno = fault_.os_errno};
    }
    return {};
  }
  if (calls_.size() != n_) return {};
  reached_ = true;
  reached_kind_ = kind;
  reached_what_ = to_text(kind) + " " + what;
  switch (fault_.kind) {
    case FaultKind::none:
      return {};
    case FaultKind::kill:
    case FaultKind::power_cut:
    case FaultKind::power_empty:
    case FaultKind::power_torn:
      dead_ = true;
      return {.os_errno = EIO};
    case FaultKind::kill_within:
      return {.halve = true, .dies = true};
    case FaultKind::refuse:
    case FaultKind::refuse_on:
      return {.os_errno = fault_.os_errno};
    case FaultKind::shorten:
      return {.halve = true};
    case FaultKind::delay:
      if (on_delay) on_delay();
      return {};
  }
  return {};
}

}  // namespace wesher::test
