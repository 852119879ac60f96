package dockerfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/twinstart/twinstart/packages/dockerfile"
)

func read(t *testing.T, text string) (*dockerfile.Image, error) {
	t.Helper()
	return dockerfile.Read(strings.NewReader(text), "Dockerfile", dockerfile.Options{})
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
		From: "scratch",
		Copies: []dockerfile.Copy{
			{Dest: "/var", Line: 3},
			{Dest: "/var/task", Line: 4},
			{Sources: []string{"package"}, Dest: "/var/task/", Line: 11},
			{Sources: []string{"one file", "two"}, Dest: "/var/task/bin/", Line: 12},
			{Sources: []string{"outside"}, Dest: "/var/task/10/fallback", Line: 13},
			{Sources: []string{"a", "b", "c/*.sh"}, Dest: "/two words/", Line: 14},
		},
		Config: v1.Config{
			WorkingDir: "/var/task",
			Env:        []string{"A=10", "B=two words", "C=", "D=fallback", "E=$A"},
			Entrypoint: []string{"/var/task/bootstrap", "$A"},
			Cmd:        []string{"handler.last"},
			Labels:     map[string]string{"org.opencontainers.image.title": "a b"},
			User:       "993",
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(dockerfile.Copy{}, "Text")); diff != "" {
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
		{"added archive's address", "FROM scratch\nADD https://example.com/a /\n", "Dockerfile:2: ADD https://example.com/a needs Docker"},
		{"run in a stage that is copied from", "FROM golang AS b\nRUN true\nFROM scratch\nCOPY --from=b a b\n", "Dockerfile:2: RUN needs Docker"},
		{"run in a stage by its number", "FROM golang\nRUN true\nFROM scratch\nCOPY --from=0 a b\n", "Dockerfile:2: RUN needs Docker"},
		{"run in a stage that is built on", "FROM golang AS b\nRUN --network=none true\nFROM b\n", "Dockerfile:2: RUN needs Docker"},
		{"run two stages away", "FROM golang AS a\nRUN true\nFROM a AS b\nFROM scratch\nCOPY --from=b a b\n", "Dockerfile:2: RUN needs Docker"},
		{"run of a here-document", "FROM scratch\nRUN <<EOF\ntrue\nEOF\n", "Dockerfile:2: RUN needs Docker"},
		{"a later stage", "FROM scratch AS a\nCOPY --from=1 a b\nFROM scratch AS b\nCOPY --from=a a b\n", "Dockerfile:2: COPY --from=1 needs Docker"},
		{"unknown instruction in a stage that nothing needs", "FROM scratch\nRNU true\nFROM scratch\n", "Dockerfile:2: unknown instruction: RNU: if docker knows it, it needs Docker"},
		{"COPY first", "COPY a /\nFROM scratch\n", "Dockerfile:1: an instruction before FROM"},
		{"no such stage", "FROM scratch\nCOPY --from=0 a b\n", "Dockerfile:2: COPY --from=0 needs Docker"},
		{"argument without a value", "ARG BASE\nFROM $BASE\n", "Dockerfile:2: FROM $BASE does not name an image"},
		{"mode in letters", "FROM scratch\nCOPY --chmod=u+x a b\n", "Dockerfile:2: COPY --chmod=u+x: only octal"},
		{"owner by name", "FROM scratch\nCOPY --chown=app a b\n", "Dockerfile:2: COPY --chown=app needs Docker"},
		{"an option that another instruction has", "FROM scratch\nENV --from=a A=1\n", "Dockerfile:2: unknown flag: --from: if docker knows it, it needs Docker"},
		{"checksum", "FROM scratch\nADD --checksum=sha256:0 a b\n", "Dockerfile:2: ADD needs Docker with --checksum"},
		{"stage by a number", "FROM scratch AS 1a\n", "Dockerfile:1: invalid name for build stage: \"1a\""},
		{"parents", "FROM scratch\nCOPY --parents a b\n", "Dockerfile:2: unknown flag: --parents: if docker knows it, it needs Docker"},
		{"shell without an array", "FROM scratch\nSHELL /bin/bash\n", "Dockerfile:2: SHELL requires the arguments to be in JSON form"},
		{"run", "FROM scratch\n\nRUN true\n", "Dockerfile:3: RUN needs Docker"},
		{"here-documents into a file", "FROM scratch\nCOPY <<a <<b /c\na\nb\n", "Dockerfile:2: COPY of several sources"},
		{"here-document without a file's name", "FROM scratch\nCOPY <<.. /c/\na\n..\n", "Dockerfile:2: the here-document \"..\" does not have the name of a file"},
		{"variable of a here-document", "FROM base\nCOPY <<EOF /c\n$X\nEOF\n", "Dockerfile:2: X is not set above"},
		{"one word", "FROM scratch\nCOPY a\n", "Dockerfile:2: COPY requires at least two arguments"},
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

// TestReadsAsDocker compares with what docker makes of each Dockerfile, by its reference:
// https://docs.docker.com/reference/dockerfile/.
func TestReadsAsDocker(t *testing.T) {
	mode := int64(0o755)
	copied := func(source, dest string, line int) dockerfile.Copy {
		return dockerfile.Copy{Sources: []string{source}, Dest: dest, Line: line}
	}
	text := func(name, content string) []dockerfile.Text { return []dockerfile.Text{{Name: name, Content: content}} }
	stage := dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{{Dest: "/w", Line: 2}, copied("a", "/w/", 4)},
		Config: v1.Config{WorkingDir: "/w", Env: []string{"A=1"}, Cmd: []string{"c"}}}
	const stages = "FROM scratch AS Build\nWORKDIR /w\nENV A=1\nCOPY a .\nCMD [\"c\"]\n"
	child := stage
	child.Env, child.Cmd, child.Entrypoint = []string{"A=2"}, nil, []string{"e"}
	child.Copies = []dockerfile.Copy{{Dest: "/w", Line: 2}, copied("a", "/w/", 4), copied("b1", "/w/", 7)}
	for _, test := range []struct {
		name, text string
		want       dockerfile.Image
	}{
		{"a stage that is copied from", stages + "FROM scratch\nCOPY --from=build /w /\n",
			dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{{Sources: []string{"w"}, Dest: "/", Line: 7, From: "build", Stage: &stage}}}},
		{"a stage that is built on", stages + "FROM build\nCOPY b$A .\nENV A=2\nENTRYPOINT [\"e\"]\n", child},
		{"a stage is not changed by what is built on it", stages + "FROM build AS more\nENV A=3\nFROM build\n", stage},
		{"a stage that nothing needs", "FROM golang AS build\nRUN go build\nFROM scratch\nCOPY a /\n", dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{copied("a", "/", 4)}}},
		{"arguments are inherited", "FROM scratch AS a\nARG X=1\nFROM a\nCOPY a$X /\n", dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{copied("a1", "/", 4)}}},
		{"arguments of another stage are not inherited", "FROM scratch AS a\nARG X=1\nFROM scratch\nCOPY a$X /\n", dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{copied("a", "/", 4)}}},
		{"here-document", "FROM scratch\nENV A=1\nCOPY <<EOF /a\n$A '${A}' \"q\" \\$A\nEOF\n",
			dockerfile.Image{From: "scratch", Config: v1.Config{Env: []string{"A=1"}}, Copies: []dockerfile.Copy{{Dest: "/a", Line: 3, Texts: text("EOF", "1 '1' \"q\" $A\n")}}}},
		{"quoted here-document", "FROM scratch\nCOPY <<'EOF' /a\n$A\nEOF\n", dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{{Dest: "/a", Line: 2, Texts: text("EOF", "$A\n")}}}},
		{"here-document without its tabs", "FROM scratch\nADD <<-EOF /a\n\ta\n\t\tb\n\tEOF\n",
			dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{{Dest: "/a", Line: 2, Add: true, Texts: text("EOF", "a\nb\n")}}}},
		{"here-document beside a file", "FROM scratch\nCOPY a <<b.txt /d/\nb\nb.txt\n",
			dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{{Sources: []string{"a"}, Dest: "/d/", Line: 2, Texts: text("b.txt", "b\n")}}}},
		{"the base's variables", "FROM public.ecr.aws/lambda/provided:al2023\nCOPY bootstrap ${LAMBDA_RUNTIME_DIR}\nCOPY handler.sh ${LAMBDA_TASK_ROOT}\n",
			dockerfile.Image{From: "public.ecr.aws/lambda/provided:al2023", Copies: []dockerfile.Copy{copied("bootstrap", "/var/runtime", 2), copied("handler.sh", "/var/task", 3)}}},
		{"the base's working folder", "FROM provided:al2023\nCOPY a ./\n", dockerfile.Image{From: "provided:al2023", Copies: []dockerfile.Copy{copied("a", "/var/task/", 2)}}},
		{"an argument's default before FROM", "ARG TAG=al2023\nFROM provided:${TAG}\n", dockerfile.Image{From: "provided:al2023"}},
		{"a build argument", "ARG TAG=al2023\nFROM provided:${TAG}\nARG GIVEN=no\nCOPY $GIVEN /\n", dockerfile.Image{From: "provided:al2023", Copies: []dockerfile.Copy{copied("yes", "/", 4)}}},
		{"ENV goes before ARG", "FROM scratch\nENV GIVEN=env\nARG GIVEN\nCOPY $GIVEN /\n",
			dockerfile.Image{From: "scratch", Config: v1.Config{Env: []string{"GIVEN=env"}}, Copies: []dockerfile.Copy{copied("env", "/", 4)}}},
		{"an argument before FROM is not set after FROM", "ARG A=1\nFROM scratch\nCOPY a$A /\n", dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{copied("a", "/", 3)}}},
		{"an argument before FROM that is declared again is set", "ARG A=1\nFROM scratch\nARG A\nCOPY a$A /\n", dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{copied("a1", "/", 4)}}},
		{"the platform of the build", "FROM scratch\nARG TARGETARCH\nCOPY boot-$TARGETARCH /b\n", dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{copied("boot-arm64", "/b", 3)}}},
		{"FROM --platform", "FROM --platform=linux/amd64 provided:al2023\n", dockerfile.Image{From: "provided:al2023", Platform: "linux/amd64"}},
		{"FROM --platform of the build", "FROM --platform=$TARGETPLATFORM scratch\n", dockerfile.Image{From: "scratch", Platform: "linux/arm64"}},
		{"--from, --chmod, --chown", "FROM scratch\nCOPY --from=adapter:1 --chmod=755 --chown=993:990 /a /b\n",
			dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{{Sources: []string{"a"}, Dest: "/b", Line: 2, From: "adapter:1", Mode: &mode, UID: 993, GID: 990}}}},
		{"a stage that is an image and nothing more", "FROM adapter:1 AS Adapter\nFROM scratch\nCOPY --from=adapter /a /b\nCOPY --from=0 /a /c\n",
			dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{{Sources: []string{"a"}, Dest: "/b", Line: 3, From: "adapter:1"}, {Sources: []string{"a"}, Dest: "/c", Line: 4, From: "adapter:1"}}}},
		{"ADD of a file", "FROM scratch\nADD a /b\n", dockerfile.Image{From: "scratch", Copies: []dockerfile.Copy{{Sources: []string{"a"}, Dest: "/b", Line: 2, Add: true}}}},
		{"shell form", "FROM scratch\nCMD echo hello\n", dockerfile.Image{From: "scratch", Config: v1.Config{Cmd: []string{"/bin/sh", "-c", "echo hello"}}}},
		{"text that is not a JSON array is shell form, with the shell of SHELL", "FROM scratch\nSHELL [\"/bin/bash\", \"-c\"]\nCMD [\"a\",]\n", dockerfile.Image{From: "scratch", Config: v1.Config{Cmd: []string{"/bin/bash", "-c", `["a",]`}}}},
		{"what Lambda ignores", "FROM scratch\nVOLUME /data\nSTOPSIGNAL SIGINT\nHEALTHCHECK NONE\nONBUILD RUN true\nMAINTAINER me\n",
			dockerfile.Image{From: "scratch"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := dockerfile.Options{Platform: "linux/arm64", Args: map[string]string{"GIVEN": "yes"}}
			got, err := dockerfile.Read(strings.NewReader(test.text), "Dockerfile", o)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&test.want, got, cmpopts.IgnoreFields(dockerfile.Copy{}, "Text")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseNamesAMissingFile(t *testing.T) {
	if _, err := dockerfile.Parse(filepath.Join(t.TempDir(), "Dockerfile"), dockerfile.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v: want one that says the file is not there", err)
	}
}

// For any text, Read must end without a panic. It returns an error of one line with a type, or an image whose paths do
// not lead out of the image or the context.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"../../images/minimal/Dockerfile", "../../images/provided-al2023/Dockerfile"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("FROM scratch AS a\nCOPY <<A <<-'B' b /$X/\n$X\nA\n\tb\nB\nFROM a\nCOPY --from=a / /\n"))
	f.Add([]byte("FROM scratch\nENV A=1 B=${A:+x}\nCOPY [\"a\", \"../$B\"]\nCMD []\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		image, err := dockerfile.Read(strings.NewReader(string(text)), "Dockerfile", dockerfile.Options{})
		if err != nil {
			var typed *dockerfile.Error
			if !errors.As(err, &typed) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q is not one typed line", err)
			}
			return
		}
		if image.WorkingDir != "" && !strings.HasPrefix(image.WorkingDir, "/") {
			t.Errorf("working folder %q is relative", image.WorkingDir)
		}
		for _, c := range image.Copies {
			if !strings.HasPrefix(c.Dest, "/") || strings.Contains(c.Dest+"/", "/../") {
				t.Errorf("destination %q leads out", c.Dest)
			}
			for _, text := range c.Texts {
				if strings.Contains(text.Name, "/") || strings.Trim(text.Name, ".") == "" && len(text.Name) < 3 {
					t.Errorf("here-document %q leads out", text.Name)
				}
			}
			for _, source := range c.Sources {
				if strings.HasPrefix(source, "/") || strings.HasPrefix(source+"/", "../") || source == "" {
					t.Errorf("source %q leads out", source)
				}
			}
		}
	})
}

// An image's history shows a COPY as it is written: with its variables, not their values.
func TestCopyKeepsItsText(t *testing.T) {
	image, err := read(t, "FROM scratch\nARG dir=x\nCOPY --chmod=755 a \\\n  b ${dir}/\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := image.Copies[0].Text, "COPY --chmod=755 a   b ${dir}/"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
