package language

import (
	"cmp"
	"context"
	_ "embed" // zigbuild.txt
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
		tools: []string{"cargo --version", "rustc --version", "python3 --version"}, remedy: needRust},
	{Name: "go", Doc: "Go, aws-lambda-go", Runtime: provided, handler: "bootstrap", build: golang,
		tools: []string{"go version"}, remedy: needGo},
	{Name: "go-upx", Source: "go", Variant: true, Doc: "the same through UPX --best --lzma", Runtime: provided,
		handler: "bootstrap", build: upx, tools: []string{"go version"}, remedy: needGo},
	{Name: "python", Doc: "Python, boto3 of its own", Runtime: "python3.13", Older: older,
		handler: "%s.handler", build: python, tools: []string{"python3 --version"}, remedy: needPython},
	{Name: "python-source", Source: "python", Variant: true, Doc: "the same as installed, compiled by each cold start",
		Runtime: "python3.13", Older: older,
		handler: "%s.handler", build: source, tools: []string{"python3 --version"}, remedy: needPython},
	{Name: "node", Doc: "Node.js, SDK of its own", Runtime: "nodejs24.x",
		handler: "%s.handler", build: node, tools: []string{"npm --version"}, remedy: needNode},
	{Name: "node-bundled", Source: "node", Variant: true, Doc: "the same in one file, bundled and minified by esbuild",
		Runtime: "nodejs24.x", handler: "%s.handler", build: bundled, tools: []string{"npm --version"}, remedy: needNode},
	{Name: "java", Doc: "Java, SDK 2 over URLConnection", Runtime: "java25", handler: "geo.%s::handle", build: java,
		tools: []string{"javac -version", "mvn --version"}, remedy: needJava},
	{Name: "bash", Doc: "Bash in rawsyscall's worker, curl", Runtime: provided, handler: "%s.run", build: bash,
		part: rawsyscall, tools: []string{"go version"}, remedy: needGo},
	{Name: "csharp", Doc: "C#, Amazon.Lambda.Core", Runtime: "dotnet10", handler: "geo::Geo.%s::Handle", build: dotnet,
		tools: []string{"dotnet --version"}, remedy: needDotnet},
	{Name: "fsharp", Variant: true, Doc: "F#, Amazon.Lambda.Core", Runtime: "dotnet10",
		handler: "geo::Geo.%s::Handle", build: dotnet, tools: []string{"dotnet --version"}, remedy: needDotnet},
}

// All returns the languages in the order of reports.
func All() []Language { return append([]Language(nil), languages...) }

const (
	provided = "provided.al2023"
	older    = "the lab has no stand-in for python3.14 if no package registry has its interpreter"

	needRust   = "install Rust from https://rustup.rs, and Python 3.9 or later"
	needGo     = "install Go from https://go.dev/dl"
	needPython = "install Python 3.9 or later"
	needNode   = "install Node.js 20 or later"
	needJava   = "install a JDK, 17 or later, and Maven (apt-get install openjdk-17-jdk-headless maven)"
	needDotnet = "install the SDK of .NET 10 from https://dot.net"
)

func golang(ctx context.Context, b *build) error {
	env := []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + b.GOARCH(), "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=", "GOWORK=off"}
	_, err := run(ctx, b.src, env, "go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc",
		"-ldflags=-s -w -buildid=", "-o", filepath.Join(b.out, "bootstrap"), "./"+b.Name)
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

// zigbuild pins cargo-zigbuild and its Zig by version and digest. It is in the form that pip reads.
//
//go:embed zigbuild.txt
var zigbuild []byte

// rust links against the symbols of provided.al2023's C library, which is older than most machines'. Zig has them.
func rust(ctx context.Context, b *build) error {
	machine := map[arm.Architecture]string{arm.X8664: "x86_64", arm.ARM64: "aarch64"}[b.Architecture]
	triple := machine + "-unknown-linux-gnu"
	library, err := run(ctx, "", nil, "rustc", "--print", "target-libdir", "--target", triple)
	if err != nil {
		return err
	}
	if entries, _ := os.ReadDir(strings.TrimSpace(string(library))); len(entries) == 0 {
		return &packages.UnavailableError{What: "rust for " + string(b.Architecture),
			Why: "no standard library of Rust for " + triple + " here", Remedy: "rustup target add " + triple}
	}
	venv := filepath.Join(b.kept, "zigbuild-0.24.1")
	if _, err := os.Stat(filepath.Join(venv, "bin", "cargo-zigbuild")); err != nil {
		pip, pins := filepath.Join(venv, "bin", "pip"), filepath.Join(b.kept, "zigbuild.txt")
		_, err := run(ctx, "", nil, "python3", "-m", "venv", venv)
		if err = errors.Join(err, os.WriteFile(pins, zigbuild, 0o644)); err == nil {
			_, err = run(ctx, "", nil, pip, "install", "--quiet", "--only-binary=:all:", "--require-hashes", "-r", pins)
		}
		if err != nil {
			return err
		}
	}
	target := cmp.Or(os.Getenv("CARGO_TARGET_DIR"), filepath.Join(b.kept, "target"))
	home := cmp.Or(os.Getenv("CARGO_HOME"), filepath.Join(os.Getenv("HOME"), ".cargo"))
	env := []string{"PATH=" + filepath.Join(venv, "bin") + ":" + os.Getenv("PATH"), "CARGO_TARGET_DIR=" + target,
		"RUSTFLAGS=--remap-path-prefix=" + home + "=/cargo"} // paths of the project are relative
	_, err = run(ctx, b.src, env, "cargo", "zigbuild", "--quiet", "--locked", "--release",
		"--target", triple+".2.34", "--bin", b.Name)
	if err != nil {
		return err
	}
	return archive.CopyFile(filepath.Join(target, triple, "release", b.Name), filepath.Join(b.out, "bootstrap"))
}

// python compiles the modules if there is an interpreter of the version that runs them. On Lambda each cold start would
// compile them, because it cannot keep the result.
func python(ctx context.Context, b *build) error {
	if err := pip(ctx, b); err != nil || compiler(ctx) == "" {
		return err
	}
	_, err := run(ctx, b.out, nil, compiler(ctx), "-m", "compileall", "-q", "-j", "1", "-s", b.out, "-p", "/var/task",
		"--invalidation-mode", "unchecked-hash", ".")
	return err
}

// source leaves the modules as they are.
func source(ctx context.Context, b *build) error {
	if compiler(ctx) == "" {
		return &packages.UnavailableError{What: "python-source", Remedy: "install Python 3.13",
			Why: "no python3.13 here, so the modules of python are not compiled either"}
	}
	return pip(ctx, b)
}

// compiler returns the path of the Python version that runs the modules on Lambda, or "".
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
	_, err := run(ctx, b.src, nil, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"--no-input", "--only-binary=:all:", "--no-compile", "--require-hashes", "-r", "requirements.txt", "--target", b.out)
	if err != nil {
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
	modules := filepath.Join(b.src, "node_modules")
	_ = errors.Join(os.Remove(filepath.Join(modules, ".package-lock.json")), os.RemoveAll(filepath.Join(modules, ".bin")))
	return os.Rename(modules, filepath.Join(b.out, "node_modules"))
}

// bundled makes one file of a function and the modules that it uses. CommonJS modules call require, which an ES module
// must define.
func bundled(ctx context.Context, b *build) error {
	if err := npm(ctx, b); err != nil {
		return err
	}
	const require = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);"
	_, err := run(ctx, b.src, withoutOptions, "node_modules/.bin/esbuild", b.Name+".mjs", "--bundle", "--minify",
		"--platform=node", "--target=node24", "--format=esm", "--main-fields=module,main", "--banner:js="+require,
		"--log-level=warning", "--outfile="+filepath.Join(b.out, b.Name+".mjs"))
	return err
}

// withoutOptions unsets Node's options: infra/app makes Node load a file before jsii, which is not in this folder.
var withoutOptions = []string{"NODE_OPTIONS="}

// npm installs the packages that the lock file pins. It runs no scripts; esbuild's program is a package and needs none.
func npm(ctx context.Context, b *build, more ...string) error {
	args := []string{"npm", "ci", "--ignore-scripts", "--silent", "--no-fund", "--no-audit"}
	_, err := run(ctx, b.src, withoutOptions, append(args, more...)...)
	return err
}

func java(ctx context.Context, b *build) error {
	args := []string{"mvn", "--quiet", "--batch-mode", "compile", "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory=" + filepath.Join(b.out, "lib")}
	if b.Bare {
		args = append(args, "-DincludeArtifactIds=aws-lambda-java-core,gson")
	}
	if _, err := run(ctx, b.src, nil, args...); err != nil {
		return err
	}
	return os.CopyFS(b.out, os.DirFS(filepath.Join(b.src, "target", "classes")))
}

// dotnet publishes the only project in the folder.
func dotnet(ctx context.Context, b *build) error {
	machine := map[arm.Architecture]string{arm.X8664: "linux-x64", arm.ARM64: "linux-arm64"}[b.Architecture]
	_, err := run(ctx, b.src, nil, "dotnet", "publish", "--configuration", "Release", "--runtime", machine,
		"--no-self-contained", "--output", b.out)
	return err
}

func rawsyscall(ctx context.Context, kept string, a arm.Architecture) (string, error) {
	return (&packages.Workspace{Dir: kept}).Bootstrap(ctx, "rawsyscall", a)
}

func bash(_ context.Context, b *build) error {
	return errors.Join(os.CopyFS(b.out, os.DirFS(b.part)), copyMatching(b, "*.sh"))
}

// copyMatching copies the project's own files that match a pattern.
func copyMatching(b *build, form string) error {
	names, err := filepath.Glob(filepath.Join(b.src, form))
	for _, name := range names {
		err = errors.Join(err, archive.CopyFile(name, filepath.Join(b.out, filepath.Base(name))))
	}
	return err
}
