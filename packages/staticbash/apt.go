package staticbash

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"
)

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
	seen := map[string]bool{}
	for _, address := range strings.Fields(addresses) {
		mirror, found := strings.CutSuffix(strings.TrimSuffix(address, "/"), "/debian")
		if found && !seen[mirror] {
			seen[mirror] = true
			mirrors = append(mirrors, mirror+"/")
		}
	}
	return mirrors
}
