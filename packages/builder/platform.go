package builder

import (
	"fmt"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// PlatformError says that an image does not have the wanted platform.
type PlatformError struct {
	Image  string
	Want   v1.Platform
	Offers []string // "linux/amd64", ...
}

func (e *PlatformError) Error() string {
	return fmt.Sprintf("base image %s is not for %s: it offers %s; name an image of that platform, or build for one that it has",
		e.Image, text(e.Want), strings.Join(e.Offers, ", "))
}

// ParsePlatform parses "linux/arm64" or "linux/amd64", in any spelling that Docker accepts. Lambda supports no
// other platform. An empty string means this machine's architecture.
func ParsePlatform(s string) (v1.Platform, error) {
	architecture := runtime.GOARCH
	if s != "" {
		os, rest, found := strings.Cut(strings.ToLower(s), "/")
		if !found || os != "linux" {
			return v1.Platform{}, fmt.Errorf("platform %q: Lambda runs linux/arm64 and linux/amd64 only", s)
		}
		architecture = rest
	}
	switch architecture {
	case "arm64", "arm64/v8", "aarch64":
		return v1.Platform{OS: "linux", Architecture: "arm64"}, nil
	case "amd64", "x86_64", "x86-64":
		return v1.Platform{OS: "linux", Architecture: "amd64"}, nil
	}
	return v1.Platform{}, fmt.Errorf("platform %q: Lambda runs linux/arm64 and linux/amd64 only", s)
}

// text returns the platform without its variant, which makes no difference on these two architectures.
func text(p v1.Platform) string { return p.OS + "/" + p.Architecture }
