// Messages of the gossip protocol as JSON. Bytes are hex, addresses text beside their bytes.
#pragma once

#include <nlohmann/json.hpp>

#include "wire/messages.h"

namespace wesher::tools {

[[nodiscard]] nlohmann::ordered_json to_json(const wire::PacketMessage& message);
[[nodiscard]] nlohmann::ordered_json to_json(const wire::StreamMessage& message);

}  // namespace wesher::tools
