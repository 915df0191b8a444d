// Construction of the shared state of core.h and the few operations that all parts need.
#include "gossip/core.h"

#include <utility>

#include "wire/limits.h"

namespace wesher::gossip {

namespace {

Record own_record(const Config& config, Instant now) {
  Record record;
  record.name = config.name;
  record.address = config.address;
  record.port = config.port;
  record.meta = config.meta;
  record.versions = wire::kOwnVersions;
  record.incarnation = config.incarnation_first;
  record.state = RecordState::alive;
  record.changed = now;
  return record;
}

}  // namespace

Core::Core(Config settings, wire::Keyring keyring, Rng random, Admission* hook, Instant now)
    : config(std::move(settings)),
      rng(std::move(random)),
      table(own_record(config, now)),
      queue(limits::kMembers),
      outbox(std::move(keyring), rng),
      health(config.awareness_max_multiplier),
      nonces(rng),
      admission(hook) {}

void Core::broadcast(std::string_view subject_name, const Bytes& message) {
  if (announced()) queue.put(subject_name, message);
}

std::uint32_t Core::take_sequence() {
  for (;;) {
    const std::uint32_t sequence = rng.u32();
    if (sequence != 0 && sequences_.insert(sequence).second) return sequence;
  }
}

void Core::refuse(std::string_view name, std::string_view reason) {
  if (refused_++ < kRefusedReported) outbox.event(Refused{std::string(name), std::string(reason)});
}

Subject Core::subject(std::string_view name) const {
  if (name != config.name) return Subject::other;
  return phase == Phase::moving || phase == Phase::gone ? Subject::self_gone : Subject::self;
}

unsigned Core::transmit_limit() const {
  return retransmit_limit(config.retransmit_mult, table.size());
}

wire::AliveView alive_of(const Record& record) {
  wire::AliveView alive;
  alive.incarnation = record.incarnation;
  alive.node = record.name;
  alive.address = record.address;
  alive.port = record.port;
  alive.meta = record.meta;
  alive.nil_meta = record.meta.empty();
  alive.versions = record.versions;
  return alive;
}

Bytes accusation_of(const Record& record, std::string_view from) {
  switch (record.state) {
    case RecordState::alive:
      return {};
    case RecordState::suspect:
      return wire::encode(wire::Suspect{record.incarnation, record.name, std::string(from)});
    case RecordState::dead:
      return wire::encode(wire::Dead{record.incarnation, record.name, std::string(from)});
    case RecordState::left:
      return wire::encode(wire::Dead{record.incarnation, record.name, record.name});
  }
  return {};
}

}  // namespace wesher::gossip
