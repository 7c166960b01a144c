package dir

import "io/fs"

// Mount is what is mounted at a folder of the directory. Another file system that takes the
// place has another one, and so has the same that comes back.
type Mount struct{ dev, ino, id uint64 }

// MountAt reports whether the folder that info shows is a file system of its own, or a part
// of one that is mounted there. above is the device of the folder that it is in.
func (d *Directory) MountAt(name string, info fs.FileInfo, above uint64) (Mount, bool) {
	at := StatOf(info)
	isRoot, id := mountRoot(d.handle, name)
	return Mount{at.Dev, at.Ino, id}, isRoot || at.Dev != above
}

// Device is the device that the directory is on.
func (d *Directory) Device() uint64 { return d.id.Dev }
