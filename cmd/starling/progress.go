package main

import (
	"os"
	"time"

	"golang.org/x/term"
)

const (
	progressAfter = time.Second
	progressEvery = 250 * time.Millisecond
)

// progress shows on a terminal's stderr what goes on and for how long, once it
// has gone on for a second. Call the function that it returns before anything
// else is printed; it takes the line away.
func (p *program) progress(what string) (end func()) {
	if !isTerminal(p.stderr) {
		return func() {}
	}
	begun := time.Now()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		timer := time.NewTimer(progressAfter)
		defer timer.Stop()
		for shown := false; ; shown = true {
			select {
			case <-timer.C:
				printf(p.stderr, "\r%s ... %d s", what, int(time.Since(begun).Seconds()))
				timer.Reset(progressEvery)
			case <-stop:
				if shown {
					printf(p.stderr, "\r\x1b[K")
				}
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}

// isTerminal reports whether a stream of the program is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
