package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/starling-sync/starling/api"
	"github.com/starling-sync/starling/mirror"
	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

// The exit codes. They are part of the interface.
const (
	exitOK          = 0
	exitProblem     = 1 // a difference, a conflict or a problem was found, or any failure not below
	exitUsage       = 2 // bad usage, unknown configuration key
	exitUnreachable = 3 // no node or peer answers
	exitLate        = 4 // not in time
	exitRefused     = 5 // refused by a rule: token, role, grant, guard
	exitPermission  = 6 // the operating system does not allow it
)

// exit is an error that ends the program with this code. Without err, what
// there is to say was printed already.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// usage returns an error about how the command was called.
func usage(format string, args ...any) error {
	return &exit{exitUsage, fmt.Errorf(format, args...)}
}

// report says on stderr what went wrong and what to do, in one line, and returns
// the exit code. The command is that which was called, as far as that is known.
func (p *program) report(command string, err error) int {
	if err == nil {
		return exitOK
	}
	if !p.parsed {
		p.say(`starling: %v (see "%s --help")`, err, command)
		return exitUsage
	}
	code, do := diagnose(err)
	if own, ok := errors.AsType[*exit](err); ok {
		code = own.code
		if own.err == nil {
			return code
		}
	}
	if do != "" {
		do = ": " + do
	}
	p.say("starling: %s%s", oneSentence(err), do)
	return code
}

// oneSentence joins the lines of an error that has several causes.
func oneSentence(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "; ")
}

// diagnose returns the exit code for an error and, unless its text says so
// already, what to do about it.
func diagnose(err error) (code int, do string) {
	if problem, ok := errors.AsType[*api.Problem](err); ok {
		return diagnoseProblem(problem.Code)
	}
	for _, known := range []struct {
		is   error
		code int
		do   string
	}{
		{api.ErrNoNode, exitUnreachable, `start it with "starling run", or name its data directory with --data`},
		{api.ErrSocketInUse, exitProblem, "stop the other node, or set another socket in the configuration"},
		{node.ErrConfig, exitUsage, ""},
		{node.ErrInvalid, exitUsage, ""},
		{node.ErrUnreachable, exitUnreachable, ""},
		{trust.ErrToken, exitRefused, `ask for a whole one ("starling invite")`},
		{trust.ErrTokenExpired, exitRefused, `ask for a new one ("starling invite")`},
		{trust.ErrTokenUsed, exitRefused, `ask for a new one ("starling invite")`},
		{trust.ErrTokenRefused, exitRefused, `ask for a new one of this cluster ("starling invite")`},
		{trust.ErrNameTaken, exitRefused, `choose another with --name, or, if that node is gone for good, revoke it first ("starling revoke", on the authority)`},
		{trust.ErrTooManyAttempts, exitRefused, "wait a minute and try again"},
		{trust.ErrPassphrase, exitRefused, ""},
		{node.ErrRole, exitRefused, ""},
		{node.ErrNotAuthority, exitRefused, ""},
		{node.ErrNotMember, exitRefused, ""},
		{node.ErrRefused, exitRefused, ""},
		{mirror.ErrNoDirectory, exitProblem, ""},
		{mirror.ErrNoMarker, exitRefused, ""},
		{mirror.ErrForeignMarker, exitRefused, "mirror another directory, or move its files and its marker away"},
		{mirror.ErrNotEmpty, exitRefused, ""},
		{mirror.ErrPermission, exitPermission, ""},
		{trust.ErrTooOpen, exitPermission, ""},
		{node.ErrPermission, exitPermission, ""},
		{fs.ErrPermission, exitPermission, ""},
		{context.DeadlineExceeded, exitLate, ""},
	} {
		if errors.Is(err, known.is) {
			return known.code, known.do
		}
	}
	return exitProblem, ""
}

func diagnoseProblem(code api.Code) (int, string) {
	switch code {
	case api.CodeInvalid:
		return exitUsage, ""
	case api.CodeRole, api.CodeNotAuthority, api.CodeNotMember, api.CodeRefused:
		return exitRefused, ""
	case api.CodePermission:
		return exitPermission, ""
	case api.CodeTimeout:
		return exitLate, ""
	case api.CodeUnavailable:
		return exitUnreachable, ""
	case api.CodeNotFound, api.CodeInternal:
	}
	return exitProblem, ""
}
