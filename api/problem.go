package api

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
)

// Code says what kind of problem an answer reports. The set only grows.
type Code string

const (
	// CodeInvalid: the request is malformed or asks for what cannot be.
	CodeInvalid Code = "invalid"
	// CodeNotFound: there is no such definition, change, approval or route.
	CodeNotFound Code = "not_found"
	// CodeRole: this node's grant does not allow it to write there.
	CodeRole Code = "role"
	// CodeNotAuthority: only the node that holds the authority key can do this.
	CodeNotAuthority Code = "not_authority"
	// CodeNotMember: this node has no valid grant, or has one no more.
	CodeNotMember Code = "not_member"
	// CodeRefused: a rule of the cluster does not let it happen.
	CodeRefused Code = "refused"
	// CodePermission: the operating system does not let the node do this.
	CodePermission Code = "permission"
	// CodeTimeout: it did not happen in the time that was given.
	CodeTimeout Code = "timeout"
	// CodeUnavailable: the node is stopping.
	CodeUnavailable Code = "unavailable"
	// CodeInternal: anything else; the detail says what.
	CodeInternal Code = "internal"
)

// Problem is what every failing route answers with (RFC 9457), and the error
// that the client returns for it.
type Problem struct {
	Code   Code   `json:"code" enum:"invalid,not_found,role,not_authority,not_member,refused,permission,timeout,unavailable,internal" doc:"What kind of problem this is; stable."`
	Title  string `json:"title" doc:"The HTTP status in words."`
	Status int    `json:"status" doc:"The HTTP status."`
	Detail string `json:"detail" doc:"What went wrong, in one sentence for people."`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func newProblem(code Code, detail string) *Problem {
	status := map[Code]int{
		CodeInvalid:      http.StatusUnprocessableEntity,
		CodeNotFound:     http.StatusNotFound,
		CodeRole:         http.StatusForbidden,
		CodeNotAuthority: http.StatusForbidden,
		CodeNotMember:    http.StatusForbidden,
		CodeRefused:      http.StatusConflict,
		CodePermission:   http.StatusForbidden,
		CodeTimeout:      http.StatusGatewayTimeout,
		CodeUnavailable:  http.StatusServiceUnavailable,
		CodeInternal:     http.StatusInternalServerError,
	}[code]
	return &Problem{Code: code, Title: http.StatusText(status), Status: status, Detail: detail}
}

// problemOf turns an error of the node into what the client is told.
func problemOf(err error) error {
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem
	}
	for _, known := range []struct {
		is   error
		code Code
	}{
		{node.ErrInvalid, CodeInvalid},
		{node.ErrNotFound, CodeNotFound},
		{node.ErrRole, CodeRole},
		{node.ErrNotAuthority, CodeNotAuthority},
		{node.ErrNotMember, CodeNotMember},
		{node.ErrRefused, CodeRefused},
		{node.ErrPermission, CodePermission},
		{fs.ErrPermission, CodePermission},
		{context.DeadlineExceeded, CodeTimeout},
		{context.Canceled, CodeUnavailable},
	} {
		if errors.Is(err, known.is) {
			return newProblem(known.code, err.Error())
		}
	}
	return newProblem(CodeInternal, err.Error())
}

// asProblem is a huma.Transformer. It gives what the library itself refuses (a
// missing field, a malformed body) the form of a Problem. The library repeats
// the offending values; they may be content, so they are left out.
func asProblem(_ huma.Context, _ string, v any) (any, error) {
	refused, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code := CodeInvalid
	if refused.Status >= http.StatusInternalServerError {
		code = CodeInternal
	}
	var detail strings.Builder
	detail.WriteString(refused.Detail)
	for i, e := range refused.Errors {
		detail.WriteString([]string{": ", "; "}[min(i, 1)])
		if e.Location != "" {
			detail.WriteString(e.Location + ": ")
		}
		detail.WriteString(e.Message)
	}
	return &Problem{Code: code, Title: refused.Title, Status: refused.Status, Detail: detail.String()}, nil
}
