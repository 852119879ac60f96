package main

import (
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/tools/need"
)

// someStack is a user's stack, in a folder with handlers.
func someStack(t *testing.T) (awscdk.Stack, fakePackages) {
	t.Helper()
	need.Time(t)
	dir := project(t)
	return awscdk.NewStack(newApp(t, "", nil), jsii.String("Mine"), nil), fakePackages{dir: dir}
}

func only(t *testing.T, stack awscdk.Stack, kind string) map[string]any {
	t.Helper()
	found := templateOf(t, stack).ofType(kind)
	if len(found) != 1 {
		t.Fatalf("%d of %s, want 1", len(found), kind)
	}
	return found[0].Properties
}

func TestBashFunctionDefaults(t *testing.T) {
	// given an entry and nothing else
	stack, builder := someStack(t)
	bashfunction.NewBashFunction(stack, jsii.String("Hello"), &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/hello"), Builder: builder})
	// then
	got := only(t, stack, functionType)
	for name, want := range map[string]any{
		"Runtime": "provided.al2023", "Handler": "handler.run", "Architectures": []any{"arm64"},
		"MemorySize": nil, "Timeout": nil, // Lambda's own
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// the lab and the driver read the identity in the assembly of any app
	want := arm.Identity{Arm: "Hello", Bootstrap: bashfunction.DefaultBootstrap, Package: arm.ZIP, Architecture: arm.ARM64, Handler: "hello"}
	if got := templateOf(t, stack).ofType(functionType)[0].Metadata.Twinstart; !reflect.DeepEqual(got, want) {
		t.Errorf("identity %+v, want %+v", got, want)
	}
	if !slices.ContainsFunc(packages.Bootstraps(), func(b packages.Bootstrap) bool { return b.Name == bashfunction.DefaultBootstrap }) {
		t.Errorf("there is no bootstrap %s", bashfunction.DefaultBootstrap)
	}
}

// The context key architecture makes functions for a lab on x86_64. Without it they are for arm64.
func TestBashFunctionForThisMachine(t *testing.T) {
	dir := project(t)
	stack := awscdk.NewStack(newApp(t, "", map[string]any{"architecture": "x86_64"}), jsii.String("Mine"), nil)
	bashfunction.NewBashFunction(stack, jsii.String("Hello"), &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/hello"), Builder: fakePackages{dir: dir}})
	if diff := cmp.Diff([]any{"x86_64"}, only(t, stack, functionType)["Architectures"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A BashFunction can do what an awslambda.Function can do, and it passes on all options.
func TestBashFunctionIsAFunction(t *testing.T) {
	stack, builder := someStack(t)
	logs := awslogs.NewLogGroup(stack, jsii.String("Logs"), nil)
	role := awsiam.NewRole(stack, jsii.String("Role"), &awsiam.RoleProps{AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil)})
	// given options of each kind
	function := bashfunction.NewBashFunction(stack, jsii.String("Hello"), &bashfunction.BashFunctionProps{
		FunctionOptions: awslambda.FunctionOptions{
			Architecture:         awslambda.Architecture_X86_64(),
			Environment:          &map[string]*string{"GREETING": jsii.String("hej")},
			EphemeralStorageSize: awscdk.Size_Mebibytes(jsii.Number(1024)),
			FunctionName:         jsii.String("hello"),
			LogGroup:             logs,
			MemorySize:           jsii.Number(512),
			Role:                 role,
			Timeout:              awscdk.Duration_Minutes(jsii.Number(15)),
			Tracing:              awslambda.Tracing_ACTIVE,
		},
		Entry: jsii.String("handlers/hello"), Bootstrap: jsii.String("bashtcp"), Builder: builder,
	})
	// when it is used as a function
	awss3.NewBucket(stack, jsii.String("Bucket"), nil).GrantRead(function, nil)
	function.AddAlias(jsii.String("live"), nil)
	// then
	got := only(t, stack, functionType)
	for name, want := range map[string]any{
		"Architectures":    []any{"x86_64"},
		"Environment":      map[string]any{"Variables": map[string]any{"GREETING": "hej"}},
		"EphemeralStorage": map[string]any{"Size": 1024.0},
		"FunctionName":     "hello",
		"MemorySize":       512.0,
		"Timeout":          900.0,
		"TracingConfig":    map[string]any{"Mode": "Active"},
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for kind, want := range map[string]int{logGroupType: 1, roleType: 1, "AWS::Lambda::Alias": 1, "AWS::IAM::Policy": 1} {
		if n := len(templateOf(t, stack).ofType(kind)); n != want {
			t.Errorf("%d of %s, want %d", n, kind, want)
		}
	}
}

func TestBashFunctionAsImage(t *testing.T) {
	for _, p := range []arm.Package{arm.Image, arm.ImageMinimal} {
		t.Run(string(p), func(t *testing.T) {
			stack, builder := someStack(t)
			bashfunction.NewBashFunction(stack, jsii.String("Hello"), &bashfunction.BashFunctionProps{
				Entry: jsii.String("handlers/hello"), Package: p, Builder: builder,
				FunctionOptions: awslambda.FunctionOptions{Environment: &map[string]*string{"NAME": jsii.String("b")}},
			})
			got := only(t, stack, functionType)
			if got["PackageType"] != "Image" || got["Runtime"] != nil || got["Handler"] != nil {
				t.Errorf("PackageType %v, Runtime %v, Handler %v: want Image and neither of the others", got["PackageType"], got["Runtime"], got["Handler"])
			}
			if diff := cmp.Diff(map[string]any{"Command": []any{"handler.run"}}, got["ImageConfig"]); diff != "" {
				t.Errorf("ImageConfig (-want +got):\n%s", diff)
			}
		})
	}
}

// In a VPC, Lambda makes network interfaces with the rights of the function's role.
func TestBashFunctionInAVPC(t *testing.T) {
	stack, builder := someStack(t)
	vpc := awsec2.NewVpc(stack, jsii.String("VPC"), &awsec2.VpcProps{NatGateways: jsii.Number(0), RestrictDefaultSecurityGroup: jsii.Bool(false)})
	bashfunction.NewBashFunction(stack, jsii.String("Hello"), &bashfunction.BashFunctionProps{
		FunctionOptions: awslambda.FunctionOptions{Vpc: vpc, VpcSubnets: &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED}},
		Entry:           jsii.String("handlers/hello"), Builder: builder,
	})
	role := only(t, stack, roleType)
	if role["ManagedPolicyArns"] != nil {
		t.Errorf("managed policies %v, want none", role["ManagedPolicyArns"])
	}
	statements := role["Policies"].([]any)[0].(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any)
	if len(statements) != 3 {
		t.Fatalf("statements are %v, want one for logs and two about network interfaces", statements)
	}
	allowed, denied := statements[1].(map[string]any), statements[2].(map[string]any)
	if !slices.Contains(allowed["Action"].([]any), any("ec2:CreateNetworkInterface")) {
		t.Errorf("%v, want Lambda's rights over network interfaces", allowed)
	}
	if diff := cmp.Diff(allowed["Action"], denied["Action"]); diff != "" || denied["Effect"] != "Deny" || denied["Condition"] == nil {
		t.Errorf("%v, want the same denied to the function's own code", denied)
	}
}

func TestBashFunctionMistakes(t *testing.T) {
	const header = "bash function \"F\": "
	foreign, foreignName := awslambda.Architecture_X86_64, "x86_64"
	if runtime.GOARCH == "amd64" {
		foreign, foreignName = awslambda.Architecture_ARM_64, "arm64"
	}
	stack, builder := someStack(t)
	for path, content := range map[string]string{
		"empty/README":           "",
		"broken/handler.sh":      "run() {\n  echo 'no end\n}\n",
		"none/handler.sh":        "echo 'init only'\n",
		"other/handler.sh":       "create() { :; }\nfunction delete { inner() { :; }; }\n( run() { :; } )\nx=$(run() { :; })\n# run() { :; }\n",
		"program/plain":          "#!/bin/sh\n",
		"nested/handler.sh/file": "",
		"windows/handler.sh":     "# saved on Windows\nrun() {\r\n  printf \"{}\"\r\n}\r\n",
	} {
		write(t, path, content)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, "program/native"); err != nil {
		t.Fatal(err)
	}
	number := func(n float64) awslambda.FunctionOptions { return awslambda.FunctionOptions{MemorySize: &n} }
	timeout := func(d awscdk.Duration) awslambda.FunctionOptions { return awslambda.FunctionOptions{Timeout: d} }
	variables := func(name string) awslambda.FunctionOptions {
		return awslambda.FunctionOptions{Environment: &map[string]*string{name: jsii.String("x")}}
	}
	for _, test := range []struct {
		name  string
		props *bashfunction.BashFunctionProps
		want  string // the message after the header; "..." stands for anything
	}{
		{"no props", nil, `prop Entry is missing: set it to the folder that holds handler.sh, such as "handlers/hello"`},
		{"no folder", &bashfunction.BashFunctionProps{Entry: jsii.String("nosuch")}, "prop Entry: there is no folder nosuch: create it or correct the path (it starts at ..."},
		{"a file", &bashfunction.BashFunctionProps{Entry: jsii.String("empty/README")}, "prop Entry: empty/README is a file: name its folder, and the file in Handler"},
		{"no script", &bashfunction.BashFunctionProps{Entry: jsii.String("empty")},
			`handler "handler.run": there is no empty/handler.sh: create it with a function run, or correct the handler's name`},
		{"another script", &bashfunction.BashFunctionProps{Entry: jsii.String("other"), Handler: jsii.String("orders.create")},
			`handler "orders.create": there is no other/orders.sh: create it with a function create, or correct the handler's name`},
		{"a folder for a script", &bashfunction.BashFunctionProps{Entry: jsii.String("nested")}, `handler "handler.run": reading ...`},
		{"syntax error", &bashfunction.BashFunctionProps{Entry: jsii.String("broken")}, `handler "handler.run": reading Bash: broken/handler.sh:2:8: reached EOF without closing quote ...`},
		{"no function", &bashfunction.BashFunctionProps{Entry: jsii.String("none")}, `handler "handler.run": none/handler.sh defines no function: define run() in it`},
		{"another function", &bashfunction.BashFunctionProps{Entry: jsii.String("other")},
			`handler "handler.run": other/handler.sh has no function run (it has create, delete): define it or correct the handler's name`},
		{"no executable", &bashfunction.BashFunctionProps{Entry: jsii.String("program"), Handler: jsii.String("nosuch")},
			`handler "nosuch": there is no executable program/nosuch: create it, or write "file.function"`},
		{"not executable", &bashfunction.BashFunctionProps{Entry: jsii.String("program"), Handler: jsii.String("plain")},
			`handler "plain": program/plain is not executable: chmod +x program/plain`},
		{"Windows line ends", &bashfunction.BashFunctionProps{Entry: jsii.String("windows")},
			`handler "handler.run": windows/handler.sh:2: the line ends with CR LF, ...`},
		{"variable's name", &bashfunction.BashFunctionProps{FunctionOptions: variables("my-var")}, `prop Environment: Lambda does not take the name "my-var": ...`},
		{"one letter", &bashfunction.BashFunctionProps{FunctionOptions: variables("x")}, `prop Environment: Lambda does not take the name "x": ...`},
		{"Lambda's variable", &bashfunction.BashFunctionProps{FunctionOptions: variables("AWS_REGION")}, "prop Environment: Lambda sets AWS_REGION itself: choose another name"},
		{"large variables", &bashfunction.BashFunctionProps{FunctionOptions: awslambda.FunctionOptions{Environment: &map[string]*string{"BIG": jsii.String(strings.Repeat("x", 4094))}}},
			"prop Environment has 4097 bytes of names and values: Lambda takes up to 4096: ..."},
		{"long description", &bashfunction.BashFunctionProps{FunctionOptions: awslambda.FunctionOptions{Description: jsii.String(strings.Repeat("é", 257))}},
			"prop Description has 257 characters: Lambda takes up to 256"},
		{"function's name", &bashfunction.BashFunctionProps{FunctionOptions: awslambda.FunctionOptions{FunctionName: jsii.String("a b")}}, `prop FunctionName "a b": use ...`},
		{"nothing to exclude with", &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/hello"), Exclude: jsii.Strings()}, "prop Exclude: the Builder has no method Exclude: ..."},
		{"another machine's program", &bashfunction.BashFunctionProps{Entry: jsii.String("program"), Handler: jsii.String("native"), FunctionOptions: awslambda.FunctionOptions{Architecture: foreign()}},
			`handler "native": program/native is a program for EM_... and the function is ` + foreignName + ": build it for that (GOARCH=...), or choose the other architecture"},
		{"package", &bashfunction.BashFunctionProps{Entry: jsii.String("other"), Package: "tar"}, `unknown package "tar": use zip, image, image-minimal`},
		{"bootstrap", &bashfunction.BashFunctionProps{Entry: jsii.String("other"), Bootstrap: jsii.String("perl")}, `unknown bootstrap "perl": use bashcurl, ...`},
		{"architecture", &bashfunction.BashFunctionProps{Entry: jsii.String("other"), FunctionOptions: awslambda.FunctionOptions{
			Architecture: awslambda.Architecture_Custom(jsii.String("riscv"), jsii.String("linux/riscv64"))}}, `unknown architecture "riscv": use arm64 or x86_64`},
		{"little memory", &bashfunction.BashFunctionProps{FunctionOptions: number(127)}, "prop MemorySize is 127: use a whole number of MB from 128 to 10240"},
		{"much memory", &bashfunction.BashFunctionProps{FunctionOptions: number(10241)}, "prop MemorySize is 10241: ..."},
		{"half a MB", &bashfunction.BashFunctionProps{FunctionOptions: number(128.5)}, "prop MemorySize is 128.5: ..."},
		{"long time-out", &bashfunction.BashFunctionProps{FunctionOptions: timeout(awscdk.Duration_Seconds(jsii.Number(901)))}, "prop Timeout is 901: use a whole number of seconds from 1 to 900"},
		{"short time-out", &bashfunction.BashFunctionProps{FunctionOptions: timeout(awscdk.Duration_Millis(jsii.Number(500)))}, "prop Timeout is 0.5: ..."},
		{"log retention", &bashfunction.BashFunctionProps{FunctionOptions: awslambda.FunctionOptions{LogRetention: awslogs.RetentionDays_ONE_DAY}}, "props LogRetention and LogRemovalPolicy ..."}, //nolint:staticcheck // deprecated, hence refused
	} {
		if test.props != nil {
			test.props.Builder = builder
		}
		_, err := bashfunction.New(stack, jsii.String("F"), test.props)
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		if got, found := strings.CutPrefix(err.Error(), header); !found || !resembles(got, test.want) || strings.Contains(got, "\n") {
			t.Errorf("%s:\n  got  %s\n  want %s%s", test.name, err, header, test.want)
		}
	}
	if children := *stack.Node().Children(); len(children) != 0 {
		t.Errorf("%d constructs are left of functions that were refused, want 0", len(children))
	}
}

// resembles compares text with a pattern in which "..." stands for anything.
func resembles(text, pattern string) bool {
	parts := strings.Split(pattern, "...")
	for i, part := range parts {
		at := strings.Index(text, part)
		if at < 0 || i == 0 && at != 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return text == "" || parts[len(parts)-1] == ""
}
