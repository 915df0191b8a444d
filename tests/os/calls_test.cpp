#include "os/calls.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>

#include "os/files.h"
#include "os/unique_fd.h"
#include "tests/daemon/temporary_directory.h"

using namespace wesher;
using os::Op;

namespace {

/// Notes every call; refuses the next one of a kind, or lets it write one byte only.
class Watcher final : public os::Interposer {
 public:
  Watcher() : before_(os::interpose(this)) {}

  ~Watcher() override { os::interpose(before_); }

  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  Watcher(Watcher&&) = delete;
  Watcher& operator=(Watcher&&) = delete;

  int before(os::Call& call) override {
    calls.push_back(call.op);
    if (call.op == shortens && call.size > 1) call.size = 1;
    return call.op == refuses ? os_errno : 0;
  }

  void after(const os::Call& call, long result) override {
    if (call.op == Op::write) written.push_back(result);
  }

  std::optional<Op> refuses;
  std::optional<Op> shortens;
  int os_errno = EIO;
  std::vector<Op> calls;
  std::vector<long> written;

 private:
  os::Interposer* before_;
};

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const std::string& path, const std::string& text) {
  const os::UniqueFd file(os::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(file);
  REQUIRE(os::write_all(file.get(), as_bytes(text), 0) == 0);
}

}  // namespace

TEST_CASE("without an interposer calls are the system's", "[os][calls]") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/file";
  put(path, "text");
  CHECK(content(path) == "text");
  CHECK(os::open(path + "/below", O_RDONLY) == -1);
  CHECK(errno == ENOTDIR);
}

TEST_CASE("a refused call has its errno and no effect", "[os][calls]") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/file";
  put(path, "text");
  Watcher watcher;
  watcher.refuses = Op::rename;
  CHECK(os::rename(path, path + ".new") == -1);
  CHECK(errno == EIO);
  CHECK(content(path) == "text");
  CHECK(watcher.calls == std::vector<Op>{Op::rename});
}

TEST_CASE("a writer goes on after a short write and after an interruption", "[os][calls]") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/file";
  Watcher watcher;
  watcher.shortens = Op::write;
  put(path, "text");
  CHECK(content(path) == "text");
  CHECK(watcher.written == std::vector<long>{1, 1, 1, 1});
}

TEST_CASE("the name of a temporary file is known after the call", "[os][calls]") {
  const TemporaryDirectory directory;
  Watcher watcher;
  std::string pattern = directory.path() + "/tmp-XXXXXX";
  const os::UniqueFd file(os::make_temporary(pattern));
  REQUIRE(file);
  CHECK(watcher.calls == std::vector<Op>{Op::create});
  std::vector<std::string> names;
  REQUIRE(os::list(directory.path(), names) == 0);
  CHECK(names == std::vector<std::string>{os::name_of(pattern)});
}

TEST_CASE("paths come apart as dirname and basename do it", "[os][files]") {
  CHECK(os::directory_of("a/b/c") == "a/b");
  CHECK(os::directory_of("c") == ".");
  CHECK(os::directory_of("/c") == "/");
  CHECK(os::name_of("a/b/c.keys") == "c.keys");
  CHECK(os::name_of("c") == "c");
}

TEST_CASE("directories are made with those above them", "[os][files]") {
  const TemporaryDirectory directory;
  const std::string deep = directory.path() + "/a/b/c";
  CHECK(os::make_directories(deep) == 0);
  CHECK(os::make_directories(deep) == 0);
  put(deep + "/file", "");
  CHECK(os::make_directories(deep + "/file") == ENOTDIR);
}
