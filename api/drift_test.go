package api_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/starling-sync/starling/api"
)

func TestDrift(t *testing.T) {
	client, _, dir := serve(t)
	if _, err := client.Edit(t.Context(), api.Draft{Edits: []api.Edit{{Path: "a.json", Content: []byte(service)}}}); err != nil {
		t.Fatal(err)
	}
	const half = `{"id": 1, "na`
	file := filepath.Join(dir, "a.json")
	settled := func(path string) (list api.DriftList) {
		t.Helper()
		poll(t, func() (err error) {
			if list, err = client.Drift(t.Context(), path); err == nil && list.Settling {
				err = fmt.Errorf("it is settling: %+v", list)
			}
			return err
		})
		return list
	}
	if list := settled(""); len(list.Drift) != 0 {
		t.Errorf("got %+v, want no drift", list)
	}
	if list := settled("a.json"); len(list.Drift) != 1 || list.Drift[0].Extent != "none" || !list.Drift[0].InDirectory {
		t.Errorf("got %+v, want the path that was asked for, without a difference", list)
	}
	if err := os.WriteFile(file, []byte(half), 0o640); err != nil {
		t.Fatal(err)
	}
	if list := settled(""); len(list.Drift) != 1 || list.Drift[0].Held == "" || list.Drift[0].Extent != "whole" {
		t.Errorf("got %+v, want the held file", list)
	}
	if got, err := client.DirectoryContent(t.Context(), "a.json"); err != nil || string(got) != half {
		t.Errorf("content of the directory: got %q, %v, want %q", got, err, half)
	}
	wantProblem(t, api.CodeNotFound)(client.DirectoryContent(t.Context(), "none.json"))
	wantProblem(t, api.CodeNotFound)(client.Drift(t.Context(), "none.json"))
}
