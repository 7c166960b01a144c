package dir

import (
	"bytes"
	"os"
	"syscall"
)

// Writers says whether some process has a file open for writing.
type Writers uint8

const (
	// UnknownWriters: the system does not tell. The file is on a network file system, or
	// another user's, or the system is none that can.
	UnknownWriters Writers = iota
	// NoWriter: no process had it open for writing when it was asked.
	NoWriter
	// SomeWriter: a process has it open for writing, or mapped.
	SomeWriter
)

// Writers says whether some process has the open file open for writing. It neither blocks
// nor makes a writer wait for longer than two system calls take.
func (d *Directory) Writers(f *os.File) Writers {
	info, err := f.Stat()
	if err != nil || d.isRemote(f, StatOf(info).Dev) {
		return UnknownWriters // there a lease tells of this machine at the most
	}
	return writersOf(f)
}

// WritersOf says whether some process has the file at name open for writing, of which at
// is the state and content what was read. With NoWriter, content is what the file held when
// its last writer had closed it: it is no mixture of two states. The error is ErrReplaced
// if the file is no longer so.
func (d *Directory) WritersOf(name string, at Stat, content []byte) (Writers, error) {
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return UnknownWriters, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return UnknownWriters, err
	}
	if StatOf(info) != at {
		return UnknownWriters, ErrReplaced
	}
	w := d.Writers(f)
	// Whoever wrote between that reading and the question shows in another reading. The
	// clock of modification times is too coarse to tell.
	again, err := ReadAll(f)
	if err == nil && !bytes.Equal(again, content) {
		err = ErrReplaced
	}
	return w, err
}

// isRemote reports whether the file system of f, a device, is one of the network. A folder
// of the directory can be a file system of its own.
func (d *Directory) isRemote(f *os.File, device uint64) bool {
	if device == d.id.Dev {
		return d.Network != ""
	}
	remote, ok := d.remote[device]
	if !ok {
		name, err := networkFileSystem(f)
		remote = name != "" || err != nil
		if d.remote == nil {
			d.remote = make(map[uint64]bool)
		}
		d.remote[device] = remote
	}
	return remote
}
