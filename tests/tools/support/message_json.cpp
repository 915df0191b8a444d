#include "tools/support/message_json.h"

#include <string>

#include "base/ip.h"
#include "model/member.h"
#include "wire/node_meta.h"

namespace wesher::tools {

namespace {

using Json = nlohmann::ordered_json;

void put_address(Json& out, const std::string& key, const Bytes& bytes) {
  const auto address = IpAddress::from_bytes(bytes);
  out[key] = address ? Json(address->text()) : Json();
  out[key + "_bytes"] = to_hex(bytes);
}

void put_source(Json& out, const wire::Source& source) {
  if (source == wire::Source{}) return;
  put_address(out, "source_address", source.address);
  out["source_port"] = source.port;
  out["source_node"] = source.node;
}

void put_meta(Json& out, const Bytes& meta, bool nil) {
  out["meta"] = nil ? Json() : Json(to_hex(meta));
  const auto raw = wire::decode_node_meta(meta);
  if (!raw) return;
  Json read;
  read["format"] = to_text(raw->format);
  put_address(read, "overlay", raw->address);
  if (!raw->mask.empty()) read["mask"] = to_hex(raw->mask);
  read["public_key"] = raw->public_key;
  read["valid"] = wire::validate_node_meta(*raw).has_value();
  read["trailer_bytes"] = meta.size() - raw->gob_bytes;
  out["node_meta"] = read;
}

Json entry_json(const wire::PushPullEntry& entry) {
  static constexpr const char* kStates[] = {"alive", "suspect", "dead", "left"};
  Json out;
  out["name"] = entry.name;
  out["state"] = entry.state < std::size(kStates) ? Json(kStates[entry.state]) : Json(entry.state);
  out["incarnation"] = entry.incarnation;
  put_address(out, "address", entry.address);
  out["port"] = entry.port;
  out["versions"] = entry.versions;
  put_meta(out, entry.meta, entry.nil_meta);
  return out;
}

Json accusation(const char* name,
                std::uint32_t incarnation,
                const std::string& node,
                const std::string& from) {
  return {{"message", name}, {"incarnation", incarnation}, {"node", node}, {"from", from}};
}

struct Describe {
  Json operator()(const wire::Ping& ping) const {
    Json out = {{"message", "ping"}, {"sequence", ping.sequence}, {"node", ping.node}};
    put_source(out, ping.source);
    return out;
  }

  Json operator()(const wire::IndirectPing& ping) const {
    Json out = {{"message", "indirect_ping"}, {"sequence", ping.sequence}, {"node", ping.node}};
    put_address(out, "target", ping.target);
    out["port"] = ping.port;
    out["nack"] = ping.nack;
    put_source(out, ping.source);
    return out;
  }

  Json operator()(const wire::Ack& ack) const {
    return {{"message", "ack"},
            {"sequence", ack.sequence},
            {"payload", ack.nil_payload ? Json() : Json(to_hex(ack.payload))}};
  }

  Json operator()(const wire::Nack& nack) const {
    return {{"message", "nack"}, {"sequence", nack.sequence}};
  }

  Json operator()(const wire::Suspect& suspect) const {
    return accusation("suspect", suspect.incarnation, suspect.node, suspect.from);
  }

  Json operator()(const wire::Dead& dead) const {
    return accusation("dead", dead.incarnation, dead.node, dead.from);
  }

  Json operator()(const wire::Alive& alive) const {
    Json out = {{"message", "alive"}, {"incarnation", alive.incarnation}, {"node", alive.node}};
    put_address(out, "address", alive.address);
    out["port"] = alive.port;
    out["versions"] = alive.versions;
    put_meta(out, alive.meta, alive.nil_meta);
    return out;
  }

  Json operator()(const wire::User& user) const {
    return {{"message", "user"}, {"payload", to_hex(user.payload)}};
  }

  Json operator()(const wire::ErrorReply& error) const {
    return {{"message", "error"}, {"error", error.error}};
  }

  Json operator()(const wire::PushPull& table) const {
    Json out = {{"message", "push_pull"}, {"join", table.join}, {"entries", Json::array()}};
    for (const wire::PushPullEntry& entry : table.entries)
      out["entries"].push_back(entry_json(entry));
    out["user_state"] = to_hex(table.user_state);
    return out;
  }
};

}  // namespace

Json to_json(const wire::PacketMessage& message) {
  return std::visit(Describe{}, message);
}

Json to_json(const wire::StreamMessage& message) {
  return std::visit(Describe{}, message);
}

}  // namespace wesher::tools
