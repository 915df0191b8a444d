#include "tests/sweep/support/sqlite_vfs.h"

#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#include <sqlite3.h>

#include "os/calls.h"
#include "os/files.h"

namespace wesher::test {

namespace {

using os::Call;
using os::Op;

/// An open file: ours, and behind it in the same memory the one of the system's VFS.
struct ShimFile {
  sqlite3_file base;  ///< first, as SQLite wants it
  std::string* path;
  bool sync_directory;  ///< the system's VFS syncs it with the first sync of a new log

  [[nodiscard]] sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }

  [[nodiscard]] const sqlite3_io_methods& does() { return *real()->pMethods; }
};

sqlite3_vfs* g_system = nullptr;

ShimFile& shim(sqlite3_file* file) {
  return *reinterpret_cast<ShimFile*>(file);
}

/// Asks whether a call may happen; what SQLite is told if not.
int ask(Call& call, int refusal) {
  os::Interposer* const watcher = os::interposer();
  if (watcher == nullptr) return SQLITE_OK;
  int os_errno = watcher->before(call);
  if (os_errno == EINTR) os_errno = 0;  // the system's VFS tries again by itself
  if (os_errno == 0) return SQLITE_OK;
  if (os_errno == ENOSPC && call.op == Op::write) return SQLITE_FULL;
  return refusal;
}

void tell(const Call& call, int result) {
  if (os::Interposer* const watcher = os::interposer(); watcher != nullptr) {
    watcher->after(call, result == SQLITE_OK ? 0 : -1);
  }
}

template <class Perform>
int through(Call call, int refusal, Perform perform) {
  if (const int refused = ask(call, refusal); refused != SQLITE_OK) return refused;
  const int result = perform();
  tell(call, result);
  return result;
}

Call on(Op op, sqlite3_file* file) {
  return {.op = op, .path = *shim(file).path};
}

int close(sqlite3_file* file) {
  ShimFile& self = shim(file);
  const int result = self.does().xClose(self.real());
  delete self.path;
  return result;
}

int read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  return through(on(Op::read, file), SQLITE_IOERR_READ,
                 [&] { return shim(file).does().xRead(shim(file).real(), to, size, offset); });
}

int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  Call call = on(Op::write, file);
  call.size = static_cast<std::size_t>(size);
  if (const int refused = ask(call, SQLITE_IOERR_WRITE); refused != SQLITE_OK) return refused;
  const int granted = static_cast<int>(call.size);
  const int result = shim(file).does().xWrite(shim(file).real(), from, granted, offset);
  tell(call, result);
  // A disk that is full in the middle of a write.
  return result == SQLITE_OK && granted < size ? SQLITE_FULL : result;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return through(on(Op::truncate, file), SQLITE_IOERR_TRUNCATE,
                 [&] { return shim(file).does().xTruncate(shim(file).real(), size); });
}

int sync(sqlite3_file* file, int flags) {
  const int result = through(on(Op::sync, file), SQLITE_IOERR_FSYNC,
                             [&] { return shim(file).does().xSync(shim(file).real(), flags); });
  if (result == SQLITE_OK && shim(file).sync_directory) {
    shim(file).sync_directory = false;
    tell({.op = Op::sync, .path = os::directory_of(*shim(file).path)}, SQLITE_OK);
  }
  return result;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return through(on(Op::look, file), SQLITE_IOERR_FSTAT,
                 [&] { return shim(file).does().xFileSize(shim(file).real(), size); });
}

int lock(sqlite3_file* file, int level) {
  return shim(file).does().xLock(shim(file).real(), level);
}

int unlock(sqlite3_file* file, int level) {
  return shim(file).does().xUnlock(shim(file).real(), level);
}

int check_reserved(sqlite3_file* file, int* held) {
  return shim(file).does().xCheckReservedLock(shim(file).real(), held);
}

int control(sqlite3_file* file, int op, void* argument) {
  return shim(file).does().xFileControl(shim(file).real(), op, argument);
}

int sector_size(sqlite3_file* file) {
  return shim(file).does().xSectorSize(shim(file).real());
}

int characteristics(sqlite3_file* file) {
  return shim(file).does().xDeviceCharacteristics(shim(file).real());
}

int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  if (extend == 0) {
    return shim(file).does().xShmMap(shim(file).real(), page, size, extend, memory);
  }
  Call call = on(Op::reserve, file);
  call.path += "-shm";
  return through(call, SQLITE_IOERR_SHMSIZE, [&] {
    return shim(file).does().xShmMap(shim(file).real(), page, size, extend, memory);
  });
}

int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return shim(file).does().xShmLock(shim(file).real(), offset, n, flags);
}

void shm_barrier(sqlite3_file* file) {
  shim(file).does().xShmBarrier(shim(file).real());
}

int shm_unmap(sqlite3_file* file, int remove) {
  if (remove != 0) {
    Call call = on(Op::remove, file);
    call.path += "-shm";
    if (ask(call, SQLITE_IOERR) != SQLITE_OK) remove = 0;  // the one who is killed removes nothing
  }
  return shim(file).does().xShmUnmap(shim(file).real(), remove);
}

const sqlite3_io_methods kMethods = {2,
                                     close,
                                     read,
                                     write,
                                     truncate,
                                     sync,
                                     file_size,
                                     lock,
                                     unlock,
                                     check_reserved,
                                     control,
                                     sector_size,
                                     characteristics,
                                     shm_map,
                                     shm_lock,
                                     shm_barrier,
                                     shm_unmap,
                                     nullptr,
                                     nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  ShimFile& self = shim(file);
  self.base.pMethods = nullptr;
  std::memset(self.real(), 0, static_cast<std::size_t>(g_system->szOsFile));
  const std::string path = name == nullptr ? "" : name;
  const Op op = (flags & SQLITE_OPEN_CREATE) != 0 ? Op::create : Op::open;
  // A descriptor of 0 tells that this one is not known by number.
  Call call{.op = op, .path = path, .fd = 0};
  const int result = through(call, SQLITE_CANTOPEN, [&] {
    return g_system->xOpen(g_system, name, self.real(), flags, out_flags);
  });
  if (result != SQLITE_OK) return result;
  self.path = new std::string(path);
  self.sync_directory =
      op == Op::create && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  self.base.pMethods = &kMethods;
  return SQLITE_OK;
}

int remove(sqlite3_vfs*, const char* name, int sync_directory) {
  const int result = through({.op = Op::remove, .path = name}, SQLITE_IOERR_DELETE,
                             [&] { return g_system->xDelete(g_system, name, sync_directory); });
  if (result == SQLITE_OK && sync_directory != 0) {
    tell({.op = Op::sync, .path = os::directory_of(name)}, SQLITE_OK);
  }
  return result;
}

int access(sqlite3_vfs*, const char* name, int flags, int* result) {
  return through({.op = Op::look, .path = name}, SQLITE_IOERR_ACCESS,
                 [&] { return g_system->xAccess(g_system, name, flags, result); });
}

/// The same salts in every run.
int randomness(sqlite3_vfs*, int size, char* out) {
  for (int i = 0; i < size; ++i)
    out[i] = static_cast<char>(i * 37 + 11);
  return size;
}

}  // namespace

void route_sqlite_through_interposer() {
  static sqlite3_vfs ours;
  if (g_system != nullptr) return;
  g_system = sqlite3_vfs_find(nullptr);
  ours = *g_system;
  ours.zName = "wesher-sweep";
  ours.szOsFile = static_cast<int>(sizeof(ShimFile)) + g_system->szOsFile;
  ours.xOpen = open;
  ours.xDelete = remove;
  ours.xAccess = access;
  ours.xRandomness = randomness;
  if (sqlite3_vfs_register(&ours, 1) != SQLITE_OK) throw std::runtime_error("sqlite3_vfs_register");
}

}  // namespace wesher::test
