// What memberlist pays for the operations of ../codec.cpp. Lives in the package, because they are
// not exported: tests/bench/run copies the package and puts this file beside it.
package memberlist

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"
)

type nowhere struct {
	packets chan *Packet
	streams chan net.Conn
}

func (t *nowhere) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return net.IPv4(10, 0, 0, 1).To4(), 7946, nil
}
func (t *nowhere) WriteTo(b []byte, addr string) (time.Time, error) { return time.Now(), nil }
func (t *nowhere) PacketCh() <-chan *Packet                         { return t.packets }
func (t *nowhere) StreamCh() <-chan net.Conn                        { return t.streams }
func (t *nowhere) Shutdown() error                                  { return nil }
func (t *nowhere) DialTimeout(string, time.Duration) (net.Conn, error) {
	return nil, fmt.Errorf("nowhere")
}

// A connection that gives what it holds and swallows what it gets.
type recorded struct {
	io.Reader
	io.Writer
}

func (recorded) Close() error                     { return nil }
func (recorded) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 7946} }
func (recorded) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 7946} }
func (recorded) SetDeadline(time.Time) error      { return nil }
func (recorded) SetReadDeadline(time.Time) error  { return nil }
func (recorded) SetWriteDeadline(time.Time) error { return nil }

var (
	target = Address{Addr: "10.0.0.2:7946", Name: "node-b"}
	source = &net.UDPAddr{IP: net.IPv4(10, 0, 0, 2).To4(), Port: 7946}
)

func node(b *testing.B) *Memberlist {
	config := DefaultWANConfig()
	config.Name = "node-a"
	config.BindAddr = "10.0.0.1"
	config.Transport = &nowhere{make(chan *Packet), make(chan net.Conn)}
	config.LogOutput = io.Discard
	config.SecretKey = make([]byte, 32)
	config.ProbeInterval = time.Hour
	config.GossipInterval = time.Hour
	config.PushPullInterval = time.Hour
	m, err := Create(config)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func aliveOf(i int) *alive {
	return &alive{Incarnation: 3, Node: fmt.Sprintf("node-%05d", i),
		Addr: []byte{10, 1, byte(i >> 8), byte(i)}, Port: 7946, Meta: make([]byte, 151),
		Vsn: []byte{1, 5, 2, 0, 0, 0}}
}

func fill(m *Memberlist, n int) {
	for i := 0; i < n; i++ {
		m.aliveNode(aliveOf(i), nil, false)
	}
	m.broadcasts.Reset()
}

func sealed(b *testing.B, m *Memberlist, plain []byte) []byte {
	var out bytes.Buffer
	if err := encryptPayload(1, m.config.SecretKey, plain, nil, &out); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

func encoded(kind messageType, what interface{}) []byte {
	buf, err := encode(kind, what)
	if err != nil {
		panic(err)
	}
	return buf.Bytes()
}

func compound(ping []byte) []byte {
	parts := [][]byte{ping}
	for i := 0; i < 4; i++ {
		parts = append(parts, encoded(aliveMsg, aliveOf(i)))
	}
	return makeCompoundMessage(parts).Bytes()
}

// Processor time of the whole process, the collector's included: wall time says little on a machine
// that does other things too.
func processor() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func measure(b *testing.B, one func(i int)) {
	runtime.GC()
	b.ResetTimer()
	from := processor()
	for i := 0; i < b.N; i++ {
		one(i)
	}
	b.ReportMetric(float64(processor()-from)/float64(b.N), "cpu-ns/op")
}

func BenchmarkPing(b *testing.B) {
	m := node(b)
	defer m.Shutdown()
	measure(b, func(i int) {
		m.encodeAndSendMsg(target, pingMsg, &ping{SeqNo: uint32(i), Node: "node-b"})
	})
}

func BenchmarkCompound(b *testing.B) {
	m := node(b)
	defer m.Shutdown()
	var parts [][]byte
	for i := 0; i < 4; i++ {
		parts = append(parts, encoded(aliveMsg, aliveOf(i)))
	}
	measure(b, func(i int) {
		all := append([][]byte{encoded(pingMsg, &ping{SeqNo: uint32(i), Node: "node-b"})}, parts...)
		m.rawSendMsgPacket(target, nil, makeCompoundMessage(all).Bytes())
	})
}

func BenchmarkPingAck(b *testing.B) {
	m := node(b)
	defer m.Shutdown()
	var packets [][]byte
	for i := 0; i < 1000; i++ {
		packets = append(packets, sealed(b, m, encoded(pingMsg, &ping{SeqNo: uint32(i), Node: "node-a"})))
	}
	measure(b, func(i int) {
		m.ingestPacket(append(make([]byte, 0, 65536), packets[i%1000]...), source, time.Now())
	})
}

func BenchmarkCompoundReceived(b *testing.B) {
	m := node(b)
	defer m.Shutdown()
	fill(m, 10)
	var packets [][]byte
	for i := 0; i < 1000; i++ {
		packets = append(packets, sealed(b, m, compound(encoded(pingMsg, &ping{SeqNo: uint32(i), Node: "node-a"}))))
	}
	measure(b, func(i int) {
		m.ingestPacket(append(make([]byte, 0, 65536), packets[i%1000]...), source, time.Now())
		for more := true; more; { // the claims wait for another goroutine
			m.msgQueueLock.Lock()
			more = m.highPriorityMsgQueue.Len() > 0
			m.msgQueueLock.Unlock()
			if more {
				runtime.Gosched()
			}
		}
	})
}

func BenchmarkPushPullEncode10k(b *testing.B) {
	m := node(b)
	defer m.Shutdown()
	fill(m, 10000)
	measure(b, func(i int) {
		if err := m.sendLocalState(recorded{nil, io.Discard}, false); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkPushPullMerge10k(b *testing.B) {
	m := node(b)
	defer m.Shutdown()
	fill(m, 10000)
	var frame bytes.Buffer
	if err := m.sendLocalState(recorded{nil, &frame}, false); err != nil {
		b.Fatal(err)
	}
	measure(b, func(i int) {
		_, reader, decoder, err := m.readStream(recorded{bytes.NewReader(frame.Bytes()), io.Discard})
		if err != nil {
			b.Fatal(err)
		}
		join, nodes, user, err := m.readRemoteState(reader, decoder)
		if err != nil || len(nodes) != 10001 {
			b.Fatal(err, len(nodes))
		}
		if err := m.mergeRemoteState(join, nodes, user); err != nil {
			b.Fatal(err)
		}
	})
}
