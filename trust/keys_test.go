package trust_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/trust"
)

func TestKeysInFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "node.key")
	key, err := trust.CreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := trust.LoadKey(path)
	if err != nil || !got.Equals(key) {
		t.Errorf("LoadKey: got another key, %v", err)
	}
	before := must(os.ReadFile(path))
	if _, err := trust.CreateKey(path); !errors.Is(err, trust.ErrExists) {
		t.Errorf("CreateKey over a key: got %v, want ErrExists", err)
	}
	if after := must(os.ReadFile(path)); !bytes.Equal(after, before) {
		t.Error("CreateKey over a key changed it")
	}

	pskPath := filepath.Join(dir, "swarm.key")
	psk, err := trust.CreatePSK(pskPath)
	if err != nil {
		t.Fatal(err)
	}
	gotPSK, err := trust.LoadPSK(pskPath)
	if err != nil || !bytes.Equal(gotPSK, psk) || len(psk) != 32 {
		t.Errorf("LoadPSK: got another key of %d bytes, %v", len(gotPSK), err)
	}
	if _, err := trust.CreatePSK(pskPath); !errors.Is(err, trust.ErrExists) {
		t.Errorf("CreatePSK over a key: got %v, want ErrExists", err)
	}

	for _, p := range []string{path, pskPath} {
		if mode := must(os.Stat(p)).Mode(); mode != 0o600 {
			t.Errorf("mode of %s: got %v, want 0600", filepath.Base(p), mode)
		}
	}
	if left := must(os.ReadDir(dir)); len(left) != 2 {
		t.Errorf("folder holds %v, want the two keys alone", left)
	}
}

func TestSweepSecrets(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "node.key")
	if _, err := trust.CreateKey(kept); err != nil {
		t.Fatal(err)
	}
	// As a crash leaves it, before the file has its name.
	left := filepath.Join(dir, ".starling-ABCDEF.tmp")
	failpoint.Set(func(p failpoint.Point, name string) {
		if p == failpoint.SecretSynced {
			if err := os.Link(name, left); err != nil {
				t.Error(err)
			}
		}
	})
	defer failpoint.Set(nil)
	if err := trust.WriteSecret(filepath.Join(dir, "other"), []byte("secret")); err != nil {
		t.Fatal(err)
	}
	if err := trust.SweepSecrets(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary file: got %v, want it gone", err)
	}
	if _, err := trust.LoadKey(kept); err != nil {
		t.Errorf("the key beside it: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := filepath.Join(dir, "good.key")
	if _, err := trust.CreateKey(key); err != nil {
		t.Fatal(err)
	}
	good := string(must(os.ReadFile(key)))
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	const secret = "0123456789abcdef-secret-0123456789"
	tests := []struct {
		name, path string
		want       error
	}{
		{"missing", filepath.Join(dir, "none"), fs.ErrNotExist},
		{"group may read", write("group", good, 0o640), trust.ErrTooOpen},
		{"world may read", write("world", good, 0o604), trust.ErrTooOpen},
		{"group may write", write("write", good, 0o620), trust.ErrTooOpen},
		{"empty", write("empty", "", 0o600), trust.ErrKeyFile},
		{"something else", write("else", secret+"\n"+secret, 0o600), trust.ErrKeyFile},
		{"truncated", write("truncated", good[:len(good)/2], 0o600), trust.ErrKeyFile},
		{"folder", filepath.Join(dir, "folder"), trust.ErrKeyFile},
		{"header only", write("header", "/key/swarm/psk/1.0.0/\n/"+secret+"/\n", 0o600), trust.ErrKeyFile},
	}
	for _, tt := range tests {
		_, errKey := trust.LoadKey(tt.path)
		_, errPSK := trust.LoadPSK(tt.path)
		for what, err := range map[string]error{"LoadKey": errKey, "LoadPSK": errPSK} {
			if !errors.Is(err, tt.want) {
				t.Errorf("%s, %s: got %v, want %v", what, tt.name, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%s, %s: the error quotes the file: %v", what, tt.name, err)
			}
			if errors.Is(err, trust.ErrTooOpen) && !strings.Contains(err.Error(), "chmod 600 "+tt.path) {
				t.Errorf("%s, %s: the error does not say what to do: %v", what, tt.name, err)
			}
		}
	}
}

func TestCheckPrivate(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	err := trust.CheckPrivate(dir)
	if !errors.Is(err, trust.ErrTooOpen) || !strings.Contains(err.Error(), "chmod 700 "+dir) {
		t.Errorf("CheckPrivate(0750): got %v, want ErrTooOpen and what to do", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := trust.CheckPrivate(dir); err != nil {
		t.Errorf("CheckPrivate(0700): %v", err)
	}
	if err := trust.CheckPrivate(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("CheckPrivate(missing): got %v, want ErrNotExist", err)
	}
}

func TestWriteSecretReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("old and open"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := trust.WriteSecret(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if got := string(must(os.ReadFile(path))); got != "new" {
		t.Errorf("content: got %q, want new", got)
	}
	if err := trust.CheckPrivate(path); err != nil {
		t.Errorf("CheckPrivate: %v", err)
	}
	if err := trust.WriteSecret(filepath.Join(path, "below", "a", "file"), nil); err == nil {
		t.Error("WriteSecret below a file: got nil, want an error")
	}
}

func TestAuthorityExport(t *testing.T) {
	key := keyOf(t, 1)
	var file bytes.Buffer
	if err := trust.ExportAuthority(&file, key, "correct horse"); err != nil {
		t.Fatal(err)
	}
	exported := file.Bytes()
	if !bytes.HasPrefix(exported, []byte("-----BEGIN AGE ENCRYPTED FILE-----\n")) {
		t.Errorf("export begins with %.40q", exported)
	}
	got, err := trust.ImportAuthority(bytes.NewReader(exported), "correct horse")
	if err != nil || !got.Equals(key) {
		t.Errorf("ImportAuthority: got another key, %v", err)
	}
	if _, err := trust.ImportAuthority(bytes.NewReader(exported), "wrong"); !errors.Is(err, trust.ErrPassphrase) {
		t.Errorf("ImportAuthority with the wrong passphrase: got %v, want ErrPassphrase", err)
	}
	for name, data := range map[string][]byte{"empty": nil, "something else": []byte("hello"), "truncated": exported[:100]} {
		if _, err := trust.ImportAuthority(bytes.NewReader(data), "correct horse"); !errors.Is(err, trust.ErrKeyFile) {
			t.Errorf("ImportAuthority(%s): got %v, want ErrKeyFile", name, err)
		}
	}
	if err := trust.ExportAuthority(&file, key, ""); !errors.Is(err, trust.ErrPassphrase) {
		t.Errorf("ExportAuthority without a passphrase: got %v, want ErrPassphrase", err)
	}
	if _, err := trust.ImportAuthority(&file, ""); !errors.Is(err, trust.ErrPassphrase) {
		t.Errorf("ImportAuthority without a passphrase: got %v, want ErrPassphrase", err)
	}
	var none crypto.PrivKey
	if err := trust.ExportAuthority(&file, none, "x"); err == nil {
		t.Error("ExportAuthority without a key: got nil, want an error")
	}
}
