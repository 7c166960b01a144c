// Package dir is a directory on disk, as a mirror needs it: it looks at names, reads
// files that others write to, stages files and puts them in place whole, writes to disk,
// watches, and knows the marker. It knows nothing of replicas, bases or views: what is to
// be done, package mirror decides.
//
// A Directory is opened once and held by a lock. Every access goes through os.Root, so
// nothing outside it can be reached. Names are relative to it, with slashes.
package dir
