package node

import (
	"fmt"

	"github.com/starling-sync/starling/internal/enclosing"
)

// checkApart checks that neither of data directory and mirrored directory lies in the other,
// whatever links lead there. Keys, invitations and peers would be published as definitions
// otherwise, or the data directory would be emptied by a deletion elsewhere. The error wraps
// ErrConfig.
func checkApart(data, dir string) error {
	for _, pair := range []struct{ outer, inner, text string }{
		{dir, data, "the data directory %s lies in the mirrored directory %s, whose files all members get"},
		{data, dir, "the mirrored directory %[2]s lies in the data directory %[1]s, which is this node's own"},
	} {
		inside, err := enclosing.Is(pair.outer, pair.inner)
		if err != nil {
			return fmt.Errorf("compare data directory and mirrored directory: %w", err)
		}
		if inside {
			return fmt.Errorf("%w: %s: name another with --data or --dir", ErrConfig, fmt.Sprintf(pair.text, data, dir))
		}
	}
	return nil
}
