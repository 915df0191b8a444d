// Every bound on data that comes from outside, in one table. The numbers are those of the
// architecture (src/README.md, "Limits"); where another program's limit is the reason it is named.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wesher::limits {

inline constexpr std::size_t kDatagramBytes = 65507;       ///< largest UDP payload over IPv4
inline constexpr std::size_t kDatagramPlainBytes = 65536;  ///< after decompression, per datagram
inline constexpr std::size_t kDatagramMessages = 255;      ///< per datagram, all layers together
inline constexpr unsigned kNesting = 3;                    ///< compound and compress layers

inline constexpr std::size_t kFrameBytesMember = 20U << 20U;      ///< memberlist maxPushStateBytes
inline constexpr std::size_t kFrameBytesStranger = 8U << 20U;     ///< from addresses of no member
inline constexpr std::size_t kFramePlainBytes = 40U << 20U;       ///< after decompression
inline constexpr std::size_t kUnauthenticatedBytes = 64U << 20U;  ///< all streams together
inline constexpr std::size_t kUnauthenticatedForMembers = kFrameBytesMember;  ///< of these, kept

inline constexpr std::size_t kStreamsInbound = 64;
inline constexpr std::size_t kStreamsPerSource = 8;    ///< per IPv4 address or IPv6 /64
inline constexpr std::size_t kStreamsForMembers = 16;  ///< of the 64, kept for members' addresses
inline constexpr std::chrono::seconds kStreamFirstBytes{5};  ///< the 5 header bytes
inline constexpr std::chrono::seconds kStreamFrame{30};      ///< the whole frame; TCPTimeout (WAN)

inline constexpr std::size_t kMembers = 16384;
inline constexpr std::size_t kMembersUnverified = 4096;  ///< known by hearsay alone
inline constexpr std::size_t kNameBytes = 253;           ///< DNS name length
inline constexpr std::size_t kMetaBytes = 512;           ///< memberlist MetaMaxSize
inline constexpr std::size_t kUserMessageBytes = 64U << 10U;
inline constexpr std::size_t kUserStateBytes = 1U << 20U;

inline constexpr unsigned kMsgpackDepth = 8;        ///< nesting of skipped values
inline constexpr std::size_t kMsgpackItems = 1024;  ///< elements of one message, skipped ones too

inline constexpr std::size_t kUdpBudget = 1400;     ///< memberlist UDPBufferSize
inline constexpr std::size_t kCompoundParts = 127;  ///< Go before v0.2.4 mis-parses 128 and more

inline constexpr std::size_t kNonceMemory = 65536;            ///< per generation; two are kept
inline constexpr std::uint32_t kIncarnationMax = 0xfffffffd;  ///< 2^32-1 and -2 are refused
inline constexpr std::uint32_t kIncarnationJump = 1U << 20U;  ///< more at once needs a proof
inline constexpr std::uint32_t kIncarnationNew = 1U << 31U;   ///< and so does more of a new name

// Rates, a second. What a burst may be is the number behind.
inline constexpr unsigned kDecryptsUnknown = 2000;    ///< datagrams from addresses of no member
inline constexpr unsigned kAccusations = 20;          ///< of one accuser; a burst: all members
inline constexpr unsigned kRefutations = 20;          ///< of ours
inline constexpr unsigned kStrangersAsked = 20;       ///< for a record that nobody else is believed
inline constexpr unsigned kRelays = 50;               ///< pings for others
inline constexpr unsigned kNewNames = 200;            ///< known by hearsay alone
inline constexpr std::size_t kNewNamesAtOnce = 2000;  ///< a rack that is switched on

}  // namespace wesher::limits
