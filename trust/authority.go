package trust

import (
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/libp2p/go-libp2p/core/crypto"
)

// maxExport bounds an exported authority key in bytes.
const maxExport = 64 << 10

// ExportAuthority writes the authority's key, encrypted with a passphrase, as an
// armored age file. It takes about a second by design, so that guessing is slow.
// The age tool opens it too: `age --decrypt FILE`.
func ExportAuthority(w io.Writer, key crypto.PrivKey, passphrase string) error {
	if passphrase == "" {
		return fmt.Errorf("export authority: %w: it is empty", ErrPassphrase)
	}
	text, err := encodeKey(key)
	if err != nil {
		return fmt.Errorf("export authority: %w", err)
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return fmt.Errorf("export authority: %w", err)
	}
	armored := armor.NewWriter(w)
	sealed, err := age.Encrypt(armored, recipient)
	if err != nil {
		return fmt.Errorf("export authority: %w", err)
	}
	_, err = sealed.Write(text)
	if err := errors.Join(err, sealed.Close(), armored.Close()); err != nil {
		return fmt.Errorf("export authority: %w", err)
	}
	return nil
}

// ImportAuthority reads what ExportAuthority wrote. The caller compares
// ClusterOf the key with the cluster that it should belong to. Errors wrap
// ErrPassphrase or ErrKeyFile.
func ImportAuthority(r io.Reader, passphrase string) (crypto.PrivKey, error) {
	if passphrase == "" {
		return nil, fmt.Errorf("import authority: %w: it is empty", ErrPassphrase)
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("import authority: %w", err)
	}
	opened, err := age.Decrypt(armor.NewReader(io.LimitReader(r, maxExport)), identity)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, fmt.Errorf("import authority: %w", ErrPassphrase)
	}
	if err != nil {
		return nil, fmt.Errorf("import authority: %w: want an exported authority key (age, armored)", ErrKeyFile)
	}
	text, err := io.ReadAll(opened)
	if err != nil {
		return nil, fmt.Errorf("import authority: %w: the file is damaged", ErrKeyFile)
	}
	key, err := decodeKey(text)
	if err != nil {
		return nil, fmt.Errorf("import authority: %w", err)
	}
	return key, nil
}
