#include "tests/store/support/place.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wesher::store::test {

namespace fs = std::filesystem;

namespace {

constexpr uid_t kNobody = 65534;

std::string read_pipe(int fd) {
  std::string out;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(fd, buffer.data(), buffer.size())) > 0;) {
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return out;
}

void become(uid_t uid) {
  if (::setgid(uid) != 0 || ::setuid(uid) != 0) throw std::runtime_error("setuid");
}

}  // namespace

Place::Place() {
  std::string name = (fs::temp_directory_path() / "wesher-store-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
  directory_ = name;
}

Place::~Place() {
  std::error_code ignored;
  fs::permissions(directory_, fs::perms::owner_all, ignored);
  fs::remove_all(directory_, ignored);
}

std::string Place::operator()(std::string_view name) const {
  return directory_ + "/" + std::string(name);
}

std::vector<std::string> Place::files() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory_)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void spill(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("can't write " + path);
}

unsigned mode_of(const std::string& path) {
  struct stat found {};

  if (::lstat(path.c_str(), &found) != 0) throw std::runtime_error("no " + path);
  return found.st_mode & 07777U;
}

std::string in_child(const std::function<std::string()>& work) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    std::string said;
    try {
      said = work();
    } catch (const std::exception& e) {
      said = std::string("exception: ") + e.what();
    }
    const ssize_t written = ::write(ends[1], said.data(), said.size());
    ::_exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string said = read_pipe(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0 ? said : "child ended with status " + std::to_string(status) + ": " + said;
}

std::string as_ordinary_user(const Place& place, const std::function<std::string()>& work) {
  const bool root = ::geteuid() == 0;
  if (root) {
    if (::chown(place.directory().c_str(), kNobody, kNobody) != 0)
      throw std::runtime_error("chown");
    for (const std::string& name : place.files()) {
      if (::chown(place(name).c_str(), kNobody, kNobody) != 0) throw std::runtime_error("chown");
    }
  }
  return in_child([&] {
    if (root) become(kNobody);
    return work();
  });
}

std::string as_stranger(const std::function<std::string()>& work) {
  if (::geteuid() != 0) return "";
  return in_child([&] {
    become(kNobody);
    return work();
  });
}

}  // namespace wesher::store::test
