package language

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
)

// languages lists the languages in the order of reports.
var languages = []Language{
	{Name: "rust", Doc: "Rust, lambda_runtime", Runtime: provided, handler: "bootstrap", build: rust,
		tools: []string{"cargo --version", "rustc --version", "python3 --version"}, remedy: "install Rust from https://rustup.rs"},
	{Name: "go", Doc: "Go, aws-lambda-go", Runtime: provided, handler: "bootstrap", build: golang,
		tools: []string{"go version"}, remedy: "install Go from https://go.dev/dl"},
	{Name: "go-upx", Source: "go", Variant: true, Doc: "the same through UPX --best --lzma", Runtime: provided, handler: "bootstrap", build: upx,
		tools: []string{"go version"}, remedy: "install Go from https://go.dev/dl"},
	{Name: "python", Doc: "Python, boto3 of its own", Runtime: "python3.13", Older: older, handler: "%s.handler", build: python,
		tools: []string{"python3 --version"}, remedy: "install Python 3.9 or later"},
	{Name: "python-source", Source: "python", Variant: true, Doc: "the same as installed, compiled by each cold start", Runtime: "python3.13", Older: older,
		handler: "%s.handler", build: source, tools: []string{"python3 --version"}, remedy: "install Python 3.9 or later"},
	{Name: "node", Doc: "Node.js, SDK of its own", Runtime: "nodejs24.x", handler: "%s.handler", build: node,
		tools: []string{"npm --version"}, remedy: "install Node.js 20 or later"},
	{Name: "node-bundled", Source: "node", Variant: true, Doc: "the same in one file, bundled and minified by esbuild", Runtime: "nodejs24.x",
		handler: "%s.handler", build: bundled, tools: []string{"npm --version"}, remedy: "install Node.js 20 or later"},
	{Name: "java", Doc: "Java, SDK 2 over URLConnection", Runtime: "java25", handler: "geo.%s::handle", build: java,
		tools: []string{"javac -version", "mvn --version"}, remedy: "install a JDK, 17 or later, and Maven (apt-get install openjdk-17-jdk-headless maven)"},
	{Name: "bash", Doc: "Bash in rawsyscall's worker, curl", Runtime: provided, handler: "%s.run", build: bash, part: rawsyscall,
		tools: []string{"go version"}, remedy: "install Go from https://go.dev/dl"},
	{Name: "csharp", Doc: "C#, Amazon.Lambda.Core", Runtime: "dotnet10", handler: "geo::Geo.%s::Handle", build: dotnet,
		tools: []string{"dotnet --version"}, remedy: "install the SDK of .NET 10 from https://dot.net"},
	{Name: "fsharp", Variant: true, Doc: "F#, Amazon.Lambda.Core", Runtime: "dotnet10", handler: "geo::Geo.%s::Handle", build: dotnet,
		tools: []string{"dotnet --version"}, remedy: "install the SDK of .NET 10 from https://dot.net"},
}

// All returns the languages in the order of reports.
func All() []Language { return append([]Language(nil), languages...) }

const (
	provided = "provided.al2023"
	older    = "python3.14 has no stand-in in the lab where no registry has its interpreter"
)

func golang(ctx context.Context, b *build) error {
	env := []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + b.GOARCH(), "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOWORK=off"}
	_, err := run(ctx, b.src, env, "go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w -buildid=",
		"-o", filepath.Join(b.out, "bootstrap"), "./"+b.Name)
	return err
}

func upx(ctx context.Context, b *build) error {
	program, err := packages.UPX()
	if err != nil {
		return err
	}
	packed := filepath.Join(b.out, "bootstrap")
	if err := golang(ctx, b); err != nil {
		return err
	}
	plain := filepath.Join(b.src, "plain")
	return errors.Join(os.Rename(packed, plain), packages.Compress(ctx, program, plain, packed))
}

// rust links against the C library of provided.al2023, which is older than that of most machines: Zig has its symbols.
func rust(ctx context.Context, b *build) error {
	machine := map[arm.Architecture]string{arm.X8664: "x86_64", arm.ARM64: "aarch64"}[b.Architecture]
	triple := machine + "-unknown-linux-gnu"
	library, err := run(ctx, "", nil, "rustc", "--print", "target-libdir", "--target", triple)
	if err != nil {
		return err
	}
	if entries, _ := os.ReadDir(strings.TrimSpace(string(library))); len(entries) == 0 {
		return &packages.UnavailableError{What: "rust for " + string(b.Architecture), Why: "no standard library of Rust for " + triple + " here", Remedy: "rustup target add " + triple}
	}
	venv := filepath.Join(b.kept, "zigbuild-0.24.1")
	if _, err := os.Stat(filepath.Join(venv, "bin", "cargo-zigbuild")); err != nil {
		if _, err := run(ctx, "", nil, "python3", "-m", "venv", venv); err != nil {
			return err
		}
		if _, err := run(ctx, "", nil, filepath.Join(venv, "bin", "pip"), "install", "--quiet", "cargo-zigbuild==0.24.1", "ziglang==0.13.0"); err != nil {
			return err
		}
	}
	target := cmp.Or(os.Getenv("CARGO_TARGET_DIR"), filepath.Join(b.kept, "target"))
	env := []string{"PATH=" + filepath.Join(venv, "bin") + ":" + os.Getenv("PATH"), "CARGO_TARGET_DIR=" + target,
		"RUSTFLAGS=--remap-path-prefix=" + cmp.Or(os.Getenv("CARGO_HOME"), filepath.Join(os.Getenv("HOME"), ".cargo")) + "=/cargo"} // those of the project are relative
	if _, err := run(ctx, b.src, env, "cargo", "zigbuild", "--quiet", "--locked", "--release", "--target", triple+".2.34", "--bin", b.Name); err != nil {
		return err
	}
	return archive.CopyFile(filepath.Join(target, triple, "release", b.Name), filepath.Join(b.out, "bootstrap"))
}

// python compiles the modules where there is an interpreter of the version that runs them: Lambda cannot keep what it
// compiles.
func python(ctx context.Context, b *build) error {
	if err := pip(ctx, b); err != nil || compiler(ctx) == "" {
		return err
	}
	_, err := run(ctx, b.out, nil, compiler(ctx), "-m", "compileall", "-q", "-j", "1", "-s", b.out, "-p", "/var/task", "--invalidation-mode", "unchecked-hash", ".")
	return err
}

// source leaves the modules as they are.
func source(ctx context.Context, b *build) error {
	if compiler(ctx) == "" {
		return &packages.UnavailableError{What: "python-source", Why: "no python3.13 here, so that python is not compiled either", Remedy: "install Python 3.13"}
	}
	return pip(ctx, b)
}

// compiler is the interpreter of the version that runs the modules, or "".
func compiler(ctx context.Context) string {
	path, err := exec.LookPath("python3.13")
	if err != nil || exec.CommandContext(ctx, path, "--version").Run() != nil {
		return ""
	}
	return path
}

func pip(ctx context.Context, b *build) error {
	if err := copyMatching(b, "*.py"); err != nil || b.Bare {
		return err
	}
	if _, err := run(ctx, b.src, nil, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--only-binary=:all:", "--no-compile",
		"--require-hashes", "--requirement", "requirements.txt", "--target", b.out); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(b.out, "bin")) // scripts, with the path of this machine's interpreter
}

func node(ctx context.Context, b *build) error {
	if err := copyMatching(b, "*.mjs"); err != nil || b.Bare {
		return err
	}
	if err := npm(ctx, b, "--omit=dev"); err != nil {
		return err
	}
	_ = errors.Join(os.Remove(filepath.Join(b.src, "node_modules", ".package-lock.json")), os.RemoveAll(filepath.Join(b.src, "node_modules", ".bin")))
	return os.Rename(filepath.Join(b.src, "node_modules"), filepath.Join(b.out, "node_modules"))
}

// bundled makes one file of a function and of what it uses. Modules in CommonJS call require, which a file in ESM
// lacks.
func bundled(ctx context.Context, b *build) error {
	if err := npm(ctx, b); err != nil {
		return err
	}
	_, err := run(ctx, b.src, withoutOptions, "node_modules/.bin/esbuild", b.Name+".mjs", "--bundle", "--minify", "--platform=node", "--target=node24", "--format=esm",
		"--main-fields=module,main", "--banner:js=import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
		"--log-level=warning", "--outfile="+filepath.Join(b.out, b.Name+".mjs"))
	return err
}

// withoutOptions is for Node: infra/app has it read a file ahead of jsii, which is not here.
var withoutOptions = []string{"NODE_OPTIONS="}

// npm installs what the lock file pins. esbuild's program is a package of its own and needs no script.
func npm(ctx context.Context, b *build, more ...string) error {
	_, err := run(ctx, b.src, withoutOptions, append([]string{"npm", "ci", "--ignore-scripts", "--silent", "--no-fund", "--no-audit"}, more...)...)
	return err
}

func java(ctx context.Context, b *build) error {
	args := []string{"mvn", "--quiet", "--batch-mode", "compile", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=" + filepath.Join(b.out, "lib")}
	if b.Bare {
		args = append(args, "-DincludeArtifactIds=aws-lambda-java-core,gson")
	}
	if _, err := run(ctx, b.src, nil, args...); err != nil {
		return err
	}
	return os.CopyFS(b.out, os.DirFS(filepath.Join(b.src, "target", "classes")))
}

// dotnet publishes the one project in the folder.
func dotnet(ctx context.Context, b *build) error {
	machine := map[arm.Architecture]string{arm.X8664: "linux-x64", arm.ARM64: "linux-arm64"}[b.Architecture]
	_, err := run(ctx, b.src, nil, "dotnet", "publish", "--configuration", "Release", "--runtime", machine, "--no-self-contained", "--output", b.out)
	return err
}

func rawsyscall(ctx context.Context, kept string, a arm.Architecture) (string, error) {
	return (&packages.Workspace{Dir: kept}).Bootstrap(ctx, "rawsyscall", a)
}

func bash(_ context.Context, b *build) error {
	return errors.Join(os.CopyFS(b.out, os.DirFS(b.part)), copyMatching(b, "*.sh"))
}

// copyMatching copies the project's own files of a form.
func copyMatching(b *build, form string) error {
	names, err := filepath.Glob(filepath.Join(b.src, form))
	for _, name := range names {
		err = errors.Join(err, archive.CopyFile(name, filepath.Join(b.out, filepath.Base(name))))
	}
	return err
}
