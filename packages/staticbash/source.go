package staticbash

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tarball is a source archive of Bash, identified by its content.
type tarball struct {
	name string
	sum  string // SHA-256, hexadecimal
}

var (
	// gnuArchive is the archive that the GNU project signed. Several distributions pin the same sum.
	gnuArchive = tarball{"bash-5.2.15.tar.gz", "13720965b5f4fc3a0d4b61dd37e7565c741da9a5be24edc2ae00182fc1b3588c"}
	// debianArchive is Debian's archive of the same source, pinned by the signed bash_5.2.15-2.dsc. Each of its
	// files is, byte for byte, that of upstream's git repository at patch level 15.
	debianArchive = tarball{"bash_5.2.15.orig.tar.gz", "7a315bc0e9d90713159e4390ec1096a41e4f33cd8cc3d1a749a8e5ad56600f51"}
)

// source is one place to download an archive from, into a file that must not exist yet.
type source struct {
	name    string
	archive tarball
	fetch   func(ctx context.Context, to string) error
}

func sources() []source {
	return []source{
		{"ftp.gnu.org", gnuArchive, download("https://ftp.gnu.org/gnu/bash/" + gnuArchive.name)},
		{"ftpmirror.gnu.org", gnuArchive, download("https://ftpmirror.gnu.org/gnu/bash/" + gnuArchive.name)},
		{"apt", debianArchive, downloadByAPT},
		{"deb.debian.org", debianArchive, download("http://deb.debian.org/" + debianPool)},
		{"snapshot.debian.org", debianArchive, download("https://snapshot.debian.org/file/87f4eb879578479049306f3b721ff38aa17cfa1d")},
	}
}

// fetchSource returns a checked archive in the cache. If it is missing, fetchSource downloads it from the first
// place that has it.
func fetchSource(ctx context.Context, cache string, logf func(string, ...any)) (string, error) {
	dir := filepath.Join(cache, "source")
	for _, a := range []tarball{gnuArchive, debianArchive} {
		if path := filepath.Join(dir, a.name); a.check(path) == nil {
			return path, nil
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making a folder for the source: %w", err)
	}
	logf("downloading the source of Bash %s: 10 MB, once", Version)
	var failures []string
	for _, s := range sources() {
		path, err := s.get(ctx, dir)
		if err == nil {
			return path, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		failures = append(failures, fmt.Sprintf("%s (%v)", s.name, err))
	}
	return "", &UnavailableError{
		Why:    "the source of Bash " + Version + " is not available from " + strings.Join(failures, ", "),
		Remedy: "put " + gnuArchive.name + " from ftp.gnu.org into " + dir,
	}
}

// get downloads the archive and checks it, and only then gives it its name.
func (s source) get(ctx context.Context, dir string) (string, error) {
	tmp, err := os.MkdirTemp(dir, "download-")
	if err != nil {
		return "", fmt.Errorf("making a folder to download into: %w", err)
	}
	defer os.RemoveAll(tmp)
	file := filepath.Join(tmp, s.archive.name)
	if err := s.fetch(ctx, file); err != nil {
		return "", err
	}
	if err := s.archive.check(file); err != nil {
		return "", err
	}
	path := filepath.Join(dir, s.archive.name)
	return path, os.Rename(file, path)
}

// check returns nil only if the file has the right content.
func (a tarball) check(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(data)); sum != a.sum {
		return fmt.Errorf("the checksum of %s is %s instead of %s", a.name, sum, a.sum)
	}
	return nil
}
