// A gossip node on HashiCorp's memberlist as the Go wesher uses it: WAN defaults, a 32-byte key,
// metadata of format F2 with a random WireGuard key. The peer of ../../peer.cpp in tests/bench/run.
//
//	peer --name NAME --address ADDR --port PORT --key HEX [--join HOST:PORT] [--channel SLOTS]
//
// Says "alive NAME" and "gone NAME". With --channel, events go through a channel of that many slots
// which is drained by the goroutine that joins, after the join: the Go program's pattern.
package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

type events struct {
	sync.Mutex
	out   *bufio.Writer
	slots chan string
}

func (e *events) say(line string) {
	if e.slots != nil {
		e.slots <- line
		return
	}
	e.print(line)
}

func (e *events) print(line string) {
	e.Lock()
	defer e.Unlock()
	fmt.Fprintln(e.out, line)
	e.out.Flush()
}

func (e *events) NotifyJoin(n *memberlist.Node)   { e.say("alive " + n.Name) }
func (e *events) NotifyLeave(n *memberlist.Node)  { e.say("gone " + n.Name) }
func (e *events) NotifyUpdate(n *memberlist.Node) {}

type meta struct{ bytes []byte }

func (m *meta) NodeMeta(limit int) []byte                  { return m.bytes }
func (m *meta) NotifyMsg([]byte)                           {}
func (m *meta) GetBroadcasts(overhead, limit int) [][]byte { return nil }
func (m *meta) LocalState(join bool) []byte                { return nil }
func (m *meta) MergeRemoteState(buf []byte, join bool)     {}

// What a wesher announces: 151 bytes, of which the key does not compress.
func realistic(address string) []byte {
	type nodeMeta struct {
		OverlayAddr net.IPNet
		PubKey      string
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		log.Fatal(err)
	}
	overlay := net.ParseIP(address).To4()
	if overlay == nil {
		log.Fatal("no IPv4 address: ", address)
	}
	var out bytes.Buffer
	err := gob.NewEncoder(&out).Encode(nodeMeta{
		net.IPNet{IP: overlay, Mask: net.CIDRMask(32, 32)}, base64.StdEncoding.EncodeToString(key)})
	if err != nil {
		log.Fatal(err)
	}
	return out.Bytes()
}

func main() {
	name := flag.String("name", "", "member name")
	address := flag.String("address", "127.0.0.1", "address to bind and announce")
	port := flag.Int("port", 7946, "gossip port")
	key := flag.String("key", "", "cluster key, hex")
	join := flag.String("join", "", "seed")
	slots := flag.Int("channel", 0, "slots of the event channel")
	flag.Parse()

	config := memberlist.DefaultWANConfig()
	config.Name = *name
	config.BindAddr = *address
	config.BindPort = *port
	config.AdvertisePort = *port
	config.LogOutput = io.Discard
	config.Logger = nil
	secret, err := hex.DecodeString(*key)
	if err != nil {
		log.Fatal(err)
	}
	config.SecretKey = secret
	config.Delegate = &meta{realistic(*address)}
	told := &events{out: bufio.NewWriter(os.Stdout)}
	if *slots > 0 {
		told.slots = make(chan string, *slots)
	}
	config.Events = told

	list, err := memberlist.Create(config)
	if err != nil {
		log.Fatal(err)
	}
	told.print("ready")
	if *join != "" && !strings.HasPrefix(*join, "-") {
		for pause := 100 * time.Millisecond; ; pause *= 2 {
			if _, err = list.Join([]string{*join}); err == nil {
				break
			}
			time.Sleep(pause)
		}
	}
	if told.slots != nil {
		go func() {
			for line := range told.slots {
				told.print(line)
			}
		}()
	}
	io.Copy(io.Discard, os.Stdin)
}
