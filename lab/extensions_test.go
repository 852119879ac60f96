package lab_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// call is the beginning of a program in Bash: functions that send requests to the Extensions API.
const call = `#!/bin/bash
call() { exec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}; printf "$1 $2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n$3Content-Length: ${#4}\r\n\r\n$4" >&3; cat <&3; }
register() { call POST /2020-01-01/extension/register "Lambda-Extension-Name: $1\r\n" "{\"events\":[$2]}" | tr -d '\r'; }
id() { sed -n 's/^Lambda-Extension-Identifier: //p' <<<"$1"; }
next() { call GET /2020-01-01/extension/event/next "Lambda-Extension-Identifier: $1\r\n"; }
`

func executable(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, []byte(text), 0o755))
	return path
}

// A program in a layer's folder extensions/ must get an event for each invocation, and one for the environment's end.
func TestExternalExtension(t *testing.T) {
	t.Parallel()
	log := &log{}
	spy := call + `registered=$(register spy '"INVOKE","SHUTDOWN"'); echo "spy: ${registered##*$'\n'}"
while e=$(next "$(id "$registered")"); do echo "spy: ${e##*$'\r\n'}"; [[ $e != *SHUTDOWN* ]] || exit; done`
	c := client(t, openLab(t, logTo(log), spec{id: "F", files: map[string]string{"bootstrap": builtBootstrap(t)}, layers: []map[string]string{{"extensions/spy": executable(t, spy)}}}))
	for range 2 {
		if got := invoke(t, c, "F", `{"a":1}`); got.payload != `{"a":1}` || got.failure != "" {
			t.Fatalf("got %+v", got)
		}
	}
	update(t, c, &lambda.UpdateFunctionConfigurationInput{MemorySize: aws.Int32(256)}) // ends the environment
	log.await(t, "SHUTDOWN")
	lines := regexp.MustCompile(`(?m)^.* F spy: (.*)$`).FindAllStringSubmatch(log.String(), -1)
	for i, want := range []string{`{"functionName":"F","functionVersion":"$LATEST","handler":"handler.run"}`,
		`{"eventType":"INVOKE","deadlineMs":`, `{"eventType":"INVOKE","deadlineMs":`, `{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":`} {
		if i >= len(lines) || !strings.HasPrefix(lines[i][1], want) {
			t.Fatalf("line %d: want %s in %v", i, want, lines)
		}
	}
}

func TestExtensionThatExits(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, spec{id: "F", files: map[string]string{"bootstrap": builtBootstrap(t)}, layers: []map[string]string{{"extensions/spy": executable(t, "#!/bin/bash\nexit 3\n")}}}))
	got := invoke(t, c, "F", `{}`)
	matches(t, got.payload, `{"errorType":"Extension.Crash","errorMessage":"RequestId: ID Error: exit status 3: /opt/extensions/spy"}`)
}

// At the environment's end, a bootstrap that has registered an internal extension gets SIGTERM, and has half a second
// before it is killed. Any other bootstrap is killed at once.
func TestInternalExtension(t *testing.T) {
	t.Parallel()
	log := &log{}
	flushing := call + `[[ $REGISTER != yes ]] || { r=$(register own ''); next "$(id "$r")" >/dev/null & }
trap 'echo "flushing $REGISTER"; exit' TERM
while exec 4<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}; do
	printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n' >&4
	while IFS=$'\r' read -r line <&4 && [[ $line ]]; do [[ $line != Lambda-Runtime-Aws-Request-Id:* ]] || id=${line#*: }; done
	call POST /2018-06-01/runtime/invocation/$id/response "" '{}' >/dev/null
done`
	files := map[string]string{"bootstrap": executable(t, flushing)}
	l := openLab(t, logTo(log), spec{id: "F", files: files, props: environment("REGISTER", "yes")}, spec{id: "G", files: files, props: environment("REGISTER", "no")})
	c := client(t, l)
	for _, name := range []string{"F", "G"} {
		if got := invoke(t, c, name, `{}`); got.payload != `{}` {
			t.Fatalf("got %+v", got)
		}
		_, err := c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: &name, MemorySize: aws.Int32(256)})
		must(t, err)
	}
	log.await(t, "flushing yes")
	must(t, l.Close()) // waits for the end of all environments
	if strings.Contains(log.String(), "flushing no") {
		t.Error("a bootstrap without an extension got SIGTERM")
	}
}
