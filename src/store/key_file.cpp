#include "store/key_file.h"

#include <algorithm>

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include "os/calls.h"
#include "os/files.h"
#include "os/unique_fd.h"
#include "store/files.h"
#include "store/key_file_format.h"

namespace wesher::store {

namespace {

/// Secret bytes read from the file: wiped when they go, never moved to a larger place.
class SecretText {
 public:
  SecretText() : text_(kKeyFileBytesMax + 1, '\0') {}

  explicit SecretText(std::string text) : text_(std::move(text)) {}

  ~SecretText() { sodium_memzero(text_.data(), text_.size()); }

  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;

  [[nodiscard]] std::string& text() { return text_; }

 private:
  std::string text_;
};

std::string start_over(const std::string& path) {
  return "restore it from a backup, or start over with: " + reset_command(path) +
         " (a new identity; the cluster key must be given again)";
}

/// The database that belongs to a key file.
std::string database_beside(const std::string& path) {
  return path.substr(0, path.rfind('.')) + ".db";
}

Error missing(const std::string& path) {
  const std::string database = database_beside(path);
  if (os::access(database, F_OK) == 0) {
    return {Errc::state_unusable,
            path + " is missing, but " + database + " is there; " + start_over(path)};
  }
  return {Errc::not_found, "there is no " + path};
}

Error unreadable(const std::string& path, const Error& why) {
  if (why.code == Errc::unsupported) {
    return {
        Errc::state_unusable,
        fmt::format("{} is of another version of wesher (format {}, this one knows {}); install "
                    "that version again, or start over with: {} (a new identity; the cluster "
                    "key must be given again)",
                    path, why.detail, kKeyFileVersion, reset_command(path))};
  }
  return {Errc::state_unusable, path + " is damaged (" + why.detail + "); " + start_over(path)};
}

/// Reads at most the buffer; gives the count.
Result<std::size_t> read_all(int fd, std::string& buffer, const std::string& path) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = os::read(fd, buffer.data() + filled, buffer.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(os_error("read", path, errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

SecretKey random_key() {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  SecretKey key(bytes);
  sodium_memzero(bytes.data(), bytes.size());
  return key;
}

}  // namespace

Result<KeyFile> load_key_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const os::UniqueFd file(os::open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    const int os_errno = errno;
    if (os_errno == ENOENT || os_errno == ENOTDIR) return tl::unexpected(missing(path));
    if (os_errno == ELOOP) return tl::unexpected(symlink_error(path));
    return tl::unexpected(os_error("read", path, os_errno));
  }

  struct stat found {};

  if (os::fstat(file.get(), found) != 0) return tl::unexpected(os_error("read", path, errno));
  if (!S_ISREG(found.st_mode)) {
    return fail(Errc::state_unusable, path + " is not a regular file; " + start_over(path));
  }
  if (auto mine = check_owner(path, found.st_uid, found.st_mode & 07777U, 077); !mine) {
    return tl::unexpected(mine.error());
  }
  SecretText bytes;
  const auto size = read_all(file.get(), bytes.text(), path);
  if (!size) return tl::unexpected(size.error());
  auto keys = parse_key_file(std::string_view(bytes.text()).substr(0, *size));
  if (!keys) return tl::unexpected(unreadable(path, keys.error()));
  return keys;
}

Result<void> save_key_file(const std::string& path, const KeyFile& keys) {
  auto formatted = format_key_file(keys);
  if (!formatted) {
    return fail(Errc::malformed,
                "keys that can't be saved in " + path + ": " + formatted.error().detail);
  }
  SecretText bytes(std::move(*formatted));
  if (auto made = ensure_directory(os::directory_of(path)); !made) return made;
  return replace_durably(path, as_bytes(bytes.text()));
}

KeyFile make_key_file(std::optional<SecretKey> cluster_key, WallTime now) {
  KeyFile keys;
  std::array<std::uint8_t, 16> id{};
  randombytes_buf(id.data(), id.size());
  keys.id = to_hex(id);
  keys.ring.push_back({1, cluster_key ? std::move(*cluster_key) : random_key()});
  keys.wireguard_private = clamp_x25519(random_key());
  keys.identity_seed = random_key();
  keys.highest_time = now;
  return keys;
}

std::string machine_mark(std::string_view machine_id, std::string_view id) {
  const std::string text = fmt::format("wesher machine v1\n{}\n{}", id, machine_id);
  std::array<std::uint8_t, crypto_generichash_BYTES_MIN> hash{};
  crypto_generichash(hash.data(), hash.size(), as_bytes(text).data(), text.size(), nullptr, 0);
  return to_hex(hash);
}

}  // namespace wesher::store
