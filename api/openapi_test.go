package api_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/starling-sync/starling/api"
)

//go:generate go test -count=1 -run ^TestOpenAPI$ -update .

var update = flag.Bool("update", false, "write openapi.yaml anew")

// TestOpenAPI holds the copy of the description beside the code that makes it:
// whoever changes the API sees in the diff what clients will see.
func TestOpenAPI(t *testing.T) {
	got, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("openapi.yaml", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the API is not what openapi.yaml says: make generate, and review the difference")
	}
}
