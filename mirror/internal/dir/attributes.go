package dir

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// copyAttributes gives dst the extended attributes of src: access control lists,
// SELinux labels and what users set. Attributes that this process may not set, or
// that the file system does not keep, are left out.
func copyAttributes(dst, src *os.File) error {
	names, err := listAttributes(src)
	if err != nil {
		return fmt.Errorf("list attributes of %s: %w", src.Name(), err)
	}
	for _, name := range names {
		if name == "security.ima" || name == "security.evm" {
			continue // they sign the content that is replaced
		}
		value, err := attribute(src, name)
		if err == nil {
			err = unix.Fsetxattr(int(dst.Fd()), name, value, 0)
		}
		switch {
		case err == nil, errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES),
			errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENODATA):
		default:
			return fmt.Errorf("copy attribute %s of %s: %w", name, src.Name(), err)
		}
	}
	return nil
}

func listAttributes(f *os.File) ([]string, error) {
	buf := make([]byte, 256)
	for {
		n, err := unix.Flistxattr(int(f.Fd()), buf)
		switch {
		case errors.Is(err, unix.ERANGE):
			buf = make([]byte, 4*len(buf))
		case errors.Is(err, unix.ENOTSUP):
			return nil, nil
		case err != nil:
			return nil, err
		case n == 0:
			return nil, nil
		default:
			return strings.Split(string(bytes.TrimSuffix(buf[:n], []byte{0})), "\x00"), nil
		}
	}
}

func attribute(f *os.File, name string) ([]byte, error) {
	buf := make([]byte, 256)
	for {
		n, err := unix.Fgetxattr(int(f.Fd()), name, buf)
		if errors.Is(err, unix.ERANGE) {
			buf = make([]byte, 4*len(buf))
			continue
		}
		if err != nil {
			return nil, err
		}
		return buf[:n], nil
	}
}
