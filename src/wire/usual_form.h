// Announcements in the form in which every known program writes them, read without asking at each
// byte what it could be: keys in byte order, raw strings, unsigned integers. What looks different
// in any way is left to the general reader, so nothing is taken here that it would refuse. Pure.
#pragma once

#include "base/bytes.h"
#include "wire/messages.h"

namespace wesher::wire {

/// Reads an entry of a push/pull from the front of `in`, and moves `in` behind it. False, and `in`
/// as it was, for another form, and for a field over its limit.
[[nodiscard]] bool read_usual(ByteView& in, EntryView& entry);

/// The same of the body of an alive message, behind its type; what follows it is not looked at.
[[nodiscard]] bool read_usual(ByteView body, AliveView& alive);

}  // namespace wesher::wire
