package api

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// PeerList is the members of the cluster as this node sees them.
type PeerList struct {
	Peers []Peer `json:"peers" nullable:"false"`
}

// Peer is one member.
type Peer struct {
	Name      string     `json:"name"`
	ID        string     `json:"id" doc:"Peer id."`
	Role      string     `json:"role" doc:"reader or writer."`
	Self      bool       `json:"self" doc:"The node that answers."`
	Revoked   bool       `json:"revoked" doc:"A member no more."`
	Reachable bool       `json:"reachable" doc:"Connected right now."`
	Equal     bool       `json:"equal" doc:"Holds the same elements as this node, as far as it told."`
	Behind    int        `json:"behind" doc:"Elements of this node that it lacks."`
	Ahead     int        `json:"ahead" doc:"Elements that this node lacks."`
	Changes   uint64     `json:"changes" doc:"Changes that it has made."`
	Addrs     []string   `json:"addrs" nullable:"false" doc:"Addresses, as multiaddrs."`
	LastSeen  *time.Time `json:"last_seen,omitempty" doc:"When it was last connected; absent if never."`

	Refused map[string]uint64 `json:"refused" doc:"Blocks that it sent and this node refused since its start, by reason."`
}

type peersOutput struct{ Body PeerList }

func (r routes) peers() {
	handle(r, huma.Operation{
		OperationID: "list-peers",
		Method:      http.MethodGet,
		Path:        "/v1/peers",
		Summary:     "The members, reachable or not, and how far each is",
		Tags:        []string{tagCluster},
	}, func(ctx context.Context, _ *struct{}) (*peersOutput, error) {
		peers := r.node.Peers(ctx)
		body := PeerList{Peers: make([]Peer, 0, len(peers))}
		for _, p := range peers {
			peer := Peer{
				Name:      p.Name,
				ID:        p.ID.String(),
				Role:      p.Role.String(),
				Self:      p.Self,
				Revoked:   p.Revoked,
				Reachable: p.Reachable,
				Equal:     p.Equal,
				Behind:    p.Behind,
				Ahead:     p.Ahead,
				Changes:   p.Changes,
				Addrs:     append([]string{}, p.Addrs...),
				Refused:   map[string]uint64{},
			}
			maps.Copy(peer.Refused, p.Refused)
			if !p.LastSeen.IsZero() {
				peer.LastSeen = &p.LastSeen
			}
			body.Peers = append(body.Peers, peer)
		}
		return &peersOutput{Body: body}, nil
	})
}

// Peers asks for the members of the cluster.
func (c *Client) Peers(ctx context.Context) (PeerList, error) {
	var l PeerList
	err := c.get(ctx, "/v1/peers", nil, &l)
	return l, err
}
