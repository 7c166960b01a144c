package testcluster_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/starling-sync/starling/internal/testcluster"
)

// reaches waits until a node reaches just these others.
func reaches(c *testcluster.Cluster, i int, want ...int) {
	c.Eventually(func() error {
		peers, err := c.Node(i).Peers()
		if err != nil {
			return err
		}
		var got []int
		for j, p := range peers {
			if p.Reachable && j != i {
				got = append(got, j)
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("node %d reaches %v, want %v", i, got, want)
		}
		return nil
	})
}

func TestNodesReachEachOtherWithinAPartOnly(t *testing.T) {
	c := testcluster.New(t, 4, testcluster.Options{Cuttable: true})
	reaches(c, 3, 0, 1, 2)
	c.Partition([]int{0, 3}, []int{1, 2})
	reaches(c, 0, 3)
	reaches(c, 1, 2)
	reaches(c, 2, 1)
	reaches(c, 3, 0)
	c.Stop(3) // a start makes no connection that is cut
	c.Start(3)
	reaches(c, 3, 0)
	c.Disconnect(2)
	reaches(c, 2)
	reaches(c, 3, 0, 1)
	c.Heal()
	reaches(c, 2, 0, 1, 3)
}
