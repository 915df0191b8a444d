// What the Go wesher does on its host with what memberlist tells it.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand"
	"net/netip"
	"os"
	"time"

	"github.com/hashicorp/memberlist"
)

type agentSettings struct {
	enabled       bool
	interfaceName string
	wireguardPort int
	backend       string
	join          string // comma-separated
}

type agent struct {
	settings settings
	wg       *wireguard
	seeds    []string
}

// Keys first: the cluster's as given, else as stored, else a new one; the host's own a new one.
func newAgent(s *settings) (*agent, error) {
	stored, seeds, err := loadState(s.format, s.agent.interfaceName)
	if err != nil {
		return nil, err
	}
	if len(s.key) == 0 {
		s.key = stored
	}
	if len(s.key) == 0 {
		s.key = make([]byte, 32)
		if _, err := rand.Read(s.key); err != nil {
			return nil, err
		}
	}
	a := &agent{seeds: seeds}
	if a.wg, err = newWireguard(s.agent.interfaceName, s.agent.wireguardPort, s.agent.backend); err != nil {
		return nil, err
	}
	s.publicKey = a.wg.publicKey
	a.settings = *s
	return a, nil
}

// One change. Whatever fails takes the interface down, until the next one.
func (a *agent) apply(peers []peer) {
	names := map[string]string{}
	configured := []wireguardPeer{}
	for _, p := range peers {
		if p.Overlay == nil {
			continue
		}
		address, err := netip.ParseAddr(p.Overlay.Address)
		if err != nil {
			complain("an address that says nothing", err)
			continue
		}
		names[address.String()] = p.Name
		endpoint := netip.MustParseAddr(p.Address).Unmap()
		configured = append(configured, wireguardPeer{p.Overlay.Key, address,
			netip.AddrPortFrom(endpoint, uint16(a.settings.agent.wireguardPort)).String()})
	}
	if err := a.wg.setUp(configured); err != nil {
		complain("the interface", err)
		complain("the interface down", a.wg.down())
	}
	complain("the hosts file", writeHosts(a.banner(), names))
}

func (a *agent) banner() string { return banner(a.settings.format, a.settings.agent.interfaceName) }

func (a *agent) save(peers []peer) {
	path := statePath(a.settings.format, a.settings.agent.interfaceName)
	complain("the state", saveState(path, a.settings.key, stateNodes(a.settings.format, peers)))
}

// Leaves nothing on the host but the state.
func (a *agent) cleanUp() {
	complain("the hosts file", writeHosts(a.banner(), map[string]string{}))
	complain("the interface", a.wg.down())
}

func complain(what string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gopeer:", what+":", err)
	}
}

// Tries again with growing pauses, for a quarter of an hour.
func joinWithRetries(list *memberlist.Memberlist, addresses []string) error {
	const (
		first   = 500 * time.Millisecond
		growth  = 1.5
		longest = time.Minute
		limit   = 15 * time.Minute
	)
	began := time.Now()
	for pause := first; ; {
		_, err := list.Join(addresses)
		if err == nil && len(addresses) > 0 && list.NumMembers() < 2 {
			err = errors.New("nobody answered")
		}
		if err == nil {
			return nil
		}
		complain("join", err)
		// Up to half of it more or less.
		wait := time.Duration(float64(pause) * (0.5 + mathrand.Float64()))
		if time.Since(began)+wait > limit {
			return err
		}
		time.Sleep(wait)
		if pause = time.Duration(float64(pause) * growth); pause > longest {
			pause = longest
		}
	}
}
