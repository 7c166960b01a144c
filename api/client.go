package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
)

// ErrNoNode is returned by every method of the client when nothing answers on
// the socket: there is none, or the node that made it is gone.
var ErrNoNode = errors.New("no node answers")

// Client asks a running node over its socket. Its methods mirror the routes;
// they block until the node answers or the context ends. A refusal by the node
// is a *Problem. Safe for concurrent use.
type Client struct {
	socket string
	http   http.Client
}

// Dial returns a client of the node that listens on this socket. It connects
// when it is first asked something.
func Dial(socket string) *Client {
	return &Client{socket: socket, http: http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		DisableCompression: true,
	}}}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) get(ctx context.Context, path string, query url.Values, out any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.do(ctx, http.MethodGet, path, nil, out)
}

func (c *Client) post(ctx context.Context, path string, in, out any) error {
	return c.send(ctx, http.MethodPost, path, in, out)
}

// send sends in as JSON, nothing if it is nil.
func (c *Client) send(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	return c.do(ctx, method, path, body, out)
}

// do sends one request and decodes the answer into out: raw for a *[]byte, not
// at all for nil, else from JSON.
func (c *Client) do(ctx context.Context, method, path string, body io.Reader, out any) error {
	response, err := c.open(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read the node's answer: %w", err)
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = answer
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("decode the node's answer: %w", err)
	}
	return nil
}

// open sends one request and returns the answer, the body of which the caller closes,
// unless it is a refusal.
func (c *Client) open(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://starling"+path, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.unanswered(err)
	}
	if response.StatusCode < http.StatusBadRequest {
		return response, nil
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the node's answer: %w", err)
	}
	return nil, refusal(response, answer)
}

func (c *Client) unanswered(err error) error {
	// The library's wrapping repeats method and URL, which say nothing here.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w on %s", ErrNoNode, c.socket)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open socket %s: %w", c.socket, fs.ErrPermission)
	}
	return fmt.Errorf("ask the node: %w", err)
}

func refusal(response *http.Response, answer []byte) error {
	problem := new(Problem)
	if err := json.Unmarshal(answer, problem); err == nil && problem.Code != "" {
		return problem
	}
	return &Problem{
		Code:   CodeInternal,
		Title:  http.StatusText(response.StatusCode),
		Status: response.StatusCode,
		Detail: "the node answered " + response.Status,
	}
}
