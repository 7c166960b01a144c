package crdt_test

import (
	"os"
	"testing"

	"github.com/starling-sync/starling/internal/testcluster"
)

func TestMain(m *testing.M) { os.Exit(testcluster.Main(m)) }
