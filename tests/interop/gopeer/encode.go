// Frames that the library makes, in every form that its settings allow.
package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	_ "unsafe" // for the linked names

	"github.com/hashicorp/memberlist"
)

//go:linkname encryptPayload github.com/hashicorp/memberlist.encryptPayload
func encryptPayload(vsn uint8, key []byte, msg []byte, data []byte, dst *bytes.Buffer) error

//go:linkname compressPayload github.com/hashicorp/memberlist.compressPayload
func compressPayload(in []byte) (*bytes.Buffer, error)

//go:linkname makeCompoundMessage github.com/hashicorp/memberlist.makeCompoundMessage
func makeCompoundMessage(messages [][]byte) *bytes.Buffer

//go:linkname rawSendMsgStream github.com/hashicorp/memberlist.(*Memberlist).rawSendMsgStream
func rawSendMsgStream(m *memberlist.Memberlist, conn net.Conn, send []byte) error

// A frame and the plaintext messages in it, outermost layers removed.
type encoded struct {
	Kind   string   `json:"kind"` // packet or stream
	Frame  string   `json:"frame"`
	Layers []string `json:"layers"`
	Types  []string `json:"types"`
}

type keepingStream struct {
	recordedStream
	into *bytes.Buffer
}

func (s keepingStream) Write(data []byte) (int, error) { return s.into.Write(data) }

func sampleMessages() (names []string, plain [][]byte, err error) {
	long := bytes.Repeat([]byte("metadata "), 56)
	source := []byte{172, 31, 0, 9}
	mapped := append(append(make([]byte, 10), 0xff, 0xff), source...)
	versions := []uint8{1, 5, 2, 0, 0, 0}
	for _, sample := range []struct {
		name    string
		kind    uint8
		message interface{}
	}{
		{"ping", pingMsg, &ping{SeqNo: 1, Node: "b"}},
		{"ping", pingMsg, &ping{SeqNo: 70000, Node: "b", SourceAddr: mapped, SourcePort: 7946, SourceNode: "a"}},
		{"indirect_ping", indirectPingMsg, &indirectPingReq{SeqNo: 300, Target: source, Port: 7946, Node: "b", Nack: true}},
		{"indirect_ping", indirectPingMsg, &indirectPingReq{SeqNo: 1 << 31, Target: mapped, Node: "b", SourceAddr: mapped, SourcePort: 7946, SourceNode: "a"}},
		{"ack", ackRespMsg, &ackResp{SeqNo: 1}},
		{"ack", ackRespMsg, &ackResp{SeqNo: 1, Payload: long}},
		{"nack", nackRespMsg, &nackResp{SeqNo: 200}},
		{"suspect", suspectMsg, &accusation{1, "b", "a"}},
		{"dead", deadMsg, &accusation{40000, "b", "b"}},
		{"alive", aliveMsg, &alive{1, "b", source, 7946, nil, versions}},
		{"alive", aliveMsg, &alive{3, "b", mapped, 7946, long, versions}},
	} {
		out, failed := encode(sample.kind, sample.message)
		if failed != nil {
			return nil, nil, failed
		}
		names = append(names, sample.name)
		plain = append(plain, out.Bytes())
	}
	return names, plain, nil
}

func sampleStreams() (names []string, plain [][]byte, err error) {
	for _, nodes := range []int{0, 1, 200} {
		out, err := encode(pushPullMsg, &pushPullHeader{Nodes: nodes, Join: nodes == 1})
		if err != nil {
			return nil, nil, err
		}
		for i := 0; i < nodes; i++ {
			entry, err := encode(0, &pushNodeState{Name: fmt.Sprintf("node-%d", i),
				Addr: []byte{10, 0, 0, byte(i)}, Port: 7946, Meta: bytes.Repeat([]byte{byte(i)}, i),
				Incarnation: uint32(i), State: i % 4, Vsn: []uint8{1, 5, 2, 0, 0, 0}})
			if err != nil {
				return nil, nil, err
			}
			out.Write(entry.Bytes()[1:])
		}
		names = append(names, "push_pull")
		plain = append(plain, out.Bytes())
	}
	for _, sample := range []struct {
		name    string
		kind    uint8
		message interface{}
	}{
		{"ping", pingMsg, &ping{SeqNo: 1, Node: "b", SourceAddr: []byte{1, 2, 3, 4}, SourcePort: 7946, SourceNode: "a"}},
		{"ack", ackRespMsg, &ackResp{SeqNo: 200}},
		{"error", errMsg, &errResp{"no room"}},
	} {
		out, err := encode(sample.kind, sample.message)
		if err != nil {
			return nil, nil, err
		}
		names = append(names, sample.name)
		plain = append(plain, out.Bytes())
	}
	user, err := encode(userMsg, &userMsgHeader{300})
	if err != nil {
		return nil, nil, err
	}
	user.Write(make([]byte, 300))
	return append(names, "user"), append(plain, user.Bytes()), nil
}

func encryptedPacket(version uint8, key []byte, plain []byte) (string, error) {
	var out bytes.Buffer
	err := encryptPayload(version, key, plain, nil, &out)
	return hex.EncodeToString(out.Bytes()), err
}

func encodeAll(key []byte, out io.Writer) error {
	names, plain, err := sampleMessages()
	if err != nil {
		return err
	}
	names = append(names, "compound")
	plain = append(plain, makeCompoundMessage(plain[:7]).Bytes())
	for i, message := range plain {
		types := []string{names[i]}
		layers := []string{}
		if names[i] == "compound" {
			types = names[:7]
			layers = []string{"compound"}
		}
		if err := encodePackets(key, message, layers, types, out); err != nil {
			return err
		}
	}
	return encodeStreams(key, out)
}

// One plaintext under both encryption versions, bare and compressed.
func encodePackets(key []byte, message []byte, layers []string, types []string, out io.Writer) error {
	packed, err := compressPayload(message)
	if err != nil {
		return err
	}
	for _, version := range []uint8{0, 1} {
		for _, form := range []struct {
			plain  []byte
			layers []string
		}{{message, layers}, {packed.Bytes(), append([]string{"compress"}, layers...)}} {
			frame, err := encryptedPacket(version, key, form.plain)
			if err != nil {
				return err
			}
			fmt.Fprintln(out, marshal(encoded{"packet", frame, form.layers, types}))
		}
	}
	return nil
}

func encodeStreams(key []byte, out io.Writer) error {
	names, plain, err := sampleStreams()
	if err != nil {
		return err
	}
	m, err := offline(key)
	if err != nil {
		return err
	}
	for i, message := range plain {
		var frame bytes.Buffer
		if err := rawSendMsgStream(m, keepingStream{recordedStream{}, &frame}, message); err != nil {
			return err
		}
		fmt.Fprintln(out, marshal(encoded{"stream", hex.EncodeToString(frame.Bytes()), []string{"compress"}, names[i : i+1]}))
	}
	return nil
}
