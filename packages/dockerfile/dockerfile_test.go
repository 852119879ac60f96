package dockerfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/packages/dockerfile"
)

func read(t *testing.T, text string) (*dockerfile.Image, error) {
	t.Helper()
	return dockerfile.Read(strings.NewReader(text), "Dockerfile")
}

func TestReadsWhatDockerReads(t *testing.T) {
	const text = `# syntax=docker/dockerfile:1
FROM scratch AS runtime
WORKDIR /var
WORKDIR task
ENV A=1 B="two words" \
    C=$A
ENV A=${A}0 D=${NONE:-fallback} E='$A'
LABEL org.opencontainers.image.title="a b"
USER 993
EXPOSE 8080/tcp 9001
COPY package/ .
COPY ["one file", "./two", "bin/"]
COPY ../../outside $A/${D}
COPY a b c/*.sh /$B/
ENTRYPOINT ["/var/task/bootstrap", "$A"]
CMD ["handler.run"]
CMD ["handler.last"]
`
	got, err := read(t, text)
	if err != nil {
		t.Fatal(err)
	}
	want := &dockerfile.Image{
		From:    "scratch",
		WorkDir: "/var/task",
		Folders: []dockerfile.Folder{{Path: "/var", Line: 3}, {Path: "/var/task", Line: 4}},
		Env:     []dockerfile.KV{{"A", "10"}, {"B", "two words"}, {"C", ""}, {"D", "fallback"}, {"E", "$A"}},
		Copies: []dockerfile.Copy{
			{Sources: []string{"package"}, Dest: "/var/task/", Line: 11},
			{Sources: []string{"one file", "two"}, Dest: "/var/task/bin/", Line: 12},
			{Sources: []string{"outside"}, Dest: "/var/task/10/fallback", Line: 13},
			{Sources: []string{"a", "b", "c/*.sh"}, Dest: "/two words/", Line: 14},
		},
		Entrypoint: []string{"/var/task/bootstrap", "$A"},
		Cmd:        []string{"handler.last"},
		Labels:     []dockerfile.KV{{"org.opencontainers.image.title", "a b"}},
		User:       "993",
		Expose:     []string{"8080/tcp", "9001"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestAnEmptyArrayIsAValue(t *testing.T) {
	got, err := read(t, "FROM scratch\nENTRYPOINT []\n")
	if err != nil {
		t.Fatal(err)
	}
	if got.Entrypoint == nil || got.Cmd != nil {
		t.Errorf("entrypoint %#v, cmd %#v: want empty and nil", got.Entrypoint, got.Cmd)
	}
}

func TestRefusesTheRestByFileAndLine(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"run", "FROM scratch\n\nRUN true\n", "Dockerfile:3: RUN needs Docker"},
		{"add", "FROM scratch\nADD a b\n", "Dockerfile:2: ADD needs Docker"},
		{"argument", "ARG X=1\nFROM scratch\n", "Dockerfile:1: ARG before FROM needs Docker"},
		{"stages", "FROM scratch\nFROM scratch\n", "Dockerfile:2: a second FROM needs Docker"},
		{"from a stage", "FROM scratch\nCOPY --from=x a b\n", "Dockerfile:2: COPY --from=x needs Docker"},
		{"platform", "FROM --platform=linux/arm64 scratch\n", "Dockerfile:1: FROM --platform=linux/arm64 needs Docker"},
		{"variable base", "FROM $BASE\n", "Dockerfile:1: FROM $BASE needs Docker"},
		{"here-document", "FROM scratch\nCOPY <<EOF /a\ntext\nEOF\n", "Dockerfile:2: COPY with a here-document needs Docker"},
		{"shell form", "FROM scratch\nCMD echo hello\n", "Dockerfile:2: CMD in shell form needs Docker"},
		{"broken array", "FROM scratch\nCMD [\"a\",]\n", "Dockerfile:2: CMD in shell form needs Docker"},
		{"one word", "FROM scratch\nCOPY a\n", "Dockerfile:2: COPY needs a source and a destination"},
		{"several into a file", "FROM scratch\nCOPY a b /c\n", "Dockerfile:2: COPY of several sources"},
		{"unset over a base", "FROM base\nCOPY a ${LAMBDA_TASK_ROOT}\n", "Dockerfile:2: LAMBDA_TASK_ROOT is not set above"},
		{"relative over a base", "FROM base\nCOPY a b\n", "Dockerfile:2: b is relative"},
		{"relative folder over a base", "FROM base\nWORKDIR b\n", "Dockerfile:2: b is relative"},
		{"bad substitution", "FROM scratch\nWORKDIR ${\n", "Dockerfile:2: "},
		{"empty", "", "Dockerfile: "},
		{"comment only", "# nothing\n", "Dockerfile:1: "},
		{"nothing named", "FROM scratch\nWORKDIR\n", "Dockerfile:2: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := read(t, test.text)
			var typed *dockerfile.Error
			if !errors.As(err, &typed) || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q: want one line that starts %q", err, test.want)
			}
		})
	}
}

func TestParseNamesAMissingFile(t *testing.T) {
	if _, err := dockerfile.Parse(filepath.Join(t.TempDir(), "Dockerfile")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v: want one that says the file is not there", err)
	}
}

// Whatever the text, reading ends, without a panic, in an image whose paths stay where they are promised, or in one typed line.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"../../images/minimal/Dockerfile", "../../images/provided-al2023/Dockerfile"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("FROM scratch\nENV A=1 B=${A:+x}\nCOPY [\"a\", \"../$B\"]\nCMD []\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		image, err := dockerfile.Read(strings.NewReader(string(text)), "Dockerfile")
		if err != nil {
			var typed *dockerfile.Error
			if !errors.As(err, &typed) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q is not one typed line", err)
			}
			return
		}
		if image.WorkDir != "" && !strings.HasPrefix(image.WorkDir, "/") {
			t.Errorf("working folder %q is relative", image.WorkDir)
		}
		for _, c := range image.Copies {
			if !strings.HasPrefix(c.Dest, "/") || strings.Contains(c.Dest+"/", "/../") {
				t.Errorf("destination %q leads out", c.Dest)
			}
			for _, source := range c.Sources {
				if strings.HasPrefix(source, "/") || strings.HasPrefix(source+"/", "../") || source == "" {
					t.Errorf("source %q leads out", source)
				}
			}
		}
	})
}
