// Hosts files that are not as they should be, and the daemon that lives with them: what is not ours
// stays byte by byte, and without names the mesh works all the same.
#include <csignal>
#include <filesystem>

#include <catch2/catch.hpp>

#include "netns/support/records.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace fs = std::filesystem;

namespace {

void must(const Host& host, const std::vector<std::string>& argv) {
  const Output output = host.exec(argv);
  INFO(output.text());
  REQUIRE(output.exit_code == 0);
}

// Reaches the other one without names.
void require_tunnel(Rig& rig, Host& from, Host& to) {
  rig.require_soon(from.name() + " reaches " + to.name(), 60s, [&] {
    const auto addresses = to.addresses();
    return addresses.size() == 1 && from.pings(addresses[0]);
  });
}

void require_said(Rig& rig, const Host& host, const std::string& text) {
  rig.require_soon(host.name() + " says: " + text, 20s,
                   [&] { return host.daemon_err().find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("a hosts file of any form keeps its bytes through joining and leaving", "[input]") {
  const std::string huge = "127.0.0.1 " + std::string(100 * 1024, 'x') + "\n";

  const struct {
    const char* what;
    std::string text;
    bool bound;  // mounted over /etc/hosts, as container engines do
  } forms[] = {
      {"lines of Windows", "127.0.0.1\tlocalhost\r\n10.0.0.77 printer\r\n", false},
      {"a line of 100 KB", "127.0.0.1\tlocalhost\n" + huge + "10.0.0.77 printer\n", false},
      {"bytes that are no text", std::string("127.0.0.1\tlocalhost\n\xff\xfe\x00 z\n", 27), false},
      {"one mounted over it", "127.0.0.1\tlocalhost\n" + huge + "10.0.0.77 printer\r\n", true},
      {"no end of its last line", "127.0.0.1\tlocalhost\n10.0.0.77 printer", false},
      {"one mounted over it without an end", "127.0.0.1\tlocalhost\n10.0.0.77 printer", true},
  };

  Rig rig(2);
  rig.start(1);
  Host& host = rig.host(2);
  for (const auto& form : forms) {
    INFO(form.what);
    std::string path = host.path("/etc/hosts");
    if (form.bound) {
      path = host.path("/run/bound");
      write_file(path, form.text);
      must(host, {"mount", "--bind", "/run/bound", "/etc/hosts"});
    } else {
      write_file(path, form.text);
    }
    rig.start(2);
    rig.require_soon("n2 has the name of n1", 60s, [&] { return host.pings("n1"); });
    const std::string joined = read_file(path);
    const bool ended = form.text.back() == '\n';
    REQUIRE(joined.starts_with(form.text + (ended ? "" : "\n")));
    REQUIRE(joined.find("\tn1\t# ! managed") != std::string::npos);
    REQUIRE(host.stop_daemon(SIGTERM) == 0);
    // The end of the last line is all that may stay behind.
    const std::string left = read_file(path);
    REQUIRE((left == form.text || left == form.text + "\n"));
    if (form.bound) must(host, {"umount", "/etc/hosts"});
  }
}

TEST_CASE("without a hosts file or with one that cannot be written the mesh works without names") {
  Rig rig(2);
  rig.start(1);
  Host& host = rig.host(2);
  const std::string path = host.path("/etc/hosts");
  const std::string before = read_file(path);
  fs::remove(path);
  rig.start(2);
  require_tunnel(rig, host, rig.host(1));
  require_said(rig, host, "/etc/hosts: No such file");
  REQUIRE_FALSE(fs::exists(path));
  write_file(path, before);
  rig.require_repair("names come when the file does", 5s, [&] { return host.pings("n1"); });

  // Immutable, where this kernel's tmpfs knows that; read-only else.
  const bool immutable = host.exec({"chattr", "+i", "/etc/hosts"}).exit_code == 0;
  if (!immutable) {
    must(host, {"mount", "--bind", "/etc/hosts", "/etc/hosts"});
    must(host, {"mount", "-o", "remount,bind,ro", "/etc/hosts"});
  }
  const std::string guarded = read_file(path);
  host.stop_daemon(SIGKILL);
  must(host, {"ip", "link", "del", "wgoverlay"});
  host.start_daemon({});
  require_tunnel(rig, host, rig.host(1));
  rig.require_soon("n2 is back in the mesh", 60s, [&] {
    const std::string log = host.daemon_err();
    return log.find("joined through") != log.rfind("joined through");
  });
  // A change that cannot be made: n1 goes, its line stays, and that is said.
  REQUIRE(rig.host(1).stop_daemon(SIGTERM) == 0);
  rig.require_soon("the peer is gone", 30s, [&] { return host.device()->peers.empty(); });
  require_said(rig, host, "/etc/hosts is not writable");
  REQUIRE(read_file(path) == guarded);
  if (immutable) {
    must(host, {"chattr", "-i", "/etc/hosts"});
  } else {
    must(host, {"umount", "/etc/hosts"});
  }
  // Nothing tells that a file may be written again: the periodic look finds it.
  rig.require_repair("the line goes when it can", 60s,
                     [&] { return host.address_in_hosts("n1").empty(); });
  REQUIRE(read_file(path) == before);
}

TEST_CASE("hosts lines of two editors at the same moment are all there in the end", "[input]") {
  Rig rig(4);
  rig.start(1);
  Host& host = rig.host(1);
  rig.require_soon("n1 is up", 30s, [&] { return host.addresses().size() == 1; });
  // Somebody who appends one line after another, in place, while three members join.
  Process editor = host.start("editor", {"sh", "-c",
                                         "i=0; while [ $i -lt 300 ]; do i=$((i+1)); "
                                         "echo 10.77.0.1 other$i >>/etc/hosts; sleep 0.01; done"});
  for (const int joining : {2, 3, 4})
    rig.start(joining);
  rig.require_mesh();
  rig.require_soon("the editor is done", 60s, [&] { return !editor.running(); });
  REQUIRE(editor.exit_code() == 0);
  rig.require_soon("all names are there", 20s, [&] {
    return !host.address_in_hosts("n2").empty() && !host.address_in_hosts("n3").empty() &&
           !host.address_in_hosts("n4").empty();
  });
  // A rename can take one line with it that was written to the old file in its very moment.
  constexpr int kWrites = 3;
  int lost = 0;
  for (int i = 1; i <= 300; ++i)
    lost += host.address_in_hosts("other" + std::to_string(i)).empty() ? 1 : 0;
  REQUIRE(lost <= kWrites);
}

}  // namespace wesher::netns
