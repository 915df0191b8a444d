#include "store/go_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "base/wipe.h"
#include "os/calls.h"
#include "os/unique_fd.h"
#include "store/files.h"

namespace wesher::store {

namespace {

using Json = nlohmann::json;

constexpr unsigned kWritableByOthers = 022;

/// Whether a host can have it: what is broadcast or multicast would be sent to many.
bool is_host_address(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast();
}

/// Takes what is wanted while the text is read and keeps nothing else: what a file makes us store
/// is never larger than the file. Depth 1 is the outermost object, 2 the list of nodes, 3 a node.
class Collector final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return scalar(); }

  bool boolean(bool /*value*/) override { return scalar(); }

  bool number_integer(number_integer_t /*value*/) override { return scalar(); }

  bool number_unsigned(number_unsigned_t /*value*/) override { return scalar(); }

  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
    return scalar();
  }

  bool binary(binary_t& /*value*/) override { return scalar(); }

  bool string(string_t& value) override {
    if (depth_ == 1 && key_ == "ClusterKey") {
      if (auto key = SecretKey::parse(value); key && !key->is_zero()) {
        state_.cluster_key = std::move(*key);
      }
      wipe(value);
    } else if (in_node() && key_ == "Name") {
      node_.name = std::move(value);
    } else if (in_node() && key_ == "Addr") {
      const auto address = IpAddress::parse(value);
      has_address_ = address && is_host_address(*address);
      if (has_address_) node_.address = *address;
    } else if (in_node() && key_ == "Meta") {
      state_.format = MetaFormat::f3;
    }
    return scalar();
  }

  bool start_object(std::size_t /*elements*/) override {
    if (in_node() && key_ == "OverlayAddr" && !state_.format) state_.format = MetaFormat::f2;
    if (!enter()) return false;
    if (depth_ == 3 && in_nodes_) {
      node_ = {};
      has_address_ = false;
    }
    return true;
  }

  bool end_object() override {
    if (in_node()) take_node();
    leave();
    return true;
  }

  bool start_array(std::size_t /*elements*/) override {
    const bool nodes = depth_ == 1 && key_ == "Nodes";
    if (!scalar() || !enter()) return false;
    in_nodes_ = in_nodes_ || nodes;
    return true;
  }

  bool end_array() override {
    if (depth_ == 2) in_nodes_ = false;
    leave();
    return true;
  }

  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position,
                   const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    why_ = fmt::format("it is no JSON from byte {} on", position);
    return false;
  }

  [[nodiscard]] const std::string& why() const { return why_; }

  [[nodiscard]] GoState take() { return std::move(state_); }

 private:
  [[nodiscard]] bool in_node() const { return depth_ == 3 && in_nodes_; }

  /// A text that is no object at all.
  bool scalar() {
    if (depth_ == 0) why_ = "it is no JSON object";
    return depth_ > 0;
  }

  bool enter() {
    if (depth_ == kGoDepthMax) why_ = "it is nested too deeply";
    return depth_++ < kGoDepthMax;
  }

  void leave() {
    --depth_;
    key_.clear();
  }

  void take_node() {
    if (has_address_ && state_.nodes.size() < kGoNodesMax) {
      state_.nodes.push_back(std::move(node_));
    } else {
      ++state_.left_out;
    }
  }

  GoState state_;
  GoNode node_;
  std::string key_;
  std::string why_;
  std::size_t depth_ = 0;
  bool in_nodes_ = false;
  bool has_address_ = false;
};

tl::unexpected<Error> unusable(const std::string& path, const std::string& why) {
  return fail(Errc::state_unusable,
              fmt::format("{}, the state of the Go program, is not usable: {}", path, why));
}

/// The bytes of a file of at most kGoStateMax.
Result<std::string> read_whole(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const os::UniqueFd file(os::open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ELOOP) return tl::unexpected(symlink_error(path));
  if (!file) return tl::unexpected(os_error("read", path, errno));

  struct stat found {};

  if (os::fstat(file.get(), found) != 0) return tl::unexpected(os_error("read", path, errno));
  if (!S_ISREG(found.st_mode)) return unusable(path, "it is not a regular file");
  if (auto mine = check_owner(path, found.st_uid, found.st_mode & 07777U, kWritableByOthers);
      !mine) {
    return tl::unexpected(mine.error());
  }
  if (static_cast<std::size_t>(found.st_size) > kGoStateMax) {
    return unusable(path, "it is larger than 4 MiB");
  }
  std::string text(static_cast<std::size_t>(found.st_size), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = os::read(file.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(os_error("read", path, errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

Result<FoundGoState> read_go_state(const std::string& path, MetaFormat format) {
  auto text = read_whole(path);
  if (!text) return tl::unexpected(text.error());
  auto state = parse_go_state(*text);
  wipe(*text);
  if (!state) return unusable(path, state.error().detail);
  if (!state->format) state->format = format;
  return FoundGoState{path, std::move(*state)};
}

}  // namespace

Result<GoState> parse_go_state(std::string_view text) {
  if (text.size() > kGoStateMax) return fail(Errc::malformed, "it is larger than 4 MiB");
  Collector collector;
  const bool read = Json::sax_parse(text, &collector);
  if (!read || !collector.why().empty()) return fail(Errc::malformed, collector.why());
  return collector.take();
}

std::string format_go_state(const SecretKey& cluster_key, const std::vector<GoNode>& nodes) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const GoNode& node : nodes)
    list.push_back({{"Name", node.name}, {"Addr", node.address.text()}});
  nlohmann::ordered_json state;
  state["ClusterKey"] = cluster_key.reveal_base64();
  state["Nodes"] = std::move(list);
  return state.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<std::optional<FoundGoState>> find_go_state(const Paths& paths) {
  std::vector<std::pair<std::string, MetaFormat>> places{
      {paths.directory + "/" + paths.interface + ".json", MetaFormat::f3}};
  if (inherits_from_go(paths)) places.emplace_back(paths.directory + "/state.json", MetaFormat::f2);
  for (const auto& [path, format] : places) {
    const auto there = look_at(path);
    if (!there) return tl::unexpected(there.error());
    if (!*there) continue;
    auto found = read_go_state(path, format);
    if (!found) return tl::unexpected(found.error());
    return std::optional(std::move(*found));
  }
  return std::optional<FoundGoState>();
}

}  // namespace wesher::store
