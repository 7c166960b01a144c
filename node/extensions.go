package node

import (
	"fmt"
	"slices"
	"strings"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

// maxExtensions bounds what is kept of the endings that a member tells.
const maxExtensions = 64

// extensions returns the endings of the files that this node mirrors, in order.
func (n *Node) extensions() []string {
	configured := n.config.Extensions
	if len(configured) == 0 {
		configured = mirror.DefaultExtensions()
	}
	extensions := make([]string, 0, len(configured))
	for _, e := range configured {
		extensions = append(extensions, strings.ToLower(e))
	}
	slices.Sort(extensions)
	return slices.Compact(extensions)
}

// checkMirrored checks that some mirror takes files of a path's ending: what is in no
// directory helps nobody, and no two members would ever be equal. The error wraps ErrRefused.
func (n *Node) checkMirrored(p definition.Path) error {
	own := n.extensions()
	if slices.Contains(own, p.Ext()) || n.lookout.mirrored(p.Ext()) {
		return nil
	}
	return fmt.Errorf("%w: %s: no member is known to mirror files of this ending, this node mirrors %s", ErrRefused, p, strings.Join(own, " "))
}
