package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) inviteCommand() *cobra.Command {
	request := api.InvitationRequest{}
	var ttl time.Duration
	var out string
	c := &cobra.Command{
		Use:     "invite",
		Short:   "Make a token with which a new node can join",
		GroupID: groupStart,
		Long: `Makes a token with which a new node can join, and prints it or writes it to a file that
only you can read. Whoever has the token can join: hand it over as you would a
password. Only the node that holds the authority key can invite.`,
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if request.Role != "writer" && request.Role != "reader" {
				return usage("--role %s: want writer or reader", request.Role)
			}
			request.TTL = ttl.String()
			client, err := p.client()
			if err != nil {
				return err
			}
			var file *os.File
			if out != "" {
				if err := outsideMirrors(out); err != nil {
					return fmt.Errorf("write token: %w", err)
				}
				// Before the token is made, so that none is made in vain.
				if file, err = os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
					return fmt.Errorf("write token: %w", err)
				}
			}
			invitation, err := client.Invite(c.Context(), request)
			if file != nil {
				err = finishToken(file, invitation.Token, err)
			}
			if err != nil {
				return err
			}
			if err := p.printInvitation(invitation, out); err != nil {
				return err
			}
			p.say(`On the new node: "starling join --dir DIR TOKENFILE". Good for %s, until %s.`, count(invitation.Uses, "node"), clock(invitation.Expires))
			return nil
		},
	}
	c.Flags().StringVar(&request.Role, "role", "writer", "what the new node may do: writer or reader")
	c.Flags().IntVar(&request.Uses, "uses", 1, "`number` of nodes that can join with it")
	c.Flags().DurationVar(&ttl, "ttl", time.Hour, "how `long` it is good for")
	c.Flags().StringArrayVar(&request.Paths, "paths", nil, "`glob` of paths that the new node may edit; can be given again (default: all)")
	c.Flags().StringVar(&out, "out", "", "`file` to write it to, instead of stdout; it must not exist")
	return c
}

// finishToken writes the token into its file, or removes the file if there is
// none.
func finishToken(file *os.File, token string, err error) error {
	if err == nil {
		_, err = file.WriteString(token + "\n")
	}
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err != nil {
		err = errors.Join(err, os.Remove(file.Name()))
	}
	return err
}

// invited is what invite prints.
type invited struct {
	api.Invitation
	Token string `json:"token,omitempty" doc:"The token; absent if it is in a file."`
	File  string `json:"file,omitempty" doc:"The file that has the token."`
}

// printInvitation prints the token, or the name of the file that has it.
func (p *program) printInvitation(i api.Invitation, file string) error {
	v := invited{Invitation: i, Token: i.Token, File: file}
	if file != "" {
		v.Token = ""
	}
	return p.print(v, func(w io.Writer) {
		if file == "" {
			printf(w, "%s\n", i.Token)
		}
	})
}
