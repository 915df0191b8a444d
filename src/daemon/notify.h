// The service manager's notification protocol (sd_notify(3)): one datagram to $NOTIFY_SOCKET.
#pragma once

#include <string>
#include <string_view>

namespace wesher::daemon {

class Notifier {
 public:
  /// Reads $NOTIFY_SOCKET once.
  Notifier();

  /// Sends e.g. "READY=1\nSTATUS=…". Does nothing without a service manager; errors are ignored,
  /// there is nobody to tell.
  void send(std::string_view message) const;
  /// STATUS= with one line; sent only when it changed.
  void status(const std::string& line);
  /// READY=1, once.
  void ready(const std::string& status_line);

 private:
  std::string path_;
  std::string last_status_;
  bool ready_ = false;
};

}  // namespace wesher::daemon
