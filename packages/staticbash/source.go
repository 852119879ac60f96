package staticbash

import (
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages/archive"
)

// source is the address of an archive with Bash's source, and the archive's SHA-256 in hexadecimal.
type source struct{ url, sum string }

// The GNU project has signed its archive, and several distributions pin its sum. The sum of Debian's archive is in the
// signed bash_5.2.15-2.dsc. Both archives have the same source: each file in Debian's has the same bytes as in
// upstream's git repository at patch level 15.
const (
	gnuSum    = "13720965b5f4fc3a0d4b61dd37e7565c741da9a5be24edc2ae00182fc1b3588c"
	debianSum = "7a315bc0e9d90713159e4390ec1096a41e4f33cd8cc3d1a749a8e5ad56600f51"
)

var sources = []source{
	{"https://ftp.gnu.org/gnu/bash/bash-5.2.15.tar.gz", gnuSum},
	{"https://ftpmirror.gnu.org/gnu/bash/bash-5.2.15.tar.gz", gnuSum},
	{"http://deb.debian.org/debian/pool/main/b/bash/bash_5.2.15.orig.tar.gz", debianSum},
}

// fetchSource returns the path of an archive in the cache whose checksum is right. If there is none, fetchSource tries
// to download each source in turn until one succeeds.
func fetchSource(ctx context.Context, cache string, logf func(string, ...any)) (string, error) {
	dir := filepath.Join(cache, "source")
	for _, s := range sources {
		if sum, err := archive.FileDigest(s.in(dir)); err == nil && sum == s.sum {
			return s.in(dir), nil
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making a folder for the source: %w", err)
	}
	logf("downloading the source of Bash %s: 10 MB, once", Version)
	var failures []string
	for _, s := range sources {
		err := s.get(ctx, dir)
		if err == nil {
			return s.in(dir), nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		failures = append(failures, list.OneLine(err.Error()))
	}
	return "", &UnavailableError{
		Why:    "the source of Bash " + Version + " is not available: " + strings.Join(failures, ", "),
		Remedy: "put " + path.Base(sources[0].url) + " from ftp.gnu.org into " + dir,
	}
}

// in returns the archive's path in a folder.
func (s source) in(dir string) string { return filepath.Join(dir, path.Base(s.url)) }

// client gives up within seconds on a server that does not answer, because there are others to try.
var client = &http.Client{Timeout: 3 * time.Minute, Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 4 * time.Second}).DialContext,
	TLSHandshakeTimeout:   4 * time.Second,
	ResponseHeaderTimeout: 8 * time.Second,
}}

const downloadSize = 32 << 20 // bytes at most; the archive has 10 MB

// get downloads the archive into dir. The file gets its name only if its checksum is right.
func (s source) get(ctx context.Context, dir string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", s.url, response.Status)
	}
	h := sha256.New()
	return archive.Replace(s.in(dir), 0o644, func(out io.Writer) error {
		if _, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(response.Body, downloadSize)); err != nil {
			return fmt.Errorf("downloading %s: %w", s.url, err)
		}
		if sum := fmt.Sprintf("%x", h.Sum(nil)); sum != s.sum {
			return fmt.Errorf("the checksum of %s is %s instead of %s", s.url, sum, s.sum)
		}
		return nil
	})
}

// sourceTime is the recipe's SOURCE_DATE_EPOCH.
var sourceTime = time.Unix(315532800, 0)

// unpack unpacks the archive's only folder as dir, whose parent must exist. Every file gets the same time, so that make
// considers the generated files up to date; otherwise it would need bison and autoconf.
func unpack(name, dir string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	compressed, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	above, err := os.MkdirTemp(filepath.Dir(dir), "unpack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(above)
	if err := archive.Untar(compressed, above); err != nil {
		return err
	}
	folders, err := os.ReadDir(above)
	if err != nil || len(folders) != 1 || !folders[0].IsDir() {
		return cmp.Or(err, errors.New("it does not contain exactly one folder"))
	}
	if err := os.Rename(filepath.Join(above, folders[0].Name()), dir); err != nil {
		return err
	}
	return archive.Files(dir, func(path string, _ fs.FileInfo) error { return os.Chtimes(path, sourceTime, sourceTime) })
}
