package deployment

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages/archive"
)

// IsReference reports whether arg is the name of an image in a registry, and not a path. Such a name has a tag, a
// digest, or a host before the first slash.
func IsReference(arg string) bool {
	if arg == "" || strings.HasPrefix(arg, ".") || filepath.IsAbs(arg) || strings.ContainsAny(arg, "*? ") {
		return false
	}
	host, rest, _ := strings.Cut(arg, "/")
	hasHost := rest != "" && (strings.Contains(host, ".") || strings.HasPrefix(host, "localhost"))
	if !hasHost && !strings.ContainsAny(arg, ":@") {
		return false
	}
	_, err := name.ParseReference(arg)
	return err == nil
}

// Pull copies an image from a registry to the user's cache, as an OCI layout in a folder that its digest names.
func Pull(ctx context.Context, reference string, a arm.Architecture) (dir string, err error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return "", fmt.Errorf("reading the image's name: %w", err)
	}
	img, err := remote.Image(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: a.GOARCH()}), remote.WithUserAgent("twinstart"))
	if err != nil {
		return "", fmt.Errorf("pulling %[1]s: %[2]s (if it is in a local Docker: docker save %[1]s -o image.tar, "+
			"and name image.tar)", reference, list.OneLine(err.Error()))
	}
	digest, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("pulling %s: %w", reference, err)
	}
	if dir, err = archive.Cache("pulled", digest.Hex); err != nil {
		return "", err
	}
	err = archive.Once(dir, func(dir string) error {
		to, err := layout.Write(dir, empty.Index)
		if err != nil {
			return err
		}
		return to.AppendImage(img)
	})
	if err != nil {
		return "", fmt.Errorf("pulling %s: %s", reference, list.OneLine(err.Error()))
	}
	return dir, nil
}
