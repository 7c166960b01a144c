//go:build !race

package definition_test

const raceEnabled = false
