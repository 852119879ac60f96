package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/runtime/arm"
	"github.com/twinstart/twinstart/runtime/bashcurl"
	"github.com/twinstart/twinstart/runtime/bashtcp"
)

// The scripts are embedded in their packages: they are at hand wherever this one is linked, whatever the working folder.
var (
	bashcurlScript = script{bashcurl.Bootstrap}
	bashtcpScript  = script{bashtcp.Bootstrap}
)

// script is the recipe of a bootstrap that is a Bash script, run by the base's /bin/bash.
type script struct{ text []byte }

func (s script) key(context.Context, *Workspace, arm.Architecture) (string, error) {
	return fmt.Sprintf("%x", sha256.Sum256(s.text)), nil
}

func (s script) build(_ context.Context, _ *Workspace, _ arm.Architecture, dir string) error {
	return os.WriteFile(filepath.Join(dir, "bootstrap"), s.text, 0o755)
}

// staticScript is the recipe of the same script run by a static Bash that the package brings along.
type staticScript struct{ script script }

// interpreter is absolute, for the kernel resolves a script's interpreter before there is a working folder to speak of.
const interpreter = "#!/var/task/bash\n"

func (s staticScript) key(ctx context.Context, w *Workspace, a arm.Architecture) (string, error) {
	bash, err := w.staticBash(ctx, a)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%s%s%s", interpreter, s.script.text, bash.Sum))), nil
}

func (s staticScript) build(ctx context.Context, w *Workspace, a arm.Architecture, dir string) error {
	first, rest, ok := bytes.Cut(s.script.text, []byte("\n"))
	if !ok || !bytes.HasPrefix(first, []byte("#!")) {
		return errors.New("the script's first line is not #!: give it one")
	}
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), append([]byte(interpreter), rest...), 0o755); err != nil {
		return err
	}
	bash, err := w.staticBash(ctx, a)
	if err != nil {
		return err
	}
	return copyFile(filepath.Join(dir, "bash"), bash)
}
