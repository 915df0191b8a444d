// What the library does not tell: its whole table, what it logs, and how much it sends.
package main

import (
	"bytes"
	"encoding/hex"
	"log"
	"net"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/hashicorp/memberlist"
)

// A member as the tests see it.
type member struct {
	Name        string       `json:"name"`
	Address     string       `json:"address"`
	Bytes       string       `json:"address_bytes"`
	Port        uint16       `json:"port"`
	Versions    []int        `json:"versions"`
	Meta        string       `json:"meta"`
	Overlay     *overlayMeta `json:"overlay"`
	State       string       `json:"state"`
	Incarnation uint32       `json:"incarnation,omitempty"`
}

func (n *node) describe(of *memberlist.Node, state memberlist.NodeStateType) member {
	m := member{Name: of.Name, Address: of.Addr.String(), Bytes: hex.EncodeToString(of.Addr),
		Port: of.Port, Meta: hex.EncodeToString(of.Meta),
		Versions: []int{int(of.PMin), int(of.PMax), int(of.PCur), int(of.DMin), int(of.DMax), int(of.DCur)}}
	m.State = []string{"alive", "suspect", "dead", "left"}[state]
	if meta, err := decodeMeta(n.settings.format, of.Meta); err == nil {
		m.Overlay = &meta
	}
	return m
}

// Alive and suspected members, as every application gets them.
func (n *node) members() []member {
	found := []member{}
	for _, of := range n.list.Members() {
		found = append(found, n.describe(of, memberlist.StateAlive))
	}
	return found
}

// Laid out as memberlist's own.
type nodeState struct {
	memberlist.Node
	Incarnation uint32
	State       memberlist.NodeStateType
	StateChange time.Time
}

// A field of the library's object that is not exported.
func (n *node) field(name string) unsafe.Pointer {
	return unsafe.Pointer(reflect.ValueOf(n.list).Elem().FieldByName(name).UnsafeAddr())
}

// Every record, those of the dead and of ourselves included.
func (n *node) table() []member {
	lock := (*sync.RWMutex)(n.field("nodeLock"))
	lock.RLock()
	defer lock.RUnlock()
	found := []member{}
	for _, record := range *(*[]*nodeState)(n.field("nodes")) {
		m := n.describe(&record.Node, record.State)
		m.Incarnation = record.Incarnation
		found = append(found, m)
	}
	return found
}

func (n *node) stats() map[string]int64 {
	n.lock.Lock()
	defer n.lock.Unlock()
	c := n.counters
	return map[string]int64{
		"health":         int64(n.list.GetHealthScore()),
		"conflicts":      int64(n.conflicts),
		"user_messages":  int64(n.messages),
		"queued_events":  int64(len(n.events)),
		"packets_out":    atomic.LoadInt64(&c.packetsOut),
		"bytes_out":      atomic.LoadInt64(&c.bytesOut),
		"packets_in":     atomic.LoadInt64(&c.packetsIn),
		"bytes_in":       atomic.LoadInt64(&c.bytesIn),
		"streams_out":    atomic.LoadInt64(&c.streamsOut),
		"streams_in":     int64(n.log.count("Stream connection")),
		"push_pulls_out": int64(n.log.count("Initiating push/pull sync")),
	}
}

// The transport of the library, with counters.
type countingTransport struct {
	*memberlist.NetTransport
	packets                                              chan *memberlist.Packet
	packetsOut, bytesOut, packetsIn, bytesIn, streamsOut int64
}

func newCountingTransport(bind string, port int, book *logBook) (*countingTransport, error) {
	inner, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{
		BindAddrs: []string{bind}, BindPort: port, Logger: log.New(book, "", log.LstdFlags)})
	if err != nil {
		return nil, err
	}
	t := &countingTransport{NetTransport: inner, packets: make(chan *memberlist.Packet)}
	go func() {
		for packet := range inner.PacketCh() {
			atomic.AddInt64(&t.packetsIn, 1)
			atomic.AddInt64(&t.bytesIn, int64(len(packet.Buf)))
			t.packets <- packet
		}
	}()
	return t, nil
}

func (t *countingTransport) PacketCh() <-chan *memberlist.Packet { return t.packets }

func (t *countingTransport) WriteTo(b []byte, address string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: address})
}

func (t *countingTransport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	atomic.AddInt64(&t.packetsOut, 1)
	atomic.AddInt64(&t.bytesOut, int64(len(b)))
	return t.NetTransport.WriteToAddress(b, a)
}

func (t *countingTransport) DialTimeout(address string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: address}, timeout)
}

func (t *countingTransport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	atomic.AddInt64(&t.streamsOut, 1)
	return t.NetTransport.DialAddressTimeout(a, timeout)
}

// What the library logs, a line a call.
type logBook struct {
	lock  sync.Mutex
	lines []string
}

func (b *logBook) Write(line []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.lines = append(b.lines, string(bytes.TrimSpace(line)))
	return len(line), nil
}

func (b *logBook) with(wanted func(line string) bool) []string {
	b.lock.Lock()
	defer b.lock.Unlock()
	found := []string{}
	for _, line := range b.lines {
		if wanted(line) {
			found = append(found, line)
		}
	}
	return found
}

func (b *logBook) count(text string) int {
	return len(b.with(func(line string) bool { return strings.Contains(line, text) }))
}

// Warnings and errors.
func (b *logBook) complaints() []string {
	return b.with(func(line string) bool {
		return strings.Contains(line, "[WARN]") || strings.Contains(line, "[ERR]")
	})
}

func (b *logBook) everything() []string {
	return b.with(func(string) bool { return true })
}
