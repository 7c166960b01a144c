package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"go.yaml.in/yaml/v4"

	"github.com/starling-sync/starling/trust"
)

// DefaultListen is where a node listens unless told otherwise.
const DefaultListen = "/ip4/0.0.0.0/tcp/4747"

// Config is a node's configuration, the file config.yaml of its data directory.
// The zero value of every field but Dir and Name is the documented default.
type Config struct {
	// Dir is the mirrored directory, absolute.
	Dir string `yaml:"dir"`
	// Name is the node's name in its grant.
	Name string `yaml:"name"`
	// Listen are the multiaddrs that the node listens on; default DefaultListen.
	// A port 0 is replaced by the one that was found at the first start.
	Listen []string `yaml:"listen,omitempty"`
	// Announce are the multiaddrs that others are told instead, for NAT.
	Announce []string `yaml:"announce,omitempty"`
	// Peers are static addresses of members, each ending in /p2p/ID.
	Peers []string `yaml:"peers,omitempty"`
	// MDNS and DHT turn kinds of discovery off; default true.
	MDNS *bool `yaml:"mdns,omitempty"`
	DHT  *bool `yaml:"dht,omitempty"`
	// Extensions are the endings of mirrored files; default .json, .yml, .yaml.
	Extensions []string `yaml:"extensions,omitempty"`
	// FileMode is the mode of new files, in octal digits; default "0640".
	FileMode string `yaml:"file_mode,omitempty"`
	// MinFreeMiB is the free disk space below which nothing is taken in; default 256.
	MinFreeMiB uint64 `yaml:"min_free_mib,omitempty"`
	// FormTime is for how long after an export a save may still be an edit of what the export
	// has replaced, such as "30m"; default "15m".
	FormTime string `yaml:"form_time,omitempty"`
	// Socket is the path of the admin socket; default starling.sock in the data
	// directory. SocketGroup may use it besides the node's own user.
	Socket      string `yaml:"socket,omitempty"`
	SocketGroup string `yaml:"socket_group,omitempty"`
	// LogLevel is debug, info (the default), warn or error.
	LogLevel string `yaml:"log_level,omitempty"`
}

const configName = "config.yaml"

// LoadConfig reads the configuration in a data directory and fills defaults in.
// Without the file all are defaults. It reports all problems at once; errors
// wrap ErrConfig.
func LoadConfig(data string) (Config, error) {
	c, err := readConfig(data)
	if err != nil {
		return Config{}, err
	}
	if len(c.Listen) == 0 {
		c.Listen = []string{DefaultListen}
	}
	if c.Socket == "" {
		c.Socket = filepath.Join(data, "starling.sock")
	}
	return c, nil
}

func readConfig(data string) (Config, error) {
	var c Config
	name := filepath.Join(data, configName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithKnownFields())
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	if err := loader.Load(&c); err != nil && !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("%w: %s: %s", ErrConfig, name, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("%w: %s: %w", ErrConfig, name, err)
	}
	return c, nil
}

// Validate reports all problems of a configuration at once.
func (c Config) Validate() error {
	var errs []error
	if c.Dir != "" && !filepath.IsAbs(c.Dir) {
		errs = append(errs, fmt.Errorf("dir: %q is not absolute", c.Dir))
	}
	if c.Name != "" {
		if err := trust.CheckName(c.Name); err != nil {
			errs = append(errs, err)
		}
	}
	for key, addrs := range map[string][]string{"listen": c.Listen, "announce": c.Announce} {
		for _, a := range addrs {
			if err := checkAddr(a); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", key, err))
			}
		}
	}
	if _, err := parsePeers(c.Peers); err != nil {
		errs = append(errs, err)
	}
	if _, err := c.fileMode(); err != nil {
		errs = append(errs, err)
	}
	if _, err := c.formTime(); err != nil {
		errs = append(errs, err)
	}
	var level slog.Level
	if c.LogLevel != "" && level.UnmarshalText([]byte(c.LogLevel)) != nil {
		errs = append(errs, fmt.Errorf("log_level: %q: want debug, info, warn or error", c.LogLevel))
	}
	return errors.Join(errs...)
}

func (c Config) fileMode() (fs.FileMode, error) {
	if c.FileMode == "" {
		return 0, nil
	}
	mode, err := strconv.ParseUint(c.FileMode, 8, 32)
	if err != nil || mode > 0o777 || mode&0o400 == 0 {
		return 0, fmt.Errorf(`file_mode: %q: want octal digits such as "0640"`, c.FileMode)
	}
	return fs.FileMode(mode), nil
}

func (c Config) formTime() (time.Duration, error) {
	if c.FormTime == "" {
		return 0, nil
	}
	limit, err := time.ParseDuration(c.FormTime)
	if err != nil || limit <= 0 {
		return 0, fmt.Errorf(`form_time: %q: want a time such as "15m"`, c.FormTime)
	}
	return limit, nil
}

// save writes the configuration, whole and durably.
func (c Config) save(data string) error {
	text, err := yaml.Dump(c)
	if err != nil {
		return fmt.Errorf("save configuration: %w", err)
	}
	if err := trust.WriteSecret(filepath.Join(data, configName), text); err != nil {
		return fmt.Errorf("save configuration: %w", err)
	}
	return nil
}

// checkAddr wants a multiaddr that TCP can listen on.
func checkAddr(s string) error {
	a, err := ma.NewMultiaddr(s)
	if err == nil {
		_, err = a.ValueForProtocol(ma.P_TCP)
	}
	if err != nil {
		return fmt.Errorf("address %q: want one such as %s", s, DefaultListen)
	}
	return nil
}

// parsePeers parses addresses that end in /p2p/ID.
func parsePeers(addrs []string) ([]peer.AddrInfo, error) {
	var parsed []ma.Multiaddr
	for _, s := range addrs {
		a, err := ma.NewMultiaddr(s)
		if err == nil {
			_, err = peer.AddrInfoFromP2pAddr(a)
		}
		if err != nil {
			return nil, fmt.Errorf("peers: address %q: want one such as /ip4/192.0.2.1/tcp/4747/p2p/ID", s)
		}
		parsed = append(parsed, a)
	}
	infos, err := peer.AddrInfosFromP2pAddrs(parsed...)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	return infos, nil
}
