// A member, and what the Go wesher keeps around memberlist.
package main

import (
	"encoding/hex"
	"errors"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/memberlist"
)

type settings struct {
	name      string
	key       []byte
	bind      string
	port      int
	format    string
	overlay   string
	publicKey string
	dead      time.Duration
	agent     agentSettings
}

type node struct {
	settings settings
	list     *memberlist.Memberlist
	counters *countingTransport
	log      *logBook
	out      *lines
	overlay  net.IP
	events   chan memberlist.NodeEvent
	// One value a change. The main loop takes them, unless it is in a join.
	changes chan []peer
	joins   chan func()
	agent   *agent // nil: nothing is done on the host
	signals chan os.Signal

	lock      sync.Mutex
	meta      []byte
	peers     []peer
	conflicts int
	messages  int
}

// What the program would hand to WireGuard for a member.
type peer struct {
	Name    string       `json:"name"`
	Address string       `json:"address"`
	Overlay *overlayMeta `json:"overlay"`
	Error   string       `json:"error,omitempty"`
	meta    []byte
}

func start(s settings, out *lines) (*node, error) {
	var host *agent
	if s.agent.enabled {
		var err error
		if host, err = newAgent(&s); err != nil {
			return nil, err
		}
	}
	n := &node{settings: s, out: out, log: &logBook{}, events: make(chan memberlist.NodeEvent, 100),
		changes: make(chan []peer), joins: make(chan func()), agent: host, signals: make(chan os.Signal, 1)}
	config := memberlist.DefaultWANConfig()
	if s.name != "" {
		config.Name = s.name
	}
	config.SecretKey = s.key
	config.BindAddr = s.bind
	config.BindPort = s.port
	config.AdvertisePort = s.port
	config.GossipToTheDeadTime = s.dead
	config.LogOutput = n.log
	var err error
	if n.counters, err = newCountingTransport(s.bind, s.port, n.log); err != nil {
		return nil, err
	}
	config.Transport = n.counters
	if n.list, err = memberlist.Create(config); err != nil {
		return nil, err
	}
	// From here on: the first alive, which has incarnation 1, went without metadata, and the delegates
	// are set on a configuration that is in use already.
	config.Conflict = n
	config.Events = &memberlist.ChannelEventDelegate{Ch: n.events}
	config.Delegate = n
	if n.overlay, err = overlayAddress(s.overlay, n.list.LocalNode().Name); err != nil {
		return nil, err
	}
	go n.follow()
	if host == nil {
		go n.mainLoop()
		if s.publicKey == "" {
			return n, nil
		}
		return n, n.updateKey(s.publicKey)
	}
	host.wg.overlay = n.overlay
	if err = n.updateKey(s.publicKey); err != nil {
		return nil, err
	}
	signal.Notify(n.signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		n.joinAtStart()
		n.mainLoop()
	}()
	return n, nil
}

// Before the main loop begins, so nothing is configured until it is over.
func (n *node) joinAtStart() {
	addresses := n.agent.seeds
	if n.settings.agent.join != "" {
		addresses = strings.Split(n.settings.agent.join, ",")
	}
	if err := joinWithRetries(n.list, addresses); err != nil {
		die(err)
	}
}

// The one goroutine that drains the events.
func (n *node) follow() {
	kinds := map[memberlist.NodeEventType]string{memberlist.NodeJoin: "join",
		memberlist.NodeLeave: "leave", memberlist.NodeUpdate: "update"}
	for event := range n.events {
		if event.Node.Name == n.list.LocalNode().Name {
			continue
		}
		n.out.print("event " + marshal(map[string]interface{}{"kind": kinds[event.Event],
			"name": event.Node.Name, "at": time.Now().UnixNano()}))
		peers := n.seen()
		n.changes <- peers
		if n.agent != nil {
			n.agent.save(peers)
		}
	}
}

// The main loop of the program.
func (n *node) mainLoop() {
	for {
		select {
		case join := <-n.joins:
			join()
		case <-n.signals:
			complain("leave", n.leave())
			n.agent.cleanUp()
			os.Exit(0)
		case peers := <-n.changes:
			if n.agent != nil {
				n.agent.apply(peers)
			}
			n.lock.Lock()
			n.peers = peers
			n.lock.Unlock()
		}
	}
}

func (n *node) seen() []peer {
	found := []peer{}
	for _, member := range n.list.Members() {
		if member.Name == n.list.LocalNode().Name {
			continue
		}
		p := peer{Name: member.Name, Address: member.Addr.String(), meta: member.Meta}
		if meta, err := decodeMeta(n.settings.format, member.Meta); err != nil {
			p.Error = err.Error()
		} else {
			p.Overlay = &meta
		}
		found = append(found, p)
	}
	return found
}

func (n *node) join(addresses []string) (answer, error) {
	var reached int
	var err error
	done := make(chan struct{})
	n.joins <- func() {
		reached, err = n.list.Join(addresses)
		close(done)
	}
	<-done
	if err != nil {
		return nil, err
	}
	return map[string]int{"reached": reached}, nil
}

func (n *node) leave() error {
	if err := n.list.Leave(10 * time.Second); err != nil {
		return err
	}
	return n.list.Shutdown()
}

func (n *node) stop() {
	n.list.Shutdown()
}

func (n *node) updateKey(key string) error {
	meta, err := encodeMeta(n.settings.format, n.overlay, key)
	if err != nil {
		return err
	}
	return n.announce(meta)
}

func (n *node) updateRaw(text string) error {
	meta, err := hex.DecodeString(text)
	if err != nil {
		return err
	}
	return n.announce(meta)
}

func (n *node) announce(meta []byte) error {
	if len(meta) > memberlist.MetaMaxSize {
		return errors.New("too much metadata")
	}
	n.lock.Lock()
	n.meta = meta
	n.lock.Unlock()
	err := n.list.UpdateNode(time.Second)
	if err != nil && err.Error() == "timeout waiting for update broadcast" {
		return nil // the program only logs it; gossip goes on
	}
	return err
}

func (n *node) ping(name string, address string) (answer, error) {
	to, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	took, err := n.list.Ping(name, to)
	if err != nil {
		return nil, err
	}
	return map[string]int64{"microseconds": took.Microseconds()}, nil
}

func (n *node) user(kind string, name string, text string) error {
	message, err := hex.DecodeString(text)
	if err != nil {
		return err
	}
	for _, member := range n.list.Members() {
		if member.Name != name {
			continue
		}
		if kind == "tcp" {
			return n.list.SendReliable(member, message)
		}
		return n.list.SendBestEffort(member, message)
	}
	return errors.New("no member " + name)
}

func (n *node) currentPeers() []peer {
	n.lock.Lock()
	defer n.lock.Unlock()
	if n.peers == nil {
		return []peer{}
	}
	return n.peers
}

// memberlist.Delegate

func (n *node) NodeMeta(limit int) []byte {
	n.lock.Lock()
	defer n.lock.Unlock()
	if len(n.meta) > limit {
		panic("metadata over the limit")
	}
	return n.meta
}

func (n *node) NotifyMsg([]byte) {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.messages++
}

func (n *node) GetBroadcasts(overhead, limit int) [][]byte { return nil }
func (n *node) LocalState(join bool) []byte                { return nil }
func (n *node) MergeRemoteState(buf []byte, join bool)     {}

// memberlist.ConflictDelegate

func (n *node) NotifyConflict(existing, other *memberlist.Node) {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.conflicts++
}
