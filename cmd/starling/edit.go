package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

// editOptions are the flags of the commands that make a change.
type editOptions struct {
	note, actor string
	wait        time.Duration // for all reachable members; 0 is not at all
	strict      bool          // refuse what check has errors for
}

func (o *editOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.note, "note", "", "why; all members can read this `text`")
	c.Flags().StringVar(&o.actor, "actor", cmp.Or(os.Getenv("SUDO_USER"), os.Getenv("USER")), "who you are; all members can read this `text`")
	waitFlag(c, &o.wait, "until all reachable members have it")
}

// strictFlag adds --strict.
func (o *editOptions) strictFlag(c *cobra.Command) {
	c.Flags().BoolVar(&o.strict, "strict", false, `refuse what "starling check" would have errors for`)
}

// waitFlag adds --wait[=D].
func waitFlag(c *cobra.Command, wait *time.Duration, until string) {
	c.Flags().DurationVar(wait, "wait", 0, "wait "+until+", at most this `long` (30s if only --wait is given)")
	c.Flags().Lookup("wait").NoOptDefVal = "30s"
}

// edited is what commands that make a change print.
type edited struct {
	Changes []string `json:"changes" nullable:"false" doc:"Ids of the changes that were made."`
	Have    []string `json:"have,omitempty" nullable:"false" doc:"Members that have the changes, if they were waited for."`
	Missing []string `json:"missing,omitempty" nullable:"false" doc:"Reachable members that did not have them in time."`
}

// edit makes one change and prints its id; with --wait it then waits for the
// reachable members.
func (p *program) edit(ctx context.Context, edits []api.Edit, o editOptions) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	made, err := client.Edit(ctx, api.Draft{Edits: edits, Strict: o.strict, Note: o.note, Actor: o.actor})
	if err != nil {
		return err
	}
	return p.made(ctx, client, edited{Changes: made.Changes}, o.wait)
}

// made prints the ids of changes that were made; if there is time to wait it waits
// for the reachable members first.
func (p *program) made(ctx context.Context, client *api.Client, result edited, wait time.Duration) error {
	if err := p.reach(ctx, client, &result, wait); err != nil {
		return err
	}
	if err := p.print(result, func(w io.Writer) {
		for _, id := range result.Changes {
			printf(w, "%s\n", id)
		}
	}); err != nil {
		return err
	}
	return result.late(wait)
}

// reach waits for the reachable members, if there is time to wait and something was made.
func (p *program) reach(ctx context.Context, client *api.Client, result *edited, wait time.Duration) error {
	if wait == 0 || len(result.Changes) == 0 {
		return nil
	}
	// The last change has the others in its ancestry.
	end := p.progress("waiting for the members")
	reached, err := client.Reach(ctx, result.Changes[len(result.Changes)-1], wait)
	end()
	if err != nil {
		return fmt.Errorf("the change is made, but not known to have reached the members: %w", err)
	}
	result.Have, result.Missing = reached.Have, reached.Missing
	return nil
}

// late is the error for members that did not have the changes in time, if there are any.
func (e edited) late(wait time.Duration) error {
	if len(e.Missing) == 0 {
		return nil
	}
	return &exit{exitLate, fmt.Errorf("the change is made, but after %v these members did not have it yet: %s", wait, strings.Join(e.Missing, ", "))}
}
