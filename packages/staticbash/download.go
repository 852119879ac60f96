package staticbash

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages/archive"
)

// client gives up within seconds on a server that does not answer, because there are others. A running download has
// no time limit.
var client = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 4 * time.Second}).DialContext,
	TLSHandshakeTimeout:   4 * time.Second,
	ResponseHeaderTimeout: 8 * time.Second,
}}

const (
	downloadTime = 3 * time.Minute
	downloadSize = 32 << 20 // bytes; the archive has 10 MB
)

// download returns a function that downloads from a URL.
func download(address string) func(context.Context, string) error {
	return func(ctx context.Context, to string) error {
		ctx, cancel := context.WithTimeout(ctx, downloadTime)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return brief(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		file, err := os.Create(to)
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := io.Copy(file, io.LimitReader(response.Body, downloadSize)); err != nil {
			return fmt.Errorf("downloading: %w", brief(err))
		}
		return file.Close()
	}
}

// brief removes method and URL from an error, because the message already names the server.
func brief(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New(dns.Err)
	}
	return err
}

// unpack unpacks the archive's only folder as dir, whose parent must exist. Every file gets the same time, so that
// make takes the generated files for up to date; otherwise it would need bison and autoconf.
func unpack(name, dir string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("unpacking the source: %w", err)
		}
	}()
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
	if err != nil {
		return err
	}
	if len(folders) != 1 || !folders[0].IsDir() {
		return errors.New("it does not contain exactly one folder")
	}
	if err := os.Rename(filepath.Join(above, folders[0].Name()), dir); err != nil {
		return err
	}
	return archive.Files(dir, func(path string, _ fs.FileInfo) error { return os.Chtimes(path, sourceTime, sourceTime) })
}

var sourceTime = time.Unix(315532800, 0) // the recipe's SOURCE_DATE_EPOCH

// debianPool is the archive's path below the root of any Debian mirror.
const debianPool = "debian/pool/main/b/bash/bash_5.2.15.orig.tar.gz"

// aptHelper is apt's own downloader and part of every apt. It uses the machine's proxies and certificates and needs
// no deb-src line.
const aptHelper = "/usr/lib/apt/apt-helper"

const aptTime = time.Minute

// downloadByAPT downloads from the mirrors in this machine's apt configuration. In a closed network that is often
// the only way.
func downloadByAPT(ctx context.Context, to string) error {
	ctx, cancel := context.WithTimeout(ctx, aptTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI)").Output()
	if err != nil {
		return errors.New("there is no apt")
	}
	err = errors.New("apt has no Debian mirror")
	for _, mirror := range debianMirrors(string(out)) {
		cmd := exec.CommandContext(ctx, aptHelper, "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=8", "-o", "Acquire::https::Timeout=8",
			"download-file", mirror+debianPool, to, "SHA256:"+debianArchive.sum)
		if err = quiet(cmd); err == nil {
			return nil
		}
	}
	return err
}

// debianMirrors returns the Debian mirrors among apt's repository addresses, each cut after the main archive's
// name.
func debianMirrors(addresses string) []string {
	var mirrors []string
	for _, address := range strings.Fields(addresses) {
		if mirror, found := strings.CutSuffix(strings.TrimSuffix(address, "/"), "/debian"); found {
			mirrors = list.Add(mirrors, mirror+"/")
		}
	}
	return mirrors
}
