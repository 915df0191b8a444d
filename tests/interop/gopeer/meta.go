// The metadata of the Go wesher, in its three generations.
package main

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
)

// What a metadata value says, whatever its format.
type overlayMeta struct {
	Address string `json:"address"`
	Mask    string `json:"mask,omitempty"`
	Key     string `json:"key"`
}

// A generation: the type has the same name on the wire in each.
type metaFormat struct {
	value func(address net.IP, key string) (interface{}, error)
	read  func(reader *gob.Decoder) (overlayMeta, error)
}

// v0.1.0 to v0.1.2
func formatF1() metaFormat {
	type nodeMeta struct {
		OverlayAddr net.IP
		PubKey      string
	}
	return metaFormat{
		func(address net.IP, key string) (interface{}, error) { return nodeMeta{address, key}, nil },
		func(reader *gob.Decoder) (overlayMeta, error) {
			var value nodeMeta
			err := reader.Decode(&value)
			return overlayMeta{Address: value.OverlayAddr.String(), Key: value.PubKey}, err
		}}
}

// v0.2.0 to v0.2.6
func formatF2() metaFormat {
	type nodeMeta struct {
		OverlayAddr net.IPNet
		PubKey      string
	}
	return metaFormat{
		func(address net.IP, key string) (interface{}, error) {
			bits := len(address) * 8
			return nodeMeta{net.IPNet{IP: address, Mask: net.CIDRMask(bits, bits)}, key}, nil
		},
		func(reader *gob.Decoder) (overlayMeta, error) {
			var value nodeMeta
			err := reader.Decode(&value)
			return overlayMeta{Address: value.OverlayAddr.IP.String(),
				Mask: hex.EncodeToString(value.OverlayAddr.Mask), Key: value.PubKey}, err
		}}
}

// v0.3.0-alpha.1 and later
func formatF3() metaFormat {
	type nodeMeta struct {
		OverlayAddr netip.Addr
		PubKey      string
	}
	return metaFormat{
		func(address net.IP, key string) (interface{}, error) {
			parsed, ok := netip.AddrFromSlice(address)
			if !ok {
				return nil, errors.New("no overlay address")
			}
			return nodeMeta{parsed, key}, nil
		},
		func(reader *gob.Decoder) (overlayMeta, error) {
			var value nodeMeta
			err := reader.Decode(&value)
			return overlayMeta{Address: value.OverlayAddr.String(), Key: value.PubKey}, err
		}}
}

var metaFormats = map[string]metaFormat{"F1": formatF1(), "F2": formatF2(), "F3": formatF3()}

func encodeMeta(format string, address net.IP, key string) ([]byte, error) {
	generation, known := metaFormats[format]
	if !known {
		return nil, fmt.Errorf("no metadata format %q", format)
	}
	value, err := generation.value(address, key)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = gob.NewEncoder(&out).Encode(value)
	return out.Bytes(), err
}

// Reads one format and no other, as each generation does.
func decodeMeta(format string, meta []byte) (overlayMeta, error) {
	generation, known := metaFormats[format]
	if !known {
		return overlayMeta{}, fmt.Errorf("no metadata format %q", format)
	}
	return generation.read(gob.NewDecoder(bytes.NewReader(meta)))
}

// The address that a name has in an overlay network: its host bytes are the last bytes of a hash of
// the name.
func overlayAddress(network string, name string) (net.IP, error) {
	_, prefix, err := net.ParseCIDR(network)
	if err != nil {
		return nil, err
	}
	ones, bits := prefix.Mask.Size()
	if ones%8 != 0 {
		return nil, errors.New("the length of an overlay network is a multiple of 8")
	}
	hash := fnv.New128a()
	hash.Write([]byte(name))
	sum := hash.Sum(nil)
	host := (bits - ones) / 8
	address := append(net.IP{}, prefix.IP...)
	copy(address[len(address)-host:], sum[len(sum)-host:])
	return address, nil
}
