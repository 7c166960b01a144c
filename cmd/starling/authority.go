package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/node"
)

func (p *program) authorityCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "authority",
		Short:   "Take the authority key away from here, or bring it",
		GroupID: groupStart,
		Long: `The authority key signs who is a member. Without it the cluster goes on, but nobody can
be invited or revoked. Keep an encrypted copy of it off this machine.`,
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var file string
	c.PersistentFlags().StringVar(&file, "passphrase-file", "", "`file` whose first line is the passphrase (default: asked for)")
	c.AddCommand(p.authorityExportCommand(&file), p.authorityImportCommand(&file))
	return c
}

func (p *program) authorityExportCommand(passphraseFile *string) *cobra.Command {
	return &cobra.Command{
		Use:   "export FILE",
		Short: "Write the authority key to a file, encrypted with a passphrase",
		Args:  takes(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := outsideMirrors(args[0]); err != nil {
				return fmt.Errorf("export authority key: %w", err)
			}
			passphrase, err := p.passphrase(*passphraseFile, true)
			if err != nil {
				return err
			}
			var key bytes.Buffer
			if err := node.ExportAuthority(p.data, &key, passphrase); err != nil {
				return err
			}
			if err := writeNew(args[0], key.Bytes()); err != nil {
				return fmt.Errorf("export authority key: %w", err)
			}
			p.say("The authority key is in %s, encrypted. Take it off this machine, and keep the passphrase apart from it.", args[0])
			return nil
		},
	}
}

func (p *program) authorityImportCommand(passphraseFile *string) *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "Make this node the authority, with the key from a file",
		Args:  takes(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("import authority key: %w", err)
			}
			defer key.Close()
			passphrase, err := p.passphrase(*passphraseFile, false)
			if err != nil {
				return err
			}
			if err := node.ImportAuthority(p.data, io.LimitReader(key, maxSecret), passphrase); err != nil {
				return err
			}
			p.say(`This node can invite and revoke now. Restart it ("starling run") if it is running.`)
			return nil
		},
	}
}

// writeNew writes a file of mode 0600 that must not exist, whole or not at all.
func writeNew(name string, content []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err != nil {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}
