package deployment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/twinstart/twinstart/arm"
)

// IsReference reports whether arg is an image's name in a registry and not a path: it has a tag, a digest, or a
// host before the first slash.
func IsReference(arg string) bool {
	if arg == "" || strings.HasPrefix(arg, ".") || filepath.IsAbs(arg) || strings.ContainsAny(arg, "*? ") {
		return false
	}
	host, rest, below := strings.Cut(arg, "/")
	if below && rest != "" && (strings.Contains(host, ".") || strings.HasPrefix(host, "localhost")) {
		_, err := name.ParseReference(arg)
		return err == nil
	}
	if !strings.Contains(arg, ":") && !strings.Contains(arg, "@") {
		return false
	}
	_, err := name.ParseReference(arg)
	return err == nil
}

// Pull copies an image from a registry to the user's cache as an OCI layout. The cache keeps it by its digest.
func Pull(ctx context.Context, reference string, a arm.Architecture) (dir string, err error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return "", fmt.Errorf("reading the image's name: %w", err)
	}
	img, err := remote.Image(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: a.GOARCH()}), remote.WithUserAgent("twinstart"))
	if err != nil {
		return "", fmt.Errorf("pulling %s: %w (if it is in a local Docker: docker save %s -o image.tar, and name image.tar)", reference, oneLine(err), reference)
	}
	digest, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("pulling %s: %w", reference, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: set HOME or XDG_CACHE_HOME", err)
	}
	dir = filepath.Join(cache, "twinstart", "images", digest.Hex)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("pulling %s: %w", reference, err)
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		return "", fmt.Errorf("pulling %s: %w", reference, err)
	}
	defer os.RemoveAll(work)
	to, err := layout.Write(work, empty.Index)
	if err == nil {
		err = to.AppendImage(img)
	}
	if err != nil {
		return "", fmt.Errorf("pulling %s: %w", reference, oneLine(err))
	}
	if err := os.Rename(work, dir); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("pulling %s: %w", reference, err)
	}
	return dir, nil
}

// oneLine puts a registry's answer on one line.
func oneLine(err error) error {
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}
