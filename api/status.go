package api

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
)

// Status is what a node says of itself.
type Status struct {
	Name    string `json:"name" doc:"Name of the node."`
	ID      string `json:"id" doc:"Peer id of the node."`
	Cluster string `json:"cluster" doc:"Id of the cluster."`
	Role    string `json:"role" doc:"What the node's grant lets it do: reader or writer; empty without a grant."`
	Dir     string `json:"dir" doc:"The mirrored directory."`
	Version string `json:"version" doc:"Version of the program."`

	State         string  `json:"state" enum:"problem,starting,catching_up,busy,well" doc:"The status in a word: something needs an operator; the first sync goes on; members have what this node has not got yet; files of the directory are not taken in, or not written, yet; all is well. The first that is true."`
	Ready         bool    `json:"ready" doc:"The first sync was done once, and the directory is what the cluster says."`
	Syncing       bool    `json:"syncing" doc:"Elements are being fetched or files written right now."`
	UptimeSeconds float64 `json:"uptime_seconds"`

	Problems []StatusProblem `json:"problems" nullable:"false" doc:"What needs an operator; empty if all is well."`
	Held     []HeldFile      `json:"held" nullable:"false" doc:"Files that are neither imported nor exported for now."`
	Waiting  []WaitingFile   `json:"waiting" nullable:"false" doc:"Files that have waited for over 10 s to be complete: somebody has them open for writing."`

	Observing bool            `json:"observing" doc:"The node writes and publishes nothing."`
	Planned   []PlannedAction `json:"planned" nullable:"false" doc:"What a node that observes would do about its directory."`

	NetworkFileSystem string  `json:"network_file_system" doc:"The network file system that the directory is on; what other machines change there is found by rescans only. Empty if it is local."`
	RescanSeconds     float64 `json:"rescan_seconds" doc:"How often the whole directory is looked at."`

	Definitions int `json:"definitions" doc:"Files that the directory should hold."`
	Changes     int `json:"changes" doc:"Changes in this node's copy of the set."`
	Elements    int `json:"elements" doc:"Elements in this node's copy of the set."`
	Heads       int `json:"heads" doc:"Heads of the set."`
	Conflicts   int `json:"conflicts" doc:"Merges that could not honour all sides and are not resolved, and ids that several definitions hold."`

	Findings StatusFindings `json:"findings" doc:"What the rules of check find in the definitions."`

	Members   int               `json:"members" doc:"Standing members of the cluster, this node among them."`
	Reachable int               `json:"reachable" doc:"Standing members that this node is connected to."`
	Behind    int               `json:"behind" doc:"Elements that reachable peers have and this node has not."`
	Refused   map[string]uint64 `json:"refused" doc:"Blocks refused since the start, by reason."`
}

// StatusProblem is something that needs an operator.
type StatusProblem struct {
	Code string `json:"code" doc:"Stable name of the problem."`
	Text string `json:"text" doc:"What is wrong."`
	Do   string `json:"do" doc:"What to do about it."`
}

// StatusFindings is what the rules of check find in the definitions. It follows a
// change within seconds.
type StatusFindings struct {
	Errors          int       `json:"errors"`
	Warnings        int       `json:"warnings"`
	Notes           int       `json:"notes"`
	FilesWithErrors int       `json:"files_with_errors"`
	Pending         int       `json:"pending" doc:"Paths that changed and are not counted here yet."`
	Listed          []Finding `json:"listed" nullable:"false" doc:"The first of them, errors before warnings, without notes."`
}

// Finding is one place in a definition where a rule of check found something.
type Finding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity" enum:"error,warning,note"`
	Path     string `json:"path"`
	Line     int    `json:"line" doc:"From 1."`
	Column   int    `json:"column" doc:"From 1, in characters."`
	Pointer  string `json:"pointer" doc:"JSON pointer of the value; empty for the whole file."`
	Message  string `json:"message" doc:"What is wrong, and what to do."`
}

func findingsOf(f node.Findings) StatusFindings {
	out := StatusFindings{
		Errors: f.Errors, Warnings: f.Warnings, Notes: f.Notes, FilesWithErrors: f.FilesWithErrors, Pending: f.Pending,
		Listed: make([]Finding, 0, len(f.Listed)),
	}
	for _, l := range f.Listed {
		out.Listed = append(out.Listed, Finding{
			Rule: l.Rule, Severity: l.Severity.String(), Path: l.Path, Line: l.Line, Column: l.Column, Pointer: l.Pointer, Message: l.Message,
		})
	}
	return out
}

// PlannedAction is what a node that observes would do about a file.
type PlannedAction struct {
	Path   string `json:"path"`
	Action string `json:"action" doc:"export, delete, import, adopt, import deletion or set aside."`
}

// WaitingFile is a file that is not taken in yet, because it may be half of a file.
type WaitingFile struct {
	Path   string    `json:"path"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// HeldFile is a file that is neither imported nor exported for now.
type HeldFile struct {
	Path   string    `json:"path"`
	Reason string    `json:"reason"`
	Do     string    `json:"do" doc:"What ends it; empty if the file is to be mended or removed."`
	Since  time.Time `json:"since"`
}

type statusOutput struct{ Body Status }

func (r routes) status() {
	handle(r, huma.Operation{
		OperationID: "get-status",
		Method:      http.MethodGet,
		Path:        "/v1/status",
		Summary:     "How this node is",
		Tags:        []string{tagNode},
	}, func(ctx context.Context, _ *struct{}) (*statusOutput, error) {
		s := r.node.Status(ctx)
		body := Status{
			Name:          s.Name,
			ID:            s.ID.String(),
			Cluster:       s.Cluster.String(),
			Dir:           s.Dir,
			Version:       s.Version,
			State:         string(s.State),
			Ready:         s.Ready,
			Syncing:       s.Syncing,
			UptimeSeconds: s.Uptime.Seconds(),
			Problems:      make([]StatusProblem, 0, len(s.Problems)),
			Held:          make([]HeldFile, 0, len(s.Held)),
			Waiting:       make([]WaitingFile, 0, len(s.Waiting)),
			Observing:     s.Observing,
			Planned:       make([]PlannedAction, 0, len(s.Planned)),
			RescanSeconds: s.Rescan.Seconds(),
			Definitions:   s.Definitions,
			Changes:       s.Changes,
			Elements:      s.Elements,
			Heads:         s.Heads,
			Conflicts:     s.Conflicts,
			Findings:      findingsOf(s.Findings),
			Members:       s.Members,
			Reachable:     s.Reachable,
			Behind:        s.Behind,
			Refused:       map[string]uint64{},

			NetworkFileSystem: s.Network,
		}
		maps.Copy(body.Refused, s.Refused)
		if s.Role != 0 {
			body.Role = s.Role.String()
		}
		for _, p := range s.Problems {
			body.Problems = append(body.Problems, StatusProblem{Code: string(p.Code), Text: p.Text, Do: p.Do})
		}
		for _, h := range s.Held {
			body.Held = append(body.Held, HeldFile(h))
		}
		for _, w := range s.Waiting {
			body.Waiting = append(body.Waiting, WaitingFile(w))
		}
		for _, p := range s.Planned {
			body.Planned = append(body.Planned, PlannedAction(p))
		}
		return &statusOutput{Body: body}, nil
	})
}

// Status asks how the node is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.get(ctx, "/v1/status", nil, &s)
	return s, err
}
