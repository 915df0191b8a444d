// The WireGuard interface of a host, used as the Go wesher uses it: made when there is somebody to
// talk to, and given the whole list of peers at every change, which ends all its sessions.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"time"
)

const interfaceMTU = 1420

type wireguard struct {
	name       string
	port       int
	backend    string // auto, kernel or userspace
	privateKey string // base64, as the public one
	publicKey  string
	overlay    net.IP

	userspace bool
	listening bool
}

// A peer with an address that could be parsed.
type wireguardPeer struct {
	key      string
	address  netip.Addr
	endpoint string
}

// A new pair of keys, whatever there was before.
func newWireguard(name string, port int, backend string) (*wireguard, error) {
	private, err := tool("", "wg", "genkey")
	if err != nil {
		return nil, err
	}
	public, err := tool(private, "wg", "pubkey")
	return &wireguard{name: name, port: port, backend: backend,
		privateKey: strings.TrimSpace(private), publicKey: strings.TrimSpace(public)}, err
}

func tool(input string, name string, arguments ...string) (string, error) {
	command := exec.Command(name, arguments...)
	command.Stdin = strings.NewReader(input)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, complaint.String())
	}
	return string(out), nil
}

func (w *wireguard) exists() bool {
	_, err := net.InterfaceByName(w.name)
	return err == nil
}

// An interface that is there is taken as it is.
func (w *wireguard) create() error {
	if w.exists() {
		_, err := os.Stat(w.socket())
		w.userspace = err == nil
		return nil
	}
	w.listening = false
	w.userspace = false
	if w.backend != "userspace" {
		_, err := tool("", "ip", "link", "add", w.name, "type", "wireguard")
		if err == nil || w.backend == "kernel" {
			return err
		}
	}
	w.userspace = true
	command := exec.Command("wireguard-go", w.name)
	command.Stderr = os.Stderr // it outlives the command, so no pipe of ours
	return command.Run()
}

func (w *wireguard) socket() string { return "/var/run/wireguard/" + w.name + ".sock" }

// What the program does at every change: interface, all peers anew, address, MTU, routes. Routes of
// those who are gone stay.
func (w *wireguard) setUp(peers []wireguardPeer) error {
	if err := w.create(); err != nil {
		return err
	}
	replace := w.replaceInKernel
	if w.userspace {
		replace = w.replaceInUserspace
	}
	if err := replace(peers); err != nil {
		return err
	}
	own, ok := netip.AddrFromSlice(w.overlay)
	if !ok {
		return errors.New("no overlay address")
	}
	var batch strings.Builder
	fmt.Fprintf(&batch, "address replace %s dev %s\n", hostPrefix(own), w.name)
	fmt.Fprintf(&batch, "link set %s mtu %d up\n", w.name, interfaceMTU)
	for _, peer := range peers {
		fmt.Fprintf(&batch, "route replace %s dev %s scope link\n", hostPrefix(peer.address), w.name)
	}
	_, err := tool(batch.String(), "ip", "-batch", "-")
	return err
}

func hostPrefix(address netip.Addr) netip.Prefix { return netip.PrefixFrom(address, address.BitLen()) }

// `wg setconf` asks the kernel for WGDEVICE_F_REPLACE_PEERS.
func (w *wireguard) replaceInKernel(peers []wireguardPeer) error {
	var config strings.Builder
	fmt.Fprintf(&config, "[Interface]\nPrivateKey = %s\nListenPort = %d\n", w.privateKey, w.port)
	for _, peer := range peers {
		fmt.Fprintf(&config, "[Peer]\nPublicKey = %s\nEndpoint = %s\nAllowedIPs = %s\n",
			peer.key, peer.endpoint, hostPrefix(peer.address))
	}
	_, err := tool(config.String(), "wg", "setconf", w.name, "/dev/stdin")
	return err
}

// The port once only: unlike the kernel, wireguard-go opens its sockets anew whenever it is told one.
func (w *wireguard) replaceInUserspace(peers []wireguardPeer) error {
	var request strings.Builder
	private, err := hexKey(w.privateKey)
	if err != nil {
		return err
	}
	fmt.Fprintf(&request, "set=1\nprivate_key=%s\n", private)
	if !w.listening {
		fmt.Fprintf(&request, "listen_port=%d\n", w.port)
	}
	request.WriteString("replace_peers=true\n")
	for _, peer := range peers {
		public, err := hexKey(peer.key)
		if err != nil {
			return err
		}
		fmt.Fprintf(&request, "public_key=%s\nendpoint=%s\nreplace_allowed_ips=true\nallowed_ip=%s\n",
			public, peer.endpoint, hostPrefix(peer.address))
	}
	connection, err := net.DialTimeout("unix", w.socket(), 5*time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := connection.Write([]byte(request.String() + "\n")); err != nil {
		return err
	}
	answer, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "errno=0" {
		return errors.New("wireguard-go says " + strings.TrimSpace(answer))
	}
	w.listening = true
	return nil
}

func hexKey(key string) (string, error) {
	bytes, err := base64.StdEncoding.DecodeString(key)
	if err == nil && len(bytes) != 32 {
		err = errors.New("not the length of a key")
	}
	return hex.EncodeToString(bytes), err
}

// wireguard-go ends when its interface is deleted.
func (w *wireguard) down() error {
	if !w.exists() {
		return nil
	}
	_, err := tool("", "ip", "link", "delete", w.name)
	return err
}
