package lab_test

import (
	"context"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/managed"
	"github.com/twinstart/twinstart/tools/need"
)

var languages = flag.String("languages", "", "managed runtimes, prepared and separated by commas, that TestLanguages tries")

// languageCase is a function in a managed runtime, and what its caller and its log must get.
type languageCase struct {
	name, handler string
	on            string // a pattern of the runtimes that run it; "" matches all
	files         map[string]string
	layer         map[string]string
	timeout       int    // 0 means 10 s
	event         string // "" means {}
	payload, log  string // patterns
	fails         bool
}

// TestLanguages runs handlers that use each runtime's documented interface. make test-languages prepares the runtimes.
func TestLanguages(t *testing.T) {
	if *languages == "" {
		t.Skip("make test-languages prepares runtimes and runs this test")
	}
	for name := range strings.SplitSeq(*languages, ",") {
		t.Run(name, func(t *testing.T) {
			runtime, err := managed.Find(name)
			need.No(t, err)
			language := regexp.MustCompile(`^[a-z]+`).FindString(name)
			cases := map[string][]languageCase{"python": pythonCases, "nodejs": nodeCases, "java": javaCases}[language]
			if len(cases) == 0 {
				t.Fatalf("there are no cases for %s", language)
			}
			var functions []assembly.Function
			cases = slices.DeleteFunc(slices.Clone(cases), func(c languageCase) bool { return !regexp.MustCompile(c.on).MatchString(name) })
			for _, c := range cases {
				functions = append(functions, c.function(t, name))
			}
			if language == "java" {
				compile(t, runtime, functions)
			}
			l, err := lab.New(lab.Options{Functions: functions, ReadAheadKiB: lab.DefaultReadAheadKiB})
			must(t, err)
			t.Cleanup(func() { must(t, l.Close()) })
			if got := l.Functions()[0].Identity.StandIn; got != runtime.Label || !strings.HasPrefix(got, "stand-in: ") {
				t.Errorf("the arm is labelled %q, the runtime %q", got, runtime.Label)
			}
			if warnings := strings.Join(l.Warnings(), "\n"); !strings.Contains(warnings, name+" is a "+runtime.Label) {
				t.Error(warnings)
			}
			client := client(t, l)
			for _, c := range cases {
				event := c.event
				if event == "" {
					event = "{}"
				}
				for _, start := range []string{"cold", "warm"} {
					got := invoke(t, client, c.name, event)
					if (got.failure != "") != c.fails || !regexp.MustCompile(c.payload).MatchString(got.payload) || !regexp.MustCompile(c.log).MatchString(got.log) {
						t.Errorf("%s, %s: %+v", c.name, start, got)
					}
				}
			}
		})
	}
}

func (c languageCase) function(t *testing.T, runtime string) assembly.Function {
	t.Helper()
	write := func(files map[string]string) string {
		dir := t.TempDir()
		for name, text := range files {
			path := filepath.Join(dir, name)
			must(t, os.MkdirAll(filepath.Dir(path), 0o755))
			must(t, os.WriteFile(path, []byte(text), 0o644))
		}
		return dir
	}
	f := assembly.Function{LogicalID: c.name, PackageType: assembly.Zip, Runtime: runtime, Handler: c.handler, TimeoutSeconds: 10, MemorySizeMB: 512, EphemeralStorageMB: 512,
		Architecture: host(), LogGroup: "/aws/lambda/" + c.name, LogFormat: assembly.Text, Package: write(c.files), Environment: map[string]string{}}
	f.Identity.Arm = c.name
	if c.timeout > 0 {
		f.TimeoutSeconds = c.timeout
	}
	if c.layer != nil {
		f.Layers = []string{write(c.layer)}
	}
	return f
}

// TestLanguagesUnprivileged runs the same cases in user namespaces.
func TestLanguagesUnprivileged(t *testing.T) {
	if *languages == "" || os.Geteuid() != 0 {
		t.Skip("make test-languages runs this test, as root")
	}
	const nobody = 65534
	dir, err := os.MkdirTemp("", "lab-languages")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	self, err := os.Executable()
	must(t, err)
	must(t, exec.Command("cp", self, filepath.Join(dir, "lab.test")).Run())
	must(t, os.MkdirAll(filepath.Join(dir, "cache", "runtimes"), 0o755))
	for name := range strings.SplitSeq(*languages, ",") {
		runtime, err := managed.Find(name)
		need.No(t, err)
		must(t, exec.Command("cp", "-a", runtime.Dir, filepath.Join(dir, "cache", "runtimes")).Run())
	}
	must(t, os.Mkdir(filepath.Join(dir, "tmp"), 0o777))
	must(t, exec.Command("chown", "-R", "65534:65534", filepath.Join(dir, "cache"), filepath.Join(dir, "tmp")).Run())
	command := exec.Command(filepath.Join(dir, "lab.test"), "-test.run=^TestLanguages$", "-test.v", "-languages="+*languages)
	command.Dir = dir
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + filepath.Join(dir, "tmp"), "TWINSTART_CACHE=" + filepath.Join(dir, "cache")}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := command.CombinedOutput(); err != nil || strings.Count(string(out), "--- PASS: TestLanguages/") != strings.Count(*languages, ",")+1 {
		t.Errorf("%v: %s", err, out)
	}
}

// An interrupted preparation must leave nothing that the lab takes for a stand-in. Two preparations at the same time
// must make one stand-in.
func TestLanguagesPreparedTwice(t *testing.T) {
	if *languages == "" {
		t.Skip("make test-languages runs this test: it downloads")
	}
	names := strings.Split(*languages, ",")
	name := names[max(0, slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, "python") }))] // the quickest
	cache := t.TempDir()
	t.Setenv("TWINSTART_CACHE", cache)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if r, err := lab.PrepareRuntime(ctx, name, io.Discard); err == nil {
		t.Fatalf("the stand-in was made before it could be interrupted: %+v", r)
	}
	must(t, os.MkdirAll(filepath.Join(cache, "runtimes", "new-123", "lang"), 0o755)) // as SIGKILL leaves it
	if _, err := managed.Find(name); err == nil || !strings.Contains(err.Error(), "is not prepared here") {
		t.Errorf("after an interruption: %v", err)
	}
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			if _, err := lab.PrepareRuntime(t.Context(), name, io.Discard); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	left, err := os.ReadDir(filepath.Join(cache, "runtimes"))
	must(t, err)
	if len(left) != 2 || left[0].Name() != "lock" && left[1].Name() != "lock" {
		t.Errorf("there are %v, not a lock and a stand-in", left)
	}
}

// A function whose runtime is not prepared, or has no stand-in, is not measured. The other functions are.
func TestLanguagesThatAreNotHere(t *testing.T) {
	t.Setenv("TWINSTART_CACHE", t.TempDir())
	var functions []assembly.Function
	for _, runtime := range []string{"python3.13", "ruby3.3", "dotnet8", "nodejs1.x", "java"} {
		functions = append(functions, languageCase{name: strings.Trim(runtime, ".0123456789x")}.function(t, runtime))
	}
	image := t.TempDir()
	must(t, os.WriteFile(filepath.Join(image, "Dockerfile"), []byte("FROM public.ecr.aws/lambda/nodejs:24\nCMD [\"index.handler\"]\n"), 0o600))
	of := assembly.Function{LogicalID: "Image", PackageType: assembly.Image, Package: image, Dockerfile: "Dockerfile", TimeoutSeconds: 3, MemorySizeMB: 128, EphemeralStorageMB: 512, Architecture: host()}
	of.Identity.Arm = "image"
	functions = append(functions, of)
	functions = append(functions, functionsOf(t, spec{id: "Native", files: map[string]string{"bootstrap": builtBootstrap(t)}})...)
	l, err := lab.New(lab.Options{Functions: functions})
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	var all []string
	for _, n := range l.NotMeasured() {
		all = append(all, n.Arm+": "+n.Why)
	}
	got := strings.Join(all, "\n")
	for _, want := range []string{"python: python3.13 is not prepared here: run twinstart doctor --prepare python3.13", "ruby: ruby3.3 has no stand-in here, because npm, PyPI and Maven do not have it",
		"dotnet: dotnet8 has no stand-in", "image: its image is FROM public.ecr.aws/lambda/nodejs:24, whose runtime the lab has for ZIPs only: measure it with --source aws", "nodejs: nodejs1.x has no stand-in", "java: java has no stand-in"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if got := invoke(t, client(t, l), "Native", `{"a":1}`); got.payload != `{"a":1}` {
		t.Errorf("%+v", got)
	}
}

// compile compiles javaHandler and gives it to all functions. The first one also gets a layer with a library.
func compile(t *testing.T, runtime *managed.Runtime, functions []assembly.Function) {
	t.Helper()
	javac, jar := need.Tool(t, "javac"), need.Tool(t, "jar")
	dir, layer := t.TempDir(), t.TempDir()
	source := filepath.Join(t.TempDir(), "Handler.java")
	must(t, os.WriteFile(source, []byte(javaHandler), 0o644))
	run := func(name string, args ...string) {
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	run(javac, "--release", "17", "-d", dir, "-cp", filepath.Join(runtime.Dir, "runtime/lib/aws-lambda-java-core.jar"), source)
	must(t, os.MkdirAll(filepath.Join(layer, "java", "lib"), 0o755))
	run(jar, "--create", "--file", filepath.Join(layer, "java", "lib", "layer.jar"), "-C", dir, "example/Layer.class")
	must(t, os.Remove(filepath.Join(dir, "example", "Layer.class")))
	for i := range functions {
		functions[i].Package = dir
	}
	functions[0].Layers = []string{layer}
}

const javaHandler = `package example;

import com.amazonaws.services.lambda.runtime.*;
import java.io.*;
import java.util.*;

public class Handler implements RequestHandler<Map<String, String>, Map<String, Object>> {
  public Map<String, Object> handleRequest(Map<String, String> event, Context context) {
    return new TreeMap<>(Map.of("hello", event.get("name"), "from", Layer.WHERE, "left", context.getRemainingTimeInMillis() > 0));
  }
  public String plain(String event) { return "plain " + event; }
  public void stream(InputStream in, OutputStream out) throws IOException { in.transferTo(out); }
  public String throwing(Object event) { throw new IllegalStateException("no good"); }
  public String late(Object event) throws InterruptedException { Thread.sleep(60000); return ""; }
  public String exits(Object event) { Runtime.getRuntime().halt(3); return ""; }
  public String flags(Object event) {
    return String.join(" ", java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
  }
}

class Broken {
  static final int X = Integer.parseInt("no number");
  public String handle(Object event) { return ""; }
}

class Layer {
  static final String WHERE = String.valueOf("the layer");
}
`

var javaCases = []languageCase{
	{name: "answers", handler: "example.Handler", event: `{"name":"Nasho"}`, payload: `^\{"from":"the layer","hello":"Nasho","left":true\}$`},
	{name: "method", handler: "example.Handler::plain", event: `"method"`, payload: `^"plain method"$`},
	{name: "stream", handler: "example.Handler::stream", event: `{"b":2,"a":1}`, payload: `^\{"b":2,"a":1\}$`},
	{name: "flags", handler: "example.Handler::flags", payload: `-XX:MaxHeapSize=445645k -XX:\+UseSerialGC .*(-Xshare:on -XX:SharedArchiveFile|-XX:AOTCache)=/var/lang/lib/server/.*-XX:TieredStopAtLevel=1`},
	{name: "throws", handler: "example.Handler::throwing", fails: true, payload: `"errorMessage":"no good","errorType":"java.lang.IllegalStateException"`, log: `(?s)START.*no good: java.lang.IllegalStateException.*REPORT`},
	{name: "absent", handler: "example.Absent::handle", fails: true, payload: `"errorMessage":"Class not found: example.Absent","errorType":"java.lang.ClassNotFoundException"`}, // the first invocation says it, as on Lambda
	{name: "nohandler", handler: "example.Handler::absent", fails: true, payload: `"errorMessage":"No public method named absent `},
	{name: "badinit", handler: "example.Broken::handle", fails: true, payload: `"errorType":"java.lang.(NumberFormatException|ExceptionInInitializerError)"`},
	{name: "late", handler: "example.Handler::late", timeout: 1, fails: true, payload: `Task timed out after 1.00 seconds`},
	{name: "exits", handler: "example.Handler::exits", fails: true, payload: `Runtime.ExitError|exit status 3`},
}

var pythonCases = []languageCase{
	{name: "answers", handler: "app.handler", event: `{"name":"Nasho"}`, payload: `^\{"hello": "Nasho", "from": "the layer", "left": true\}$`,
		files: map[string]string{"app.py": "import from_layer\n\ndef handler(event, context):\n    return {'hello': event['name'], 'from': from_layer.WHERE, 'left': context.get_remaining_time_in_millis() > 0}\n"},
		layer: map[string]string{"python/from_layer.py": "WHERE = 'the layer'\n"}},
	{name: "nested", handler: "src/app.handler", payload: `^"nested"$`, files: map[string]string{"src/app.py": "def handler(event, context):\n    return 'nested'\n"}},
	{name: "raises", handler: "app.handler", fails: true, payload: `"errorMessage": "no good", "errorType": "ValueError"`, log: `(?s)START.*\[ERROR\] ValueError: no good.*REPORT`,
		files: map[string]string{"app.py": "def handler(event, context):\n    raise ValueError('no good')\n"}},
	{name: "syntax", handler: "app.handler", fails: true, payload: `"errorType": "Runtime.UserCodeSyntaxError"`, log: `INIT_REPORT .*Status: error\s+Error Type: Runtime.UserCodeSyntaxError`,
		files: map[string]string{"app.py": "def handler(event, context)\n    return 1\n"}},
	{name: "absent", handler: "app.handler", fails: true, payload: `"errorType": "Runtime.ImportModuleError"`, files: map[string]string{"other.py": ""}},
	{name: "nohandler", handler: "app.handler", fails: true, payload: `"errorType": "Runtime.HandlerNotFound"`, files: map[string]string{"app.py": "other = 1\n"}},
	{name: "nofunction", handler: "app.handler", fails: true, payload: `"errorType": "TypeError"`, files: map[string]string{"app.py": "handler = 1\n"}},
	{name: "badname", handler: "handler", fails: true, payload: `"errorType": "Runtime.MalformedHandlerName"`, files: map[string]string{"app.py": ""}},
	{name: "unserializable", handler: "app.handler", fails: true, payload: `"errorType": "Runtime.MarshalError"`, files: map[string]string{"app.py": "def handler(event, context):\n    return object()\n"}},
	{name: "late", handler: "app.handler", timeout: 1, fails: true, payload: `Task timed out after 1.00 seconds`, files: map[string]string{"app.py": "import time\n\ndef handler(event, context):\n    time.sleep(60)\n"}},
	{name: "exits", handler: "app.handler", fails: true, payload: `Runtime.ExitError|exit status 3`, files: map[string]string{"app.py": "import os\n\ndef handler(event, context):\n    os._exit(3)\n"}},
}

var nodeCases = []languageCase{
	{name: "async", handler: "index.handler", event: `{"name":"Nasho"}`, payload: `^\{"hello":"Nasho","from":"the layer","left":true\}$`,
		files: map[string]string{"index.mjs": "import { createRequire } from 'node:module'\nconst from = createRequire(import.meta.url)('from-layer')\n" +
			"export const handler = async (event, context) => ({ hello: event.name, from, left: context.getRemainingTimeInMillis() > 0 })\n"},
		layer: map[string]string{"nodejs/node_modules/from-layer/index.js": "module.exports = 'the layer'\n"}},
	{name: "commonjs", handler: "src/index.handler", payload: `^"commonjs"$`, files: map[string]string{"src/index.js": "exports.handler = async () => 'commonjs'\n"}},
	{name: "callback", on: "nodejs2[02]", handler: "index.handler", payload: `^"called back"$`, files: map[string]string{"index.js": "exports.handler = (event, context, callback) => { setTimeout(() => callback(null, 'called back'), 5) }\n"}},
	{name: "calledbackerror", on: "nodejs2[02]", handler: "index.handler", fails: true, payload: `"errorType":"RangeError","errorMessage":"no good"`,
		files: map[string]string{"index.js": "exports.handler = (event, context, callback) => callback(new RangeError('no good'))\n"}},
	{name: "throws", handler: "index.handler", fails: true, payload: `"errorType":"TypeError","errorMessage":"no good"`, log: `(?s)START.*ERROR\s+Invoke Error.*REPORT`,
		files: map[string]string{"index.mjs": "export const handler = async () => { throw new TypeError('no good') }\n"}},
	{name: "rejects", on: "nodejs2[02]", handler: "index.handler", fails: true, payload: `"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"Error: no good"`,
		files: map[string]string{"index.mjs": "export const handler = async () => { Promise.reject(new Error('no good')); await new Promise(r => setTimeout(r, 5000)) }\n"}},
	{name: "syntax", handler: "index.handler", fails: true, payload: `"errorType":"Runtime.UserCodeSyntaxError"`, log: `INIT_REPORT .*Status: error\s+Error Type: Runtime.UserCodeSyntaxError`,
		files: map[string]string{"index.js": "exports.handler = async () => {\n"}},
	{name: "absent", handler: "index.handler", fails: true, payload: `"errorType":"Runtime.ImportModuleError"`, files: map[string]string{"other.js": ""}},
	{name: "nohandler", handler: "index.handler", fails: true, payload: `"errorType":"Runtime.HandlerNotFound"`, files: map[string]string{"index.js": "exports.other = 1\n"}},
	{name: "callbacks", on: "nodejs24", handler: "index.handler", fails: true, payload: `"errorType":"Runtime.CallbackHandlerDeprecated"`,
		files: map[string]string{"index.js": "exports.handler = (event, context, callback) => callback(null, 1)\n"}},
	{name: "nofunction", handler: "index.handler", fails: true, payload: `"errorType":"Runtime.HandlerNotFound"`, files: map[string]string{"index.js": "exports.handler = 1\n"}},
	{name: "badname", handler: "handler", fails: true, payload: `"errorType":"Runtime.MalformedHandlerName"`, files: map[string]string{"index.js": ""}},
	{name: "late", handler: "index.handler", timeout: 1, fails: true, payload: `Task timed out after 1.00 seconds`, files: map[string]string{"index.mjs": "export const handler = async () => { await new Promise(r => setTimeout(r, 60000)) }\n"}},
	{name: "exits", handler: "index.handler", fails: true, payload: `Runtime.ExitError|exit status 3`, files: map[string]string{"index.mjs": "export const handler = async () => process.exit(3)\n"}},
}
