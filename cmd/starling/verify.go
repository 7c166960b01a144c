package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

// verifyEvery is how often verify --wait asks again.
const verifyEvery = 250 * time.Millisecond

func (p *program) verifyCommand() *cobra.Command {
	var wait time.Duration
	c := &cobra.Command{
		Use:     "verify",
		Short:   "Whether all members hold the same",
		GroupID: groupCluster,
		Long: `Asks every member that is not revoked whether its elements, its view and its directory are
equal to this node's. A file that a node leaves alone (it is held, too large, a link, or has a
name that cannot travel) is a difference, and so are other endings that it mirrors. Exit code 0:
all answered and all are equal. 1: there is a difference. 3: a member did not answer.`,
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			end := p.progress("asking the members")
			v, err := verify(c.Context(), client, wait)
			end()
			if err != nil {
				return err
			}
			if err := p.print(v, func(w io.Writer) { writeVerification(w, v) }); err != nil {
				return err
			}
			return verdict(v)
		},
	}
	waitFlag(c, &wait, "until they are")
	return c
}

// verify asks until the members are equal or the time is over, at least once.
func verify(ctx context.Context, client *api.Client, wait time.Duration) (api.Verification, error) {
	deadline := time.Now().Add(wait)
	for {
		v, err := client.Verify(ctx)
		if err != nil || v.Equal || time.Now().Add(verifyEvery).After(deadline) {
			return v, err
		}
		select {
		case <-time.After(verifyEvery):
		case <-ctx.Done():
			return v, ctx.Err()
		}
	}
}

func writeVerification(w io.Writer, v api.Verification) {
	if v.Equal {
		printf(w, "equal: %s on %s\n", count(v.Definitions, "definition"), count(len(v.Members), "member"))
	}
	printf(w, "MEMBER\tANSWERED\tELEMENTS\tVIEW\tDIRECTORY\tDIFFERENCE\n")
	for _, m := range v.Members {
		if !m.Answered {
			printf(w, "%s\tno\t-\t-\t-\t%s\n", m.Name, m.Difference)
			continue
		}
		printf(w, "%s\tyes\t%s\t%s\t%s\t%s\n", m.Name, equal(m.SetEqual), equal(m.ViewEqual), equal(m.DirectoryEqual), m.Difference)
	}
}

func equal(b bool) string {
	if b {
		return "equal"
	}
	return "different"
}

// verdict returns the error that carries the exit code. A difference counts for
// more than a member that did not answer.
func verdict(v api.Verification) error {
	if v.Equal {
		return nil
	}
	var silent []string
	for _, m := range v.Members {
		switch {
		case !m.Answered:
			silent = append(silent, m.Name)
		case !m.SetEqual || !m.ViewEqual || !m.DirectoryEqual:
			return &exit{exitProblem, fmt.Errorf("%s differs: %s", m.Name, m.Difference)}
		}
	}
	if len(silent) > 0 {
		return &exit{exitUnreachable, fmt.Errorf("did not answer: %s", strings.Join(silent, ", "))}
	}
	return &exit{exitProblem, fmt.Errorf("the members are not equal")}
}
