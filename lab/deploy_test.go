package lab_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab"
)

// zipped returns an archive of files.
func zipped(t testing.TB, files map[string]string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "f.zip")
	writeZIP(t, file, files)
	text, err := os.ReadFile(file)
	must(t, err)
	return text
}

// zipOf returns an archive of one file.
func zipOf(t testing.TB, name, content string, mode os.FileMode) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: name}
	header.SetMode(mode)
	entry, err := w.CreateHeader(header)
	must(t, err)
	io.WriteString(entry, content)
	must(t, w.Close())
	return b.Bytes()
}

// zeros returns an archive of a file of zeros.
func zeros(t testing.TB, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	entry, err := w.Create("bootstrap")
	must(t, err)
	_, err = io.CopyN(entry, zeroReader{}, size)
	must(t, err)
	must(t, w.Close())
	return b.Bytes()
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func newFunction(t testing.TB, name string) *lambda.CreateFunctionInput {
	return &lambda.CreateFunctionInput{FunctionName: &name, Role: aws.String("arn:aws:iam::000000000000:role/mine"), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("h"),
		Architectures: []types.Architecture{types.Architecture(host())}, Code: &types.FunctionCode{ZipFile: zipped(t, map[string]string{"bootstrap": builtBootstrap(t)})}}
}

func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestFunctionsAreMadeChangedAndDeleted(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := client(t, newLab(t, function(t, "F", nil)))
	in := newFunction(t, "New")
	in.Publish, in.MemorySize = true, aws.Int32(256)
	made, err := c.CreateFunction(ctx, in)
	must(t, err)
	if *made.Version != "1" || *made.MemorySize != 256 || *made.Timeout != 3 || *made.Role != "arn:aws:iam::000000000000:role/mine" || made.CodeSize == 0 {
		t.Errorf("CreateFunction returned %+v", made)
	}
	must(t, lambda.NewFunctionActiveV2Waiter(c).Wait(ctx, &lambda.GetFunctionInput{FunctionName: in.FunctionName}, time.Minute))
	if got := invoke(t, c, "New", `{"a":1}`); got.payload != `{"a":1}` {
		t.Errorf("got %+v", got)
	}
	if _, err := c.CreateFunction(ctx, in); code(err) != "ResourceConflictException" {
		t.Errorf("created twice: %v", err)
	}
	script := filepath.Join(t.TempDir(), "bootstrap")
	must(t, os.WriteFile(script, []byte("#!/bin/bash\necho no\nexit 6\n"), 0o755))
	updated, err := c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: in.FunctionName, ZipFile: zipped(t, map[string]string{"bootstrap": script})})
	must(t, err)
	if *updated.CodeSha256 == *made.CodeSha256 || updated.CodeSize == made.CodeSize {
		t.Errorf("UpdateFunctionCode returned %+v", updated)
	}
	if got := invoke(t, c, "New", `{}`); !strings.Contains(got.payload, "exit status 6") {
		t.Errorf("got %+v", got)
	}
	if got := invoke(t, c, "New:1", `{"a":2}`); got.payload != `{"a":2}` { // a version keeps its code
		t.Errorf("got %+v", got)
	}
	_, err = c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: in.FunctionName})
	must(t, err)
	if _, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: in.FunctionName}); code(err) != "ResourceNotFoundException" {
		t.Errorf("an invocation after the deletion: %v", err)
	}
	all, err := c.ListFunctions(ctx, nil)
	must(t, err)
	if len(all.Functions) != 1 {
		t.Errorf("%d functions are left, want F", len(all.Functions))
	}
	account, err := c.GetAccountSettings(ctx, nil)
	must(t, err)
	if account.AccountUsage.FunctionCount != 1 || account.AccountLimit.ConcurrentExecutions != lab.DefaultConcurrency {
		t.Errorf("GetAccountSettings returned %+v", account)
	}
}

// A function's image may be a folder with an OCI layout.
func TestFunctionFromAnImage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	copyFile(t, builtBootstrap(t), filepath.Join(root, "var/task/start"))
	tarred := filepath.Join(dir, "l.tar")
	must(t, tarOf(tarred, root))
	layer, err := tarball.LayerFromFile(tarred)
	must(t, err)
	img, err := mutate.AppendLayers(empty.Image, layer)
	must(t, err)
	config, err := img.ConfigFile()
	must(t, err)
	config.Architecture, config.OS, config.Config.Entrypoint = host().GOARCH(), "linux", []string{"/var/task/start"}
	img, err = mutate.ConfigFile(img, config)
	must(t, err)
	to, err := layout.Write(filepath.Join(dir, "image"), empty.Index)
	must(t, err)
	must(t, to.AppendImage(img))

	c := client(t, newLab(t, function(t, "F", nil)))
	in := newFunction(t, "Image")
	in.PackageType, in.Runtime, in.Handler, in.Code = types.PackageTypeImage, "", nil, &types.FunctionCode{ImageUri: aws.String(filepath.Join(dir, "image"))}
	_, err = c.CreateFunction(t.Context(), in)
	must(t, err)
	if got := invoke(t, c, "Image", `{"a":1}`); got.payload != `{"a":1}` {
		t.Errorf("got %+v", got)
	}
}

// tarOf writes the files of a folder.
func tarOf(file, dir string) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	w := tar.NewWriter(out)
	return errors.Join(w.AddFS(os.DirFS(dir)), w.Close())
}

// The lab must refuse what Lambda refuses, with Lambda's error code, and also what only the lab lacks.
func TestBadInput(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", nil)))
	ctx := context.Background()
	evil := func(name string, mode os.FileMode) []byte { return zipOf(t, name, "x", mode) }
	create := func(change func(*lambda.CreateFunctionInput)) func() error {
		return func() error {
			in := newFunction(t, "Bad")
			change(in)
			_, err := c.CreateFunction(ctx, in)
			return err
		}
	}
	update := func(u lambda.UpdateFunctionConfigurationInput) func() error {
		return func() error {
			u.FunctionName = aws.String("F")
			_, err := c.UpdateFunctionConfiguration(ctx, &u)
			return err
		}
	}
	variable := func(name, value string) func() error {
		return update(lambda.UpdateFunctionConfigurationInput{Environment: &types.Environment{Variables: map[string]string{name: value}}})
	}
	call := func(name, payload string, kind types.InvocationType) func() error {
		return func() error {
			_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(payload), InvocationType: kind})
			return err
		}
	}
	url := func(mode types.InvokeMode, cors *types.Cors) func() error {
		return func() error {
			_, err := c.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: aws.String("F"), AuthType: types.FunctionUrlAuthTypeNone, InvokeMode: mode, Cors: cors})
			return err
		}
	}
	sent := func(zip []byte) func(*lambda.CreateFunctionInput) {
		return func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = zip }
	}
	for _, test := range []struct {
		what   string
		do     func() error
		code   string
		status int
		text   string
	}{
		{"an event over 6 MB", call("F", `"`+strings.Repeat("x", 6<<20)+`"`, ""), "RequestTooLargeException", 413, "6291456"},
		{"an asynchronous event over 1 MB", call("F", `"`+strings.Repeat("x", 1<<20)+`"`, types.InvocationTypeEvent), "RequestTooLargeException", 413, "1048576"},
		{"an event that is not UTF-8", call("F", "\"Beno\xeet\"", ""), "InvalidRequestContentException", 400, "UTF-8"},
		{"an event that is not JSON", call("F", "{", ""), "InvalidRequestContentException", 400, "Could not parse request body into json"},
		{"no such function", call("G", "{}", ""), "ResourceNotFoundException", 404, "G"},
		{"no such version", call("F:9", "{}", ""), "ResourceNotFoundException", 404, "9"},
		{"an ARN with a short account", call("arn:aws:lambda:us-east-1:1:function:F", "{}", ""), "ValidationException", 400, "functionName"},
		{"another service's ARN", call("arn:aws:s3:::bucket", "{}", ""), "ValidationException", 400, "functionName"},
		{"an ARN of a layer", call("arn:aws:lambda:us-east-1:000000000000:layer:l:1", "{}", ""), "ValidationException", 400, "functionName"},
		{"an ARN without a name", call("arn:aws:lambda:us-east-1:000000000000:function:", "{}", ""), "ValidationException", 400, "functionName"},
		{"two qualifiers that differ", func() error {
			_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("F:1"), Qualifier: aws.String("2")})
			return err
		}, "InvalidParameterValueException", 400, "qualifier"},
		{"no such type of invocation", call("F", "{}", "Later"), "InvalidParameterValueException", 400, "Later"},
		{"too little memory", update(lambda.UpdateFunctionConfigurationInput{MemorySize: aws.Int32(127)}), "ValidationException", 400, "127"},
		{"too much memory", update(lambda.UpdateFunctionConfigurationInput{MemorySize: aws.Int32(1e6)}), "ValidationException", 400, "1000000"},
		{"too long a timeout", update(lambda.UpdateFunctionConfigurationInput{Timeout: aws.Int32(901)}), "ValidationException", 400, "901"},
		{"a timeout of 0", update(lambda.UpdateFunctionConfigurationInput{Timeout: aws.Int32(0)}), "ValidationException", 400, "Timeout 0"},
		{"too large /tmp", update(lambda.UpdateFunctionConfigurationInput{EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(10241)}}), "ValidationException", 400, "10241"},
		{"too small /tmp", update(lambda.UpdateFunctionConfigurationInput{EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(511)}}), "ValidationException", 400, "511"},
		{"a variable with a hyphen", variable("my-var", ""), "ValidationException", 400, "my-var"},
		{"a variable that begins with a digit", variable("1A", ""), "ValidationException", 400, "1A"},
		{"a variable of one letter", variable("A", ""), "ValidationException", 400, "A"},
		{"a reserved variable", variable("AWS_REGION", "x"), "InvalidParameterValueException", 400, "AWS_REGION"},
		{"variables of more than 4 KB", variable("AB", strings.Repeat("x", 4<<10)), "InvalidParameterValueException", 400, "4KB"},
		{"a layer that no variant names", update(lambda.UpdateFunctionConfigurationInput{Layers: []string{"arn:aws:lambda:us-east-1:000000000000:layer:l:1"}}), "InvalidParameterValueException", 400, "Layer version arn:aws:lambda:us-east-1:000000000000:layer:l:1 does not exist"},
		{"another revision", update(lambda.UpdateFunctionConfigurationInput{RevisionId: aws.String("x")}), "PreconditionFailedException", 412, "RevisionId"},
		{"a file that is not a ZIP", create(sent([]byte("PK no"))), "InvalidParameterValueException", 400, "Could not unzip"},
		{"a ZIP that is cut short", create(sent(zipped(t, map[string]string{"bootstrap": "lab_test.go"})[:500])), "InvalidParameterValueException", 400, "Could not unzip"},
		{"a ZIP that leads out", create(sent(evil("../evil", 0o755))), "InvalidParameterValueException", 400, "leads out"},
		{"a ZIP with an absolute path", create(sent(evil("/tmp/evil", 0o755))), "InvalidParameterValueException", 400, "Could not unzip"},
		{"a ZIP over 50 MB", create(sent(make([]byte, 50<<20+1))), "RequestEntityTooLargeException", 413, "50 MB"},
		{"a ZIP over 250 MB unpacked", create(sent(zeros(t, 250<<20+1))), "InvalidParameterValueException", 400, "250 MB"},
		{"no code", create(sent(nil)), "InvalidParameterValueException", 400, "source for function code"},
		{"code in S3", create(func(in *lambda.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: aws.String("b"), S3Key: aws.String("k")}
		}), "InvalidParameterValueException", 400, "no S3"},
		{"an image that does not exist", create(func(in *lambda.CreateFunctionInput) {
			in.PackageType, in.Runtime, in.Handler, in.Code = types.PackageTypeImage, "", nil, &types.FunctionCode{ImageUri: aws.String("/nowhere")}
		}), "InvalidParameterValueException", 400, "/nowhere"},
		{"a managed runtime that the lab lacks", create(func(in *lambda.CreateFunctionInput) { in.Runtime = types.RuntimeRuby33 }), "InvalidParameterValueException", 400, "ruby3.3"},
		{"no handler", create(func(in *lambda.CreateFunctionInput) { in.Handler = nil }), "InvalidParameterValueException", 400, "Handler"},
		{"too little memory at creation", create(func(in *lambda.CreateFunctionInput) { in.MemorySize = aws.Int32(64) }), "ValidationException", 400, "64"},
		{"a log level at creation", create(func(in *lambda.CreateFunctionInput) {
			in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, ApplicationLogLevel: types.ApplicationLogLevelDebug}
		}), "InvalidParameterValueException", 400, "LoggingConfig.LogFormat"},
		{"an architecture that this machine lacks", create(func(in *lambda.CreateFunctionInput) {
			in.Architectures = []types.Architecture{map[arm.Architecture]types.Architecture{arm.X8664: "arm64", arm.ARM64: "x86_64"}[host()]}
		}), "InvalidParameterValueException", 400, "this machine is " + string(host())},
		{"an unknown architecture", create(func(in *lambda.CreateFunctionInput) { in.Architectures = []types.Architecture{"mips"} }), "ValidationException", 400, "mips"},
		{"a streamed URL", url(types.InvokeModeResponseStream, nil), "InvalidParameterValueException", 400, "RESPONSE_STREAM"},
		{"a URL for web pages", url("", &types.Cors{AllowOrigins: []string{"*"}}), "InvalidParameterValueException", 400, "Cors"},
		{"a name with a dot", create(func(in *lambda.CreateFunctionInput) { in.FunctionName = aws.String("a.b") }), "ValidationException", 400, "a.b"},
		{"a VPC, which the lab lacks", create(func(in *lambda.CreateFunctionInput) { in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"subnet-1"}} }), "InvalidParameterValueException", 400, "VpcConfig"},
	} {
		err := test.do()
		var answer *smithyhttp.ResponseError
		if code(err) != test.code || !errors.As(err, &answer) || answer.HTTPStatusCode() != test.status || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v", test.what, err)
		}
	}
	// Lambda accepts these packages, but they cannot start.
	other := map[string]string{"amd64": "\xb7", "arm64": "\x3e"}[host().GOARCH()]
	elf := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00" + other + strings.Repeat("\x00", 100)
	for what, test := range map[string]struct {
		zip  []byte
		want []string
	}{
		"no execute bit":       {evil("bootstrap", 0o644), []string{"Runtime.InvalidEntrypoint", "/var/task/bootstrap", "permission denied"}},
		"no bootstrap":         {evil("other", 0o755), []string{"Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"}},
		"another architecture": {zipOf(t, "bootstrap", elf, 0o755), []string{"Runtime.InvalidEntrypoint", "exec format error", "arm64", "x86_64"}},
	} {
		in := newFunction(t, strings.ReplaceAll(what, " ", "-"))
		in.Code.ZipFile = test.zip
		_, err := c.CreateFunction(ctx, in)
		must(t, err)
		got := invoke(t, c, *in.FunctionName, `{}`)
		for _, want := range test.want {
			if !strings.Contains(got.payload, want) {
				t.Errorf("%s: no %q in %s", what, want, got.payload)
			}
		}
	}
}
