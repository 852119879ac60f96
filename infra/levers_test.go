package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
)

// pulls lists the arms of a template: the functions, and the variants of the baseline's function.
func pulls(tmpl template) (all []string, functions int) {
	for _, f := range tmpl.ofType(functionType) {
		arms, _ := f.Metadata.Twinstart.Arms()
		for _, id := range arms {
			all = append(all, id.Arm)
		}
		functions++
	}
	slices.Sort(all)
	return all, functions
}

// If the update that forces a cold start can also set a level, the level needs no function of its own.
func TestLevers(t *testing.T) {
	template, _ := synth(t, map[string]any{"experiment": "levers", "levers": "memory,logs,environment,extension", "memory": 512}, nil)
	got, functions := pulls(template)
	want := []string{"rawsyscall/zip", "rawsyscall/zip-environment-3kB", "rawsyscall/zip-extension-external", "rawsyscall/zip-extension-internal", "rawsyscall/zip-logs-text",
		"rawsyscall/zip-memory-1024", "rawsyscall/zip-memory-128", "rawsyscall/zip-memory-1769", "rawsyscall/zip-memory-256", "rawsyscall/zip-memory-3008", "rawsyscall/zip-twin"}
	if functions != 1 || !slices.Equal(got, want) {
		t.Errorf("%d functions: %q, want %q", functions, got, want)
	}
	layers := template.ofType("AWS::Lambda::LayerVersion")
	if len(layers) != 1 {
		t.Fatalf("%d layers, want 1", len(layers))
	}
	for _, f := range template.ofType(functionType) {
		if _, has := f.Properties["Layers"]; has {
			t.Error("the baseline has a layer")
		}
		arms, set := f.Metadata.Twinstart.Arms()
		for i, id := range arms {
			if layer := set[i].Layers; (id.Levels[arm.LeverLevel] == "external") != (len(layer) == 1 && template.Resources[layer[0]].Type == "AWS::Lambda::LayerVersion") {
				t.Errorf("%s has the layers %v", id.Arm, layer)
			}
		}
	}
}

// The user's own package has every lever except an extension inside its process. A level that needs another package has
// a function of its own.
func TestLeversOfOwnPackage(t *testing.T) {
	folder, _ := ownPackages(t)
	template, _ := synth(t, map[string]any{"experiment": "levers", "levers": "layers,extension,provisioned,tracing", "packages": folder, "runtime": "nodejs22.x", "handler": "app.handler"}, nil)
	got, functions := pulls(template)
	want := []string{"new/zip", "new/zip-extension-external", "new/zip-layers-five", "new/zip-layers-one", "new/zip-layers-package", "new/zip-provisioned-1", "new/zip-provisioned-10", "new/zip-tracing-sampled", "new/zip-tracing-unsampled", "new/zip-twin"}
	if functions != 2 || !slices.Equal(got, want) {
		t.Errorf("%d functions: %q, want %q", functions, got, want)
	}
	for _, f := range template.ofType(functionType) {
		if policies := template.ofType("AWS::IAM::Policy"); len(policies) != 2 || !strings.Contains(fmt.Sprint(policies[0].Properties), "xray:PutTraceSegments") {
			t.Errorf("rights to trace: %v", policies)
		}
		if f.Properties["Runtime"] != "nodejs22.x" || f.Properties["Handler"] != "app.handler" {
			t.Errorf("want the given runtime and handler: %v", f.Properties)
		}
	}
}

// The levers architecture and vpc need functions of their own. The VPC has one way out, to this account's table, and
// costs nothing.
func TestLeversOfTheirOwnFunctions(t *testing.T) {
	builtLanguages(t)
	template, _ := synth(t, map[string]any{"experiment": "levers", "levers": "architecture,vpc,code,tracked", "languages": "python", "architecture": "x86_64", "observe": "none"}, nil)
	built := map[string]string{}
	for _, f := range template.ofType(functionType) {
		at := fmt.Sprint(f.Properties["Architectures"])
		if built[f.Metadata.Twinstart.Arm] = at; at != fmt.Sprintf("[%s]", f.Metadata.Twinstart.Architecture) || (f.Properties["VpcConfig"] != nil) != strings.HasSuffix(f.Metadata.Twinstart.Arm, "-vpc-isolated") {
			t.Errorf("%s: %v", f.Metadata.Twinstart.Arm, f.Properties)
		}
	}
	if d := cmp.Diff(map[string]string{"python/zip": "[x86_64]", "python/zip-architecture-arm64": "[arm64]", "python/zip-code-source": "[x86_64]", "python/zip-tracked-10-100": "[x86_64]", "python/zip-vpc-isolated": "[x86_64]"}, built); d != "" {
		t.Error(d)
	}
	alias, target := template.ofType("AWS::Lambda::Alias")[0].Properties, template.ofType("AWS::ApplicationAutoScaling::ScalableTarget")[0].Properties
	if alias["Name"] != "live" || fmt.Sprint(alias["ProvisionedConcurrencyConfig"]) != "map[ProvisionedConcurrentExecutions:10]" || target["MinCapacity"] != 10.0 || target["MaxCapacity"] != 100.0 {
		t.Errorf("want the alias live with 10 to 100 environments: %v, %v", alias, target)
	}
	for _, f := range template.ofType(functionType) {
		if id := f.Metadata.Twinstart; (id.Alias == "live") != strings.Contains(id.Arm, "tracked") {
			t.Errorf("%s is of alias %q", id.Arm, id.Alias)
		}
	}
	more := map[string]int{}
	for _, r := range template.Resources {
		if strings.HasPrefix(r.Type, "AWS::EC2::") {
			more[r.Type]++
		}
	}
	if d := cmp.Diff(map[string]int{"AWS::EC2::VPC": 1, "AWS::EC2::Subnet": 2, "AWS::EC2::RouteTable": 2, "AWS::EC2::SubnetRouteTableAssociation": 2,
		"AWS::EC2::SecurityGroup": 1, "AWS::EC2::VPCEndpoint": 1}, more); d != "" {
		t.Error(d)
	}
	endpoint := template.ofType("AWS::EC2::VPCEndpoint")[0].Properties
	policy := fmt.Sprint(endpoint["PolicyDocument"])
	for _, want := range []string{"Action:[dynamodb:BatchWriteItem dynamodb:GetItem dynamodb:PutItem]", "Fn::GetAtt:[Table", "aws:PrincipalAccount:map[Ref:AWS::AccountId]"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%s lacks %s", policy, want)
		}
	}
	if endpoint["VpcEndpointType"] != "Gateway" || len(endpoint["RouteTableIds"].([]any)) != 2 {
		t.Errorf("want a gateway for two route tables: %v", endpoint)
	}
}

// Each size has functions of its own, as a ZIP and as an image.
func TestSizes(t *testing.T) {
	folder, _ := ownPackages(t)
	template, _ := synth(t, map[string]any{"experiment": "sizes", "sizes": "1,2", "packages": folder}, nil)
	got, functions := pulls(template)
	want := []string{"new/zip", "new/zip-size-1", "new/zip-size-1-image", "new/zip-size-2", "new/zip-size-2-image", "new/zip-size-2-zeros", "new/zip-twin"}
	if functions != 6 || !slices.Equal(got, want) {
		t.Errorf("%d functions: %q, want %q", functions, got, want)
	}
	for _, f := range template.ofType(functionType) {
		if image := f.Properties["PackageType"] == "Image"; image != (f.Metadata.Twinstart.Package == arm.Image) {
			t.Errorf("%s: %v", f.Metadata.Twinstart.Arm, f.Properties)
		}
	}
}

func TestLeverMistakes(t *testing.T) {
	folder, file := ownPackages(t)
	for _, test := range []struct{ given, want string }{
		{"levers=memory", "-c levers is for -c experiment=levers: add that, or leave -c levers out"},
		{"experiment=snapstart levers=memory", "-c levers is for -c experiment=levers: add that, or leave -c levers out"},
		{"experiment=levers levers=luck", `-c levers=luck: there is no "luck": use memory, layers, architecture, logs, environment, extension, provisioned, tracked, tracing, vpc, code, size`},
		{"experiment=levers levers=code packages=" + folder, "-c levers=code is for our function handlers/habits: leave -c packages and -c arms out"},
		{"experiment=levers levers=code languages=rust", "-c levers=code: handlers/habits is in node, python and bash: name one of them in -c languages"},
		{"experiment=levers levers=memory languages=node", "-c functions, -c languages and -c package are for -c experiment=languages"},
		{"experiment=levers memory=128,512", "-c experiment=levers and several -c memory: the lever memory measures them: give only one"},
		{"experiment=levers arms=nethttp/image", "-c experiment=levers and an image: Lambda gives an image no layers: name a ZIP in -c arms"},
		{"experiment=levers arms=*/zip", "-c experiment=levers changes one arm: name one in -c arms, as in nethttp/zip"},
		{"experiment=levers packages=" + folder + "," + file, "-c experiment=levers changes one package: name one in -c packages"},
		{"experiment=levers sizes=241", `-c sizes=241: "241": use whole MB from 1 to 240 (Lambda unpacks 250, with the code)`},
		{"sizes=10", "-c sizes is for the lever size: add -c experiment=sizes, or leave it out"},
		{"experiment=levers levers=architecture packages=" + folder, "-c levers=architecture and -c packages of provided.*: their bootstrap is built for one CPU: leave architecture out, or name a managed runtime in -c runtime"},
		{"experiment=levers levers=vpc vpc=new", "-c experiment=levers and -c vpc: the lever vpc measures it: leave one out"},
		{"experiment=levers tracing=active", "-c experiment=levers and -c tracing: the lever tracing measures it: leave one out"},
		{"experiment=levers reserved=10", "-c experiment=levers and -c reserved=10: the lever provisioned takes 10 environments, and the baseline takes one: reserve 11 at least"},
		{"experiment=levers levers=tracked reserved=99", "-c experiment=levers and -c reserved=99: the lever tracked provisions up to 100 environments: reserve at least as many"},
		{"experiment=snapstart provisioned=1", "-c experiment=snapstart and -c provisioned: Lambda refuses SnapStart with provisioned concurrency"},
		{"experiment=levers provisioned=2", "-c experiment=levers measures functions by Invoke: leave -c provisioned and -c url out"},
	} {
		context := map[string]any{}
		for pair := range strings.FieldsSeq(test.given) {
			key, value, _ := strings.Cut(pair, "=")
			context[key] = value
		}
		if _, err := readSettings(context); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", test.given, err, test.want)
		}
	}
}

// The lever code measures one function of ours. An update sets its habits. If a habit needs another package, it has a
// function of its own. All functions use one table.
func TestCodeLever(t *testing.T) {
	builtLanguages(t)
	template, _ := synth(t, map[string]any{"experiment": "levers", "levers": "code", "languages": "python"}, nil)
	got, functions := pulls(template)
	want := []string{"python/zip", "python/zip-code-cores", "python/zip-code-eager", "python/zip-code-fetched", "python/zip-code-inside", "python/zip-code-reconnect", "python/zip-code-single", "python/zip-code-source", "python/zip-twin"}
	if tables := template.ofType("AWS::DynamoDB::Table"); functions != 2 || !slices.Equal(got, want) || len(tables) != 1 {
		t.Errorf("%d functions, %d tables: %q, want %q", functions, len(tables), got, want)
	}
	for _, f := range template.ofType(functionType) {
		if f.Properties["Runtime"] != "python3.13" || f.Properties["Handler"] != "work.handler" || f.Metadata.Twinstart.Event != habitsEvent {
			t.Errorf("%v, measured with %s", f.Properties, f.Metadata.Twinstart.Event)
		}
	}
}
