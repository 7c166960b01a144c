package trust

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/pnet"
)

const (
	keyBlock = "PRIVATE KEY" // the PEM type of PKCS #8
	pskSize  = 32
)

// CreateKey makes an Ed25519 key, for a node or an authority, and writes it to a
// new file with mode 0600: PKCS #8 in PEM, which other tools read too. If there is
// a file already the error wraps ErrExists.
func CreateKey(path string) (crypto.PrivKey, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("create key: %w", err)
	}
	if err := SaveKey(path, key); err != nil {
		return nil, err
	}
	return key, nil
}

// SaveKey writes an Ed25519 key as CreateKey does.
func SaveKey(path string, key crypto.PrivKey) error {
	text, err := encodeKey(key)
	if err != nil {
		return fmt.Errorf("save key: %w", err)
	}
	if err := createSecret(path, text); err != nil {
		return fmt.Errorf("save key: %w", err)
	}
	return nil
}

// LoadKey reads a key that CreateKey or SaveKey wrote. Errors wrap fs.ErrNotExist,
// ErrTooOpen or ErrKeyFile.
func LoadKey(path string) (crypto.PrivKey, error) {
	text, err := readSecret(path)
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	key, err := decodeKey(text)
	if err != nil {
		return nil, fmt.Errorf("load key: %s: %w", path, err)
	}
	return key, nil
}

// CreatePSK makes a pre-shared key for a private network and writes it to a new
// file with mode 0600. If there is a file already the error wraps ErrExists.
func CreatePSK(path string) (pnet.PSK, error) {
	psk := make(pnet.PSK, pskSize)
	rand.Read(psk) // never fails
	if err := SavePSK(path, psk); err != nil {
		return nil, err
	}
	return psk, nil
}

// SavePSK writes a pre-shared key as CreatePSK does, in libp2p's text format.
func SavePSK(path string, psk pnet.PSK) error {
	if len(psk) != pskSize {
		return fmt.Errorf("save pre-shared key: it has %d bytes, want %d", len(psk), pskSize)
	}
	text := "/key/swarm/psk/1.0.0/\n/base16/\n" + hex.EncodeToString(psk) + "\n"
	if err := createSecret(path, []byte(text)); err != nil {
		return fmt.Errorf("save pre-shared key: %w", err)
	}
	return nil
}

// LoadPSK reads a pre-shared key in libp2p's text format. Errors wrap
// fs.ErrNotExist, ErrTooOpen or ErrKeyFile.
func LoadPSK(path string) (pnet.PSK, error) {
	text, err := readSecret(path)
	if err != nil {
		return nil, fmt.Errorf("load pre-shared key: %w", err)
	}
	psk, err := pnet.DecodeV1PSK(bytes.NewReader(text))
	if err != nil {
		// The cause quotes lines of the file, so it is left out.
		return nil, fmt.Errorf("load pre-shared key: %w: %s: want the format /key/swarm/psk/1.0.0/", ErrKeyFile, path)
	}
	return psk, nil
}

func encodeKey(key crypto.PrivKey) ([]byte, error) {
	if key == nil || key.Type() != crypto.Ed25519 {
		return nil, fmt.Errorf("key is not Ed25519")
	}
	raw, err := key.Raw()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.PrivateKey(raw))
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}), nil
}

// decodeKey is the inverse of encodeKey. Errors wrap ErrKeyFile and quote nothing.
func decodeKey(text []byte) (crypto.PrivKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != keyBlock {
		return nil, fmt.Errorf("%w: want an Ed25519 private key in PEM (PKCS #8)", ErrKeyFile)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: want an Ed25519 private key in PEM (PKCS #8)", ErrKeyFile)
	}
	return crypto.UnmarshalEd25519PrivateKey(key)
}
