// A library to be preloaded: the wall clock of the program is $WESHER_CLOCK_SHIFT seconds ahead of
// the machine's. Time that only goes on (CLOCK_MONOTONIC) is as it is. No namespace has a wall
// clock of its own, and the machine's is not ours to set.
#include <cstdlib>
#include <ctime>

#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

std::time_t shift() {
  const char* given = std::getenv("WESHER_CLOCK_SHIFT");  // NOLINT(concurrency-mt-unsafe)
  return given == nullptr ? 0 : std::strtol(given, nullptr, 10);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, struct timespec* now) noexcept {
  const int result = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    now->tv_sec += shift();
  return result;
}

int gettimeofday(struct timeval* now, void* /*zone*/) noexcept {
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  *now = {precise.tv_sec, precise.tv_nsec / 1000};
  return 0;
}

std::time_t time(std::time_t* now) noexcept {
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now != nullptr) *now = precise.tv_sec;
  return precise.tv_sec;
}
}
