#include "netns/support/flow_events.h"

#include <algorithm>
#include <csignal>
#include <map>

namespace wesher::netns {

namespace {

Host& other(FlowMesh& mesh) {
  return mesh.host(FlowMesh::kOther);
}

/// Ends stay in the data plane when their daemons stop; the others leave.
std::vector<std::string> usual_options(int number) {
  if (number >= FlowMesh::kOther) return {};
  return {"--on-stop", "keep"};
}

int count_of(const std::string& text, const std::string& what) {
  int count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

/// Waits until each of these daemons has said a thing once more than it had.
class Saying {
 public:
  Saying(FlowMesh& mesh, std::vector<int> numbers, std::string what)
      : mesh_(mesh), numbers_(std::move(numbers)), what_(std::move(what)) {
    for (const int number : numbers_)
      before_[number] = count_of(mesh_.host(number).daemon_err(), what_);
  }

  void require_again() {
    for (const int number : numbers_)
      mesh_.rig().require_soon(mesh_.host(number).name() + " says: " + what_, 40s, [&] {
        return count_of(mesh_.host(number).daemon_err(), what_) > before_[number];
      });
  }

 private:
  FlowMesh& mesh_;
  std::vector<int> numbers_;
  std::string what_;
  std::map<int, int> before_;
};

/// Starts these again, and waits until they take part and their partners see them.
void start_again(FlowMesh& mesh, const std::vector<int>& numbers) {
  for (const int number : numbers)
    mesh.host(number).start_daemon(usual_options(number));
  for (const int number : numbers)
    mesh.rig().require_soon(mesh.host(number).name() + " listens", 40s,
                            [&] { return mesh.host(number).listens(); });
  const bool has_hub = numbers.front() == FlowMesh::hubs().front();
  Host& judge = mesh.host(has_hub ? FlowMesh::partners().front() : FlowMesh::hubs().front());
  for (const int number : numbers)
    mesh.rig().require_soon(
        judge.name() + " sees " + mesh.host(number).name() + " alive", 60s,
        [&] { return judge.member_state(mesh.host(number).name()) == "alive"; });
}

/// Waits until the hosts files of all ends say so.
void require_in_hosts_files(FlowMesh& mesh, int number, bool there) {
  const std::string& name = mesh.host(number).name();
  for (const int end : FlowMesh::ends())
    mesh.rig().require_soon(mesh.host(end).name() + (there ? " has " : " does not have ") + name,
                            60s,
                            [&] { return mesh.host(end).address_in_hosts(name).empty() != there; });
}

/// Waits until the devices of all ends have the key and the address that n8 has now.
void require_key_everywhere(FlowMesh& mesh) {
  const std::string key = other(mesh).device().value_or(Device{}).public_key;
  const std::string allowed = other(mesh).addresses().at(0) + "/32";
  for (const int end : FlowMesh::ends())
    mesh.rig().require_soon(mesh.host(end).name() + " has the key and address of n8", 60s, [&] {
      const auto device = mesh.host(end).device();
      return device &&
             std::any_of(device->peers.begin(), device->peers.end(), [&](const DevicePeer& peer) {
               return peer.public_key == key && peer.allowed_ips == allowed;
             });
    });
}

bool is_member(FlowMesh& mesh) {
  return !mesh.host(1).address_in_hosts(other(mesh).name()).empty();
}

bool daemon_runs(Host& host) {
  return host.has_daemon() && host.daemon().running();
}

void join(FlowMesh& mesh) {
  mesh.rig().start(FlowMesh::kOther);
  require_in_hosts_files(mesh, FlowMesh::kOther, true);
}

void leave(FlowMesh& mesh) {
  other(mesh).stop_daemon(SIGTERM);
  require_in_hosts_files(mesh, FlowMesh::kOther, false);
}

void need_member(FlowMesh& mesh) {
  must_run({"ip", "link", "set", other(mesh).port(), "up"});
  if (!daemon_runs(other(mesh))) join(mesh);
}

void node_joins(FlowMesh& mesh) {
  if (is_member(mesh)) {
    need_member(mesh);
    leave(mesh);
  }
  join(mesh);
}

void node_leaves(FlowMesh& mesh) {
  need_member(mesh);
  leave(mesh);
}

// A whole machine that stops from one moment to the next.
void node_crashes(FlowMesh& mesh) {
  need_member(mesh);
  must_run({"ip", "link", "set", other(mesh).port(), "down"});
  other(mesh).stop_daemon(SIGKILL);
  // Probes every 5 s; suspicion of 9 members lasts 30 s if four confirm it.
  mesh.rig().require_soon("n1 sees that n8 failed", 120s, [&] {
    return mesh.host(1).member_state(other(mesh).name()) == "failed";
  });
}

// The same name and address, another WireGuard key.
void node_changes_key(FlowMesh& mesh) {
  need_member(mesh);
  const std::string before = other(mesh).device().value_or(Device{}).public_key;
  other(mesh).stop_daemon(SIGKILL);
  mesh.rig().start(FlowMesh::kOther, {"--init"});
  mesh.rig().require_soon("n8 has a new key", 40s, [&] {
    const auto device = other(mesh).device();
    return device && device->public_key != before && device->public_key != "(none)";
  });
  require_key_everywhere(mesh);
}

// A part of the overlay network that its address is not in: it takes another one.
void node_moves(FlowMesh& mesh) {
  need_member(mesh);
  const std::string before = other(mesh).addresses().at(0);
  const int second = std::stoi(before.substr(before.find('.') + 1));
  other(mesh).stop_daemon(SIGKILL);
  other(mesh).start_daemon(
      {"--overlay-net", "10." + std::to_string((second + 1) % 256) + ".0.0/16"});
  mesh.rig().require_soon("n8 has another address", 40s, [&] {
    const auto now = other(mesh).addresses();
    return now.size() == 1 && now[0] != before;
  });
  require_key_everywhere(mesh);
  // It keeps that address, and is a member as the others are again.
  other(mesh).stop_daemon(SIGKILL);
  other(mesh).start_daemon({});
}

void end_reloads(FlowMesh& mesh) {
  Saying reloaded(mesh, FlowMesh::hubs(), "SIGHUP");
  for (const int number : FlowMesh::hubs())
    mesh.host(number).daemon().signal(SIGHUP);
  reloaded.require_again();
}

void stop_all(FlowMesh& mesh, const std::vector<int>& numbers, int signal_number) {
  for (const int number : numbers)
    mesh.host(number).daemon().signal(signal_number);
  for (const int number : numbers)
    mesh.rig().require_soon(mesh.host(number).name() + " ends", 30s,
                            [&] { return !mesh.host(number).daemon().running(); });
}

void end_is_killed(FlowMesh& mesh) {
  stop_all(mesh, FlowMesh::hubs(), SIGKILL);
  mesh.let_flow(1s);
  start_again(mesh, FlowMesh::hubs());
}

void end_is_stopped(FlowMesh& mesh) {
  stop_all(mesh, FlowMesh::hubs(), SIGTERM);
  mesh.let_flow(1s);
  start_again(mesh, FlowMesh::hubs());
}

void binary_is_replaced(FlowMesh& mesh) {
  for (const int number : FlowMesh::hubs())
    mesh.host(number).install_program();
  stop_all(mesh, FlowMesh::hubs(), SIGTERM);
  start_again(mesh, FlowMesh::hubs());
}

// Everybody but the hubs: the other ends of the flows, and those without.
void rest_restarts(FlowMesh& mesh) {
  need_member(mesh);
  std::vector<int> rest = FlowMesh::partners();
  rest.insert(rest.end(), {FlowMesh::kOther, FlowMesh::kBystander});
  stop_all(mesh, rest, SIGTERM);
  start_again(mesh, rest);
  for (const int number : {FlowMesh::kOther, FlowMesh::kBystander})
    require_in_hosts_files(mesh, number, true);
}

}  // namespace

const std::vector<FlowEvent>& flow_events() {
  static const std::vector<FlowEvent> events{
      {"another node joins", node_joins},
      {"another node leaves", node_leaves},
      {"another node crashes", node_crashes},
      {"another node changes its key", node_changes_key},
      {"another node's address moves", node_moves},
      {"daemon of one end reloaded", end_reloads},
      {"daemon of one end killed and started", end_is_killed},
      {"daemon of one end stopped with keep and started", end_is_stopped},
      {"binary of one end replaced and restarted", binary_is_replaced},
      {"the whole rest restarts", rest_restarts},
  };
  return events;
}

}  // namespace wesher::netns
