//go:build deploy

package deploytest

import (
	"archive/tar"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// The parts of ECR's token.
const (
	registryUser     = "AWS"
	registryPassword = "a-token-of-twelve-hours"
)

// registry is an image registry on loopback that asks for a login. While it is down it keeps the pushed images.
type registry struct {
	images  http.Handler
	mu      sync.Mutex
	server  *httptest.Server
	uploads int // it goes down after this many more; negative means never
}

func startRegistry(t *testing.T) *registry {
	r := &registry{images: ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))), uploads: -1}
	r.up()
	t.Cleanup(func() { r.down() })
	return r
}

func (r *registry) up() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.server = httptest.NewServer(r)
}

// down ends the registry at once, as a power failure does.
func (r *registry) down() {
	r.mu.Lock()
	server := r.server
	r.mu.Unlock()
	server.Listener.Close()
	server.CloseClientConnections()
}

// dieAfter makes the registry go down after a number of uploads of layers.
func (r *registry) dieAfter(uploads int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.uploads = uploads
}

func (r *registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if user, password, ok := request.BasicAuth(); !ok || user != registryUser || password != registryPassword {
		w.Header().Set("WWW-Authenticate", `Basic realm="ecr"`)
		http.Error(w, `{"errors": [{"code": "UNAUTHORIZED"}]}`, http.StatusUnauthorized)
		return
	}
	if request.Method == http.MethodPut && strings.Contains(request.URL.Path, "/blobs/uploads/") {
		r.mu.Lock()
		dying := r.uploads == 0
		r.uploads = max(-1, r.uploads-1)
		r.mu.Unlock()
		if dying {
			r.down()
			panic(http.ErrAbortHandler)
		}
	}
	r.images.ServeHTTP(w, request)
}

func (r *registry) host() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.TrimPrefix(r.server.URL, "http://")
}

func (r *registry) get(repository, tag string) (*remote.Descriptor, error) {
	ref, err := name.NewTag(r.host() + "/" + repository + ":" + tag)
	if err != nil {
		return nil, err
	}
	return remote.Get(ref, remote.WithAuth(&authn.Basic{Username: registryUser, Password: registryPassword}))
}

// Amazon's public registry. No test here connects to it.
const (
	publicHost = "public.ecr.aws"
	baseImage  = "lambda/provided"
	baseTag    = "al2023"
)

// baseFiles are the files of the base image here. Only their names matter to images that are built on it.
var baseFiles = []string{"usr/bin/bash", "usr/bin/curl", "var/runtime/bootstrap"}

// startPublicRegistry serves a base image for both platforms as public.ecr.aws, over TLS, behind a proxy. It returns
// two environment variables: HTTPS_PROXY, and the one with its certificate.
func startPublicRegistry(t *testing.T) (environment []string) {
	t.Helper()
	images := ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))
	plain := httptest.NewServer(images)
	t.Cleanup(plain.Close)
	index := v1.ImageIndex(empty.Index)
	for _, architecture := range []string{"arm64", "amd64"} {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: base(t, architecture),
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
	}
	ref := must(name.ParseReference(strings.TrimPrefix(plain.URL, "http://") + "/" + baseImage + ":" + baseTag))(t)
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}

	secure := httptest.NewUnstartedServer(images)
	pair, authority := certify(t, publicHost)
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != publicHost+":443" {
			http.Error(w, "there is no way to "+r.Host, http.StatusForbidden)
			return
		}
		tunnel(w, secure.Listener.Addr().String())
	}))
	t.Cleanup(proxy.Close)
	certificate := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(certificate, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"HTTPS_PROXY=" + proxy.URL, "SSL_CERT_FILE=" + certificate}
}

// certify makes a self-signed certificate for a host, also as PEM.
func certify(t *testing.T, host string) (tls.Certificate, []byte) {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	text := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der := must(x509.CreateCertificate(rand.Reader, text, text, &key.PublicKey, key))(t)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// tunnel connects a client with an address.
func tunnel(w http.ResponseWriter, address string) {
	there, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	fmt.Fprint(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	go io.Copy(there, here)
	io.Copy(here, there)
}

// base is an image of one layer.
func base(t *testing.T, architecture string) v1.Image {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, file := range baseFiles {
		content := baseContent(file, architecture)
		if err := w.WriteHeader(&tar.Header{Name: file, Typeflag: tar.TypeReg, Size: int64(len(content)), Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer := must(tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil }))(t)
	image := must(mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: architecture,
		Config: v1.Config{Entrypoint: []string{"/lambda-entrypoint.sh"}, WorkingDir: "/var/task", Env: []string{"LANG=en_US.UTF-8", "LAMBDA_TASK_ROOT=/nowhere"}}}))(t)
	return must(mutate.AppendLayers(image, layer))(t)
}

func baseContent(file, architecture string) string { return file + " for " + architecture }
