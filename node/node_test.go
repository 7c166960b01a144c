package node_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/starling-sync/starling/node"
)

// eventually polls until check returns nil, or fails with its last error.
func eventually(t testing.TB, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-tick.C:
		}
	}
}

func TestSavedFileAppearsOnTheOtherNode(t *testing.T) {
	const listen = "/ip4/127.0.0.1/tcp/0"
	dirs := []string{t.TempDir(), t.TempDir()}
	data := []string{filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")}
	write := func(i int, name, text string) {
		t.Helper()
		tmp := filepath.Join(dirs[i], "."+name)
		if err := os.WriteFile(tmp, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(dirs[i], name)); err != nil {
			t.Fatal(err)
		}
	}
	has := func(i int, name, want string) func() error {
		return func() error {
			got, err := os.ReadFile(filepath.Join(dirs[i], name))
			if err == nil && string(got) != want {
				err = fmt.Errorf("%s on node %d is %q, want %q", name, i, got, want)
			}
			return err
		}
	}
	write(0, "Old-1.json", `{"id": 1}`)
	if _, err := node.Init(t.Context(), node.InitOptions{Data: data[0], Dir: dirs[0], Name: "a", Listen: listen}); err != nil {
		t.Fatal(err)
	}
	open := func(i int) *node.Node {
		t.Helper()
		n, err := node.Open(t.Context(), node.Options{Data: data[i]})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
		return n
	}
	a := open(0)
	token, err := a.Invite(t.Context(), node.InviteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := node.Join(t.Context(), node.JoinOptions{Data: data[1], Dir: dirs[1], Name: "b", Listen: listen, Token: token}); err != nil {
		t.Fatal(err)
	}
	b := open(1)
	eventually(t, has(1, "Old-1.json", `{"id": 1}`))
	write(0, "New-2.json", `{"id": 2}`)
	start := time.Now()
	eventually(t, has(1, "New-2.json", `{"id": 2}`))
	t.Log("a to b:", time.Since(start))
	write(1, "New-2.json", `{"id": 2, "name": "x"}`)
	start = time.Now()
	eventually(t, has(0, "New-2.json", `{"id": 2, "name": "x"}`))
	t.Log("b to a:", time.Since(start))
	eventually(t, func() error {
		if v := b.Verify(t.Context()); !v.Equal {
			return fmt.Errorf("not equal: %+v", v)
		}
		return nil
	})
}
