package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
)

// levering writes an assembly with levers that the lab or a run cannot measure.
func levering(t *testing.T, runtime string) string {
	dir := t.TempDir()
	function := func(id, more string) string {
		return fmt.Sprintf(`{"Type": "AWS::Lambda::Function", "Properties": {"Architectures": [%q], "MemorySize": 1024, "Code": {"S3Bucket": "b", "S3Key": "a.zip"}, "Runtime": %s, "Handler": "h"},
			"Metadata": {"twinstart": {"experiment": "levers", "arm": %q, "bootstrap": "a", "package": "zip"%s}}}`, arm.Host(), runtime, "a/zip"+id, more)
	}
	for name, text := range map[string]string{
		"manifest.json": `{"version": "54.0.0", "artifacts": {"Shop": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Shop.template.json"}}}}`,
		"Shop.template.json": `{"Resources": {"V": ` + function("-vpc-isolated", `, "levels": {"lever": "vpc", "level": "isolated"}`) +
			`, "L": ` + function("-live", `, "alias": "live"`) +
			`, "B": ` + function("", `, "variants": [{"lever": "provisioned", "level": "10", "set": {"provisioned": 10}}]`) + `}}`,
		"Shop.assets.json": `{"files": {"a": {"source": {"path": "a", "packaging": "zip"}, "destinations": {"d": {"objectKey": "a.zip"}}}}}`,
		"a/bootstrap":      "#!/bin/sh\n",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	if err := os.Chmod(filepath.Join(dir, "a", "bootstrap"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// One line names the arms that cannot be measured here, or not in this way.
func TestLeversThatAreNotHere(t *testing.T) {
	t.Parallel()
	assembly := levering(t, `"provided.al2023"`)
	for arms, want := range map[string]string{
		"a/zip-vpc*":     "a/zip-vpc-isolated: the lab has no VPC: --source aws",
		"a/zip-live":     "a/zip-live: measured under load only: twinstart load",
		"a/zip-sampled*": "a/zip-sampled* is neither a file nor an arm",
	} {
		status, _, stderr := twinstart(t, "run", "--assembly", assembly, "--arms", arms, "--out", t.TempDir())
		if last := strings.TrimSpace(stderr); status != exitUsage || !strings.Contains(last[strings.LastIndex(last, "\n")+1:], want) {
			t.Errorf("%s: status %d: %s", arms, status, stderr)
		}
	}
}

// preview reports a region without SnapStart, and an account that is too small, before anything is created.
func TestPreviewOfLevers(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_MAX_ATTEMPTS": "1"} {
		t.Setenv(name, value)
	}
	snapshots := levering(t, `"java21", "SnapStart": {"ApplyOn": "PublishedVersions"}`)
	for _, test := range []struct {
		region, assembly string
		status           int
		want             string
	}{
		{"ap-east-2", snapshots, exitFinding, "!!  SnapStart: Lambda has none in ap-east-2: set AWS_REGION to another region\n"},
		{"eu-west-1", snapshots, exitOK, "reserve or provision 10;"},
		{"ap-east-2", levering(t, `"provided.al2023"`), exitOK, "reserve or provision 10;"},
	} {
		t.Setenv("AWS_REGION", test.region)
		status, stdout, stderr := twinstart(t, "preview", "--assembly", test.assembly)
		if status != test.status || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 || !strings.Contains(stdout, "0 calls, lever provisioned") || !strings.Contains(stdout, "make destroy takes 20 to 40 min") {
			t.Errorf("%s: status %d: %s%s", test.region, status, stdout, stderr)
		}
	}
}
