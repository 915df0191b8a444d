// The state file, in the two layouts that there are: that of v0.1.0 to v0.2.6 holds what was read of
// the metadata, the later one holds the metadata.
package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
)

const stateFolder = "/var/lib/wesher"

func statePath(format string, interfaceName string) string {
	if format == "F3" {
		return filepath.Join(stateFolder, interfaceName+".json")
	}
	return filepath.Join(stateFolder, "state.json")
}

type state struct {
	ClusterKey []byte
	Nodes      interface{}
}

type decodedNode struct {
	Name        string
	Addr        net.IP
	OverlayAddr net.IPNet
	PubKey      string
}

type rawNode struct {
	Name        string
	Addr        net.IP
	Meta        []byte
	OverlayAddr netip.Addr // never written
	PubKey      string     // never written
}

func stateNodes(format string, peers []peer) interface{} {
	if format == "F3" {
		nodes := []rawNode{}
		for _, p := range peers {
			nodes = append(nodes, rawNode{Name: p.Name, Addr: net.ParseIP(p.Address), Meta: p.meta})
		}
		return nodes
	}
	nodes := []decodedNode{}
	for _, p := range peers {
		node := decodedNode{Name: p.Name, Addr: net.ParseIP(p.Address)}
		if p.Overlay != nil {
			address := net.ParseIP(p.Overlay.Address)
			if short := address.To4(); short != nil {
				address = short
			}
			mask := net.CIDRMask(len(address)*8, len(address)*8)
			if said, err := hex.DecodeString(p.Overlay.Mask); err == nil && len(said) > 0 {
				mask = said
			}
			node.OverlayAddr = net.IPNet{IP: address, Mask: mask}
			node.PubKey = p.Overlay.Key
		}
		nodes = append(nodes, node)
	}
	return nodes
}

func saveState(path string, key []byte, nodes interface{}) error {
	text, err := json.MarshalIndent(state{key, nodes}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0700); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0600)
}

// What a start needs of it: the key, and where to join. Read as each generation reads it, so what
// another one wrote of overlay addresses is an error. F3 also looks for the file of those before.
// No file is no state.
func loadState(format string, interfaceName string) (key []byte, seeds []string, err error) {
	text, err := os.ReadFile(statePath(format, interfaceName))
	if errors.Is(err, os.ErrNotExist) && format == "F3" {
		text, err = os.ReadFile(statePath("F2", interfaceName))
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	kept := state{}
	if format == "F3" {
		var nodes []rawNode
		kept.Nodes = &nodes
		err = json.Unmarshal(text, &kept)
		for _, node := range nodes {
			seeds = append(seeds, node.Addr.String())
		}
		return kept.ClusterKey, seeds, err
	}
	var nodes []decodedNode
	kept.Nodes = &nodes
	err = json.Unmarshal(text, &kept)
	for _, node := range nodes {
		seeds = append(seeds, node.Addr.String())
	}
	return kept.ClusterKey, seeds, err
}
