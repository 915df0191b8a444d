// SQLite's own input and output through os::interposer: a VFS in front of the system's one.
#pragma once

namespace wesher::test {

/// Makes every database that is opened from here on use it. Once a process.
void route_sqlite_through_interposer();

}  // namespace wesher::test
