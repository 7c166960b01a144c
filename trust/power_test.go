package trust_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/internal/powerloss"
	"github.com/starling-sync/starling/trust"
)

// blackout is a moment at which a folder of secret files may lose its power.
type blackout struct {
	at    failpoint.Point
	state powerloss.State
}

// blackouts returns the moments that a folder passes while do works in it, and the one
// after it.
func blackouts(t *testing.T, dir string, do func()) []blackout {
	t.Helper()
	disk, err := powerloss.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []blackout
	note := func(p failpoint.Point) {
		state, err := disk.State()
		if err != nil {
			t.Error(err)
		}
		found = append(found, blackout{p, state})
	}
	failpoint.Set(func(p failpoint.Point, name string) {
		var err error
		rel, relErr := filepath.Rel(dir, name)
		switch p {
		case failpoint.SecretSynced:
			err = disk.FileSynced(rel)
		case failpoint.SecretSaved:
			err = disk.FolderSynced(filepath.Dir(rel))
		case failpoint.FolderSynced:
			err = disk.FolderSynced(rel)
		}
		err = errors.Join(err, relErr)
		if err != nil {
			t.Error(err)
		}
		note(p)
	})
	do()
	failpoint.Set(nil)
	note("the end")
	if err := disk.Close(); err != nil {
		t.Error(err)
	}
	return found
}

// remains are some of what a blackout may leave, each in a folder of its own.
func (b blackout) remains(t *testing.T, rng *rand.Rand) []string {
	t.Helper()
	all := []powerloss.Remains{b.state.Oldest(), b.state.Newest()}
	for i := range 6 {
		all = append(all, b.state.Some(rng, i%2 == 0))
	}
	var dirs []string
	for _, r := range all {
		dir := t.TempDir()
		if err := r.Write(dir); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// TestSecretsAfterPowerLoss: keys, the configuration, the membership and the invitations
// are written by the same function; the files are whole, and once it has returned, new.
func TestSecretsAfterPowerLoss(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	path := filepath.Join(dir, "membership.json")
	const first, second = `{"version": 1}`, `{"version": 2, "longer": true}`
	if err := trust.WriteSecret(path, []byte(first)); err != nil {
		t.Fatal(err)
	}
	var key crypto.PrivKey
	found := blackouts(t, dir, func() {
		if err := trust.WriteSecret(path, []byte(second)); err != nil {
			t.Fatal(err)
		}
		key = must(trust.CreateKey(filepath.Join(dir, "node.key")))
	})
	if want := 7; len(found) != want { // three of each file, and the end
		t.Fatalf("there are %d moments, want %d", len(found), want)
	}
	for i, b := range found {
		for _, dir := range b.remains(t, rng) {
			where := fmt.Sprintf("seed %d, moment %d, %s", seed, i, b.at)
			allowed := []string{first, second}
			if i >= 2 {
				allowed = allowed[1:]
			}
			if got := string(must(os.ReadFile(filepath.Join(dir, "membership.json")))); !slices.Contains(allowed, got) {
				t.Errorf("%s: the file holds %q, want one of %q", where, got, allowed)
			}
			switch got, err := trust.LoadKey(filepath.Join(dir, "node.key")); {
			case err == nil && got.Equals(key):
			case i < 5 && errors.Is(err, fs.ErrNotExist):
			default:
				t.Errorf("%s: the key: %v", where, err)
			}
			if err := trust.SweepSecrets(dir); err != nil {
				t.Errorf("%s: %v", where, err)
			}
		}
	}
}

// TestNewFolderAfterPowerLoss: a secret is not lost with the folders that were made for it.
func TestNewFolderAfterPowerLoss(t *testing.T) {
	root := t.TempDir()
	data := filepath.Join(root, "state", "starling")
	found := blackouts(t, root, func() {
		if err := trust.MakePrivate(data); err != nil {
			t.Fatal(err)
		}
		if err := trust.WriteSecret(filepath.Join(data, "node.key"), []byte("secret")); err != nil {
			t.Fatal(err)
		}
	})
	left := found[len(found)-1].state.Oldest().Files
	if got := left["state/starling/node.key"].Content; got != "secret" {
		t.Errorf("the file holds %q, want the secret; left are %v", got, left)
	}
	if mode := must(os.Stat(data)).Mode().Perm(); mode != 0o700 {
		t.Errorf("mode of the folder: got %v, want 0700", mode)
	}
}

// TestUsedTokenAfterPowerLoss: wherever the power goes while a node joins, the token is
// good for this node; and once the node has its answer, for no other.
func TestUsedTokenAfterPowerLoss(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	c := startCluster(t)
	tok := c.invite(trust.InviteOptions{})
	first, other := startHost(t, keyOf(t, 3), testPSK), startHost(t, keyOf(t, 4), testPSK)
	found := blackouts(t, filepath.Dir(c.path), func() {
		if _, err := trust.Join(testContext(t), first, tok, "first"); err != nil {
			t.Fatal(err)
		}
	})
	if want := 4; len(found) != want {
		t.Fatalf("there are %d moments, want %d", len(found), want)
	}
	for i, b := range found {
		for _, dir := range b.remains(t, rng) {
			where := fmt.Sprintf("seed %d, %s", seed, b.at)
			open, err := trust.OpenInvitations(filepath.Join(dir, "invitations.json"))
			if err != nil {
				t.Errorf("%s: %v", where, err)
				continue
			}
			c.serve(open)
			if i == len(found)-1 {
				if _, err := trust.Join(testContext(t), other, tok, "other"); !errors.Is(err, trust.ErrTokenUsed) {
					t.Errorf("%s: another node joins: %v, want ErrTokenUsed", where, err)
				}
			}
			if _, err := trust.Join(testContext(t), first, tok, "first"); err != nil {
				t.Errorf("%s: the node joins again: %v", where, err)
			}
		}
	}
}
