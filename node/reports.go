package node

import (
	"bufio"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node/nodepb"
)

// reportProtocol is how members ask each other how far they are. Only members
// reach it.
const reportProtocol protocol.ID = "/starling/0/report/1"

const (
	askTime       = 5 * time.Second  // how long a question without a wait may take
	maxAwait      = 10 * time.Second // how long one question may wait for a change
	maxReport     = 64 << 20         // bytes of a report with all files
	maxQuestion   = 1 << 10
	maxAnswering  = 64 // questions that are answered at one time
	reportTimeout = 30 * time.Second
)

// reports asks members how far they are, and answers them.
type reports struct {
	node   *Node
	ctx    context.Context
	cancel context.CancelFunc
	slots  chan struct{}

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// question is what a member is asked.
type question struct {
	change definition.ChangeID // awaited if not zero
	wait   time.Duration
	files  bool
	// problem asks for the member's first problem.
	problem bool
}

// answer is what it said, or why it did not.
type answer struct {
	report *nodepb.Report
	heads  []cid.Cid
	err    error
	// asked and answered are when the question was sent and the answer was here.
	asked, answered time.Time
}

func newReports(n *Node) *reports {
	r := &reports{node: n, slots: make(chan struct{}, maxAnswering)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	n.gated.SetStreamHandler(reportProtocol, r.handle)
	return r
}

// close ends what is being answered and waits for it.
func (r *reports) close() {
	r.node.gated.RemoveStreamHandler(reportProtocol)
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.wg.Wait()
}

// ask asks members the same at one time and waits for all answers.
func (r *reports) ask(ctx context.Context, members []peer.ID, q question) map[peer.ID]answer {
	ctx, cancel := context.WithTimeout(ctx, askTime+q.wait)
	defer cancel()
	answers := make([]answer, len(members))
	var wg sync.WaitGroup
	for i, m := range members {
		wg.Go(func() { answers[i] = r.askOne(ctx, m, q) })
	}
	wg.Wait()
	out := make(map[peer.ID]answer, len(members))
	for i, m := range members {
		out[m] = answers[i]
	}
	return out
}

func (r *reports) askOne(ctx context.Context, m peer.ID, q question) answer {
	s, err := r.node.gated.NewStream(network.WithNoDial(ctx, "asks connected members"), m, reportProtocol)
	if err != nil {
		return answer{err: fmt.Errorf("ask %s: %w", m, err)}
	}
	defer func() { _ = s.Reset() }() // after Close it does nothing
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	request := &nodepb.ReportRequest{WaitMs: uint32(q.wait.Milliseconds()), Files: q.files, Problem: q.problem}
	if !q.change.IsZero() {
		request.Change = q.change[:]
	}
	var report nodepb.Report
	a := answer{report: &report, asked: r.node.opts.clock()}
	if _, err = protodelim.MarshalTo(s, request); err == nil {
		err = protodelim.UnmarshalOptions{MaxSize: maxReport}.UnmarshalFrom(bufio.NewReader(s), &report)
	}
	if err != nil {
		return answer{err: fmt.Errorf("ask %s: %w", m, err)}
	}
	a.answered = r.node.opts.clock()
	for _, b := range report.GetHeads() {
		c, err := cid.Cast(b)
		if err != nil {
			return answer{err: fmt.Errorf("ask %s: malformed head", m)}
		}
		a.heads = append(a.heads, c)
	}
	_ = s.Close()
	return a
}

// handle answers one question.
func (r *reports) handle(s network.Stream) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		_ = s.Reset()
		return
	}
	r.wg.Add(1)
	r.mu.Unlock()
	defer r.wg.Done()
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	default:
		_ = s.Reset()
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, reportTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	var request nodepb.ReportRequest
	if err := (protodelim.UnmarshalOptions{MaxSize: maxQuestion}).UnmarshalFrom(bufio.NewReader(s), &request); err != nil {
		_ = s.Reset()
		return
	}
	if _, err := protodelim.MarshalTo(s, r.report(ctx, &request)); err != nil {
		_ = s.Reset()
		return
	}
	_ = s.Close()
}

// report says how far this node is.
func (r *reports) report(ctx context.Context, request *nodepb.ReportRequest) *nodepb.Report {
	n := r.node
	report := &nodepb.Report{}
	if len(request.GetChange()) > 0 {
		var id definition.ChangeID
		copy(id[:], request.GetChange())
		wait := min(time.Duration(request.GetWaitMs())*time.Millisecond, maxAwait)
		waiting, cancel := context.WithTimeout(ctx, wait)
		report.Has = n.replica.Await(waiting, func() bool { return n.replica.Has(id) }) == nil
		cancel()
	}
	for _, c := range n.replica.Heads() {
		report.Heads = append(report.Heads, c.Bytes())
	}
	report.Elements = uint64(n.replica.Stats().Elements)
	report.Extensions = n.extensions()
	if request.GetProblem() {
		report.Problem = n.ownProblem(ctx)
	}
	if request.GetFiles() {
		n.reportFiles(ctx, report)
	}
	report.Clock = n.opts.clock().UnixMilli()
	return report
}

// reportFiles adds what this node holds to a report.
func (n *Node) reportFiles(ctx context.Context, report *nodepb.Report) {
	own := n.holdings(ctx)
	report.View, report.Directory, report.Trouble = own.view[:], own.directory[:], bounded(own.trouble)
	for _, h := range own.held {
		report.Held = append(report.Held, &nodepb.Held{Name: []byte(h.Path), Reason: bounded(h.Reason)})
	}
	for _, f := range own.files {
		file := &nodepb.File{Path: f.path.String()}
		if f.view != (definition.Hash{}) {
			file.View = f.view[:]
		}
		if f.directory != (definition.Hash{}) {
			file.Directory = f.directory[:]
		}
		report.Files = append(report.Files, file)
	}
}

// WaitResult says which members have a change.
type WaitResult struct{ Have, Missing []string }

// WaitFor waits until all reachable members have a change, or ctx ends; who lacks
// it then is in Missing.
func (n *Node) WaitFor(ctx context.Context, id definition.ChangeID) (WaitResult, error) {
	has := map[peer.ID]bool{n.identity.Peer: n.replica.Has(id)}
	for {
		var todo []peer.ID
		for _, m := range n.reachableOthers() {
			if !has[m] {
				todo = append(todo, m)
			}
		}
		if len(todo) == 0 || ctx.Err() != nil {
			break
		}
		wait := maxAwait
		if deadline, ok := ctx.Deadline(); ok {
			wait = max(min(wait, time.Until(deadline)), 0)
		}
		for m, a := range n.reports.ask(ctx, todo, question{change: id, wait: wait}) {
			has[m] = a.err == nil && a.report.GetHas()
		}
	}
	var out WaitResult
	for _, m := range n.replica.Members() {
		switch {
		case has[m.ID]:
			out.Have = append(out.Have, m.Name)
		case !m.Revoked && n.reachable(m.ID):
			out.Missing = append(out.Missing, m.Name)
		}
	}
	return out, nil
}

// compare fills in how far a member is from this node.
func (n *Node) compare(p *Peer, heads []cid.Cid, elements int) {
	p.Behind = n.replica.Missing(heads)
	p.Ahead = max(elements-(n.replica.Stats().Elements-p.Behind), 0)
	p.Equal = p.Behind == 0 && p.Ahead == 0
}
