package api

import (
	"io"
	"net/http"

	"github.com/starling-sync/starling/node"
)

// health registers /livez and /readyz, in plain text and outside of the
// versioned API, as supervisors expect them: 200 or 503.
func health(mux *http.ServeMux, n *node.Node) {
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-n.Ready():
			answer(w, http.StatusOK, "ok")
		default:
			answer(w, http.StatusServiceUnavailable, "the first sync is not complete")
		}
	})
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // a client that went away needs no answer
}
