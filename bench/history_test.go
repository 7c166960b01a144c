// Package bench measures starling as it is run: whole processes and real directories.
package bench_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

const (
	changes     = 100_000
	definitions = 10_000
	authors     = 5
)

// BenchmarkHistory runs a node with 100,000 changes by five authors of 10,000
// definitions, beside another member that holds the same, and asks it by the command
// line what people ask. It reports how long it takes to be ready after a clean stop, and
// how long each command takes, each with the node's resident set after it, in MiB.
func BenchmarkHistory(b *testing.B) {
	p := newProgram(b)
	p.run(b, "init", "--dir", p.dir, "--name", "a", "--listen", "/ip4/127.0.0.1/tcp/0")
	first := p.fill(b)
	stopFirst := p.start(b) // it exports all
	member := &program{binary: p.binary, data: p.data + "-2", dir: p.dir + "-2"}
	token := p.data + "-token"
	p.run(b, "invite", "--out", token)
	member.run(b, "join", token, "--dir", member.dir, "--name", "b", "--listen", "/ip4/127.0.0.1/tcp/0")
	defer member.start(b)()
	stopFirst()
	b.Run("start", func(b *testing.B) {
		var resident float64
		for b.Loop() {
			stop := p.start(b)
			b.StopTimer()
			resident += float64(p.resident(b)) / (1 << 20)
			stop()
			b.StartTimer()
		}
		b.ReportMetric(resident/float64(b.N), "rss-MiB")
	})
	stop := p.start(b)
	defer stop()
	const asked = "Service-4321.json"
	for _, args := range [][]string{
		{"status"},
		{"log"},
		{"log", "-n", "20"},
		{"log", asked},
		{"cat", asked},
		{"cat", asked + "@" + first.String()},
		{"blame", asked},
		{"show", first.String()},
		{"ls"},
		{"conflicts"},
	} {
		name := strings.ReplaceAll(strings.Join(args, " "), first.String(), "CHANGE")
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p.run(b, args...)
			}
			b.ReportMetric(float64(p.resident(b))/(1<<20), "rss-MiB")
		})
	}
}

// program is a starling and its node.
type program struct {
	binary, data, dir string
	process           *os.Process // while it runs
}

func newProgram(b *testing.B) *program {
	b.Helper()
	root := b.TempDir()
	p := &program{binary: filepath.Join(root, "starling"), data: filepath.Join(root, "data"), dir: filepath.Join(root, "dir")}
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-o", p.binary, "../cmd/starling").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	for _, dir := range []string{p.dir, p.dir + "-2"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			b.Fatal(err)
		}
	}
	return p
}

// run runs a command and wants it to succeed.
func (p *program) run(b *testing.B, args ...string) {
	b.Helper()
	if out, err := p.command(b.Context(), args...).CombinedOutput(); err != nil {
		b.Fatalf("starling %v: %v\n%s", args, err, out)
	}
}

func (p *program) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, p.binary, append([]string{"--data", p.data}, args...)...)
}

// start starts the node and waits until it is ready.
func (p *program) start(b *testing.B) (stop func()) {
	b.Helper()
	c := p.command(context.Background(), "run")
	stderr, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	p.process = c.Process
	log := bufio.NewScanner(stderr)
	ready := false
	var lines []string
	for !ready && log.Scan() {
		lines = append(lines, log.Text())
		ready = strings.Contains(log.Text(), "msg=ready ")
	}
	if !ready {
		b.Fatalf("the node is not ready: %v\n%s", c.Wait(), strings.Join(lines, "\n"))
	}
	return func() {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			b.Error(err)
		}
		for log.Scan() { // until it ends
		}
		if err := c.Wait(); err != nil {
			b.Errorf("stop: %v", err)
		}
	}
}

// resident returns the node's resident set in bytes (proc(5)).
func (p *program) resident(b *testing.B) int {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.Pid))
	if err != nil {
		b.Skipf("the memory of a process cannot be seen here: %v", err)
	}
	_, rss, _ := strings.Cut(string(text), "VmRSS:")
	rss, _, _ = strings.Cut(rss, "kB")
	kib, err := strconv.Atoi(strings.TrimSpace(rss))
	if err != nil {
		b.Fatal(err)
	}
	return kib << 10
}

// fill gives the node its history, as if others had written it too, and returns a
// change of the definition that is asked for.
func (p *program) fill(b *testing.B) (first definition.ChangeID) {
	b.Helper()
	authority, err := trust.LoadKey(filepath.Join(p.data, "authority.key"))
	if err != nil {
		b.Fatal(err)
	}
	cluster, err := trust.ClusterOf(authority.GetPublic())
	if err != nil {
		b.Fatal(err)
	}
	last := make([]definition.Version, definitions)
	written := 0
	for i := range authors {
		key, _, err := crypto.GenerateEd25519Key(nil)
		if err != nil {
			b.Fatal(err)
		}
		id, err := peer.IDFromPrivateKey(key)
		if err != nil {
			b.Fatal(err)
		}
		r, err := crdt.Open(b.Context(), crdt.Options{Dir: p.data, Cluster: cluster, Key: key})
		if err != nil {
			b.Fatal(err)
		}
		grant := trust.Grant{Member: id, Name: fmt.Sprintf("author-%d", i), Role: trust.RoleWriter}
		if _, _, err := r.Grant(b.Context(), authority, grant); err != nil {
			b.Fatal(err)
		}
		for range changes / authors {
			n := written % definitions
			path, err := definition.ParsePath(fmt.Sprintf("Service-%d.json", n))
			if err != nil {
				b.Fatal(err)
			}
			edit := definition.Edit{Path: path, Content: service(n, written)}
			if written >= definitions {
				edit.Parents = []definition.Version{last[n]}
			}
			versions, err := r.Append(b.Context(), definition.Draft{Edits: []definition.Edit{edit}}, nil)
			if err != nil {
				b.Fatal(err)
			}
			last[n] = versions[0]
			if n == 4321 && first.IsZero() {
				first = versions[0].Change
			}
			written++
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return first
}

// service returns a definition of about a KiB.
func service(id, round int) []byte {
	return fmt.Appendf(nil, `{
  "@class": "org.apereo.cas.services.CasRegisteredService",
  "serviceId": "^https://app-%d[.]example[.]org/.*",
  "name": "Application %d",
  "id": %d,
  "description": "version %d; %s",
  "evaluationOrder": %d,
  "attributeReleasePolicy": {
    "@class": "org.apereo.cas.services.ReturnAllowedAttributeReleasePolicy",
    "allowedAttributes": ["java.util.ArrayList", ["cn", "mail", "sn"]]
  }
}
`, id, id, id, round, strings.Repeat("a definition as people write them; ", 16), id)
}
