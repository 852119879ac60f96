package lab_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/assembly"
)

// Layers of the stack must be at /opt, a later one over an earlier one. One may have the bootstrap. If a layer is not in
// the assembly, a warning names the function and the property.
func TestLayers(t *testing.T) {
	t.Parallel()
	content := func(text string) string {
		path := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(path, []byte(text), 0o755))
		return path
	}
	elsewhere := "arn:aws:lambda:us-east-1:123456789012:layer:theirs:3"
	l := newLab(t,
		spec{id: "Own", files: map[string]string{"bootstrap": builtBootstrap(t)}, layers: []map[string]string{
			{"lib/first": content("first"), "lib/both": content("first")}, {"lib/both": content("later")}}},
		spec{id: "Runtime", files: map[string]string{"handler.sh": content("#")}, layers: []map[string]string{{"bootstrap": builtBootstrap(t)}}},
		spec{id: "Theirs", files: map[string]string{"bootstrap": builtBootstrap(t)}, props: map[string]any{"Layers": []string{elsewhere}}},
	)
	c := client(t, l)
	for _, name := range []string{"Own", "Runtime", "Theirs"} {
		got := invoke(t, c, name, `{}`)
		if got.payload != `{}` || got.failure != "" {
			t.Errorf("%s: %+v", name, got)
		}
		if read := initRead.FindStringSubmatch(got.log); read == nil || len(read[1]) < 3 { // wherever the bootstrap is, at least 100 KiB of it are read
			t.Errorf("%s: the reads of its code and layers are not counted: %s", name, got.log)
		}
	}
	for path, want := range map[string]string{"/opt/lib/first": "first", "/opt/lib/both": "later", "/var/task/lib/both": "No such file"} {
		if got := invoke(t, c, "Own", `{"do":"shell","path":"cat `+path+` 2>&1"}`); !strings.Contains(got.payload, want) {
			t.Errorf("%s: %+v, want %q", path, got, want)
		}
	}
	warnings := strings.Join(l.Warnings(), "\n")
	for _, want := range []string{"the lab ignores Layers (" + elsewhere + " is not in the assembly) of test/zip"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("no %q in %s", want, warnings)
		}
	}
	if strings.Contains(warnings, "without Layers of") {
		t.Error(warnings)
	}
}

var initRead = regexp.MustCompile(`"initReadKiB":([0-9]+)`)

// An update can give a function the layers that its variants name, and take them away again. Any other layer is refused,
// and the error names it. An update can also change the format of the log.
func TestUpdatedLayersAndLogs(t *testing.T) {
	t.Parallel()
	one := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(one, []byte("one"), 0o644))
	l := newLab(t,
		spec{id: "F", files: map[string]string{"bootstrap": builtBootstrap(t)}, variants: []arm.Variant{{Lever: "layers", Level: "one", Set: arm.Override{Layers: []string{"GLayer0"}}}}},
		spec{id: "G", files: map[string]string{"bootstrap": builtBootstrap(t)}, layers: []map[string]string{{"lib/one": one}}},
	)
	c := client(t, l)
	update := func(in lambda.UpdateFunctionConfigurationInput) error {
		in.FunctionName = aws.String("F")
		_, err := c.UpdateFunctionConfiguration(t.Context(), &in)
		return err
	}
	for range 2 { // the second time the layer is already unpacked
		for _, layers := range [][]string{{assembly.LayerARN("GLayer0")}, {}} {
			must(t, update(lambda.UpdateFunctionConfigurationInput{Layers: layers}))
			now, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("F")})
			if err != nil || len(now.Layers) != len(layers) {
				t.Fatalf("%+v, %v", now, err)
			}
			got := invoke(t, c, "F", `{"do":"shell","path":"cat /opt/lib/one 2>&1"}`)
			if has := strings.Contains(got.payload, "one") && !strings.Contains(got.payload, "No such file"); has != (len(layers) > 0) {
				t.Errorf("with %v: %+v", layers, got)
			}
		}
	}
	if err := update(lambda.UpdateFunctionConfigurationInput{Layers: []string{assembly.LayerARN("H")}}); err == nil || !strings.Contains(err.Error(), "layer:H:1 does not exist") {
		t.Errorf("a layer that does not exist: %v", err)
	}
	for _, format := range []types.LogFormat{types.LogFormatJson, types.LogFormatText} {
		must(t, update(lambda.UpdateFunctionConfigurationInput{LoggingConfig: &types.LoggingConfig{LogFormat: format}}))
		if got := invoke(t, c, "F", `{}`); strings.Contains(got.log, `"type":"platform.report"`) != (format == types.LogFormatJson) {
			t.Errorf("%s: %s", format, got.log)
		}
	}
}
