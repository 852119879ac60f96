package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/tools/need"
)

// cdk is the CLI that package.json pins.
const cdk = "../../node_modules/.bin/cdk"

const (
	account    = "000000000000"
	repository = "cdk-hnb659fds-container-assets-000000000000-us-east-1"
	password   = "a very secret token"
)

// aws answers what publishing an image asks of AWS: who calls, which repository, is the image there, with what to log
// in.
type aws struct{ registry string }

func (a *aws) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if strings.Contains(string(body), "Action=GetCallerIdentity") {
		action = "GetCallerIdentity"
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch action {
	case "GetCallerIdentity":
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::%[1]s:root</Arn><UserId>%[1]s</UserId><Account>%[1]s</Account>`+
			`</GetCallerIdentityResult></GetCallerIdentityResponse>`, account)
	case "DescribeRepositories":
		reply(w, map[string]any{"repositories": []any{map[string]string{
			"repositoryName": repository, "repositoryUri": a.registry + "/" + repository}}})
	case "DescribeImages":
		var asked struct{ ImageIds []struct{ ImageTag string } }
		if err := json.Unmarshal(body, &asked); err != nil || len(asked.ImageIds) != 1 {
			http.Error(w, "one tag is asked for", http.StatusBadRequest)
			return
		}
		img, err := a.image(asked.ImageIds[0].ImageTag)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			reply(w, map[string]string{"__type": "ImageNotFoundException", "message": "not there"})
			return
		}
		reply(w, map[string]any{"imageDetails": []any{map[string]string{"imageDigest": img.Digest.String()}}})
	case "GetAuthorizationToken":
		token := base64.StdEncoding.EncodeToString([]byte("AWS:" + password))
		reply(w, map[string]any{"authorizationData": []any{map[string]string{
			"authorizationToken": token, "proxyEndpoint": "https://" + a.registry}}})
	default:
		http.Error(w, "not known: "+action+r.URL.Path, http.StatusBadRequest)
	}
}

func reply(w io.Writer, value any) {
	if err := json.NewEncoder(w).Encode(value); err != nil {
		panic(err)
	}
}

func (a *aws) image(tag string) (*remote.Descriptor, error) {
	ref, err := name.NewTag(a.registry + "/" + repository + ":" + tag)
	if err != nil {
		return nil, err
	}
	return remote.Get(ref, remote.WithAuth(&authn.Basic{Username: "AWS", Password: password}))
}

// writeAssembly writes a cloud assembly with one stack, whose images are the given contexts by asset hash.
func writeAssembly(t *testing.T, images map[string]map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	assets := map[string]any{}
	for hash, files := range images {
		for file, content := range files {
			write(t, filepath.Join(dir, "asset."+hash, file), content)
		}
		assets[hash] = map[string]any{
			"displayName":  "Function " + hash,
			"source":       map[string]string{"directory": "asset." + hash, "platform": "linux/arm64"},
			"destinations": map[string]any{"here": map[string]string{"repositoryName": repository, "imageTag": hash, "region": "us-east-1"}},
		}
	}
	writeJSON(t, filepath.Join(dir, "S.assets.json"), map[string]any{"version": "38.0.0", "files": map[string]any{}, "dockerImages": assets})
	writeJSON(t, filepath.Join(dir, "S.template.json"), map[string]any{"Resources": map[string]any{}})
	writeJSON(t, filepath.Join(dir, "manifest.json"), map[string]any{"version": "38.0.0", "artifacts": map[string]any{
		"S.assets": map[string]any{"type": "cdk:asset-manifest", "properties": map[string]string{"file": "S.assets.json"}},
		"S": map[string]any{"type": "aws:cloudformation:stack", "environment": "aws://" + account + "/us-east-1",
			"properties": map[string]any{"templateFile": "S.template.json"}, "dependencies": []string{"S.assets"}},
	}})
	return dir
}

func writeJSON(t *testing.T, name string, value any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	write(t, name, string(text))
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	mode := os.FileMode(0o644)
	if strings.HasPrefix(content, "#!") {
		mode = 0o755
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// publish has the CDK CLI publish the images of an assembly, with this test binary as CDK_DOCKER.
func publish(t *testing.T, c *command, assembly, endpoint string) (output string, err error) {
	t.Helper()
	if _, err := os.Stat(cdk); err != nil {
		t.Fatalf("the CDK CLI is not installed: %v: make setup", err)
	}
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(cdk, "publish-assets", "--unstable=publish-assets", "--app", assembly, "--concurrency", "4")
	cmd.Env = append(c.env(), "CDK_DOCKER="+self, "CDK_HOME="+c.dir, "CDK_DOCKER_CREDS_FILE="+filepath.Join(c.dir, "none"), "TMPDIR="+c.dir, "AWS_ENDPOINT_URL="+endpoint, "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null", "CDK_DISABLE_CLI_TELEMETRY=true", "CDK_DISABLE_NOTICES=true", "CI=true",
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}

// The real CDK CLI publishes images through this command, several at once: what the registry has then is what the
// Dockerfiles say.
func TestTheRealCLIPublishes(t *testing.T) {
	need.Time(t)
	fake := &aws{registry: newRegistry(t, password)}
	server := httptest.NewServer(fake)
	defer server.Close()
	images := map[string]map[string]string{}
	for i := range 4 {
		images[strings.Repeat(fmt.Sprint(i), 64)] = map[string]string{
			"Dockerfile":        "FROM scratch\nCOPY package/ /var/task/\nENTRYPOINT [\"/var/task/bootstrap\"]\nCMD [\"handler.run\"]\n",
			"package/bootstrap": "#!/bin/bash\n", "package/handler.sh": fmt.Sprint("number ", i),
		}
	}
	assembly := writeAssembly(t, images)
	c := newCommand(t, nil)
	output, err := publish(t, c, assembly, server.URL)
	if err != nil {
		t.Fatalf("cdk publish-assets: %v\n%s", err, output)
	}
	t.Log(output)
	if strings.Contains(output, password) {
		t.Errorf("the password shows:\n%s", output)
	}
	for hash, files := range images {
		d, err := fake.image(hash)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"var": "drwxr-xr-x ", "var/task": "drwxr-xr-x ", "var/task/bootstrap": "-rwxr-xr-x #!/bin/bash\n",
			"var/task/handler.sh": "-rw-r--r-- " + files["package/handler.sh"]}
		if diff := cmp.Diff(want, flattened(t, d)); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	}
	// The second time nothing is left to do.
	output, err = publish(t, c, assembly, server.URL)
	if err != nil || strings.Contains(output, "cdk-docker") || !strings.Contains(output, "already published") {
		t.Errorf("publishing again: %v\n%s", err, output)
	}
}

// What cannot be built, or breaks half-way, is an error of the CLI's with the line that says why, and no tag in the
// registry.
func TestTheRealCLIShowsWhatWentWrong(t *testing.T) {
	need.Time(t)
	for _, test := range []struct{ name, instruction, refused, want string }{
		{"a Dockerfile that runs something", "RUN true", "", "cdk-docker: Dockerfile:2: RUN needs Docker"},
		{"a registry that takes no layers", "COPY Dockerfile /", "PATCH", "(not logged in, or not allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := &aws{registry: newRegistry(t, password, test.refused)}
			server := httptest.NewServer(fake)
			defer server.Close()
			hash := strings.Repeat("f", 64)
			assembly := writeAssembly(t, map[string]map[string]string{hash: {"Dockerfile": "FROM scratch\n" + test.instruction + "\n"}})
			output, err := publish(t, newCommand(t, nil), assembly, server.URL)
			if err == nil || !strings.Contains(output, test.want) {
				t.Errorf("error %v: want one that shows %q\n%s", err, test.want, output)
			}
			if _, err := fake.image(hash); err == nil {
				t.Error("something was tagged")
			}
		})
	}
}

// flattened is type, mode and content by path.
func flattened(t *testing.T, d *remote.Descriptor) map[string]string {
	t.Helper()
	img, err := d.Image()
	if err != nil {
		t.Fatal(err)
	}
	flat := mutate.Extract(img)
	defer flat.Close()
	dir, out := t.TempDir(), map[string]string{}
	if err := archive.Untar(flat, dir); err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		info, statErr := os.Stat(filepath.Join(dir, name))
		if err = errors.Join(err, statErr); err != nil || name == "." {
			return err
		}
		var content []byte
		if !entry.IsDir() {
			content, err = os.ReadFile(filepath.Join(dir, name))
		}
		out[name] = fmt.Sprintf("%v %s", info.Mode(), content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
