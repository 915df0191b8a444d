#include "tests/sweep/support/disk.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "os/files.h"

namespace wesher::test {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = 4096;  ///< what a disk writes at once

CallKind kind_of(os::Op op) {
  switch (op) {
    case os::Op::open:
      return CallKind::open;
    case os::Op::create:
      return CallKind::create;
    case os::Op::read:
      return CallKind::read;
    case os::Op::write:
      return CallKind::write;
    case os::Op::truncate:
      return CallKind::truncate;
    case os::Op::reserve:
      return CallKind::reserve;
    case os::Op::sync:
      return CallKind::sync;
    case os::Op::rename:
      return CallKind::rename;
    case os::Op::remove:
      return CallKind::remove;
    case os::Op::make_directory:
      return CallKind::make_directory;
    case os::Op::look:
      return CallKind::look;
    case os::Op::change:
      return CallKind::change;
    case os::Op::lock:
      return CallKind::lock;
  }
  throw std::logic_error("an operation that has no faults");
}

/// SQLite makes it by itself, maps it, and no power cut leaves anything of worth in it.
bool is_shared_memory(const std::string& path) {
  return path.ends_with("-shm");
}

}  // namespace

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return "";
  std::string content(static_cast<std::size_t>(in.tellg()), '\0');
  in.seekg(0);
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  return content;
}

Disk::Disk(std::string root, Faults& faults)
    : root_(std::move(root)), faults_(faults), before_(os::interpose(this)) {
  load();
}

Disk::~Disk() {
  os::interpose(before_);
}

void Disk::load() {
  now_.clear();
  unsynced_.clear();
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    const std::string path = entry.path().string();
    if (is_shared_memory(path)) continue;
    auto file = std::make_shared<File>();
    file->directory = entry.is_directory();
    if (!file->directory) file->durable = content_of(path);
    file->mode = static_cast<unsigned>(entry.status().permissions());
    now_.emplace(path, std::move(file));
  }
  durable_ = now_;
}

std::string Disk::path_of(const os::Call& call) const {
  if (!call.path.empty()) return call.path;
  const auto open = open_.find(call.fd);
  return open == open_.end() ? "" : open->second;
}

int Disk::before(os::Call& call) {
  const std::string path = path_of(call);
  if (!path.starts_with(root_)) return faults_.dead() ? EIO : 0;  // /proc, the path of a socket
  const std::string shown = path.substr(root_.size());
  const Verdict verdict = faults_.next(kind_of(call.op), shown);
  if (verdict.os_errno != 0) return verdict.os_errno;
  if (verdict.halve) call.size = std::max<std::size_t>(call.size / 2, 1);
  dies_after_ = verdict.dies;
  if (call.op == os::Op::rename && call.to == mount_point_) return EBUSY;
  // What a file held when its last name goes.
  const std::string& losing = call.op == os::Op::rename ? call.to : path;
  if (call.op == os::Op::rename || call.op == os::Op::remove) {
    if (const auto file = now_.find(losing); file != now_.end()) {
      file->second->last = content_of(losing);
    }
  }
  return 0;
}

void Disk::name_change(NameChange change) {
  if (!change.removed.empty()) now_.erase(change.removed);
  if (!change.added.empty()) now_.insert_or_assign(change.added, change.file);
  unsynced_.push_back(std::move(change));
}

void Disk::synced(const std::string& path) {
  if (!fs::is_directory(path)) {
    if (const auto file = now_.find(path); file != now_.end()) {
      file->second->durable = content_of(path);
    }
    return;
  }
  for (const NameChange& change : unsynced_) {
    if (change.directory != path) continue;
    if (!change.removed.empty()) durable_.erase(change.removed);
    if (!change.added.empty()) durable_.insert_or_assign(change.added, change.file);
  }
  std::erase_if(unsynced_, [&](const NameChange& change) { return change.directory == path; });
}

void Disk::after(const os::Call& call, long result) {
  const std::string path = path_of(call);
  if (std::exchange(dies_after_, false)) faults_.die();
  if (result < 0 || !path.starts_with(root_)) return;
  const bool opens = call.op == os::Op::open || call.op == os::Op::create;
  if (opens && call.fd < 0) open_[static_cast<int>(result)] = path;
  if (call.op == os::Op::create && !now_.contains(path)) {
    name_change({os::directory_of(path), "", path, std::make_shared<File>()});
  } else if (call.op == os::Op::make_directory) {
    auto directory = std::make_shared<File>();
    directory->directory = true;
    name_change({os::directory_of(path), "", path, std::move(directory)});
  } else if (call.op == os::Op::remove) {
    name_change({os::directory_of(path), path, "", nullptr});
  } else if (call.op == os::Op::rename) {
    const auto file = now_.find(path);
    if (file == now_.end()) return;  // shared memory
    name_change({os::directory_of(path), path, call.to, file->second});
  } else if (call.op == os::Op::sync) {
    synced(path);
  } else if (call.op == os::Op::change) {
    if (const auto file = now_.find(path); file != now_.end()) {
      file->second->mode = static_cast<unsigned>(fs::status(path).permissions());
    }
  }
}

std::string Disk::after_cut(const std::string& path, File& file, bool torn, Rng& rng) {
  if (!torn) return file.durable;
  const auto named = now_.find(path);
  const bool has_name = named != now_.end() && named->second.get() == &file;
  const std::string written = has_name ? content_of(path) : file.last;
  std::string content(rng.below(2) == 0 ? written.size() : file.durable.size(), '\0');
  for (std::size_t begin = 0; begin < content.size(); begin += kBlock) {
    const std::string& source = rng.below(2) == 0 ? written : file.durable;
    if (begin >= source.size()) continue;
    const std::size_t count = std::min({kBlock, source.size() - begin, content.size() - begin});
    content.replace(begin, count, source, begin, count);
  }
  return content;
}

void Disk::cut_power(const Fault& how, Rng& rng) {
  const bool torn = how.kind == FaultKind::power_torn;
  Names names = durable_;
  std::size_t kept = how.kind == FaultKind::power_empty ? unsynced_.size() : 0;
  if (torn) kept = rng.below(unsynced_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) {
    const NameChange& change = unsynced_[i];
    if (!change.removed.empty()) names.erase(change.removed);
    if (!change.added.empty()) names.insert_or_assign(change.added, change.file);
  }
  std::map<std::string, std::pair<std::string, unsigned>> left;
  std::vector<std::string> lost_directories;
  for (const auto& [path, file] : now_) {
    if (file->directory && !names.contains(path)) lost_directories.push_back(path);
  }
  for (const auto& [path, file] : names) {
    const std::string above = os::directory_of(path);
    if (file->directory || (above != root_ && !names.contains(above))) continue;
    // A file that has another name now still has its content.
    std::string where = path;
    for (const auto& [other, same] : now_) {
      if (same == file) where = other;
    }
    left[path] = {after_cut(where, *file, torn, rng), file->mode};
  }
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    if (entry.is_regular_file()) fs::remove(entry.path());
  }
  for (const std::string& path : lost_directories)
    fs::remove_all(path);
  for (const auto& [path, what] : left) {
    std::ofstream(path, std::ios::binary) << what.first;
    fs::permissions(path, static_cast<fs::perms>(what.second));
  }
  open_.clear();
  load();
}

std::map<std::string, std::string> Disk::files() const {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    const std::string path = entry.path().string();
    if (entry.is_regular_file() && !is_shared_memory(path)) {
      found.emplace(path.substr(root_.size() + 1), content_of(path));
    }
  }
  return found;
}

}  // namespace wesher::test
