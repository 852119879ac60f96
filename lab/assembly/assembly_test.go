package assembly

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
)

// The CDK CLI 2.1148.1 wrote testdata/cdk.out for two functions. Then it was shortened by hand.
func TestRead(t *testing.T) {
	a, err := Read("testdata/cdk.out")
	if err != nil {
		t.Fatal(err)
	}
	stack, err := a.Stack("")
	if err != nil {
		t.Fatal(err)
	}
	if stack.Name != "Twinstart-packaging" || !reflect.DeepEqual(stack.NotMeasured, []arm.NotMeasured{{Arm: "bashcurl/image-minimal", Why: "an empty base has no curl"}}) {
		t.Errorf("got %+v", stack)
	}
	want := []Function{
		{
			LogicalID: "NethttpZip", PackageType: Zip, Runtime: "provided.al2023", Handler: "handler.run", Description: "nethttp/zip of Twinstart-packaging",
			Role:           "arn:aws:iam::000000000000:role/Role",
			TimeoutSeconds: 30, MemorySizeMB: 1024, EphemeralStorageMB: 512, Architecture: arm.X8664, LogGroup: "Logs", LogFormat: Text,
			OtherLayers: map[string]string{},
			Environment: map[string]string{"BUCKET": "Bucket", "ROLE": "arn:aws:iam::000000000000:role/Role", "WHERE": "us-east-1/000000000000"},
			Identity:    arm.Identity{Experiment: "packaging", Arm: "nethttp/zip", Bootstrap: "nethttp", Package: arm.ZIP, Architecture: arm.X8664, MemorySizeMB: 1024, Handler: "echo"},
			Package:     filepath.FromSlash("testdata/cdk.out/asset.aa.zip"), PackageSizeBytes: 22,
		},
		{
			LogicalID: "RawtcpImage", PackageType: Image, Role: "arn:aws:iam::000000000000:role/Role", TimeoutSeconds: 3, MemorySizeMB: 128, EphemeralStorageMB: 1024, Architecture: arm.ARM64, LogGroup: "/aws/lambda/RawtcpImage", LogFormat: Text,
			OtherLayers: map[string]string{},
			Environment: map[string]string{}, ImageConfig: ImageConfig{Command: []string{"handler.run"}},
			Identity: arm.Identity{Experiment: "packaging", Arm: "rawtcp/image", Bootstrap: "rawtcp", Package: arm.Image, Architecture: arm.ARM64, MemorySizeMB: 128, Handler: "echo"},
			Package:  filepath.FromSlash("testdata/cdk.out/asset.bb"), Dockerfile: "Dockerfile", PackageSizeBytes: 10,
		},
	}
	if !reflect.DeepEqual(stack.Functions, want) {
		got, _ := json.MarshalIndent(stack.Functions, "", " ")
		t.Errorf("got %s", got)
	}
}

func TestErrorsAreOneLineThatSaysWhatToDo(t *testing.T) {
	const function = `"F":{"Type":"AWS::Lambda::Function","Metadata":{"twinstart":{"arm":"a/zip"}},"Properties":{"Code":{"S3Key":"k.zip"}%s}}`
	withArm := func(properties string) map[string]string {
		return map[string]string{
			"manifest.json": `{"version":"1","artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.json"}}}}`,
			"S.json":        `{"Resources":{` + strings.Replace(function, "%s", properties, 1) + `}}`,
			"S.assets.json": `{"files":{"k":{"source":{"path":"k.zip"},"destinations":{"d":{"objectKey":"k.zip"}}}}}`,
			"k.zip":         "zip",
		}
	}
	with := func(files map[string]string, name, content string) map[string]string {
		files[name] = content
		return files
	}
	for name, test := range map[string]struct {
		files map[string]string
		stack string
		want  string
	}{
		"empty folder":                   {nil, "", "no cloud assembly in DIR: run `npx cdk synth` first, or name another folder with --assembly"},
		"not JSON":                       {map[string]string{"manifest.json": "<html>"}, "", "is not a cloud assembly's manifest"},
		"another JSON":                   {map[string]string{"manifest.json": `{"name":"x"}`}, "", "is not a cloud assembly's manifest"},
		"no stack":                       {map[string]string{"manifest.json": `{"version":"1","artifacts":{}}`}, "", "has no stack"},
		"no template":                    {map[string]string{"manifest.json": `{"version":"1","artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.json"}}}}`}, "", "reading the template of stack S"},
		"template outside":               {map[string]string{"manifest.json": `{"version":"1","artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"../S.json"}}}}`}, "", "lies outside of it"},
		"no function":                    {with(withArm(""), "S.json", `{"Resources":{"B":{"Type":"AWS::S3::Bucket"}}}`), "", "stack S of DIR has no AWS::Lambda::Function"},
		"inline code":                    {with(withArm(""), "S.json", `{"Resources":{"F":{"Type":"AWS::Lambda::Function","Properties":{"Runtime":"java21","Code":{"ZipFile":"x"}}}}}`), "", "its code is inside the template (ZipFile): make it an asset"},
		"another stack":                  {withArm(""), "T", `no stack "T" in DIR: choose one of S with --stack`},
		"no such asset":                  {with(withArm(""), "S.assets.json", `{}`), "", `S3 key "k.zip" is not an asset`},
		"package is gone":                {with(withArm(""), "S.assets.json", `{"files":{"k":{"source":{"path":"gone.zip"},"destinations":{"d":{"objectKey":"k.zip"}}}}}`), "", "reading the deployment package"},
		"not a number":                   {withArm(`,"Timeout":"soon"`), "", `is not a whole number`},
		"negative number":                {withArm(`,"ReservedConcurrentExecutions":-1`), "", "ReservedConcurrentExecutions is -1: set 0 or more"},
		"not text":                       {withArm(`,"Handler":{"Fn::ImportValue":"Y"}`), "", "Handler: the lab cannot resolve Fn::ImportValue"},
		"no such resource":               {withArm(`,"Handler":{"Ref":"Y"}`), "", "no such resource"},
		"SnapStart of a ZIP":             {withArm(`,"Runtime":"provided.al2023","SnapStart":{"ApplyOn":"PublishedVersions"}`), "", "SnapStart does not accept a ZIP on provided.al2023: deploy the function as an image"},
		"SnapStart with another ApplyOn": {withArm(`,"SnapStart":{"ApplyOn":"Latest"}`), "", `SnapStart.ApplyOn "Latest" is neither PublishedVersions nor None`},
		"SnapStart with a large /tmp":    {withArm(`,"SnapStart":{"ApplyOn":"PublishedVersions"},"EphemeralStorage":{"Size":1024}`), "", "SnapStart needs an EphemeralStorage of 512 MB, but it is 1024 MB"},
		"unknown architecture":           {withArm(`,"Architectures":["riscv"]`), "", `unknown architecture "riscv"`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range test.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			a, err := Read(dir)
			if err == nil {
				_, err = a.Stack(test.stack)
			}
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.ReplaceAll(err.Error(), dir, "DIR"); !strings.Contains(got, test.want) || strings.Contains(got, "\n") {
				t.Errorf("got %q, want %q in it", got, test.want)
			}
		})
	}
}

// The assembly of a stage is inside the application's assembly, and so are its assets. A stage can be read with the
// application or alone. Paths outside of both are refused.
func TestStages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cdk.out")
	stage := filepath.Join(dir, "assembly-Beta")
	write := func(path, content string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	assets := func(path string) string {
		return `{"files":{"k":{"source":{"path":"` + path + `"},"destinations":{"d":{"objectKey":"k.zip"}}}}}`
	}
	write(filepath.Join(dir, "manifest.json"), `{"version":"1","artifacts":{"assembly-Beta":{"type":"cdk:cloud-assembly","properties":{"directoryName":"assembly-Beta"}}}}`)
	write(filepath.Join(dir, "k.zip"), "zip")
	write(filepath.Join(dir, "..", "outside.zip"), "zip")
	write(filepath.Join(stage, "manifest.json"), `{"version":"1","artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.json"}}}}`)
	write(filepath.Join(stage, "S.json"), `{"Resources":{"F":{"Type":"AWS::Lambda::Function","Properties":{"Runtime":"provided.al2023","Code":{"S3Key":"k.zip"}}}}}`)
	for path, want := range map[string]string{"../k.zip": "", "../../outside.zip": "lies outside of it", "/etc/passwd": "lies outside of it"} {
		write(filepath.Join(stage, "S.assets.json"), assets(path))
		for _, read := range []string{dir, stage} {
			a, err := Read(read)
			var stack *Stack
			if err == nil {
				stack, err = a.Stack("")
			}
			if want == "" && (err != nil || len(stack.Functions) != 1 || stack.Functions[0].Package != filepath.Join(dir, "k.zip")) {
				t.Errorf("%s: %+v, %v", read, stack, err)
			} else if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s from %s: %v, want %s", path, read, err, want)
			}
		}
	}
}

// stackOf writes the files of an assembly to a folder and reads its one stack.
func stackOf(t *testing.T, files map[string]string) (dir string, stack *Stack) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if stack, err = a.Stack(""); err != nil {
		t.Fatal(err)
	}
	return dir, stack
}

// Each function of any application is an arm. What its identity lacks is read from the resource. If one function cannot
// be read, the others still are. Ignored names each property that this package does not read.
func TestAnyApplication(t *testing.T) {
	_, stack := stackOf(t, map[string]string{
		"manifest.json":        `{"version":"1","artifacts":{"App-Shop":{"type":"aws:cloudformation:stack","displayName":"App/Shop","properties":{"templateFile":"t.json","stackName":"Shop"}}}}`,
		"App-Shop.assets.json": `{"files":{"k":{"source":{"path":"k.zip"},"destinations":{"d":{"objectKey":"k.zip"}}}}}`,
		"k.zip":                "zip",
		"t.json": `{"Parameters":{"Stage":{"Type":"String","Default":"test"}},"Resources":{
			"OrdersAB12":{"Type":"AWS::Lambda::Function","Metadata":{"aws:cdk:path":"App/Shop/Orders/Resource"},"Properties":{
				"FunctionName":"orders","Runtime":"provided.al2023","Handler":"handler.run","MemorySize":512,"Architectures":["arm64"],"Code":{"S3Key":"k.zip"},
				"Layers":["arn:aws:lambda:us-east-1:1:layer:x:1"],"VpcConfig":{},"TracingConfig":{"Mode":"Active"},"Role":{"Ref":"R"},
				"LoggingConfig":{"LogFormat":"JSON","ApplicationLogLevel":"INFO","SystemLogLevel":"WARN"},
				"Environment":{"Variables":{"STAGE":{"Ref":"Stage"},"SELF":{"Fn::GetAtt":["OrdersAB12","Arn"]},"OUTSIDE":{"Fn::ImportValue":"Y"}}}}},
			"Python":{"Type":"AWS::Lambda::Function","Properties":{"Runtime":"python3.13","Handler":"app.run","Code":{"S3Key":"k.zip"}}},
			"Gone":{"Type":"AWS::Lambda::Function","Properties":{"Runtime":"provided.al2023","Code":{"S3Key":"gone.zip"}}},
			"Helper":{"Type":"AWS::Lambda::Function","Metadata":{"twinstart":{"helper":true}},"Properties":{"Runtime":"provided.al2023","Code":{"S3Key":"k.zip"}}}}}`,
	})
	if len(stack.Functions) != 2 || len(stack.NotMeasured) != 1 {
		t.Fatalf("got functions %+v, not measured %+v", stack.Functions, stack.NotMeasured)
	}
	orders, python := stack.Functions[0], stack.Functions[1]
	if want := (arm.Identity{Experiment: "Shop", Arm: "Orders", Package: arm.ZIP, Architecture: arm.ARM64, MemorySizeMB: 512}); !reflect.DeepEqual(orders.Identity, want) {
		t.Errorf("got identity %+v, want %+v", orders.Identity, want)
	}
	if want := map[string]string{"STAGE": "test", "SELF": "arn:aws:lambda:us-east-1:000000000000:function:orders"}; !reflect.DeepEqual(orders.Environment, want) || orders.Name() != "orders" || orders.LogGroup != "/aws/lambda/orders" {
		t.Errorf("got %+v", orders)
	}
	if want := "TracingConfig, VpcConfig, LoggingConfig.SystemLogLevel, environment variable OUTSIDE (the lab cannot resolve Fn::ImportValue Y), Layers (arn:aws:lambda:us-east-1:1:layer:x:1 is not in the assembly)"; strings.Join(orders.Ignored, ", ") != want {
		t.Errorf("ignored %q, want %q", strings.Join(orders.Ignored, ", "), want)
	}
	if orders.Managed() || !python.Managed() || python.Identity.Arm != "Python" {
		t.Errorf("managed: %t, %t of %s", orders.Managed(), python.Managed(), python.Identity.Arm)
	}
	if n := stack.NotMeasured[0]; n.Arm != "Gone" || !strings.Contains(n.Why, "is not an asset") {
		t.Errorf("got %+v", n)
	}
}

func TestSeveralStacks(t *testing.T) {
	a := &Assembly{Dir: "d", Stacks: []Stack{{Name: "A", Functions: make([]Function, 1)}, {Name: "B", Functions: make([]Function, 1)}, {Name: "C"}}}
	if _, err := a.Stack(""); err == nil || err.Error() != "several stacks in d: choose one of A, B with --stack" {
		t.Errorf("got %v", err)
	}
	if s, err := a.Stack("B"); err != nil || s.Name != "B" {
		t.Errorf("got %v, %v", s, err)
	}
}

// FuzzRead looks for a manifest, which is its own template, on which Read or Stack panics.
func FuzzRead(f *testing.F) {
	f.Add(`{"version":"1","artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"manifest.json"}}},"Resources":{"F":{"Type":"AWS::Lambda::Function","Metadata":{"twinstart":{"arm":"a"}},"Properties":{"Code":{"S3Key":{"Fn::Join":["",[{"Ref":"F"},1]]}}}}}}`)
	f.Fuzz(func(t *testing.T, manifest string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(manifest), 0o644); err != nil {
			t.Fatal(err)
		}
		if a, err := Read(dir); err == nil {
			a.Stack("")
		}
	})
}
