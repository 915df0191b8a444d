// The cluster key from text or file. No message here repeats what was given.
#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/option_values.h"

namespace wesher::daemon {

namespace {

constexpr std::size_t kKeyFileMax = 4096;  ///< a key takes 45; more is another file

/// A buffer that forgets, one byte longer than what is taken.
struct FileBuffer {
  FileBuffer() = default;
  FileBuffer(const FileBuffer&) = delete;
  FileBuffer& operator=(const FileBuffer&) = delete;
  FileBuffer(FileBuffer&&) = delete;
  FileBuffer& operator=(FileBuffer&&) = delete;

  ~FileBuffer() { sodium_memzero(bytes.data(), bytes.size()); }

  std::array<char, kKeyFileMax + 1> bytes{};
  std::size_t size = 0;
};

/// Fills the buffer up to the end of the file or its own; 0 or errno.
int fill(int fd, FileBuffer& buffer) {
  while (buffer.size < buffer.bytes.size()) {
    const ssize_t n =
        read(fd, buffer.bytes.data() + buffer.size, buffer.bytes.size() - buffer.size);
    if (n == 0) return 0;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    buffer.size += static_cast<std::size_t>(n);
  }
  return 0;
}

tl::unexpected<Error> unreadable(const std::string& path, int error) {
  return fail(Errc::malformed,
              printable(path) + " cannot be read: " + std::generic_category().message(error),
              error);
}

}  // namespace

Result<SecretKey> parse_cluster_key(std::string_view value) {
  auto key = SecretKey::parse(value);
  if (key || from_base64(value)) return key;
  return fail(Errc::malformed, "is not base64: it must be 32 bytes in base64 (44 characters)");
}

Result<SecretKey> read_cluster_key(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return unreadable(path, errno);
  FileBuffer buffer;
  const int error = fill(fd, buffer);
  close(fd);
  if (error != 0) return unreadable(path, error);
  if (buffer.size > kKeyFileMax) {
    return fail(Errc::malformed, printable(path) + " is larger than " +
                                     std::to_string(kKeyFileMax) +
                                     " bytes; it must hold the key alone");
  }
  static constexpr std::string_view kBlanks = " \t\r\n";
  std::string_view text(buffer.bytes.data(), buffer.size);
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(kBlanks)));
  text = text.substr(0, text.find_last_not_of(kBlanks) + 1);
  if (text.empty()) return fail(Errc::malformed, printable(path) + " is empty");
  auto key = parse_cluster_key(text);
  if (!key) return fail(Errc::malformed, printable(path) + " " + key.error().detail);
  return key;
}

}  // namespace wesher::daemon
