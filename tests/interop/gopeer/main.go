// gopeer is a node of HashiCorp's memberlist for the interoperability tests, set up and used the way
// the Go wesher does: WAN defaults, a 32-byte key, gob metadata, a channel of 100 events.
//
//	gopeer -name NAME -key BASE64 [-bind ADDR] [-port N] [-format F1|F2|F3] [-overlay CIDR]
//	       [-pubkey BASE64]
//	    runs a node. It reads commands from stdin, one a line, "ID VERB ARGUMENTS", and writes one
//	    line to stdout for each: "ID ok JSON" or "ID error TEXT". What happens by itself is a line
//	    "event JSON".
//	gopeer -wesher [-key BASE64] [-join ADDR,...] [-backend auto|kernel|userspace] ...
//	    is such a node with all that the Go wesher does on its host: interface, peers, routes, hosts
//	    file, state file. SIGTERM leaves and cleans up. Without a key or somebody to join it takes
//	    those of its state file.
//	gopeer -decode packets|streams|metas [-key BASE64]
//	    reads frames as hex from stdin, one a line, with the library's own code, and writes one JSON
//	    object a line; exits 1 if one of them could not be read.
//	gopeer -encode -key BASE64
//	    writes one JSON object a line with a frame that the library made and what is in it.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// An answer to a command, as JSON.
type answer interface{}

type verb func(n *node, arguments []string) (answer, error)

var verbs = map[string]verb{
	"join":    func(n *node, args []string) (answer, error) { return n.join(args) },
	"leave":   func(n *node, _ []string) (answer, error) { return nil, n.leave() },
	"members": func(n *node, _ []string) (answer, error) { return n.members(), nil },
	"table":   func(n *node, _ []string) (answer, error) { return n.table(), nil },
	"peers":   func(n *node, _ []string) (answer, error) { return n.currentPeers(), nil },
	"stats":   func(n *node, _ []string) (answer, error) { return n.stats(), nil },
	"log":     func(n *node, _ []string) (answer, error) { return n.log.complaints(), nil },
	"debug":   func(n *node, _ []string) (answer, error) { return n.log.everything(), nil },
	"update": func(n *node, args []string) (answer, error) {
		if len(args) != 1 {
			return nil, errors.New("update PUBLIC-KEY")
		}
		return nil, n.updateKey(args[0])
	},
	"meta": func(n *node, args []string) (answer, error) {
		if len(args) != 1 {
			return nil, errors.New("meta HEX")
		}
		return nil, n.updateRaw(args[0])
	},
	"ping": func(n *node, args []string) (answer, error) {
		if len(args) != 2 {
			return nil, errors.New("ping NAME HOST:PORT")
		}
		return n.ping(args[0], args[1])
	},
	"user": func(n *node, args []string) (answer, error) {
		if len(args) != 3 {
			return nil, errors.New("user udp|tcp NAME HEX")
		}
		return nil, n.user(args[0], args[1], args[2])
	},
}

// Commands run beside each other: a join that hangs must not keep anybody from asking about it.
func serve(n *node, in io.Reader, out *lines) {
	var running sync.WaitGroup
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		words := strings.Fields(scanner.Text())
		if len(words) == 0 {
			continue
		}
		if len(words) == 1 {
			out.print(words[0] + " error no verb")
			continue
		}
		if words[1] == "stop" {
			running.Wait()
			n.stop()
			out.print(words[0] + " ok null")
			return
		}
		run, known := verbs[words[1]]
		if !known {
			out.print(words[0] + " error no verb " + words[1])
			continue
		}
		running.Add(1)
		go func() {
			defer running.Done()
			result, err := run(n, words[2:])
			if err != nil {
				out.print(words[0] + " error " + strings.ReplaceAll(err.Error(), "\n", " "))
				return
			}
			out.print(words[0] + " ok " + marshal(result))
		}()
	}
}

// Whole lines from any goroutine.
type lines struct {
	sync.Mutex
	out io.Writer
}

func (l *lines) print(line string) {
	l.Lock()
	defer l.Unlock()
	fmt.Fprintln(l.out, line)
}

func marshal(value interface{}) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func die(err error) {
	fmt.Fprintln(os.Stderr, "gopeer:", err)
	os.Exit(2)
}

func main() {
	settings := settings{}
	decode := flag.String("decode", "", "read hex of this kind from stdin instead of running a node")
	encode := flag.Bool("encode", false, "write frames instead of running a node")
	key := flag.String("key", "", "cluster key, base64")
	flag.StringVar(&settings.name, "name", "", "member name; the hostname if empty")
	flag.StringVar(&settings.bind, "bind", "0.0.0.0", "address to listen on")
	flag.IntVar(&settings.port, "port", 7946, "port to listen on")
	flag.StringVar(&settings.format, "format", "F2", "metadata format")
	flag.StringVar(&settings.overlay, "overlay", "10.0.0.0/8", "overlay network")
	flag.StringVar(&settings.publicKey, "pubkey", "", "WireGuard public key to announce")
	flag.BoolVar(&settings.agent.enabled, "wesher", false, "act on the host as the Go wesher does")
	flag.StringVar(&settings.agent.interfaceName, "interface", "wgoverlay", "WireGuard interface")
	flag.IntVar(&settings.agent.wireguardPort, "wgport", 51820, "WireGuard port")
	flag.StringVar(&settings.agent.backend, "backend", "auto", "auto, kernel or userspace")
	flag.StringVar(&settings.agent.join, "join", "", "with -wesher: where to join, comma-separated")
	flag.DurationVar(&settings.dead, "dead", time.Minute, "how long it gossips to the dead")
	flag.Parse()
	if *key != "" {
		var err error
		if settings.key, err = base64.StdEncoding.DecodeString(*key); err != nil {
			die(err)
		}
	}
	switch {
	case *decode != "":
		good, err := decodeAll(*decode, settings.key, os.Stdin, os.Stdout)
		if err != nil {
			die(err)
		}
		if !good {
			os.Exit(1)
		}
	case *encode:
		if err := encodeAll(settings.key, os.Stdout); err != nil {
			die(err)
		}
	default:
		out := &lines{out: os.Stdout}
		n, err := start(settings, out)
		if err != nil {
			die(err)
		}
		out.print("event " + marshal(map[string]string{"kind": "started", "name": n.list.LocalNode().Name,
			"key": n.settings.publicKey}))
		serve(n, os.Stdin, out)
	}
}
