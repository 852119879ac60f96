package lab_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab"
)

const provided = `FROM public.ecr.aws/lambda/provided:al2023
COPY package/ /var/task/
COPY package/bootstrap /usr/local/bin/from-image
ENV LAMBDA_TASK_ROOT=/var/task GREETING="from the image"
WORKDIR /var/task
ENTRYPOINT ["/var/task/bootstrap"]
CMD ["other.run"]
`

// taskOnly has all its files below /var/task, so the lab does not need to join its layer to the base.
const taskOnly = `FROM public.ecr.aws/lambda/provided:al2023
COPY package/bootstrap /var/task
WORKDIR /var/task
ENTRYPOINT ["/var/task/bootstrap"]
`

const minimal = `FROM scratch
COPY root/ /
COPY package/ /var/task/
ENV LAMBDA_TASK_ROOT=/var/task
WORKDIR /var/task
ENTRYPOINT ["/var/task/bootstrap"]
CMD ["handler.run"]
`

func TestImages(t *testing.T) {
	t.Parallel()
	file := builtBootstrap(t)
	c := client(t, newLab(t,
		spec{id: "Provided", image: provided, files: map[string]string{"bootstrap": file}},
		spec{id: "TaskOnly", image: taskOnly, files: map[string]string{"bootstrap": file}},
		spec{id: "Minimal", image: minimal, files: map[string]string{"bootstrap": file}, root: map[string]string{"bin/tool": file}},
	))
	for _, name := range []string{"Provided", "TaskOnly", "Minimal"} {
		got := invoke(t, c, name, `{"do":"about"}`)
		var about struct {
			UID            int
			Env, Args      []string
			CWD            string
			Tmp, Task, Usr bool
		}
		if err := json.Unmarshal([]byte(got.payload), &about); err != nil {
			t.Fatalf("%s: %v: %+v", name, err, got)
		}
		if about.UID == 0 || about.CWD != "/var/task" || !about.Tmp || about.Task || about.Usr || strings.Join(about.Args, " ") != "/var/task/bootstrap handler.run" {
			t.Errorf("%s: %+v", name, about)
		}
		if env := strings.Join(about.Env, "\n"); strings.Contains(env, "_HANDLER=") || strings.Contains(env, "GREETING=from the image") != (name == "Provided") {
			t.Errorf("%s: %s", name, env)
		}
		for path, there := range map[string]bool{"/bin/tool": name == "Minimal", "/usr/bin/bash": name != "Minimal", "/usr/local/bin/from-image": name == "Provided"} {
			read := invoke(t, c, name, `{"do":"read","path":"`+path+`"}`)
			if strings.Contains(read.payload, "nil") != there {
				t.Errorf("%s: %s is there: %v, want %v: %s", name, path, !there, there, read.payload)
			}
		}
		if !strings.Contains(got.log, `"initReadKiB":`) {
			t.Errorf("%s: %s", name, got.log)
		}
	}
}

func TestImageThatStartsNothing(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, spec{id: "F", image: "FROM public.ecr.aws/lambda/provided:al2023\nCOPY package/bootstrap /var/runtime/bootstrap\n", files: map[string]string{"bootstrap": builtBootstrap(t)}}))
	if got := invoke(t, c, "F", `{}`); !strings.Contains(got.payload, "Runtime.InvalidEntrypoint") {
		t.Errorf("got %+v", got)
	}
}

func TestShellOfTheBase(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", nil)))
	got := invoke(t, c, "F", `{"do":"shell","path":"cat <(echo substituted) || echo none; echo $BASH_VERSION && awk 'BEGIN{print 6*7}' && ls /proc | grep -c '^[0-9]'"}`)
	if !strings.Contains(got.payload, "No such file or directory\\nnone") || // as on Lambda, where /dev has no fd
		strings.Contains(got.payload, "substituted") || !strings.Contains(got.payload, "42") || !strings.HasSuffix(got.payload, `\u003cnil\u003e"`) { // the script's error is <nil>
		t.Errorf("got %s", got.payload)
	}
}

func TestBaseRoot(t *testing.T) {
	t.Parallel()
	_, err := lab.New(lab.Options{Functions: functionsOf(t, function(t, "F", nil)), BaseRoot: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "has no folder /usr: unpack the whole of") {
		t.Errorf("got %v", err)
	}
	root := t.TempDir()
	for _, dir := range []string{"usr", "proc", "dev", "tmp", "var/task"} {
		must(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(root, "marker"), []byte("12345"), 0o644))
	c := client(t, openLab(t, lab.Options{BaseRoot: root}, function(t, "F", nil), spec{id: "Image", image: provided, files: map[string]string{"bootstrap": builtBootstrap(t)}}))
	for _, name := range []string{"F", "Image"} {
		if got := invoke(t, c, name, `{"do":"read","path":"/marker"}`); !strings.HasPrefix(got.payload, `"5`) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
