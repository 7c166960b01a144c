//go:build linux

package discovery_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// patience is for what takes an address watch and a redial on a loaded machine.
const patience = 45 * time.Second

func TestMDNSFindsAPeerAtItsNewAddress(t *testing.T) {
	l := newLAN(t)
	a, b := l.machine("a", "10.77.0.1"), l.machine("b", "10.77.0.2")
	remembered := filepath.Join(t.TempDir(), "peers.json")
	ka, kb := newKey(t), newKey(t)
	ida, idb := idOf(t, ka), idOf(t, kb)

	na := a.run(ka, nodeConfig{Members: []peer.ID{idb}})
	nb := b.run(kb, nodeConfig{Members: []peer.ID{ida}, Remembered: remembered})
	within(t, patience, nb.sees(ida, "10.77.0.1"))
	within(t, patience, na.sees(idb, "10.77.0.2"))
	within(t, patience, func() error { // a says where it listens once it is connected
		content, err := os.ReadFile(remembered)
		if err == nil && !bytes.Contains(content, []byte("10.77.0.1")) {
			err = fmt.Errorf("b remembers %s, want a's address", content)
		}
		return err
	})
	nb.stop()

	// a runs on at another address. b's changes too, or a would find b where it was.
	a.renumber("10.77.0.1", "10.77.0.9")
	b.renumber("10.77.0.2", "10.77.0.8")
	if err := os.Remove(remembered); err != nil {
		t.Fatal(err)
	}
	nb = b.run(kb, nodeConfig{Members: []peer.ID{ida}, Remembered: remembered})
	within(t, patience, nb.sees(ida, "10.77.0.9"))
	within(t, patience, na.sees(idb, "10.77.0.8"))
}

func TestAPeerWhoseAddressChangesComesBackByItself(t *testing.T) {
	l := newLAN(t)
	a, b := l.machine("a", "10.77.0.1"), l.machine("b", "10.77.0.2")
	ka, kb := newKey(t), newKey(t)
	ida, idb := idOf(t, ka), idOf(t, kb)
	a.run(ka, nodeConfig{Members: []peer.ID{idb}})
	nb := b.run(kb, nodeConfig{Members: []peer.ID{ida}})
	within(t, patience, nb.sees(ida, "10.77.0.1"))
	a.renumber("10.77.0.1", "10.77.0.9")
	// Left to the keep-alives of the old connection, this takes up to 40 s.
	within(t, 20*time.Second, nb.sees(ida, "10.77.0.9"))
}

func TestMDNSWorksWithoutIPv6(t *testing.T) {
	l := newLAN(t)
	a, b := l.machine("a", "10.77.0.1"), l.machine("b", "10.77.0.2")
	for _, m := range []*machine{a, b} {
		m.ip("link", "set", "eth0", "mtu", "1200") // IPv6 wants 1,280.
	}
	ka, kb := newKey(t), newKey(t)
	ida, idb := idOf(t, ka), idOf(t, kb)
	na := a.run(ka, nodeConfig{Members: []peer.ID{idb}})
	nb := b.run(kb, nodeConfig{Members: []peer.ID{ida}})
	within(t, patience, nb.sees(ida, "10.77.0.1"))
	na.stop()
	nb.stop()
}

func TestMDNSFindsAPeerThatIsNoMemberYet(t *testing.T) {
	l := newLAN(t)
	a, b := l.machine("a", "10.77.0.1"), l.machine("b", "10.77.0.2")
	ka, kb := newKey(t), newKey(t)
	a.run(ka, nodeConfig{})
	nb := b.run(kb, nodeConfig{})
	within(t, patience, nb.sees(idOf(t, ka), "10.77.0.1"))
}

func TestALiarOnTheLocalNetworkHoldsUpNobody(t *testing.T) {
	l := newLAN(t)
	a, b, x := l.machine("a", "10.77.0.1"), l.machine("b", "10.77.0.2"), l.machine("x", "10.77.0.66")
	// What a and b send to the invented peers goes to a router that is no machine,
	// so a dial to one takes 5 s to fail.
	for _, m := range []*machine{a, b} {
		m.ip("neigh", "add", "10.77.0.200", "lladdr", "02:00:00:00:00:99", "dev", "eth0")
		m.ip("route", "add", nowhere+".0/24", "via", "10.77.0.200")
	}
	ka, kb := newKey(t), newKey(t)
	ida, idb := idOf(t, ka), idOf(t, kb)
	x.run(newKey(t), nodeConfig{Lies: 100})
	nb := b.run(kb, nodeConfig{Members: []peer.ID{ida}})
	within(t, patience, nb.failedToDial(4))
	na := a.run(ka, nodeConfig{Members: []peer.ID{idb}})
	within(t, patience, na.reports)
	within(t, 4*time.Second, nb.sees(ida, "10.77.0.1"))
}

func TestDHTFindsAPeerWhereMulticastIsBlocked(t *testing.T) {
	l := newLAN(t)
	a, c, d := l.machine("a", "10.77.0.1"), l.machine("c", "10.77.0.3"), l.machine("d", "10.77.0.4")
	for _, m := range []*machine{a, c, d} {
		m.ip("link", "set", "eth0", "multicast", "off")
	}
	ka, kc, kd := newKey(t), newKey(t), newKey(t)
	ida, idc, idd := idOf(t, ka), idOf(t, kc), idOf(t, kd)
	atA := []peer.AddrInfo{{ID: ida, Addrs: []ma.Multiaddr{ma.StringCast("/ip4/10.77.0.1/tcp/4747")}}}

	na := a.run(ka, nodeConfig{Members: []peer.ID{idc, idd}})
	// d looks for a alone, so it is c that finds d.
	d.run(kd, nodeConfig{Members: []peer.ID{ida}, Static: atA})
	within(t, patience, na.sees(idd, "10.77.0.4"))
	nc := c.run(kc, nodeConfig{Members: []peer.ID{ida, idd}, Static: atA})
	within(t, patience, nc.sees(idd, "10.77.0.4"))
	nc.stop()
	if got, want := nc.log.String(), "no network interface carries multicast"; !strings.Contains(got, want) {
		t.Errorf("c's log does not say %q, so this proved nothing:\n%s", want, got)
	}
}

// A lan is a set of machines on one switch. Each is a network namespace; so is the
// switch, so nothing of it is in the namespace of the machine that runs the test.
type lan struct {
	t      *testing.T
	wire   string // the switch's namespace
	prefix string
}

const lanPrefix = "starling-test-"

// newLAN makes a lan that goes away with the test, or skips the test where that is
// not allowed.
func newLAN(t *testing.T) *lan {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("skipped: network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("skipped: network namespaces need iproute2:", err)
	}
	removeLeftovers(t)
	l := &lan{t: t, prefix: lanPrefix + strconv.Itoa(os.Getpid()) + "-"}
	l.wire = l.prefix + "switch"
	if out, err := exec.Command("ip", "netns", "add", l.wire).CombinedOutput(); err != nil {
		t.Skipf("skipped: cannot make a network namespace: %v: %s", err, out)
	}
	t.Cleanup(func() { l.remove(l.wire) })
	if out, err := exec.Command("ip", "-n", l.wire, "link", "add", "br0", "type", "bridge").CombinedOutput(); err != nil {
		t.Skipf("skipped: cannot make a bridge: %v: %s", err, out)
	}
	l.ip("-n", l.wire, "link", "set", "br0", "up")
	return l
}

// removeLeftovers removes what a test that was killed could not.
func removeLeftovers(t *testing.T) {
	t.Helper()
	out, err := exec.Command("ip", "netns", "list").Output()
	if err != nil {
		return // The next command says why.
	}
	for line := range strings.Lines(string(out)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest, ours := strings.CutPrefix(name, lanPrefix)
		pid, _, _ := strings.Cut(rest, "-")
		if !ours {
			continue
		}
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, os.ErrNotExist) {
			t.Logf("removing %s, left over from a test that was killed", name)
			_ = exec.Command("ip", "netns", "del", name).Run()
		}
	}
}

func (l *lan) ip(args ...string) {
	l.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		l.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// remove deletes a namespace with all that is in it.
func (l *lan) remove(namespace string) {
	if out, err := exec.Command("ip", "netns", "del", namespace).CombinedOutput(); err != nil {
		l.t.Errorf("remove network namespace %s: %v: %s", namespace, err, out)
	}
}

// A machine has one interface, eth0, on the lan's switch.
type machine struct {
	lan  *lan
	name string // the namespace's
}

func (l *lan) machine(name, addr string) *machine {
	l.t.Helper()
	m := &machine{lan: l, name: l.prefix + name}
	l.ip("netns", "add", m.name)
	l.t.Cleanup(func() { l.remove(m.name) })
	m.ip("link", "set", "lo", "up")
	m.ip("link", "add", "eth0", "type", "veth", "peer", "name", name, "netns", l.wire)
	l.ip("-n", l.wire, "link", "set", "dev", name, "master", "br0", "up")
	m.ip("addr", "add", addr+"/24", "dev", "eth0")
	m.ip("link", "set", "eth0", "up")
	return m
}

func (m *machine) ip(args ...string) {
	m.lan.t.Helper()
	m.lan.ip(append([]string{"-n", m.name}, args...)...)
}

func (m *machine) renumber(from, to string) {
	m.lan.t.Helper()
	// In this order: the first address of a network takes its others with it.
	m.ip("addr", "del", from+"/24", "dev", "eth0")
	m.ip("addr", "add", to+"/24", "dev", "eth0")
}

// A process is a node that runs on a machine.
type process struct {
	t     *testing.T
	name  string
	stdin io.Closer
	log   transcript
	stop  func()

	mu   sync.Mutex
	last nodeReport
}

func (m *machine) run(key crypto.PrivKey, c nodeConfig) *process {
	t := m.lan.t
	t.Helper()
	var err error
	if c.Key, err = crypto.MarshalPrivateKey(key); err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}

	p := &process{t: t, name: m.name}
	cmd := exec.Command("ip", "netns", "exec", m.name, self)
	cmd.Env = append(os.Environ(), nodeEnv+"=1")
	cmd.Stderr = &p.log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	ended := make(chan error, 1)
	go func() {
		p.read(stdout)
		ended <- cmd.Wait()
	}()
	p.stop = sync.OnceFunc(func() {
		_ = stdin.Close()
		timeout := time.NewTimer(patience)
		defer timeout.Stop()
		select {
		case err = <-ended:
		case <-timeout.C:
			_ = cmd.Process.Kill()
			err = errors.Join(fmt.Errorf("still there %v after its input ended", patience), <-ended)
		}
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", p.name, &p.log)
		}
	})
	t.Cleanup(p.stop)
	if _, err := stdin.Write(append(config, '\n')); err != nil {
		t.Fatal(err)
	}
	return p
}

// reports is a condition: the node is up.
func (p *process) reports() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		return fmt.Errorf("%s has not reported yet", p.name)
	}
	return nil
}

// failedToDial returns a condition: the node's log tells of so many failed dials.
func (p *process) failedToDial(times int) func() error {
	return func() error {
		if got := strings.Count(p.log.String(), "all dials failed"); got < times {
			return fmt.Errorf("%s tells of %d failed dials, want %d", p.name, got, times)
		}
		return nil
	}
}

// A transcript is what a process says. It can be read while more comes.
type transcript struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(b)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

func (p *process) read(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		var r nodeReport
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			p.t.Errorf("%s: %q: %v", p.name, lines.Text(), err)
			continue
		}
		p.mu.Lock()
		p.last = r
		p.mu.Unlock()
	}
}

// sees returns a condition: the node is connected to peer at the IP address ip.
func (p *process) sees(id peer.ID, ip string) func() error {
	return func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, addr := range p.last[id.String()] {
			if strings.HasPrefix(addr, "/ip4/"+ip+"/") {
				return nil
			}
		}
		return fmt.Errorf("%s is connected to %v, want %s at %s", p.name, p.last, id, ip)
	}
}
