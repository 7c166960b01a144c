package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/starling-sync/starling/trust"
)

// maxSecret bounds what is read where a passphrase or a token is wanted.
const maxSecret = 64 << 10

// passphrase reads a passphrase from the first line of a file that nobody else
// may read, or from the terminal without echo: twice if it is a new one.
func (p *program) passphrase(file string, isNew bool) ([]byte, error) {
	if file != "" {
		if err := trust.CheckPrivate(file); err != nil {
			return nil, fmt.Errorf("read passphrase: %w", err)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read passphrase: %w", err)
		}
		line, _, _ := bytes.Cut(content, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			return nil, usage("read passphrase: %s begins with an empty line", file)
		}
		return line, nil
	}
	if !isTerminal(p.stdin) {
		return nil, usage("a passphrase is needed: write it to a file of mode 0600 and name it with --passphrase-file, or use a terminal")
	}
	first, err := p.ask("Passphrase: ")
	if err != nil {
		return nil, err
	}
	if len(first) == 0 {
		return nil, usage("the passphrase is empty")
	}
	if isNew {
		second, err := p.ask("The same again: ")
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(first, second) {
			return nil, usage("the passphrases differ")
		}
	}
	return first, nil
}

// token reads a token from a file, or from stdin for "" and "-".
func (p *program) token(file string) (trust.Token, error) {
	var text []byte
	var err error
	switch {
	case bytes.HasPrefix([]byte(file), []byte("starling1.")):
		return trust.Token{}, usage("a token on the command line can be seen by every user of this machine: pass it in a file, or on stdin with -")
	case file != "" && file != "-":
		text, err = os.ReadFile(file)
	case isTerminal(p.stdin):
		text, err = p.ask("Token: ")
	default:
		text, err = io.ReadAll(io.LimitReader(p.stdin, maxSecret))
	}
	if err != nil {
		return trust.Token{}, fmt.Errorf("read token: %w", err)
	}
	return trust.ParseToken(text)
}

// ask asks on the terminal for something that is not to be seen.
func (p *program) ask(prompt string) ([]byte, error) {
	file, ok := p.stdin.(*os.File)
	if !ok {
		return nil, errors.New("stdin is no terminal")
	}
	printf(p.stderr, "%s", prompt)
	defer printf(p.stderr, "\n")
	return term.ReadPassword(int(file.Fd()))
}
