// Frames read and written by the library's own code.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"strings"
	"time"
	_ "unsafe" // for the linked names

	"github.com/hashicorp/go-msgpack/codec"
	"github.com/hashicorp/memberlist"
)

//go:linkname decryptPayload github.com/hashicorp/memberlist.decryptPayload
func decryptPayload(keys [][]byte, msg []byte, data []byte) ([]byte, error)

//go:linkname decodeCompoundMessage github.com/hashicorp/memberlist.decodeCompoundMessage
func decodeCompoundMessage(buf []byte) (int, [][]byte, error)

//go:linkname decompressPayload github.com/hashicorp/memberlist.decompressPayload
func decompressPayload(msg []byte) ([]byte, error)

//go:linkname decode github.com/hashicorp/memberlist.decode
func decode(buf []byte, out interface{}) error

//go:linkname encode github.com/hashicorp/memberlist.encode
func encode(msgType uint8, in interface{}) (*bytes.Buffer, error)

//go:linkname readStream github.com/hashicorp/memberlist.(*Memberlist).readStream
func readStream(m *memberlist.Memberlist, conn net.Conn) (uint8, io.Reader, *codec.Decoder, error)

//go:linkname readRemoteState github.com/hashicorp/memberlist.(*Memberlist).readRemoteState
func readRemoteState(m *memberlist.Memberlist, in io.Reader, dec *codec.Decoder) (bool, []pushNodeState, []byte, error)

// The messages, with the names and kinds of the library's own fields. What they hold is compared on
// the other side, so a difference shows.
type ping struct {
	SeqNo      uint32
	Node       string
	SourceAddr []byte `codec:",omitempty"`
	SourcePort uint16 `codec:",omitempty"`
	SourceNode string `codec:",omitempty"`
}

type indirectPingReq struct {
	SeqNo      uint32
	Target     []byte
	Port       uint16
	Node       string
	Nack       bool
	SourceAddr []byte `codec:",omitempty"`
	SourcePort uint16 `codec:",omitempty"`
	SourceNode string `codec:",omitempty"`
}

type ackResp struct {
	SeqNo   uint32
	Payload []byte
}

type nackResp struct{ SeqNo uint32 }

type errResp struct{ Error string }

type accusation struct { // suspect and dead
	Incarnation uint32
	Node        string
	From        string
}

type alive struct {
	Incarnation uint32
	Node        string
	Addr        []byte
	Port        uint16
	Meta        []byte
	Vsn         []uint8
}

type pushNodeState struct {
	Name        string
	Addr        []byte
	Port        uint16
	Meta        []byte
	Incarnation uint32
	State       int
	Vsn         []uint8
}

type pushPullHeader struct {
	Nodes        int
	UserStateLen int
	Join         bool
}

type userMsgHeader struct{ UserMsgLen int }

const (
	pingMsg = iota
	indirectPingMsg
	ackRespMsg
	suspectMsg
	aliveMsg
	deadMsg
	pushPullMsg
	compoundMsg
	userMsg
	compressMsg
	encryptMsg
	nackRespMsg
	hasCrcMsg
	errMsg
)

// One message that was read.
type decoded struct {
	Type    string      `json:"type"`
	Message interface{} `json:"message"`
	// The library's encoder would have written the same bytes.
	Same bool `json:"same"`
}

func newMessage(kind uint8) (string, interface{}) {
	switch kind {
	case pingMsg:
		return "ping", &ping{}
	case indirectPingMsg:
		return "indirect_ping", &indirectPingReq{}
	case ackRespMsg:
		return "ack", &ackResp{}
	case nackRespMsg:
		return "nack", &nackResp{}
	case suspectMsg:
		return "suspect", &accusation{}
	case deadMsg:
		return "dead", &accusation{}
	case aliveMsg:
		return "alive", &alive{}
	case errMsg:
		return "error", &errResp{}
	}
	return "", nil
}

// The steps of the library's ingestPacket and handleCommand, with what they find handed back.
func decodePacket(key []byte, datagram []byte) ([]decoded, error) {
	plain, err := decryptPayload([][]byte{key}, datagram, nil)
	if err != nil {
		return nil, err
	}
	if len(plain) >= 5 && plain[0] == hasCrcMsg {
		if crc32.ChecksumIEEE(plain[5:]) != binary.BigEndian.Uint32(plain[1:5]) {
			return nil, errors.New("wrong checksum")
		}
		plain = plain[5:]
	}
	return decodeMessages(plain)
}

func decodeMessages(plain []byte) ([]decoded, error) {
	if len(plain) == 0 {
		return nil, errors.New("an empty message, which ends the process")
	}
	switch plain[0] {
	case compressMsg:
		inner, err := decompressPayload(plain[1:])
		if err != nil {
			return nil, err
		}
		return decodeMessages(inner)
	case compoundMsg:
		truncated, parts, err := decodeCompoundMessage(plain[1:])
		if err != nil {
			return nil, err
		}
		if truncated > 0 {
			return nil, fmt.Errorf("%d truncated parts", truncated)
		}
		all := []decoded{}
		for _, part := range parts {
			found, err := decodeMessages(part)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
		return all, nil
	case userMsg:
		return []decoded{{"user", hex.EncodeToString(plain[1:]), true}}, nil
	}
	name, message := newMessage(plain[0])
	if message == nil || plain[0] == errMsg {
		return nil, fmt.Errorf("message type %d in a datagram", plain[0])
	}
	if err := decode(plain[1:], message); err != nil {
		return nil, err
	}
	again, err := encode(plain[0], message)
	if err != nil {
		return nil, err
	}
	return []decoded{{name, message, bytes.Equal(again.Bytes(), plain)}}, nil
}

// A connection that gives what it holds.
type recordedStream struct{ io.Reader }

func (recordedStream) Write([]byte) (int, error)        { return 0, io.ErrClosedPipe }
func (recordedStream) Close() error                     { return nil }
func (recordedStream) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (recordedStream) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (recordedStream) SetDeadline(time.Time) error      { return nil }
func (recordedStream) SetReadDeadline(time.Time) error  { return nil }
func (recordedStream) SetWriteDeadline(time.Time) error { return nil }

func decodeStream(m *memberlist.Memberlist, stream []byte) ([]decoded, error) {
	kind, in, decoder, err := readStream(m, recordedStream{bytes.NewReader(stream)})
	if err != nil {
		return nil, err
	}
	if kind == pushPullMsg {
		join, nodes, user, err := readRemoteState(m, in, decoder)
		if err != nil {
			return nil, err
		}
		return []decoded{{"push_pull", map[string]interface{}{"Join": join, "Nodes": nodes, "UserState": len(user)}, true}}, nil
	}
	if kind == userMsg {
		var header userMsgHeader
		if err := decoder.Decode(&header); err != nil {
			return nil, err
		}
		payload := make([]byte, header.UserMsgLen)
		if _, err := io.ReadFull(in, payload); err != nil {
			return nil, err
		}
		return []decoded{{"user", hex.EncodeToString(payload), true}}, nil
	}
	name, message := newMessage(kind)
	if message == nil {
		return nil, fmt.Errorf("message type %d on a stream", kind)
	}
	if err := decoder.Decode(message); err != nil {
		return nil, err
	}
	return []decoded{{name, message, true}}, nil
}

// A member without sockets: what reads streams is a method.
func offline(key []byte) (*memberlist.Memberlist, error) {
	config := memberlist.DefaultWANConfig()
	config.Name = "offline"
	config.SecretKey = key
	config.LogOutput = io.Discard
	config.Transport = (&memberlist.MockNetwork{}).NewTransport("offline")
	return memberlist.Create(config)
}

func decodeLine(kind string, key []byte, m *memberlist.Memberlist, frame []byte) (interface{}, error) {
	switch kind {
	case "packets":
		return decodePacket(key, frame)
	case "streams":
		return decodeStream(m, frame)
	}
	readable := map[string]overlayMeta{}
	for _, format := range []string{"F1", "F2", "F3"} {
		if meta, err := decodeMeta(format, frame); err == nil {
			readable[format] = meta
		}
	}
	if len(readable) == 0 {
		return nil, errors.New("no format fits")
	}
	return readable, nil
}

func decodeAll(kind string, key []byte, in io.Reader, out io.Writer) (bool, error) {
	if kind != "packets" && kind != "streams" && kind != "metas" {
		return false, fmt.Errorf("cannot decode %q", kind)
	}
	m, err := offline(key)
	if err != nil {
		return false, err
	}
	good := true
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, 64<<20)
	for line := 1; scanner.Scan(); line++ {
		result := map[string]interface{}{"line": line}
		frame, err := hex.DecodeString(strings.TrimSpace(scanner.Text()))
		if err == nil {
			result["result"], err = decodeLine(kind, key, m, frame)
		}
		if err != nil {
			result["error"] = err.Error()
			delete(result, "result")
			good = false
		}
		fmt.Fprintln(out, marshal(result))
	}
	return good, scanner.Err()
}
