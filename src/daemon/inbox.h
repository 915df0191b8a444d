// A queue from one thread to another that a poll(2) loop can wait for.
#pragma once

#include <deque>
#include <mutex>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace wesher::daemon {

template <class T>
class Inbox {
 public:
  Inbox() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  ~Inbox() { ::close(fd_); }

  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// Any thread. Never waits for the reader.
  void push(T item) {
    {
      const std::lock_guard lock(mutex_);
      items_.push_back(std::move(item));
    }
    (void)::eventfd_write(fd_, 1);
  }

  /// The reading thread: everything pushed so far, in order.
  [[nodiscard]] std::deque<T> take_all() {
    eventfd_t count = 0;
    (void)::eventfd_read(fd_, &count);
    const std::lock_guard lock(mutex_);
    return std::exchange(items_, {});
  }

  /// Readable while something is waiting.
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
  std::mutex mutex_;
  std::deque<T> items_;
};

}  // namespace wesher::daemon
